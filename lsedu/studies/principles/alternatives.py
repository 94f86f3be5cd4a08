"""Other cures of overconfidence beside smoothing: focal loss, the confidence penalty, and a temperature alone.

Claim: smoothing improves calibration (textbook, Benefits); so do the focal loss, with a fixed exponent or one that
depends on the sample (mukhoti2020), the confidence penalty (pereyra2017) and temperature scaling (guo2017). And
smoothing is said to make selective classification worse (xia2025, as cited by pragmatic-ib): the wrong answers are no
longer the least confident.
Set-up: 3,000 Fashion-MNIST images, one MLP; strength, exponent and multiplier of each loss are chosen by the NLL of
2,000 held-out images, which fit the temperature too; 2,000 test images. On one thread of a laptop core: a minute a
seed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from lsedu import calibration, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.losses import confidence_penalty, cross_entropy, focal, focal_sample_dependent, label_smoothing
from lsedu.studies._scores import SCORES
from lsedu.studies._training import pictures

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
COVERAGES = np.linspace(0.05, 1.0, 39)


@dataclass(frozen=True)
class Config:
    """Scale of the experiment, and the values among which each method chooses."""

    train_size: int
    validation_size: int
    test_size: int
    alphas: tuple[float, ...]
    gammas: tuple[float, ...]
    betas: tuple[float, ...]
    training: training.Config


def candidates(config: Config) -> dict[str, dict[str, Loss]]:
    """Return the losses by method and by value; a method without a choice has one, called "only"."""
    return {
        "one-hot": {"only": cross_entropy},
        "smoothing": {str(alpha): partial(label_smoothing, alpha=alpha) for alpha in config.alphas},
        "focal": {str(gamma): partial(focal, gamma=gamma) for gamma in config.gammas},
        "flsd-53": {"only": focal_sample_dependent},
        "penalty": {str(beta): partial(confidence_penalty, beta=beta) for beta in config.betas},
    }


def scores(logits: torch.Tensor, labels: torch.Tensor, temperature: float) -> dict[str, float]:
    """Return the scores at a temperature: `SCORES`, and `aurc`, the area under the risk-coverage curve."""
    probs = calibration.apply_temperature(logits, temperature)
    found = {score.__name__: score(probs, labels) for score in SCORES}
    return found | {"aurc": calibration.risk_coverage(probs, labels).area}


def risks(logits: torch.Tensor, labels: torch.Tensor) -> np.ndarray:
    """Return the error rate among the most confident share `COVERAGES` of the samples, shape (39,)."""
    curve = calibration.risk_coverage(calibration.apply_temperature(logits, 1.0), labels)
    return np.interp(COVERAGES, curve.coverage, curve.risk)


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train with every candidate, choose one of each method on held-out data, and test them all."""
    sizes = (config.train_size, config.validation_size, config.test_size)
    p = pictures(sizes, seed=seed, device=device)
    recipe = replace(config.training, seed=seed)
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for method, losses in candidates(config).items():
        held_nll: dict[str, float] = {}
        for value, loss in losses.items():
            model = models.build(models.mlp, seed=seed).to(device)
            training.fit(
                model,
                loss,
                p.x,
                p.y,
                config=recipe,
                checkpoint=workdir / f"{method}-{value}.pt" if workdir else None,
                progress=progress,
            )
            held, logits = training.predict(model, p.x_val), training.predict(model, p.x_test)
            held_nll[value] = calibration.nll(calibration.apply_temperature(held, 1.0), p.y_val)
            temperature = calibration.fit_temperature(held, p.y_val)
            name = method if value == "only" else f"{method}-{value}"
            for state, t in (("before", 1.0), ("after", temperature)):
                results |= {f"{name}/{state}/{key}": found for key, found in scores(logits, p.y_test, t).items()}
            results[f"{name}/temperature"] = temperature
            arrays[f"{name}/risk"] = risks(logits, p.y_test).astype(np.float32)
        if "only" not in held_nll:
            chosen = min(held_nll, key=held_nll.__getitem__)
            results[f"{method}/value"] = float(chosen)
            prefix = f"{method}-{chosen}/"
            results |= {f"{method}/{k[len(prefix) :]}": v for k, v in results.items() if k.startswith(prefix)}
    return Outcome(results, arrays)


