"""Nine losses of four terms: what each makes of a prediction and of Q's row, among few classes and among many."""

from functools import lru_cache
from math import exp, log
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lsedu import losses, plots
from lsedu.book.figures._descent import descend
from lsedu.book.figures.chasing import target

ALPHA, FACTOR = 0.1, 20.0
STEP, LONGEST = 0.05, 40.0
GRID = {
    "row": tuple(losses.VARIANTS), "classes": (3, 200), "alike": (0.0, 2.0), "time": (0.1, 5.0, 40.0),
}  # fmt: skip
Triple = tuple[float, ...]


def payload() -> dict[str, Any]:
    """Return nothing: the figure has formulas and no data."""
    return {}


def weighted(a: Triple, b: Triple, rest: int) -> float:
    """Return the sum of products over all classes: the label, the class that is alike, and `rest` equal ones."""
    return a[0] * b[0] + a[1] * b[1] + rest * a[2] * b[2]


def shares(z: Triple, rest: int) -> Triple:
    """Return the softmax where the third of three logits stands for `rest` equal ones, a share of each."""
    top = max(z)
    e = tuple(exp(value - top) for value in z)
    total = weighted(e, (1.0, 1.0, 1.0), rest)
    return tuple(value / total for value in e)


def push(z: Triple, t: Triple, *, row: str, rest: int) -> tuple[Triple, Triple]:
    """Return which way the loss pushes each logit and each of Q's logits: minus its gradients, Q's times `FACTOR`."""
    c = losses.VARIANTS[row]
    q, r = shares(z, rest), shares(t, rest)
    s = target(r, ALPHA)
    a = tuple(c.fce * log(x) - c.target_em * log(y) for x, y in zip(q, s))
    b = tuple(c.pred_em * log(x) - c.rce * log(y) for x, y in zip(q, s))
    pull = tuple(ALPHA * share * x / y for share, x, y in zip(r, q, s))
    of_a, of_b = weighted(r, a, rest), weighted(q, b, rest)
    of_pull = weighted(pull, (1.0, 1.0, 1.0), rest)
    on_z = tuple(c.fce * (x - y) + x * (value - of_b) for x, y, value in zip(q, s, b))
    on_t = tuple(
        ALPHA * share * (of_a - value) + c.rce * (share * of_pull - own) for share, value, own in zip(r, a, pull)
    )
    return tuple(-value for value in on_z), tuple(-FACTOR * value for value in on_t)


@lru_cache(maxsize=64)
def flow(row: str, classes: int, alike: float) -> tuple[tuple[Triple, Triple], ...]:
    """Return logits and Q's logits at times 0, STEP, ..., LONGEST; all begin at 0 but that of the class alike."""

    def pushed(state: Triple) -> Triple:
        on_z, on_t = push(state[:3], state[3:], row=row, rest=classes - 2)
        return (*on_z, *on_t)

    path = descend(pushed, (0.0, alike, 0.0, 0.0, 0.0, 0.0), step=STEP, count=round(LONGEST / STEP))
    return tuple((state[:3], state[3:]) for state in path)


def compute(parameters: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows.

    Parameters
    ----------
    parameters : dict
        ``row``, a row of the ablation table; ``classes``, their number; ``alike``, the logit with which the class alike
        begins; ``time`` in [0, 40], rounded to a multiple of the step.
    data : dict
        Unused.

    Returns
    -------
    dict
        ``terms``, the multipliers of H(s, q), H(q, s), -H(q) and -H(s); ``pull``, the push on the label's logit at the
        start; the later ``prediction``, ``target`` and ``row`` of Q: of the label, of the class alike and of each other
        class.

    Examples
    --------
    >>> found = [
    ...     compute({"row": row, "classes": 200, "alike": 0.0, "time": 5.0}, {})["prediction"][0]
    ...     for row in ("lls", "reverse-kl")
    ... ]
    >>> [round(share, 2) for share in found]
    [0.54, 0.01]
    """
    row, classes = parameters["row"], int(parameters["classes"])
    path = flow(row, classes, float(parameters["alike"]))
    on_z, _ = push(*path[0], row=row, rest=classes - 2)
    z, t = path[round(parameters["time"] / STEP)]
    learned = shares(t, classes - 2)
    return {
        "terms": list(losses.VARIANTS[row]),
        "pull": on_z[0],
        "prediction": list(shares(z, classes - 2)),
        "target": list(target(learned, ALPHA)),
        "row": list(learned),
    }


def fallback() -> Figure:
    """Return the picture for pages without scripts: what the label gets over time, by five losses and two numbers."""
    steps = np.unique(np.round(np.geomspace(2, LONGEST / STEP, 60)).astype(int))
    panels = {}
    for classes in (3, 200):
        panels[f"share of the label in the prediction, {classes} classes"] = {
            name: np.array([shares(flow(row, classes, 1.0)[n][0], classes - 2)[0] for n in steps])
            for name, row in (("whole loss", "lls"), ("H(s, q) alone", "fce-only"), ("reverse KL", "reverse-kl"))
        }
    return plots.curves(steps * STEP, panels, xlabel="time", logx=True)
