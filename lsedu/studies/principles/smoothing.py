"""Label smoothing repairs overconfidence; too much of it makes a network underconfident.

Claim: with smoothed targets a network is better calibrated and at least as accurate (textbook, Benefits). Against it we
hold two questions: does temperature scaling of the plain network do as well, and are errors still found as easily?
Set-up: 5,000 Fashion-MNIST images, one MLP, the same data and initial weights for each alpha, SGD with a cosine
schedule. On one thread of a laptop core: half a minute a seed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lsedu import models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.studies._contrasts import against
from lsedu.studies._pictures import Scale, pictures
from lsedu.studies._scores import fitted, gaps, scored, under
from lsedu.studies._training import smoothed


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; the recipe is the same for every alpha."""

    alphas: tuple[float, ...]


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train the network with each alpha and measure it on the test set, before and after temperature scaling."""
    p = pictures(config, seed=seed, device=device)
    options = {"seed": seed, "recipe": config.training, "workdir": workdir, "progress": progress}
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {"labels": p.y_test.cpu().numpy().astype(np.uint8)}
    for alpha in config.alphas:
        model, _ = smoothed(models.mlp, p.x, p.y, alpha=alpha, name=str(alpha), **options)
        logits = training.predict(model, p.x_test)
        temperatures = fitted(training.predict(model, p.x_val), p.y_val)
        results[f"{alpha}/temperature"] = temperatures["after"]
        results[f"{alpha}/gap_mean"], results[f"{alpha}/gap_max"] = gaps(training.predict(model, p.x), p.y)
        results |= under(alpha, scored(logits, p.y_test, temperatures))
        arrays[f"{alpha}/logits"] = logits.cpu().numpy().astype(np.float32)
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
            train_size=600, validation_size=400, test_size=500, alphas=(0.0, 0.05, 0.1, 0.2),
            training=training.Config(epochs=1, batch_size=64),
        ),
        "cpu": Config(
            train_size=5000, validation_size=2000, test_size=2000, alphas=(0.0, 0.025, 0.05, 0.1, 0.2, 0.4),
            training=training.Config(epochs=40),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": (100, 101, 102, 103, 104)},
    measure=measure,
    contrasts=(
        against(
            "accuracy", "Smoothing with alpha = 0.1 raises accuracy", "before/accuracy", claimed="positive",
            margin=0.003,
        ),
        *(
            against(
                f"ece-{alpha}", f"Smoothing with alpha = {alpha} lowers the ECE", "before/ece", plus=alpha,
                margin=0.005,
            )
            for alpha in (0.05, 0.1, 0.2)
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
        against(
            "auroc", "Smoothing with alpha = 0.1 makes errors harder to detect", "before/error_auroc", margin=0.005,
        ),
    ),
    primary=("accuracy", "ece-0.05", "ece-0.1", "underconfident-0.2", "temperature-ece", "auroc",),
    data=("fashion-mnist-mini",),
)  # fmt: skip
