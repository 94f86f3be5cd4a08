"""Eight pictures of four classes in two pairs: Blahut-Arimoto at a beta, its point on the plane, and its clusters."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lsedu import bottleneck, plots

GRID = {"beta": (1.02, 1.3, 2.5, 12.0), "mix": (0.0, 0.05, 0.15, 0.3), "sweeps": (1.0, 6.0, 400.0)}
SHARES = (0.5, 1.5)
START = 0.9 * np.repeat(np.eye(4), 2, axis=0) + 0.1 / 4
ALIKE = 0.01


def payload() -> dict[str, Any]:
    """Return nothing: the figure has formulas and no data."""
    return {}


def table(mix: float) -> np.ndarray:
    """Return p(y|x), shape (8, 4): of each class a clear and an unclear picture, with half and 1.5 times `mix` off it.

    Four fifths of what is off goes to the other class of the pair, a tenth to each of the rest.
    """
    off = np.tile(np.array(SHARES) * mix, 4)[:, None]
    own = np.repeat(np.eye(4), 2, axis=0)
    mate = own[:, [1, 0, 3, 2]]
    return (1 - off) * own + off * (0.8 * mate + 0.1 * (1 - own - mate))


def compute(parameters: dict[str, float], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows.

    Parameters
    ----------
    parameters : dict
        ``beta`` above 1; ``mix``, the mean share of labels that contradict, in [0, 0.3]; ``sweeps`` >= 1, rounded.
    data : dict
        Unused.

    Returns
    -------
    dict
        ``i_x``, ``i_y`` and ``lagrangian`` of the encoder in bits, the encoder p(z|x), where each code ``stands``
        among the classes 0 to 3, and the number of ``clusters``: codes whose p(y|z) differ.

    Examples
    --------
    >>> shown = compute({"beta": 3.0, "mix": 0.0, "sweeps": 400.0}, {})
    >>> round(shown["i_x"], 6), round(shown["i_y"], 6), shown["clusters"]
    (2.0, 2.0, 4)
    """
    rows, beta = table(parameters["mix"]), parameters["beta"]
    found = bottleneck.blahut_arimoto(
        rows, beta=beta, start=START, accelerate=False, tolerance=1e-300, max_iterations=round(parameters["sweeps"]),
        unit="bits",
    )  # fmt: skip
    joint = found.encoder.T @ rows / len(rows)
    meanings = joint / joint.sum(1, keepdims=True)
    kept: list[np.ndarray] = []
    for row in meanings:
        if not any(np.abs(row - other).max() < ALIKE for other in kept):
            kept.append(row)
    return {
        "i_x": found.point.i_x,
        "i_y": found.point.i_y,
        "lagrangian": found.objective,
        "clusters": len(kept),
        "stands": (meanings @ np.arange(4)).tolist(),
        "encoder": found.encoder.tolist(),
    }


def fallback() -> Figure:
    """Return the picture for pages without scripts: both informations by beta, with and without contradiction."""
    betas = np.geomspace(1.02, 12, 40)
    panels = {}
    for mix in (0.15, 0.0):
        shown = [compute({"beta": beta, "mix": mix, "sweeps": 200.0}, {}) for beta in betas]
        panels[f"{mix:.0%} of the labels contradict: bits"] = {
            name: np.array([one[key] for one in shown]) for name, key in (("I(X;Z)", "i_x"), ("I(Y;Z)", "i_y"))
        }
    return plots.curves(betas, panels, xlabel="beta (logarithmic)", logx=True)
