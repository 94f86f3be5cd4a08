"""One picture's annotators, made up, beside what smoothing and what the bottleneck make of them at one I(X;Z)."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lsedu import bottleneck, information, plots
from lsedu.book.figures import _pairs

DOUBTFUL = 0.6
"""The share of doubtful pictures in the table that the picture is shown beside."""

VOTES = 50
BETAS = (1.2, 1.6, 1.7, 1.8, 2.0, 2.3, 2.7, 3.3, 4.0, 6.0)
GRID = {"dog": (0, 7, 25, 50), "beta": (1.2, 1.8, 6.0)}


def payload() -> dict[str, Any]:
    """Return what the page hands to the figure: the codes of the made-up table for each beta, by the library.

    Returns
    -------
    dict
        ``betas``; for each, ``r``, p(z) (4,), and ``q``, p(y|z) (4, 4), ``i_x`` in bits, and ``alpha``, the strength of
        uniform smoothing at that I(X;Z), 0 where smoothing never has as much.
    """
    made = _pairs.table(DOUBTFUL)
    found: dict[str, Any] = {"betas": list(BETAS), "r": [], "q": [], "i_x": [], "alpha": []}
    for solution in bottleneck.curve(made.rows, p_x=made.p_x, betas=BETAS, unit="bits").solutions:
        joint = (solution.encoder * made.p_x[:, None]).T @ made.rows
        found["r"].append(np.round(joint.sum(1), 8).tolist())
        found["q"].append(np.round(joint / joint.sum(1, keepdims=True), 8).tolist())
        found["i_x"].append(round(solution.point.i_x, 6))
        found["alpha"].append(round(_strength(solution.point.i_x), 6))
    return found


def _strength(rate: float) -> float:
    """Return the strength at which uniform smoothing of the table has this I(X;Z), or 0."""
    made, low, high = _pairs.table(DOUBTFUL), 0.0, 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        at = information.smoothed_point(made.rows, alpha=middle, p_x=made.p_x, unit="bits")
        low, high = (middle, high) if at.i_x > rate else (low, middle)
    return low


def bottleneck_answer(p: np.ndarray, r: np.ndarray, q: np.ndarray, beta: float) -> np.ndarray:
    """Return p(z|x) of a picture with p(y|x) = p, by the self-consistent equation, from p(z) and p(y|z)."""
    weight = r * np.exp(-beta * information.kl(np.broadcast_to(p, q.shape), q / q.sum(1, keepdims=True), unit="nats"))
    return weight / weight.sum()


def compute(parameters: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows.

    Parameters
    ----------
    parameters : dict
        ``dog``, how many of the 50 annotators said so, the others having said cat; and ``beta``, one of the data.
    data : dict
        As `payload` returns it.

    Returns
    -------
    dict
        ``said``, the annotators' shares (4,); ``smoothing`` and ``bottleneck``, the two answers p(z|x) (4,); ``alpha``.

    Examples
    --------
    >>> data = {"betas": [2.0], "r": [[0.25] * 4], "q": [[[0.25] * 4] * 4], "i_x": [0.0], "alpha": [1.0]}
    >>> compute({"dog": 10, "beta": 2.0}, data)["bottleneck"]
    [0.25, 0.25, 0.25, 0.25]
    """
    said = np.array([VOTES - parameters["dog"], parameters["dog"], 0, 0]) / VOTES
    at = data["betas"].index(parameters["beta"])
    alpha = data["alpha"][at]
    answer = bottleneck_answer(said, np.array(data["r"][at]), np.array(data["q"][at]), parameters["beta"])
    return {
        "said": said.tolist(),
        "smoothing": ((1 - alpha) * said + alpha / 4).tolist(),
        "bottleneck": answer.tolist(),
        "alpha": alpha,
    }


def fallback() -> Figure:
    """Return the picture for pages without scripts: the share of *dog* in both answers, over the annotators' share."""
    data, votes = payload(), np.arange(VOTES + 1)
    shown = [compute({"dog": int(n), "beta": 2.7}, data) for n in votes]
    lines = {name: np.array([one[name][1] for one in shown]) for name in ("smoothing", "bottleneck")}
    return plots.curves(
        votes / VOTES, {"how often Z is dog": lines}, xlabel="share of the annotators who said dog",
        meanings={"smoothing": "smoothed", "bottleneck": "first"},
    )  # fmt: skip
