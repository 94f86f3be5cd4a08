"""Clean data that can be separated: smoothing costs no accuracy, and makes a right network say that it is not sure.

Claim: on clean and simple problems whose classes can be separated, smoothing may be needless and lead to
underconfidence; and a target below 1 does not have to cost accuracy (textbook, Benefits and Practical Considerations).
Set-up: ten classes around ten centres in the plane, each within a disc that touches no other, so that a perfect
classifier exists and no label is wrong; 1,000 points to train, a small MLP. Seconds a seed.
"""

import math
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lsedu import calibration, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.losses import label_smoothing


@dataclass(frozen=True)
class Config:
    """Scale of the experiment; `radius` is that of each disc, as a share of half the distance of two centres."""

    classes: int
    radius: float
    train_size: int
    validation_size: int
    test_size: int
    hidden: tuple[int, ...]
    alphas: tuple[float, ...]
    training: training.Config


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
        model = models.build(
            models.mlp, seed=seed, shape=(2, 1, 1), hidden=config.hidden, num_classes=config.classes
        ).to(device)
        training.fit(
            model,
            partial(label_smoothing, alpha=alpha),
            x,
            y,
            config=replace(config.training, seed=seed),
            checkpoint=workdir / f"{alpha}.pt" if workdir else None,
            progress=progress,
        )
        logits = training.predict(model, x_test)
        temperature = calibration.fit_temperature(training.predict(model, x_val), y_val)
        for state, t in (("before", 1.0), ("after", temperature)):
            probs = calibration.apply_temperature(logits, t)
            results |= {
                f"{alpha}/{state}/{score.__name__}": score(probs, y_test)
                for score in (calibration.overconfidence, calibration.ece, calibration.nll)
            }
        results[f"{alpha}/accuracy"] = calibration.accuracy(probs, y_test)
        results[f"{alpha}/temperature"] = temperature
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
        "smoke": Config(10, 0.5, 200, 200, 200, (32,), (0.0, 0.1, 0.4), training.Config(epochs=20, batch_size=50)),
        "cpu": Config(
            10, 0.8, 1000, 1000, 2000, (64, 64), (0.0, 0.05, 0.1, 0.2, 0.4, 0.8),
            training.Config(epochs=100, batch_size=50),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": (100, 101, 102, 103, 104)},
    measure=measure,
    contrasts=(
        Contrast(
            "underconfident-0.1", "On separable data alpha = 0.1 makes the network underconfident",
            "0.1/before/overconfidence", claimed="negative", margin=0.01,
        ),
        Contrast(
            "ece-0.1", "On separable data alpha = 0.1 lowers the ECE",
            "0.1/before/ece", "0.0/before/ece", claimed="negative", margin=0.005,
        ),
        Contrast(
            "accuracy-0.1", "On separable data alpha = 0.1 costs accuracy",
            "0.1/accuracy", "0.0/accuracy", claimed="negative", margin=0.003,
        ),
        Contrast(
            "accuracy-0.4", "On separable data alpha = 0.4 costs accuracy",
            "0.4/accuracy", "0.0/accuracy", claimed="negative", margin=0.003,
        ),
        Contrast(
            "as-predicted", "At alpha = 0.4 the network is more underconfident than its target asks",
            "0.4/before/overconfidence", "0.4/predicted", claimed="negative", margin=0.01,
        ),
    ),
    data=(),
)  # fmt: skip
