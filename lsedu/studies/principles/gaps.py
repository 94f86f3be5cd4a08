"""With one-hot targets the gap between logits grows with the logarithm of the training time; smoothing stops it.

Claim: smoothing keeps the network from an excessive gap between the label's logit and the others (textbook, Impact on
Gradient Dynamics), with a fixed point at log(1 + K (1 - alpha) / alpha). We add: without smoothing the gap is finite at
every time and grows like log t.
Set-up: 1,000 Fashion-MNIST images, one MLP, a constant learning rate and no weight decay, so that nothing else holds
the logits back. On one thread of a laptop core: about twenty seconds a seed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lsedu import data, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.losses import logit_gap
from lsedu.studies._contrasts import against
from lsedu.studies._scores import gaps
from lsedu.studies._training import smoothed


@dataclass(frozen=True, kw_only=True)
class Config:
    """Scale of the study."""

    train_size: int
    alphas: tuple[float, ...]
    training: training.Config


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Follow both gaps on the training images over the epochs, for each alpha."""
    (train,) = data.split(data.load("fashion-mnist-mini"), sizes=(config.train_size,), seed=seed)
    x, y = data.to_tensors(train, device=device)
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}

    def watch(model: torch.nn.Module) -> dict[str, float]:
        mean, largest = gaps(training.predict(model, x), y)
        return {"gap_mean": mean, "gap_max": largest}

    for alpha in config.alphas:
        _, history = smoothed(
            models.mlp, x, y, alpha=alpha, seed=seed, recipe=config.training, workdir=workdir, name=str(alpha),
            progress=progress, metrics=watch,
        )  # fmt: skip
        time, mean = history.column("epoch"), history.column("gap_mean")
        late = time >= time[-1] / 2
        results[f"{alpha}/slope"] = float(np.polyfit(np.log(time[late]), mean[late], 1)[0])
        results[f"{alpha}/gap_mean"] = float(mean[-1])
        results[f"{alpha}/gap_max"] = float(history.column("gap_max")[-1])
        results[f"{alpha}/accuracy"] = float(history.column("accuracy")[-1])
        if alpha > 0:
            results[f"{alpha}/closed_form"] = logit_gap(len(train.classes), alpha)
        for column in ("loss", "gap_mean", "gap_max"):
            arrays[f"{alpha}/{column}"] = history.column(column)
    return Outcome(results, arrays)


EXPERIMENT = Experiment(
    name="gaps",
    claim="Without smoothing the gap between logits goes on growing, like log t; smoothing holds it at a finite value.",
    source="textbook, Impact on Gradient Dynamics",
    reduction={
        "smoke": "300 training images and 4 epochs: tests the code, not the claim.",
        "cpu": "1,000 Fashion-MNIST images and one MLP, trained far longer than is useful, on purpose.",
    },
    configs={
        "smoke": Config(
            train_size=300, alphas=(0.0, 0.1), training=training.Config(epochs=4, batch_size=50, weight_decay=0.0)
        ),
        "cpu": Config(
            train_size=1000,
            alphas=(0.0, 0.05, 0.1, 0.2),
            training=training.Config(epochs=300, batch_size=100, lr=0.02, weight_decay=0.0, schedule="constant"),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": (100, 101, 102, 103, 104)},
    measure=measure,
    contrasts=(
        Contrast(
            "one-hot-grows", "With one-hot targets the mean gap still grows in the second half of training",
            "0.0/slope", claimed="positive", margin=0.1,
        ),
        against(
            "smoothed-smaller", "With alpha = 0.1 the mean gap is smaller than with one-hot targets", "gap_mean",
            margin=0.1,
        ),
        Contrast(
            "smoothed-stops", "With alpha = 0.1 the mean gap grows no more in the second half of training",
            "0.1/slope", claimed="none", margin=0.1,
        ),
        Contrast(
            "at-closed-form", "With alpha = 0.1 the mean gap of a trained network ends at the closed form",
            "0.1/gap_mean", "0.1/closed_form", claimed="none", margin=0.1,
        ),
        Contrast(
            "largest-below",
            "After 300 passes with alpha = 0.1 the gap to the largest other logit is below the closed form",
            "0.1/gap_max", "0.1/closed_form", claimed="negative", margin=0.1,
        ),
    ),
    primary=("one-hot-grows", "smoothed-smaller", "smoothed-stops", "at-closed-form",),
    data=("fashion-mnist-mini",),
)  # fmt: skip
