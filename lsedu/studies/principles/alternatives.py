"""Other cures of overconfidence beside smoothing: focal loss, the confidence penalty, and a temperature alone.

Claim: smoothing improves calibration (textbook, Benefits); so do the focal loss, with a fixed exponent or one that
depends on the sample (mukhoti2020), the confidence penalty (pereyra2017) and temperature scaling (guo2017). And
smoothing is said to make selective classification worse (xia2025, as cited by pragmatic-ib): the wrong answers are no
longer the least confident.
Set-up: 3,000 Fashion-MNIST images, one MLP; strength, exponent and multiplier of each loss are chosen by the NLL of
2,000 held-out images, which fit the temperature too; all 10,000 test images. On one thread of a laptop core: a minute
and a half a seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from pathlib import Path

import numpy as np
import torch

from lsedu import calibration, models, training
from lsedu.experiments.experiment import Choice, Contrast, Experiment, Outcome, Plan
from lsedu.losses import confidence_penalty, cross_entropy, focal, focal_sample_dependent, label_smoothing
from lsedu.studies._contrasts import against
from lsedu.studies._pictures import Scale, pictures
from lsedu.studies._scores import SCORES, fitted, kept, scored, under
from lsedu.studies._training import trained

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
COVERAGES = np.linspace(0.05, 1.0, 39)


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study, and the values among which each method chooses."""

    alphas: tuple[float, ...]
    gammas: tuple[float, ...]
    betas: tuple[float, ...]


def candidates(config: Config) -> dict[str, dict[str, Loss]]:
    """Return the losses by method and by value; a method without a choice has one, called "only"."""
    return {
        "one-hot": {"only": cross_entropy},
        "smoothing": {str(alpha): partial(label_smoothing, alpha=alpha) for alpha in config.alphas},
        "focal": {str(gamma): partial(focal, gamma=gamma) for gamma in config.gammas},
        "flsd-53": {"only": focal_sample_dependent},
        "penalty": {str(beta): partial(confidence_penalty, beta=beta) for beta in config.betas},
    }


def aurc(probs: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the area under the risk-coverage curve."""
    return calibration.risk_coverage(probs, labels).area


def risks(logits: torch.Tensor, labels: torch.Tensor) -> np.ndarray:
    """Return the error rate among the most confident share `COVERAGES` of the samples, shape (39,)."""
    curve = calibration.risk_coverage(calibration.apply_temperature(logits, 1.0), labels)
    return np.interp(COVERAGES, curve.coverage, curve.risk)


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train with every candidate, choose one of each method on held-out data, and test them all."""
    p = pictures(config, seed=seed, device=device)
    options = {"seed": seed, "recipe": config.training, "workdir": workdir, "progress": progress}
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for method, losses in candidates(config).items():
        held_nll: dict[str, float] = {}
        for value, loss in losses.items():
            model, _ = trained(models.mlp, loss, p.x, p.y, name=f"{method}-{value}", **options)
            held, logits = training.predict(model, p.x_val), training.predict(model, p.x_test)
            held_nll[value] = calibration.nll(calibration.apply_temperature(held, 1.0), p.y_val)
            temperatures = fitted(held, p.y_val)
            name = method if value == "only" else f"{method}-{value}"
            results |= under(name, scored(logits, p.y_test, temperatures, scores=(*SCORES, aurc)))
            results[f"{name}/temperature"] = temperatures["after"]
            arrays |= kept(name, logits, p.y_test, temperatures)
            arrays[f"{name}/risk"] = risks(logits, p.y_test).astype(np.float32)
        if "only" not in held_nll:
            chosen = min(held_nll, key=held_nll.__getitem__)
            results[f"{method}/value"] = float(chosen)
            prefix = f"{method}-{chosen}/"
            for found in (results, arrays):
                own = {key.removeprefix(prefix): value for key, value in found.items() if key.startswith(prefix)}
                found |= under(method, own)
    return Outcome(results, arrays)


EXPERIMENT = Experiment(
    name="alternatives",
    claim="Smoothing is one of several cures of overconfidence, and makes selective classification worse.",
    source="textbook, Benefits; mukhoti2020; pereyra2017; guo2017; xia2025",
    reduction={
        "smoke": "300 training images and one epoch: tests the code, not the claim.",
        "cpu": "3,000 Fashion-MNIST images and one MLP: says nothing of deep networks, which these losses are for.",
    },
    configs={
        "smoke": Config(
            train_size=300, validation_size=300, test_size=300, alphas=(0.1, 0.2), gammas=(1.0, 3.0), betas=(0.3,),
            training=training.Config(epochs=1, batch_size=64),
        ),
        "cpu": Config(
            train_size=3000, validation_size=2000, test_size=10000, alphas=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2),
            gammas=(0.25, 0.5, 1.0, 2.0, 3.0), betas=(0.01, 0.03, 0.1, 0.3, 1.0), training=training.Config(epochs=40),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 108))},
    measure=measure,
    contrasts=(
        *(
            against(
                f"{method}-ece", f"{title} lowers the ECE", "before/ece", plus=method, minus="one-hot", margin=0.005
            )
            for method, title in (
                ("smoothing", "Smoothing"), ("focal", "The focal loss"), ("flsd-53", "FLSD-53"),
                ("penalty", "The confidence penalty"),
            )
        ),
        *(
            Contrast(
                f"temperature-{method}",
                f"One-hot training with a temperature has a lower NLL than {title} without",
                "one-hot/after/nll", f"{method}/before/nll", claimed="negative", margin=0.005,
            )
            for method, title in (
                ("smoothing", "smoothing"), ("focal", "the focal loss"), ("penalty", "the confidence penalty"),
            )
        ),
        *(
            against(
                f"both-{method}", f"With a temperature for each, {title} has a lower NLL than one-hot training",
                "after/nll", plus=method, minus="one-hot", margin=0.005,
            )
            for method, title in (
                ("smoothing", "smoothing"), ("focal", "the focal loss"), ("flsd-53", "FLSD-53"),
                ("penalty", "the confidence penalty"),
            )
        ),
        against(
            "flsd-53-focal", "FLSD-53 has a lower ECE than the focal loss with exponent 3", "before/ece",
            plus="flsd-53", minus="focal-3.0", margin=0.005,
        ),
        *(
            against(
                f"selective-{alpha}",
                f"Smoothing with alpha = {alpha} raises the area under the risk-coverage curve", "before/aurc",
                plus=f"smoothing-{alpha}", minus="one-hot", claimed="positive", margin=0.001,
            )
            for alpha in (0.1, 0.2)
        ),
        against(
            "auroc-0.2", "Smoothing with alpha = 0.2 makes errors harder to detect", "before/error_auroc",
            plus="smoothing-0.2", minus="one-hot", margin=0.005,
        ),
        against(
            "focal-auroc", "The focal loss makes errors harder to detect", "before/error_auroc", plus="focal",
            minus="one-hot", margin=0.005,
        ),
    ),
    choices=tuple(
        Choice(f"{method}/", grid, itemgetter(f"{method}/value"))
        for method, grid in (("smoothing", "alphas"), ("focal", "gammas"), ("penalty", "betas"))
    ),
    primary=("focal-ece", "flsd-53-focal", "penalty-ece", "selective-0.1",),
    plans=(Plan("focal-ece", 0.0038),),
    data=("fashion-mnist-mini",),
)  # fmt: skip
