"""Points leave the curve only where labels contradict: strength, prior and the share of doubtful pictures."""

from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from lsedu import bottleneck, plots, targets
from lsedu.book.figures import _pairs

SHARES = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
BETAS = np.r_[1.01, 1.1, np.linspace(1.3, 6.0, 95), np.geomspace(6.5, 60.0, 13)]
PRIORS = ("uniform", "alike", "unlike")
GRID = {"alpha": (0.0, 0.1, 0.45, 1.0), "prior": PRIORS, "doubtful": (0.0, 0.4, 1.0)}


def payload() -> dict[str, Any]:
    """Return what the page hands to the figure: the curve for each share of doubtful pictures, in bits.

    Returns
    -------
    dict
        ``shares`` and, for each, ``i_x`` and ``i_y`` of the curve by rising I(X;Z), from 0, to six decimals.
    """
    found: dict[str, Any] = {"shares": list(SHARES), "i_x": [], "i_y": []}
    for share in SHARES:
        made = _pairs.table(share)
        curve = bottleneck.curve(made.rows, p_x=made.p_x, betas=BETAS, unit="bits")
        order = np.argsort(curve.i_x)
        for axis, values in (("i_x", curve.i_x), ("i_y", curve.i_y)):
            found[axis].append([0.0, *np.round(values[order], 6).tolist()])
    return found


def smoothed(doubtful: float, prior: str, alpha: float) -> tuple[float, float]:
    """Return the point of the optimum of smoothing."""
    made = _pairs.table(doubtful)
    each = targets.smooth(
        torch.arange(4), 4, alpha=alpha, prior=torch.from_numpy(_pairs.prior(prior)), dtype=torch.float64
    )
    found = _pairs.point(made, made.rows @ each.numpy())
    return found.i_x, found.i_y


def compute(parameters: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows.

    Parameters
    ----------
    parameters : dict
        ``alpha`` in [0, 1], ``prior`` (uniform, alike or unlike) and ``doubtful``, one of the shares in the data.
    data : dict
        As `payload` returns it.

    Returns
    -------
    dict
        ``i_x`` and ``i_y`` of the point, ``top``, the curve's I(Y;Z) at that I(X;Z), and the ``gap``, all in bits.

    Examples
    --------
    >>> data = {"shares": [0.0], "i_x": [[0.0, 2.0]], "i_y": [[0.0, 2.0]]}
    >>> shown = compute({"alpha": 0.3, "prior": "unlike", "doubtful": 0.0}, data)
    >>> abs(shown["gap"]) < 1e-12
    True
    """
    i_x, i_y = smoothed(parameters["doubtful"], parameters["prior"], parameters["alpha"])
    at = data["shares"].index(parameters["doubtful"])
    top = float(np.interp(i_x, data["i_x"][at], data["i_y"][at]))
    return {"i_x": i_x, "i_y": i_y, "top": top, "gap": top - i_y}


def fallback() -> Figure:
    """Return the picture for pages without scripts: the gap over I(X;Z) for uniform smoothing, at three shares."""
    data = payload()
    alphas = np.linspace(0.0, 1.0, 41)
    lines = {}
    for share in (0.0, 0.4, 1.0):
        shown = [compute({"alpha": a, "prior": "uniform", "doubtful": share}, data) for a in alphas]
        lines[f"{share:.0%} doubtful"] = np.array([one["gap"] for one in shown])
    return plots.curves(alphas, {"gap to the curve (bits), uniform prior": lines}, xlabel="alpha")
