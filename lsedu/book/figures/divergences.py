"""Two divergences from the uniform distribution: the one in smoothing, and the other way round, in the penalty."""

import math
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from lsedu import losses, plots

GRID = {"first": (-4.0, 1.3, 8.0), "second": (-4.0, 0.7, 4.0), "alpha": (0.05, 0.3, 0.9)}
CLASSES = 3


def payload() -> dict[str, Any]:
    """Return nothing: the figure has formulas and no data."""
    return {}


def rest_of_penalty(alpha: float, *, num_classes: int = CLASSES) -> float:
    """Return the gap m at which the confidence penalty of this strength has its least loss.

    It solves m = (1 - alpha) / (alpha q_y) with q_y = 1 / (1 + (K - 1) exp(-m)): the mixing form of the penalty, a
    uniform prior, and the other logits equal.

    Examples
    --------
    >>> round(rest_of_penalty(0.1), 3)
    9.002
    """
    steepness = (1 - alpha) / alpha
    low, high = 0.0, num_classes * steepness
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        rises = middle < steepness * (1 + (num_classes - 1) * math.exp(-middle))
        low, high = (middle, high) if rises else (low, middle)
    return (low + high) / 2


def _softmax(logits: list[float]) -> np.ndarray:
    return torch.tensor(logits, dtype=torch.float64).softmax(0).numpy()


def divergences(first: float, second: float) -> tuple[float, float]:
    """Return KL(u || q) and KL(q || u) in nats of the prediction with logits (first, second, 0)."""
    z = torch.tensor([[first, second, 0.0]], dtype=torch.float64)
    return tuple(losses.prior_kl(z, direction=way).item() for way in ("prior||q", "q||prior"))


def compute(parameters: dict[str, float], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows.

    Parameters
    ----------
    parameters : dict
        Logits ``first`` (the label's) and ``second``, the third being 0; ``alpha`` in (0, 1).
    data : dict
        Unused.

    Returns
    -------
    dict
        ``q``, ``forward`` = KL(u || q) and ``reverse`` = KL(q || u) in nats; the gaps at which smoothing and penalty of
        that strength rest, and the predictions there.

    Examples
    --------
    >>> shown = compute({"first": 40.0, "second": 0.0, "alpha": 0.3}, {})
    >>> round(shown["reverse"], 4), round(shown["forward"], 2)  # log 3, and two thirds of 40 minus log 3
    (1.0986, 25.57)
    """
    forward, reverse = divergences(parameters["first"], parameters["second"])
    gaps = losses.logit_gap(CLASSES, parameters["alpha"]), rest_of_penalty(parameters["alpha"])
    return {
        "q": _softmax([parameters["first"], parameters["second"], 0.0]).tolist(),
        "forward": forward,
        "reverse": reverse,
        "gap_smoothed": gaps[0],
        "gap_penalty": gaps[1],
        "best_smoothed": _softmax([gaps[0], 0.0, 0.0]).tolist(),
        "best_penalty": _softmax([gaps[1], 0.0, 0.0]).tolist(),
    }


def fallback() -> Figure:
    """Return the picture for pages without scripts: both divergences on the way to the label's corner."""
    firsts = np.linspace(-4, 8, 80)
    found = np.array([divergences(first, 1.0) for first in firsts]).T
    lines = {"KL(u || q), in smoothing": found[0], "KL(q || u), in the penalty": found[1]}
    meanings = dict(zip(lines, ("smoothed", "first")))
    return plots.curves(firsts, {"divergence, nats": lines}, xlabel="logit of the label", meanings=meanings)
