"""Clean data that can be separated: smoothing costs no accuracy, and makes a right network say that it is not sure.

Claim: on clean and simple problems whose classes can be separated, smoothing may be needless and lead to
underconfidence; and a target below 1 does not have to cost accuracy (textbook, Benefits and Practical Considerations).
Set-up: ten classes around ten centres in the plane, each within a disc that touches no other, so that a perfect
classifier exists and no label is wrong; 1,000 points to train, a small MLP. Seconds a seed.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lsedu import calibration, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.studies._contrasts import against
from lsedu.studies._pictures import Scale
from lsedu.studies._scores import fitted, scored, under
from lsedu.studies._training import smoothed

SCORES = (calibration.overconfidence, calibration.ece, calibration.nll)


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; `radius` is that of each disc, as a share of half the distance of two centres."""

    classes: int
    radius: float
    hidden: tuple[int, ...]
    alphas: tuple[float, ...]


def discs(size: int, classes: int, *, radius: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return points (N, 2, 1, 1) and labels (N,) of classes that lie in discs apart from each other.

    Parameters
    ----------
    size : int
        Number of points N, spread over the classes in turn.
    classes : int
        Number of classes K, at least 2, with centres evenly on the unit circle.
    radius : float
        In (0, 1): the radius of a disc over half the distance of neighbouring centres. Below 1 the discs do not touch.
    seed : int

    Raises
    ------
    ValueError
        If the radius or the number of classes is out of range.
    """
    if classes < 2 or not 0 < radius < 1:
        raise ValueError(f"need at least 2 classes and a radius in (0, 1), got {classes} and {radius}")
    rng = np.random.default_rng(seed)
    labels = np.arange(size) % classes
    angle = 2 * np.pi * labels / classes
    distance = radius * math.sin(math.pi / classes) * np.sqrt(rng.random(size))
    around = rng.uniform(0, 2 * np.pi, size)
    points = np.stack([np.cos(angle) + distance * np.cos(around), np.sin(angle) + distance * np.sin(around)], 1)
    return torch.from_numpy(points.astype(np.float32)).reshape(size, 2, 1, 1), torch.from_numpy(labels)


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train the network with each strength and measure it on new points of the same discs."""
    sizes = (config.train_size, config.validation_size, config.test_size)
    parts = [discs(n, config.classes, radius=config.radius, seed=3 * seed + i) for i, n in enumerate(sizes)]
    (x, y), (x_val, y_val), (x_test, y_test) = ((points.to(device), labels.to(device)) for points, labels in parts)
    results: dict[str, float] = {}
    for alpha in config.alphas:
        model, _ = smoothed(
            models.mlp, x, y, alpha=alpha, seed=seed, recipe=config.training, workdir=workdir, name=str(alpha),
            progress=progress, shape=(2, 1, 1), hidden=config.hidden, num_classes=config.classes,
        )  # fmt: skip
        logits = training.predict(model, x_test)
        temperatures = fitted(training.predict(model, x_val), y_val)
        results |= under(alpha, scored(logits, y_test, temperatures, scores=SCORES))
        after = calibration.apply_temperature(logits, temperatures["after"])
        results[f"{alpha}/accuracy"] = calibration.accuracy(after, y_test)
        results[f"{alpha}/temperature"] = temperatures["after"]
        results[f"{alpha}/predicted"] = -alpha * (config.classes - 1) / config.classes
    return Outcome(results)


EXPERIMENT = Experiment(
    name="separable",
    claim="On clean, separable data smoothing only makes a network underconfident, and need not cost accuracy.",
    source="textbook, Benefits and Practical Considerations",
    reduction={
        "smoke": "200 points and 20 epochs: tests the code, not the claim.",
        "cpu": "Points in the plane and a small MLP, made so that the claim can hold; nothing was reduced for time.",
    },
    configs={
        "smoke": Config(
            train_size=200, validation_size=200, test_size=200, classes=10, radius=0.5, hidden=(32,),
            alphas=(0.0, 0.1, 0.4), training=training.Config(epochs=20, batch_size=50),
        ),
        "cpu": Config(
            train_size=1000, validation_size=1000, test_size=2000, classes=10, radius=0.8, hidden=(64, 64),
            alphas=(0.0, 0.05, 0.1, 0.2, 0.4, 0.8), training=training.Config(epochs=100, batch_size=50),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": (100, 101, 102, 103, 104)},
    measure=measure,
    contrasts=(
        Contrast(
            "underconfident-0.1", "On separable data alpha = 0.1 makes the network underconfident",
            "0.1/before/overconfidence", claimed="negative", margin=0.01,
        ),
        against("ece-0.1", "On separable data alpha = 0.1 lowers the ECE", "before/ece", margin=0.005),
        *(
            against(
                f"accuracy-{alpha}", f"On separable data alpha = {alpha} costs accuracy", "accuracy", plus=alpha,
                margin=0.003,
            )
            for alpha in (0.1, 0.4)
        ),
        Contrast(
            "as-predicted", "At alpha = 0.4 the network is more underconfident than its target asks",
            "0.4/before/overconfidence", "0.4/predicted", claimed="negative", margin=0.01,
        ),
    ),
    primary=("underconfident-0.1", "accuracy-0.4",),
    data=(),
)  # fmt: skip
