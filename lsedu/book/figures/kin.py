"""Relatives of label smoothing by their pull on the label's logit, over the probability that the label has.

Ten classes; what the label does not have, the other nine have evenly.
"""

from math import log
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from lsedu import losses, plots

CLASSES = 10
#: What the second of the two losses may be; the keys are those of the menu in the figure.
LOSSES = ("ls", "penalty", "focal", "flsd", "ols", "distil", "tf-kd", "tf-kd-code", "zipf", "lls", "ls++")
GRID = {"loss": LOSSES, "alpha": (0.1, 0.4), "gamma": (2.5,), "own": (0.85,), "q": (0.03, 0.97)}
LOW, HIGH, HALVINGS = 1e-4, 1 - 1e-6, 50
POINTS = [LOW + (HIGH - LOW) * i / 100 for i in range(101)]


def payload() -> dict[str, Any]:
    """Return nothing: the figure has formulas and no data."""
    return {}


def even(own: float | Tensor) -> Tensor:
    """Return rows (N, 10) that give the first class `own` and the others the rest, evenly."""
    own = torch.as_tensor(own, dtype=torch.float64).reshape(-1, 1)
    return torch.cat([own, ((1 - own) / (CLASSES - 1)).expand(-1, CLASSES - 1)], 1)


def loss_of(name: str, logits: Tensor, *, alpha: float, gamma: float, own: float) -> Tensor:
    """Return the sum over rows of a loss; `own` is what a table or a teacher gives the label."""
    labels = torch.zeros(len(logits), dtype=torch.long)
    given = {"reduction": "sum"}
    uniform = torch.zeros(CLASSES, CLASSES, dtype=torch.float64)
    teacher = even(own).log()
    if name == "ls++":
        made = losses.LabelSmoothingPlusPlus(CLASSES, alpha=alpha, dtype=torch.float64, **given)
        return made(logits, labels)
    return {
        "one-hot": lambda: losses.cross_entropy(logits, labels, **given),
        "ls": lambda: losses.label_smoothing(logits, labels, alpha=alpha, **given),
        "penalty": lambda: losses.confidence_penalty(logits, labels, beta=alpha, **given),
        "focal": lambda: losses.focal(logits, labels, gamma=gamma, **given),
        "flsd": lambda: losses.focal_sample_dependent(logits, labels, **given),
        "ols": lambda: losses.online_smoothing(logits, labels, teacher.exp().expand(CLASSES, -1), **given),
        "distil": lambda: losses.distillation(logits, teacher.expand(len(logits), -1), **given),
        "tf-kd": lambda: losses.tf_kd_reg(logits, labels, alpha=alpha, **given),
        "tf-kd-code": lambda: losses.tf_kd_reg(logits, labels, alpha=alpha, form="code", **given),
        "zipf": lambda: losses.zipf_smoothing(logits, labels, strength=alpha, **given),
        "lls": lambda: losses.learnable_smoothing(logits, labels, uniform, alpha=alpha, **given),
    }[name]()


def pulls(name: str, q: float | list[float], *, alpha: float, gamma: float, own: float) -> list[float]:
    """Return by how much descent raises the label's logit where the label has probability `q`: minus the gradient.

    Examples
    --------
    >>> [round(pull, 3) for pull in pulls("ls", [0.5, 0.91], alpha=0.1, gamma=3.0, own=0.5)]
    [0.41, -0.0]
    """
    logits = even(torch.as_tensor(q, dtype=torch.float64)).log().requires_grad_()
    (slope,) = torch.autograd.grad(loss_of(name, logits, alpha=alpha, gamma=gamma, own=own), logits)
    return (-slope[:, 0]).tolist()


def rest(name: str, *, alpha: float, gamma: float, own: float) -> float:
    """Return the probability of the label at which the loss pulls no more: 1 where it pulls up to the end."""
    low, high = LOW, HIGH
    if pulls(name, high, alpha=alpha, gamma=gamma, own=own)[0] >= 0:
        return 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        up = pulls(name, middle, alpha=alpha, gamma=gamma, own=own)[0] > 0
        low, high = (middle, high) if up else (low, middle)
    return (low + high) / 2


def compute(parameters: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows.

    Parameters
    ----------
    parameters : dict
        ``loss``, one of `LOSSES`; ``alpha``, ``gamma``, ``own`` and ``q``, all in (0, 1) but for gamma >= 0.
    data : dict
        Unused.

    Returns
    -------
    dict
        ``pull`` of the loss on the label's logit at ``q`` and ``plain``, that of one-hot targets; ``ratio`` of the two;
        ``rest``, where the loss pulls no more, and the logits' ``gap`` there (that of HIGH where there is no rest);
        ``curve``, the pull at each of `POINTS`.

    Examples
    --------
    >>> shown = compute({"loss": "ls", "alpha": 0.1, "gamma": 3.0, "own": 0.5, "q": 0.5}, {})
    >>> round(shown["rest"], 4), round(shown["pull"], 4), round(shown["plain"], 4)
    (0.91, 0.41, 0.5)
    """
    chosen = {key: parameters[key] for key in ("alpha", "gamma", "own")}
    pull, plain = (pulls(name, parameters["q"], **chosen)[0] for name in (parameters["loss"], "one-hot"))
    at = rest(parameters["loss"], **chosen)
    sure = min(at, HIGH)
    return {
        "pull": pull,
        "plain": plain,
        "ratio": pull / plain,
        "rest": at,
        "gap": log(sure * (CLASSES - 1) / (1 - sure)),
        "curve": pulls(parameters["loss"], POINTS, **chosen),
    }


def fallback() -> Figure:
    """Return the picture for pages without scripts: five of the pulls over the label's probability."""
    drawn = {"one-hot": "one-hot", "ls": "smoothing", "penalty": "penalty", "focal": "focal, 3", "lls": "LLS, Q even"}
    q = np.linspace(0.02, 0.999, 120)
    lines = {title: np.array(pulls(name, q.tolist(), alpha=0.1, gamma=3.0, own=0.5)) for name, title in drawn.items()}
    meanings = dict(zip(lines, ("one-hot", "smoothed", "first", "second", "third")))
    zero = {"zero": np.zeros(len(q))}
    return plots.curves(
        q, {"pull on the label's logit": lines | zero}, xlabel="probability of the label", meanings=meanings,
        dashed=["zero"],
    )  # fmt: skip
