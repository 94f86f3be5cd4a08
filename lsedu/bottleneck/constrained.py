"""The bottleneck as it was posed: the most I(Y;Z) under a bound on I(X;Z)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lsedu import _check
from lsedu.bottleneck._table import LARGEST
from lsedu.bottleneck.blahut_arimoto import blahut_arimoto
from lsedu.bottleneck.solution import Solution
from lsedu.information import Point, Unit, plane_point


@dataclass(frozen=True)
class Constrained:
    """An encoder at a given rate.

    Attributes
    ----------
    point : Point
        Its place on the information plane.
    encoder : ndarray, shape (N, M) or (N, 2 M)
        Rows p(z|x); twice the codes where two encoders take turns.
    betas : tuple of float
        The multipliers between which the rate lies; the slope of the curve there is 1 / beta.
    """

    point: Point
    encoder: np.ndarray
    betas: tuple[float, float]


def constrained(
    p_y_given_x: Any,
    *,
    rate: float,
    p_x: Any = None,
    codes: int | None = None,
    largest: float = 1e4,
    restarts: int = 0,
    generator: np.random.Generator | None = None,
    unit: Unit,
) -> Constrained:
    r"""Return an encoder with the most I(Y;Z) subject to I(X;Z) <= rate.

    Parameters
    ----------
    p_y_given_x : array-like or Tensor, shape (N, K)
        Rows p(y|x).
    rate : float
        Bound on I(X;Z), >= 0, in `unit`.
    p_x : array-like or Tensor, shape (N,), optional
        Distribution over the rows; uniform by default.
    codes : int, optional
        Codes M of each encoder; K by default.
    largest : float
        The largest beta tried, in (1, 1e300]; a rate above its solution's is not used up.
    restarts, generator
        As in `blahut_arimoto`, for every beta tried.
    unit : {"nats", "bits"}
        Unit of `rate` and of the result.

    Returns
    -------
    Constrained

    Raises
    ------
    ValueError
        For rows that are no distributions, a negative rate, or options out of range.

    Notes
    -----
    Equation 4 of :cite:p:`pragmatic-ib`. Beta is bisected until the solutions on both sides are close. Where they are
    not, as on a straight piece of the curve, a coin that Z shows chooses between the two encoders: the point is then
    on the chord between theirs, and the rate is met exactly. Of all chords between solutions on both sides of the rate
    the highest is taken. The solutions may be local optima, as in `curve`: I(Y;Z) is a lower bound of what can be had.

    Examples
    --------
    >>> result = constrained([[1.0, 0.0], [0.0, 1.0]], rate=0.5, unit="bits")
    >>> round(result.point.i_x, 6), round(result.point.i_y, 6)
    (0.5, 0.5)
    """
    rate = _check.real_in("rate", rate, 0.0, np.inf, open_high=True)
    high = _check.real_in("largest", largest, 1.0, LARGEST, open_low=True)
    options = {"p_x": p_x, "restarts": restarts, "generator": generator, "unit": unit}
    upper = blahut_arimoto(p_y_given_x, beta=high, codes=codes, **options)
    if upper.point.i_x <= rate:
        return Constrained(upper.point, upper.encoder, (high, high))
    low, lower = 1.0, blahut_arimoto(p_y_given_x, beta=1.0, p_x=p_x, codes=codes, unit=unit)
    known = [lower, upper]
    while high / low - 1.0 > 1e-6 and upper.point.i_x - lower.point.i_x > 1e-7:
        middle = float(np.sqrt(low) * np.sqrt(high))
        known.append(blahut_arimoto(p_y_given_x, beta=middle, start=upper.encoder, **options))
        # from `upper` the sweeps may stay on a branch that another solution has left behind
        found = min(known, key=lambda solution: solution.lagrangian(middle))
        if found.point.i_x > rate:
            high, upper = middle, found
        else:
            low, lower = middle, found
    above = [solution for solution in known if solution.point.i_x > rate]
    below = [solution for solution in known if solution.point.i_x <= rate] or [lower]
    chords = [_chord(one, other, rate) for one in below for other in above]
    _, share, lower, upper = max(chords, key=lambda chord: chord[0])
    encoder = np.concatenate([share * upper.encoder, (1.0 - share) * lower.encoder], axis=1)
    return Constrained(plane_point(encoder, p_y_given_x, p_x=p_x, unit=unit), encoder, (low, high))


def _chord(lower: Solution, upper: Solution, rate: float) -> tuple[float, float, Solution, Solution]:
    """Return I(Y;Z) at the rate on the chord between two solutions, the share of the upper, and the two."""
    width = upper.point.i_x - lower.point.i_x
    share = min(max((rate - lower.point.i_x) / width, 0.0), 1.0) if width > 0 else 0.0
    return (1.0 - share) * lower.point.i_y + share * upper.point.i_y, share, lower, upper
