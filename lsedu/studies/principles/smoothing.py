"""Label smoothing repairs overconfidence; too much of it makes a network underconfident.

Claim: with smoothed targets a network is better calibrated and at least as accurate, unless alpha is too large
(textbook, Benefits and Practical Considerations). Against it we hold two questions: does temperature scaling of the
plain network do as well, and are errors still found as easily?
Set-up: 5,000 Fashion-MNIST images, one MLP, the same data and initial weights for each alpha, SGD with a cosine
schedule; all 10,000 test images. On one thread of a laptop core: a minute a seed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lsedu import models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.studies._contrasts import against
from lsedu.studies._pictures import Scale, pictures
from lsedu.studies._scores import fitted, gaps, kept, scored, under
from lsedu.studies._training import smoothed


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; the recipe is the same for every alpha."""

    alphas: tuple[float, ...]


def bend(alphas: tuple[float, ...], values: list[float]) -> float:
    """Return by how much the parabola that fits values at these strengths best lies, half-way, above its chord.

    Examples
    --------
    >>> round(bend((0.0, 0.2, 0.4), [0.8, 0.9, 0.8]), 6)
    0.1
    """
    return -float(np.polyfit(alphas, values, 2)[0]) * ((max(alphas) - min(alphas)) / 2) ** 2


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train the network with each alpha and measure it on the test set, before and after temperature scaling."""
    p = pictures(config, seed=seed, device=device)
    options = {"seed": seed, "recipe": config.training, "workdir": workdir, "progress": progress}
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for alpha in config.alphas:
        model, _ = smoothed(models.mlp, p.x, p.y, alpha=alpha, name=str(alpha), **options)
        logits = training.predict(model, p.x_test)
        temperatures = fitted(training.predict(model, p.x_val), p.y_val)
        results[f"{alpha}/temperature"] = temperatures["after"]
        results[f"{alpha}/gap_mean"], results[f"{alpha}/gap_max"] = gaps(training.predict(model, p.x), p.y)
        results |= under(alpha, scored(logits, p.y_test, temperatures))
        arrays |= kept(str(alpha), logits, p.y_test, temperatures)
    results["bend"] = bend(config.alphas, [results[f"{alpha}/before/accuracy"] for alpha in config.alphas])
    return Outcome(results, arrays)


EXPERIMENT = Experiment(
    name="smoothing",
    claim="Label smoothing makes a network better calibrated without costing accuracy.",
    source="textbook, Benefits and Practical Considerations; muller2019",
    reduction={
        "smoke": "600 training images and one epoch: tests the code, not the claim.",
        "cpu": "5,000 Fashion-MNIST images and one MLP: says nothing of deep networks on natural images.",
    },
    configs={
        "smoke": Config(
            train_size=600, validation_size=400, test_size=500, alphas=(0.0, 0.025, 0.05, 0.1, 0.2, 0.9),
            training=training.Config(epochs=1, batch_size=64),
        ),
        "cpu": Config(
            train_size=5000, validation_size=2000, test_size=10000, alphas=(0.0, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.9),
            training=training.Config(epochs=40),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 116))},
    measure=measure,
    contrasts=(
        against(
            "accuracy", "Smoothing with alpha = 0.1 raises accuracy", "before/accuracy", claimed="positive",
            margin=0.003,
        ),
        *(
            against(
                f"accuracy-{alpha}", f"Smoothing with alpha = {alpha} raises accuracy", "before/accuracy", plus=alpha,
                claimed="positive", margin=0.003,
            )
            for alpha in (0.05, 0.2)
        ),
        against(
            "too-large", "Too much smoothing costs accuracy: alpha = 0.9 is less accurate than alpha = 0.1",
            "before/accuracy", plus=0.9, minus=0.1, margin=0.003,
        ),
        Contrast(
            "bend", "Accuracy is highest between the ends: over alpha it bends down", "bend", claimed="positive",
            margin=0.003,
        ),
        *(
            against(
                f"ece-{alpha}", f"Smoothing with alpha = {alpha} lowers the ECE", "before/ece", plus=alpha,
                margin=0.005,
            )
            for alpha in (0.025, 0.05, 0.1, 0.2)
        ),
        Contrast(
            "underconfident-0.2", "With alpha = 0.2 the network is underconfident", "0.2/before/overconfidence",
            claimed="negative", margin=0.01,
        ),
        Contrast(
            "temperature-ece", "Temperature scaling of the plain network gives a lower ECE than alpha = 0.1",
            "0.0/after/ece", "0.1/before/ece", claimed="negative", margin=0.005,
        ),
        *(
            Contrast(
                f"temperature-ece-{alpha}",
                f"Temperature scaling of the plain network gives a lower ECE than alpha = {alpha}",
                "0.0/after/ece", f"{alpha}/before/ece", claimed="negative", margin=0.005,
            )
            for alpha in (0.025, 0.05)
        ),
        Contrast(
            "temperature-nll", "Temperature scaling of the plain network gives a lower NLL than alpha = 0.1",
            "0.0/after/nll", "0.1/before/nll", claimed="negative", margin=0.005,
        ),
        against(
            "auroc", "Smoothing with alpha = 0.1 makes errors harder to detect", "before/error_auroc", margin=0.005,
        ),
    ),
    primary=("accuracy", "ece-0.05", "ece-0.1", "underconfident-0.2", "temperature-ece", "auroc", "too-large",),
    plans=(Plan("accuracy", 0.0035), Plan("temperature-ece", 0.0066), Plan("ece-0.1", 0.0073, 3.0)),
    data=("fashion-mnist-mini",),
)  # fmt: skip
