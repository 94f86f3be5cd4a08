"""How much of the target Q may have: learnable and uniform smoothing at six strengths.

Claims: a strength alpha between 0.1 and 0.4 gives the best accuracy, and one that is chosen gains over the 0.1 of all
tables (lls, section 4.1 and appendix C, figure 7). The paper does not say on which pictures the best was found: here
the strength of a seed is chosen on validation pictures, and beside it stands the best that its test pictures show.
Set-up: 2,000 Fashion-MNIST images and one MLP; the same images, initial weights and batches for one-hot targets and for
each strength of uniform smoothing, of LLS as published, and of LLS at half of its loss, as the sum of two divergences
has larger gradients than a cross-entropy at a rate that was chosen for the latter. On one thread of a laptop core: half
a minute a seed.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lsedu import losses, training
from lsedu.calibration import accuracy, ece, nll
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.experiments.verdict import Claimed
from lsedu.studies._scores import fitted, scored, under
from lsedu.studies.learnable._photographs import OfASet, photographs, taught
from lsedu.studies.recipes import card

STRENGTHS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
#: The range that the paper calls the best, ends included: both are on its figure.
INSIDE = (0.1, 0.2, 0.3, 0.4)
USUAL = 0.1
METHODS = ("ls", "lls", "lls-half")
SCORES = (accuracy, ece, nll)


def maker(method: str, num_classes: int, alpha: float) -> Callable[..., Any]:
    """Return the criterion of a method at a strength."""
    if method == "ls":
        return partial(losses.label_smoothing, alpha=alpha)
    return losses.LearnableLabelSmoothing(num_classes, alpha=alpha, half=method == "lls-half")


def chosen(found: Mapping[str, float], method: str) -> dict[str, float]:
    """Return what a choice of the strength gives.

    Parameters
    ----------
    found : mapping of str to float
        ``METHOD/ALPHA/validation`` and ``METHOD/ALPHA/before/accuracy`` of all strengths.
    method : str

    Returns
    -------
    dict of str to float
        ``strength``: the one that is best on the validation pictures, the smallest of several. ``inside``: whether it
        is in the paper's range. ``accuracy``: on the test pictures, at that strength. ``best``: at the strength that
        is best on the test pictures themselves. ``range``: mean over the paper's range.
    """
    seen = [found[f"{method}/{alpha}/validation"] for alpha in STRENGTHS]
    tested = [found[f"{method}/{alpha}/before/accuracy"] for alpha in STRENGTHS]
    at = int(np.argmax(seen))
    within = [value for alpha, value in zip(STRENGTHS, tested) if alpha in INSIDE]
    return {
        "strength": STRENGTHS[at],
        "inside": float(STRENGTHS[at] in INSIDE),
        "accuracy": tested[at],
        "best": max(tested),
        "range": float(np.mean(within)),
    }


def measure(config: OfASet, seed: int, *, part: str, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train a method at every strength, and choose one of them on the validation pictures; or one-hot targets."""
    p = photographs(config, config.pictures, seed=seed, device=device, test_part=config.test_part)
    arms: dict[str, Any] = {f"{part}/{alpha}": maker(part, p.num_classes, alpha) for alpha in STRENGTHS}
    if part == "one-hot":
        arms = {part: losses.cross_entropy}
    results: dict[str, float] = {}
    for arm, criterion in arms.items():
        model = taught(config, criterion, p, seed=seed, name=arm.replace("/", "-"), workdir=workdir, progress=progress)
        held = training.predict(model, p.x_val)
        results[f"{arm}/validation"] = accuracy(held.softmax(1), p.y_val)
        logits = training.predict(model, p.x_test)
        results |= under(arm, scored(logits, p.y_test, fitted(held, p.y_val), scores=SCORES))
    return Outcome(results | (under(f"{part}/chosen", chosen(results, part)) if part in METHODS else {}))


