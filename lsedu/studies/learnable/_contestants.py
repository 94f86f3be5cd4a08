"""A contest: one network and one set of pictures, and methods that differ in the loss alone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lsedu import calibration, losses, training
from lsedu.experiments.experiment import Contrast, Outcome
from lsedu.experiments.verdict import Claimed
from lsedu.studies._contrasts import accuracies, against
from lsedu.studies._networks import network, standardising
from lsedu.studies._pictures import Pictures, Scale
from lsedu.studies._scores import fitted, scored, under
from lsedu.studies._training import trained
from lsedu.studies.learnable import _methods
from lsedu.studies.learnable.loss_scale import doubled

#: Q's learning rate in the network's, for ``lls-own``: as in `learning_q`.
Q_RATE = 20.0
#: What is asked of the probabilities, before and after a temperature is fitted on the validation pictures.
SCORES = (calibration.overconfidence, calibration.ece, calibration.nll)
#: Weight of the entropy in the confidence penalty: the value that pereyra2017 gives for most of its tasks.
BETA = 0.1
#: Networks that standardise their inputs.
COLOURS = ("alexnet", "resnet-18")


@dataclass(frozen=True, kw_only=True)
class Contest(Scale):
    """Scale of a contest.

    Attributes
    ----------
    network : {"mlp", "lenet", "small-cnn", "softmax", "alexnet", "resnet-18"}
        Those for colours, the last two, standardise their inputs.
    methods : tuple of str
        Of `makers`; ``tf-kd-self`` learns from the network of ``one-hot``, which has to come before it.
    rates : tuple of (str, float)
        Learning rates of methods' own, with which they are trained again, besides the recipe's, which is for all.
    """

    network: str
    methods: tuple[str, ...]
    rates: tuple[tuple[str, float], ...] = ()


def self_taught(teacher: nn.Module) -> losses.Distillation:
    """Return teacher-free distillation from a network of the same kind, trained before with one-hot targets."""
    return losses.Distillation(teacher, partial(losses.tf_kd_self, alpha=_methods.ALPHA))


def makers(num_classes: int) -> dict[str, Callable[[], Any]]:
    """Return a maker of each method's criterion but ``tf-kd-self``'s, which needs a teacher.

    Settings are the methods' own published ones. ``doubled``, one-hot targets at twice the loss, and ``lls-half`` take
    the scale of the symmetric loss apart from its form; in ``lls-own`` Q has a rate of its own and no decay.
    """
    learned = partial(losses.LearnableLabelSmoothing, num_classes, alpha=_methods.ALPHA)
    return _methods.makers(num_classes) | {
        "doubled": lambda: doubled,
        "flsd-53": lambda: losses.focal_sample_dependent,
        "penalty": lambda: partial(losses.confidence_penalty, beta=BETA),
        "lls-own": partial(learned, lr_factor=Q_RATE, weight_decay=0.0),
    }


#: Whom LLS is said to be ahead of: all but its own forms and what is here to take its scale apart.
RIVALS = ("one-hot", "ls", "penalty", "focal", "flsd-53", "tf-kd", "tf-kd-self", "zipf", "ols")
#: Accuracy that would matter to somebody who has to choose a loss.
MARGIN = 0.002
#: All methods, in the order in which they are trained.
METHODS = (
    "one-hot", "doubled", "ls", "penalty", "focal", "flsd-53", "tf-kd", "tf-kd-self", "zipf", "ols", "lls", "lls-half",
    "lls-own", "ls++",
)  # fmt: skip


def over(place: str, other: str, *, where: str, method: str = "lls", claimed: Claimed = "positive") -> Contrast:
    """Return the contrast of a method's accuracy with another's at a place, which is called `where` in the claim."""
    told = "is more accurate than" if claimed == "positive" else "is as accurate as"
    return accuracies(
        f"{place}-{method}-over-{other}", f"{method} {told} {other} ({where})", f"{place}/{method}", f"{place}/{other}",
        claimed, margin=MARGIN,
    )  # fmt: skip


def eces(place: str, *, where: str) -> tuple[Contrast, Contrast]:
    """Return the contrasts of the ECE of LLS with that of one-hot targets, as they are and with fitted temperatures."""
    return tuple(
        against(
            f"{place}-{state}-ece", f"LLS has a lower ECE than one-hot targets {told} ({where})", f"{state}/ece",
            plus=f"{place}/lls", minus=f"{place}/one-hot", margin=0.005,
        )
        for state, told in (("before", "without a temperature"), ("after", "with one for each"))
    )  # fmt: skip


def entered(
    place: str, contest: Contest, p: Pictures, *, seed: int, device: str, workdir: Path | None, progress: bool
) -> Outcome:
    """Train a network with each method, from the same weights and with the same batches, and test it.

    Parameters
    ----------
    place : str
        Names of results and arrays are ``PLACE/METHOD/...``, and ``own/METHOD/...`` of what is trained at a rate of
        the method's own; where that is the recipe's, it is the same network.
    contest, p
        The contest, and the pictures of the seed.
    seed, device, workdir, progress
        As for a study's measurement.
    """
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    rates = dict(contest.rates)
    teachers: dict[str, nn.Module] = {}
    factory = standardising if contest.network in COLOURS else network
    for method in contest.methods:
        for where, rate in ((place, contest.training.lr), *((("own", rates[method]),) if method in rates else ())):
            name = f"{where}/{method}"
            if where == "own" and rate == contest.training.lr:
                results |= _again(results, f"{place}/{method}/", "own/")
                arrays |= _again(arrays, f"{place}/{method}/", "own/")
                continue
            taught = method == "tf-kd-self"
            made = self_taught(teachers.get(where, teachers[place])) if taught else makers(p.num_classes)[method]()
            model, _ = trained(
                partial(factory, p.x), made, p.x, p.y, seed=seed, recipe=replace(contest.training, lr=rate),
                workdir=workdir, name=name.replace("/", "-"), progress=progress, kind=contest.network,
                num_classes=p.num_classes,
            )  # fmt: skip
            if method == "one-hot":
                teachers[where] = model
            logits = training.predict(model, p.x_test)
            found = fitted(training.predict(model, p.x_val), p.y_val)
            results |= under(name, {"temperature": found["after"], **scored(logits, p.y_test, found, scores=SCORES)})
            hits = logits.argmax(1) == p.y_test
            results[f"{name}/accuracy"] = hits.double().mean().item()
            arrays[f"{name}/hits"] = np.packbits(hits.cpu().numpy())
    return Outcome(results, arrays)


def _again(found: dict[str, Any], prefix: str, where: str) -> dict[str, Any]:
    """Return what was found of a method, called as if it had been found elsewhere."""
    place, _, _ = prefix.partition("/")
    return {where + key.removeprefix(f"{place}/"): value for key, value in found.items() if key.startswith(prefix)}


def nearest(p: Pictures, *, neighbours: int) -> Tensor:
    """Return whether the vote of the nearest training pictures, by Euclidean distance, is right for each test picture.

    Parameters
    ----------
    p : Pictures
        Of one seed.
    neighbours : int
        How many vote; among classes with as many votes the first wins.

    Returns
    -------
    Tensor of bool, shape (N,)
    """
    x = p.x.flatten(1)
    right = []
    for part, labels in zip(p.x_test.flatten(1).split(1000), p.y_test.split(1000), strict=True):
        votes = p.y[torch.cdist(part, x).topk(neighbours, largest=False).indices]
        counts = torch.nn.functional.one_hot(votes, p.num_classes).sum(1)
        right.append(counts.argmax(1) == labels)
    return torch.cat(right)
