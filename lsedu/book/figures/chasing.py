"""Three classes on a triangle: a prediction and a target that is learned run after each other, and meet."""

from functools import lru_cache
from math import exp, log
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from lsedu import losses, plots
from lsedu.book.figures._descent import descend

GRID = {
    "first": (-4.0,), "second": (4.0,), "alpha": (0.05, 0.6), "factor": (1.0, 20.0),
    "terms": ("lls", "forward-kl", "reverse-kl"), "time": (0.1, 2.96, 40.0),
}  # fmt: skip
STEP, LONGEST = 0.05, 40.0
Triple = tuple[float, ...]


def payload() -> dict[str, Any]:
    """Return nothing: the figure has formulas and no data."""
    return {}


def softmax(z: Triple) -> Triple:
    """Return the softmax of three logits."""
    top = max(z)
    e = [exp(value - top) for value in z]
    return tuple(value / sum(e) for value in e)


def target(r: Triple, alpha: float) -> Triple:
    """Return the target of the first class, whose row of Q is `r`."""
    return tuple((1 - alpha) * (k == 0) + alpha * share for k, share in enumerate(r))


def push(z: Triple, t: Triple, *, alpha: float, factor: float, terms: str) -> tuple[Triple, Triple]:
    """Return which way the loss pushes the logits and Q's logits: minus its gradients, Q's times `factor`."""
    q, r = softmax(z), softmax(t)
    s = target(r, alpha)
    ratio = [a / b for a, b in zip(q, s)]
    logs = [log(value) for value in ratio]
    on_z, on_t = [0.0] * 3, [0.0] * 3
    if terms != "reverse-kl":
        mean = sum(share * value for share, value in zip(r, logs))
        on_z = [a - b for a, b in zip(q, s)]
        on_t = [alpha * share * (mean - value) for share, value in zip(r, logs)]
    if terms != "forward-kl":
        divergence = sum(a * value for a, value in zip(q, logs))
        mean = sum(share * value for share, value in zip(r, ratio))
        on_z = [was + a * (value - divergence) for was, a, value in zip(on_z, q, logs)]
        on_t = [was + alpha * share * (mean - value) for was, share, value in zip(on_t, r, ratio)]
    return tuple(-value for value in on_z), tuple(-factor * value for value in on_t)


@lru_cache(maxsize=64)
def flow(start: Triple, alpha: float, factor: float, terms: str) -> tuple[tuple[Triple, Triple], ...]:
    """Return the logits and Q's logits, zero at the start, at times 0, STEP, ..., LONGEST, by the Runge-Kutta rule."""

    def pushed(state: Triple) -> Triple:
        on_z, on_t = push(state[:3], state[3:], alpha=alpha, factor=factor, terms=terms)
        return (*on_z, *on_t)

    path = descend(pushed, (*start, 0.0, 0.0, 0.0), step=STEP, count=round(LONGEST / STEP))
    return tuple((state[:3], state[3:]) for state in path)


def compute(parameters: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows.

    Parameters
    ----------
    parameters : dict
        Logits ``first`` (the label's) and ``second``, the third being 0; ``alpha`` in (0, 1); ``factor``, Q's learning
        rate in the logits'; ``terms``, "lls" or one of its two divergences; ``time`` in [0, 40], rounded to a
        multiple of the step.
    data : dict
        Unused.

    Returns
    -------
    dict
        ``q`` at the start, ``on_prediction`` and ``on_q``, the gradients there on its logits and on Q's, the later
        ``prediction``, ``target`` and ``row`` of Q at that time, and ``apart``, the sum of both divergences then, in
        nats.

    Examples
    --------
    >>> shown = compute(
    ...     {"first": 0.0, "second": 0.0, "alpha": 0.3, "factor": 0.0, "terms": "forward-kl", "time": 40.0}, {}
    ... )
    >>> [round(share, 4) for share in shown["prediction"]]  # a Q that stays as it is: the target of smoothing
    [0.8, 0.1, 0.1]
    """
    start = (parameters["first"], parameters["second"], 0.0)
    chosen = {key: parameters[key] for key in ("alpha", "factor", "terms")}
    term = losses.lls_gradients(
        torch.tensor([start], dtype=torch.float64), torch.tensor([0]), torch.zeros(3, 3, dtype=torch.float64),
        alpha=chosen["alpha"],
    )[chosen["terms"]]  # fmt: skip
    z, t = flow(start, **chosen)[round(parameters["time"] / STEP)]
    prediction, row = softmax(z), softmax(t)
    aim = target(row, chosen["alpha"])
    return {
        "q": list(softmax(start)),
        "on_prediction": term.on_logits[0].tolist(),
        "on_q": term.on_q_logits[0].tolist(),
        "prediction": list(prediction),
        "target": list(aim),
        "row": list(row),
        "apart": sum((a - b) * log(a / b) for a, b in zip(prediction, aim)),
    }


def fallback() -> Figure:
    """Return the picture for pages without scripts: class 2 in prediction and target over time, at three rates."""
    steps = np.unique(np.round(np.geomspace(1, LONGEST / STEP, 60)).astype(int))
    panels = {}
    for factor in (0.0, 1.0, 20.0):
        path = flow((-1.0, 1.5, 0.0), 0.3, factor, "lls")
        panels[f"share of class 2, Q's rate \u00d7 {factor:g}"] = {
            "prediction": np.array([softmax(path[n][0])[1] for n in steps]),
            "target": np.array([target(softmax(path[n][1]), 0.3)[1] for n in steps]),
        }
    meanings = {"prediction": "first", "target": "smoothed"}
    return plots.curves(steps * STEP, panels, xlabel="time", logx=True, meanings=meanings)