NAMES = {"ls": "uniform smoothing", "lls": "LLS", "lls-half": "LLS at half of its loss"}
#: Of accuracy: a quarter of a point, which one would not notice.
SMALL = 0.0025


def _of_method(method: str) -> tuple[Contrast, ...]:
    """Return what is asked of each method."""
    told = NAMES[method]

    def one(
        name: str, claim: str, plus: str, minus: str | float, margin: float = SMALL, claimed: Claimed = "positive"
    ) -> Contrast:
        by = minus if isinstance(minus, float) else f"{method}/{minus}"
        return Contrast(f"{method}-{name}", f"{claim} ({told})", f"{method}/{plus}", by, claimed=claimed, margin=margin)

    return (
        one("above-low", "Between 0.1 and 0.4 accuracy is higher than at 0.05", "chosen/range", "0.05/before/accuracy"),
        one("above-high", "Between 0.1 and 0.4 accuracy is higher than at 0.5", "chosen/range", "0.5/before/accuracy"),
        one("inside", "The strength chosen on validation pictures is between 0.1 and 0.4 more often than one drawn of "
            "the six is", "chosen/inside", len(INSIDE) / len(STRENGTHS), 0.1),
        one("chosen", "A strength chosen on validation pictures is more accurate than 0.1", "chosen/accuracy",
            f"{USUAL}/before/accuracy"),
        one("best", "The best strength of the test pictures looks better than one chosen on validation pictures",
            "chosen/best", "chosen/accuracy"),
        *(
            Contrast(f"{method}-over-{alpha}", f"{told} is more accurate than one-hot targets (alpha = {alpha})",
                     f"{method}/{alpha}/before/accuracy", "one-hot/before/accuracy", margin=SMALL)
            for alpha in STRENGTHS
        ),
        one("ece", "Calibration is worse at 0.4 than at 0.1", "0.4/before/ece", f"{USUAL}/before/ece", 0.01),
        one("ece-fitted", "With a fitted temperature calibration is as good at 0.4 as at 0.1", "0.4/after/ece",
            f"{USUAL}/after/ece", 0.01, "none"),
    )  # fmt: skip


def _grey(train_size: int, epochs: int, held: int, test_size: int) -> OfASet:
    return OfASet(
        pictures="fashion-mnist-mini", train_size=train_size, validation_size=held, test_size=test_size,
        test_part="test-all", training=training.Config(epochs=epochs),
    )  # fmt: skip


EXPERIMENT = Experiment(
    name="strengths",
    claim="A strength of learnable smoothing between 0.1 and 0.4 gives the best accuracy, and choosing it pays.",
    source="lls, section 4.1 and appendix C, figure 7",
    reduction={
        "smoke": "150 training pictures and one epoch: tests the code, not the claim.",
        "cpu": "2,000 small grey pictures of ten classes and an MLP, where the paper has ResNet-18 on CIFAR-100, "
        "Flowers-102 and CUB-200; the last two are not at hand.",
        "gpu": "CIFAR-100 and ResNet-18, 20 epochs where the paper has 300; Flowers-102 and CUB-200 are not at hand.",
    },
    configs={
        "smoke": _grey(150, 1, 100, 200),
        "cpu": _grey(2000, 30, 2000, 0),
        "gpu": OfASet(
            pictures="cifar100", train_size=0, validation_size=5000, test_size=0, network="resnet-18",
            training=card(20),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 116)), "gpu": (100, 101)},
    measure=measure,
    contrasts=tuple(one for method in METHODS for one in _of_method(method)),
    primary=("lls-above-low", "lls-above-high", "lls-chosen", "lls-ece"),
    # by seeds 10 to 12
    plans=(
        Plan("lls-above-low", 0.0014), Plan("lls-above-high", 0.0033), Plan("lls-chosen", 0.0016, 0.0),
        Plan("lls-ece", 0.0071),
    ),
    data=("fashion-mnist-mini",),
    parts=lambda config: ("one-hot", *METHODS),
)  # fmt: skip
