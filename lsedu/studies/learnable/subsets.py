"""A Q-matrix that was learned from all pictures teaches a network that has half of them, or half of the classes.

Claims: on half of the samples Q of the whole set, kept as it is, is better than one-hot targets, smoothing and a Q
learned on that half (lls, appendix D, table 6); on half of the classes a newly learned Q is best, and the old one close
to it, ahead of one-hot targets and smoothing (table 7).
Set-up: 4,000 Fashion-MNIST images and one MLP, which learns Q from all of them; then a random half of the images, and
the images of the first five classes, for which Q is the softmax of their logits, as in the paper. LLS has half of the
sum, as in the paper's pseudo-code, as the sum has twice the gradients of a cross-entropy; the sum stands beside it.
Controls: Q with its rows' entries mixed up; and a Q learned on the half itself, then kept as it is while a new network
learns: what the old Q adds to it is the other half of the images. The network of the whole set teaches, too. The recipe
is that of `substitute`, where smoothing helps. On one thread of a laptop core: 25 seconds a seed.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lsedu import losses, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.experiments.keeping import per_picture
from lsedu.studies._contrasts import accuracies
from lsedu.studies._pictures import Pictures, Scale, pictures
from lsedu.studies._scores import right
from lsedu.studies._training import trained
from lsedu.studies.learnable._teaching import criterion, mixed_up, substitute

FROM_LABELS = ("one-hot", "ls", "lls", "half", "own")
HALVES = ("samples", "classes")


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; `hidden` is the width of the network, `train_size` that of the whole set."""

    hidden: int


@dataclass(frozen=True)
class Half:
    """Training and test pictures and labels of a half, and the classes that are in it, in the order of their labels."""

    x: Tensor
    y: Tensor
    x_test: Tensor
    y_test: Tensor
    classes: Tensor


