"""Label smoothing repairs overconfidence; too much of it makes a network underconfident.

Claim: with smoothed targets a network is better calibrated and at least as accurate (textbook, Benefits). Against it we
hold two questions: does temperature scaling of the plain network do as well, and are errors still found as easily?
Set-up: 5,000 Fashion-MNIST images, one MLP, the same data and initial weights for each alpha, SGD with a cosine
schedule. On one thread of a laptop core: half a minute a seed.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from lsedu import calibration, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.losses import label_smoothing
from lsedu.studies._scores import SCORES
from lsedu.studies._training import pictures


@dataclass(frozen=True)
class Config:
    """Scale of the experiment; the recipe is the same for every alpha."""

    train_size: int
    validation_size: int
    test_size: int
    alphas: tuple[float, ...]
    training: training.Config


def gaps(logits: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    """Return the mean gap from the label's logit to the mean, and to the largest, of the others."""
    own = logits.gather(1, labels[:, None])
    others = logits.scatter(1, labels[:, None], float("-inf"))
    mean = (logits.sum(1, keepdim=True) - own) / (logits.shape[1] - 1)
    return (own - mean).mean().item(), (own[:, 0] - others.max(1).values).mean().item()


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train the network with each alpha and measure it on the test set, before and after temperature scaling."""
    sizes = (config.train_size, config.validation_size, config.test_size)
    p = pictures(sizes, seed=seed, device=device)
    recipe = training.Config(**{**config.training.__dict__, "seed": seed})
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {"labels": p.y_test.cpu().numpy().astype(np.uint8)}
    for alpha in config.alphas:
        model = models.build(models.mlp, seed=seed).to(device)
        training.fit(
            model,
            partial(label_smoothing, alpha=alpha),
            p.x,
            p.y,
            config=recipe,
            checkpoint=workdir / f"{alpha}.pt" if workdir else None,
            progress=progress,
        )
        logits = training.predict(model, p.x_test)
        temperature = calibration.fit_temperature(training.predict(model, p.x_val), p.y_val)
        results[f"{alpha}/temperature"] = temperature
        results[f"{alpha}/gap_mean"], results[f"{alpha}/gap_max"] = gaps(training.predict(model, p.x), p.y)
        for state, t in (("before", 1.0), ("after", temperature)):
            probs = calibration.apply_temperature(logits, t)
            results |= {f"{alpha}/{state}/{score.__name__}": score(probs, p.y_test) for score in SCORES}
        arrays[f"{alpha}/logits"] = logits.cpu().numpy().astype(np.float32)
    return Outcome(results, arrays)


def _against_plain(name: str, claim: str, score: str, *, alpha: float, claimed: str, margin: float) -> Contrast:
    return Contrast(name, claim, f"{alpha}/before/{score}", f"0.0/before/{score}", claimed=claimed, margin=margin)


EXPERIMENT = Experiment(
    name="smoothing",
    claim="Label smoothing makes a network better calibrated without costing accuracy.",
    source="textbook, Benefits and Practical Considerations; muller2019",
    reduction={
        "smoke": "600 training images and 3 epochs: tests the code, not the claim.",
        "cpu": "5,000 Fashion-MNIST images and one MLP: says nothing of deep networks on natural images.",
    },
    configs={
        "smoke": Config(600, 400, 500, (0.0, 0.05, 0.1, 0.2), training.Config(epochs=3, batch_size=64)),
        "cpu": Config(5000, 2000, 2000, (0.0, 0.025, 0.05, 0.1, 0.2, 0.4), training.Config(epochs=40)),
    },
    seeds={"smoke": (0, 1), "cpu": (100, 101, 102, 103, 104)},
    measure=measure,
    contrasts=(
        _against_plain(
            "accuracy", "Smoothing with alpha = 0.1 raises accuracy", "accuracy", alpha=0.1, claimed="positive",
            margin=0.003,
        ),
        _against_plain(
            "ece-0.05", "Smoothing with alpha = 0.05 lowers the ECE", "ece", alpha=0.05, claimed="negative",
            margin=0.005,
        ),
        _against_plain(
            "ece-0.1", "Smoothing with alpha = 0.1 lowers the ECE", "ece", alpha=0.1, claimed="negative",
            margin=0.005,
        ),
        _against_plain(
            "ece-0.2", "Smoothing with alpha = 0.2 lowers the ECE", "ece", alpha=0.2, claimed="negative",
            margin=0.005,
        ),
        Contrast(
            "underconfident-0.2", "With alpha = 0.2 the network is underconfident", "0.2/before/overconfidence",
            claimed="negative", margin=0.01,
        ),
        Contrast(
            "temperature-ece", "Temperature scaling of the plain network gives a lower ECE than alpha = 0.1",
            "0.0/after/ece", "0.1/before/ece", claimed="negative", margin=0.005,
        ),
        Contrast(
            "temperature-nll", "Temperature scaling of the plain network gives a lower NLL than alpha = 0.1",
            "0.0/after/nll", "0.1/before/nll", claimed="negative", margin=0.005,
        ),
        _against_plain(
            "auroc", "Smoothing with alpha = 0.1 makes errors harder to detect", "error_auroc", alpha=0.1,
            claimed="negative", margin=0.005,
        ),
    ),
    data=("fashion-mnist-mini",),
)  # fmt: skip