def _against(name: str, claim: str, plus: str, minus: str, *, claimed: str, margin: float) -> Contrast:
    return Contrast(name, claim, plus, minus, claimed=claimed, margin=margin)


EXPERIMENT = Experiment(
    name="alternatives",
    claim="Smoothing is one of several cures of overconfidence, and makes selective classification worse.",
    source="textbook, Benefits; mukhoti2020; pereyra2017; guo2017; xia2025",
    reduction={
        "smoke": "300 training images and 3 epochs: tests the code, not the claim.",
        "cpu": "3,000 Fashion-MNIST images and one MLP: says nothing of deep networks, which these losses are for.",
    },
    configs={
        "smoke": Config(
            300, 300, 300, (0.1, 0.2), (1.0, 3.0), (0.3,), training.Config(epochs=3, batch_size=64)
        ),
        "cpu": Config(
            3000, 2000, 2000, (0.025, 0.05, 0.1, 0.2), (1.0, 2.0, 3.0), (0.1, 0.3, 1.0), training.Config(epochs=40)
        ),
    },
    seeds={"smoke": (0, 1), "cpu": (100, 101, 102, 103, 104)},
    measure=measure,
    contrasts=(
        *(
            _against(
                f"{method}-ece", f"{title} lowers the ECE", f"{method}/before/ece", "one-hot/before/ece",
                claimed="negative", margin=0.005,
            )
            for method, title in (
                ("smoothing", "Smoothing"), ("focal", "The focal loss"), ("flsd-53", "FLSD-53"),
                ("penalty", "The confidence penalty"),
            )
        ),
        *(
            _against(
                f"temperature-{method}",
                f"One-hot training with a temperature has a lower NLL than {title} without",
                "one-hot/after/nll", f"{method}/before/nll", claimed="negative", margin=0.005,
            )
            for method, title in (
                ("smoothing", "smoothing"), ("focal", "the focal loss"), ("penalty", "the confidence penalty"),
            )
        ),
        *(
            _against(
                f"both-{method}", f"With a temperature for each, {title} has a lower NLL than one-hot training",
                f"{method}/after/nll", "one-hot/after/nll", claimed="negative", margin=0.005,
            )
            for method, title in (
                ("smoothing", "smoothing"), ("focal", "the focal loss"), ("flsd-53", "FLSD-53"),
                ("penalty", "the confidence penalty"),
            )
        ),
        _against(
            "flsd-53-focal", "FLSD-53 has a lower ECE than the focal loss with exponent 3", "flsd-53/before/ece",
            "focal-3.0/before/ece", claimed="negative", margin=0.005,
        ),
        _against(
            "selective-0.1", "Smoothing with alpha = 0.1 raises the area under the risk-coverage curve",
            "smoothing-0.1/before/aurc", "one-hot/before/aurc", claimed="positive", margin=0.001,
        ),
        _against(
            "selective-0.2", "Smoothing with alpha = 0.2 raises the area under the risk-coverage curve",
            "smoothing-0.2/before/aurc", "one-hot/before/aurc", claimed="positive", margin=0.001,
        ),
        _against(
            "auroc-0.2", "Smoothing with alpha = 0.2 makes errors harder to detect",
            "smoothing-0.2/before/error_auroc", "one-hot/before/error_auroc", claimed="negative", margin=0.005,
        ),
        _against(
            "focal-auroc", "The focal loss makes errors harder to detect",
            "focal/before/error_auroc", "one-hot/before/error_auroc", claimed="negative", margin=0.005,
        ),
    ),
    data=("fashion-mnist-mini",),
)  # fmt: skip