def halves(p: Pictures, *, seed: int) -> dict[str, Half]:
    """Return a random half of the samples, and the first half of the classes."""
    some = torch.randperm(len(p.y), generator=torch.Generator().manual_seed(seed))[: len(p.y) // 2].to(p.y.device)
    every, first = torch.arange(p.num_classes), torch.arange(p.num_classes // 2)
    inside, tested = p.y < len(first), p.y_test < len(first)
    return {
        "samples": Half(p.x[some], p.y[some], p.x_test, p.y_test, every),
        "classes": Half(p.x[inside], p.y[inside], p.x_test[tested], p.y_test[tested], first),
    }


def answer(teacher: nn.Module, classes: Tensor, x: Tensor) -> Tensor:
    """Return a teacher's logits (N, M) of the chosen classes only."""
    return teacher(x)[:, classes.to(x.device)]


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Learn Q from all pictures, as published and at its own rate, and train on each half with every arm."""
    p = pictures(config, seed=seed, device=device)

    def run(made: Any, x: Tensor, y: Tensor, num_classes: int) -> models.Classifier:
        return trained(
            models.mlp, made, x, y, seed=seed, recipe=config.training, progress=progress,
            shape=tuple(x.shape[1:]), hidden=(config.hidden,), num_classes=num_classes,
        )[0]  # fmt: skip

    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    whole: dict[str, losses.LearnableLabelSmoothing] = {}
    teachers: dict[str, models.Classifier] = {}
    for name in ("half", "own"):
        whole[name] = criterion(name, p.num_classes)
        teachers[name] = run(whole[name], p.x, p.y, p.num_classes)
        arrays[f"whole/{name}"] = whole[name].q().cpu().numpy().astype(np.float16)
    for half, part in halves(p, seed=seed).items():
        k = len(part.classes)
        arms = {name: criterion(name, k) for name in FROM_LABELS}
        old = {name: losses.restrict(made, part.classes).q_logits.detach() for name, made in whole.items()}
        arms |= {"st": substitute(old["half"]), "st-own": substitute(old["own"])}
        arms["mixed"] = substitute(mixed_up(old["own"], seed=seed))
        arms["teacher"] = losses.Distillation(partial(answer, teachers["own"], part.classes))

        def look(name: str, made: Any, half: str = half, part: Half = part, k: int = k) -> None:
            logits = training.predict(run(made, part.x, part.y, k), part.x_test)
            results[f"{half}/{name}/accuracy"] = right(logits, part.y_test)
            arrays.update(per_picture(f"{half}/{name}", logits, part.y_test))

        for name, made in arms.items():
            look(name, made)
        arrays[f"{half}/own/q"] = arms["own"].q().cpu().numpy().astype(np.float16)
        look("again", substitute(arms["own"].q_logits))
    return Outcome(results, arrays)


def _than(name: str, claim: str, half: str, plus: str, minus: str, claimed: str = "positive") -> Contrast:
    told = f"{claim} (half of the {half})"
    return accuracies(f"{half}-{name}", told, f"{half}/{plus}", f"{half}/{minus}", claimed, margin=0.003)


EXPERIMENT = Experiment(
    name="subsets",
    claim="Q of the whole set teaches on a part of it.",
    source="lls, appendix D, tables 6 and 7",
    reduction={
        "smoke": "200 training pictures and one epoch: tests the code, not the claim.",
        "cpu": "An MLP on grey pictures of ten classes, 2,000 in each half, where the paper has ResNet-18, 30,000 and "
        "more, and three sets with a hundred classes or more besides this one.",
    },
    configs={
        "smoke": Config(
            train_size=200, validation_size=100, test_size=200, hidden=16,
            training=training.Config(epochs=1, batch_size=50),
        ),
        "cpu": Config(
            train_size=4000, validation_size=1000, test_size=10000, hidden=128,
            training=training.Config(epochs=50, lr=0.1),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 120))},
    measure=measure,
    contrasts=(
        *(
            contrast
            for half in HALVES
            for contrast in (
                _than("one-hot", "Q of the whole set teaches better than one-hot targets", half, "st", "one-hot"),
                _than("ls", "Q of the whole set teaches better than smoothing", half, "st", "ls"),
                _than("own-ls", "So does Q that was learned at its own rate", half, "st-own", "ls"),
                _than("mixed", "Q of the whole set (its own rate) teaches better than the same Q with its rows' "
                      "entries mixed up", half, "st-own", "mixed"),
                _than("again", "Q of the whole set (its own rate) teaches better than a Q of the half, kept as it is",
                      half, "st-own", "again"),
                _than("teacher", "The network of the whole set (its own rate) teaches better than its Q alone", half,
                      "teacher", "st-own"),
                _than("smoothing-helps", "Smoothing is better than one-hot targets", half, "ls", "one-hot"),
                _than("whole-loss", "LLS is as accurate with the whole of its loss as with half of it", half, "lls",
                      "half", "none"),
            )
        ),
        _than("lls", "Q of the whole set is better than one learned on the half", "samples", "st", "half"),
        _than("lls", "A Q learned on the half is better than that of the whole set", "classes", "half", "st"),
        _than("close", "The old Q is about as good as a new one", "classes", "st", "half", "none"),
        _than("lls-ls", "A Q learned on the half is better than smoothing", "classes", "half", "ls"),
    ),
    primary=("samples-lls", "samples-ls", "samples-mixed", "classes-lls", "classes-ls", "classes-mixed"),
    # by seeds 10 to 12 at half the learning rate, with the whole of LLS's loss
    plans=(
        Plan("samples-lls", 0.0016), Plan("samples-ls", 0.0018, 0.0), Plan("samples-mixed", 0.0006, 0.0),
        Plan("classes-lls", 0.0041), Plan("classes-ls", 0.0015, 0.0), Plan("classes-mixed", 0.0016, 0.0),
    ),
    data=("fashion-mnist-mini",),
)  # fmt: skip
