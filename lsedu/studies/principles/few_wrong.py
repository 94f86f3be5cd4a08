"""With few wrong labels, what alpha = 0.1 gains in accuracy, and whether it is more than where none is wrong.

Claim: smoothing keeps a network from taking each label at its word, which helps where a label is wrong with a small
probability; noisy data gain most from it (textbook, Benefits and Practical Considerations). A gain on wrong labels is
robustness only if it exceeds the gain on right ones: hence an interaction beside each gain.
Set-up: as in `noise` (2,000 Fashion-MNIST images, symmetric noise, one MLP trained until it knows wrong labels by
heart, all 10,000 test images with their true labels), with few wrong labels, alpha = 0.1 alone, and more seeds.
On one thread of a laptop core: a minute and a half a seed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lsedu import data, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.experiments.keeping import per_picture
from lsedu.studies._contrasts import against
from lsedu.studies._pictures import Scale, pictures
from lsedu.studies._scores import right
from lsedu.studies._training import smoothed

#: The shares of wrong labels that are concluded from, with their names.
SHARES = ((0.05, "5%"), (0.1, "10%"), (0.2, "20%"), (0.4, "40%"))


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; `rates` are the shares of wrong labels, the first of them none."""

    rates: tuple[float, ...]
    alphas: tuple[float, ...]


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train the network at each rate with each strength; test on true labels."""
    p = pictures(config, seed=seed, device=device)
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for rate in config.rates:
        noisy = data.symmetric_noise(p.y.cpu().numpy(), p.num_classes, rate=rate, seed=2 * seed)
        given = torch.from_numpy(noisy).to(device)
        for alpha in config.alphas:
            name = f"{rate}/{alpha}"
            model, _ = smoothed(
                models.mlp, p.x, given, alpha=alpha, seed=seed, recipe=config.training, workdir=workdir,
                name=f"{rate}-{alpha}", progress=progress,
            )  # fmt: skip
            logits = training.predict(model, p.x_test)
            results[f"{name}/accuracy"] = right(logits, p.y_test)
            arrays |= per_picture(name, logits, p.y_test)
    return Outcome(results, arrays)


EXPERIMENT = Experiment(
    name="few_wrong",
    claim="Smoothing with alpha = 0.1 helps more, the more labels are wrong.",
    source="textbook, Benefits and Practical Considerations",
    reduction={
        "smoke": "300 training images and one epoch: tests the code, not the claim.",
        "cpu": "2,000 Fashion-MNIST images, one MLP and symmetric noise: says nothing of deep networks on natural "
        "images, nor of noise that follows the content of the image.",
    },
    configs={
        "smoke": Config(
            train_size=300, validation_size=300, test_size=300, rates=(0.0, 0.05, 0.1, 0.2, 0.4), alphas=(0.0, 0.1),
            training=training.Config(epochs=1, batch_size=64),
        ),
        "cpu": Config(
            train_size=2000, validation_size=2000, test_size=10000, rates=(0.0, 0.05, 0.1, 0.2, 0.4),
            alphas=(0.0, 0.1), training=training.Config(epochs=80, lr=0.1),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 124))},
    measure=measure,
    contrasts=(
        *(
            against(
                f"accuracy-{rate}", f"With {share} of the labels wrong, alpha = 0.1 raises accuracy", "accuracy",
                plus=f"{rate}/0.1", minus=f"{rate}/0.0", claimed="positive", margin=0.005,
            )
            for rate, share in ((0.0, "none"), *SHARES)
        ),
        *(
            Contrast(
                f"more-{rate}", f"With {share} of the labels wrong, alpha = 0.1 gains more accuracy than with none",
                f"{rate}/0.1/accuracy", f"{rate}/0.0/accuracy", claimed="positive", margin=0.005,
                plain=("0.0/0.1/accuracy", "0.0/0.0/accuracy"),
            )
            for rate, share in SHARES
        ),
    ),
    primary=("accuracy-0.1", "accuracy-0.4", "more-0.1", "more-0.2", "more-0.4",),
    plans=(Plan("accuracy-0.4", 0.0118, 3.0), Plan("more-0.1", 0.0048), Plan("more-0.2", 0.0064)),
    data=("fashion-mnist-mini",),
)  # fmt: skip
