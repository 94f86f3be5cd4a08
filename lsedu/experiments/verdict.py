"""The one rule by which an experiment's numbers become a verdict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Verdict = Literal["shown", "reversed", "not shown", "inconclusive", "not yet run"]


def t_quantile(confidence: float, degrees: int) -> float:
    """Return the two-sided Student t quantile: the t with P(-t <= T <= t) = confidence.

    Parameters
    ----------
    confidence : float
        In (0, 1).
    degrees : int
        Degrees of freedom, >= 1.

    Raises
    ------
    ValueError
        If either is out of range.

    Notes
    -----
    The distribution function has a finite closed form for whole degrees of freedom (Abramowitz and Stegun, 26.7.3
    and 26.7.4), inverted here by bisection: training machines carry no SciPy.

    Examples
    --------
    >>> round(t_quantile(0.95, 4), 4)
    2.7764
    """
    if degrees < 1 or not 0 < confidence < 1:
        raise ValueError(f"need degrees >= 1 and 0 < confidence < 1, got {degrees!r} and {confidence!r}")

    def central(t: float) -> float:
        theta = math.atan(t / math.sqrt(degrees))
        c2 = math.cos(theta) ** 2
        term = math.cos(theta) if degrees % 2 else 1.0
        total = term if degrees > 1 else 0.0
        first = 3 if degrees % 2 else 2
        for j in range(first, degrees - 1, 2):
            term *= c2 * (j - 1) / j
            total += term
        total *= math.sin(theta)
        return 2.0 / math.pi * (theta + total) if degrees % 2 else total

    low, high = 0.0, 1.0
    while central(high) < confidence:
        high *= 2.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if central(middle) < confidence else (low, middle)
    return 0.5 * (low + high)


@dataclass(frozen=True)
class Interval:
    """Mean over seeds with its 95% interval.

    Attributes
    ----------
    mean, low, high : float
        Low and high are infinite for a single seed: one run says nothing about the spread.
    sd : float
        Sample standard deviation; NaN for a single seed.
    n : int
        Number of seeds.
    """

    mean: float
    low: float
    high: float
    sd: float
    n: int

    def text(self, scale: float = 1.0, digits: int = 2, *, sign: str = "") -> str:
        """Return mean and interval as pages print them.

        Parameters
        ----------
        scale : float
            What all three are multiplied by: 100 for percent or points.
        digits : int
            Digits after the point.
        sign : {"", "+"}
            Whether numbers above 0 have their sign: for differences.

        Examples
        --------
        >>> interval([0.01, 0.02, 0.03]).text(100, 1, sign="+")
        '+2.0 [-0.5, +4.5]'
        """
        mean, low, high = (f"{scale * value:{sign}.{digits}f}" for value in (self.mean, self.low, self.high))
        return f"{mean} [{low}, {high}]"


def interval(values: Sequence[float], *, confidence: float = 0.95) -> Interval:
    """Return mean and Student t interval of the values, one a seed; for paired methods, give their differences.

    Raises
    ------
    ValueError
        If there are no values, or one is not finite.

    Examples
    --------
    >>> found = interval([0.1, 0.2, 0.3])
    >>> round(found.low, 3), round(found.high, 3)
    (-0.048, 0.448)
    """
    x = np.asarray(values, dtype=float)
    if x.ndim != 1 or len(x) == 0 or not np.isfinite(x).all():
        raise ValueError(f"values must be finite numbers, one a seed, got {values!r}")
    mean = float(x.mean())
    if len(x) == 1:
        return Interval(mean, -math.inf, math.inf, math.nan, 1)
    sd = float(x.std(ddof=1))
    half = t_quantile(confidence, len(x) - 1) * sd / math.sqrt(len(x))
    return Interval(mean, mean - half, mean + half, sd, len(x))


def verdict(found: Interval | None, *, claimed: Literal["positive", "negative"], margin: float) -> Verdict:
    """Return the verdict on a claim about the sign of an effect.

    Parameters
    ----------
    found : Interval or None
        The effect with its 95% interval; None if the experiment was not run.
    claimed : {"positive", "negative"}
        The sign that the claim gives the effect.
    margin : float
        Effects smaller than this do not matter in practice; fixed before the record is made.

    Returns
    -------
    str
        "shown" if the interval excludes 0 on the claimed side, "reversed" if on the other, "not shown" if it lies
        within the margin around 0, else "inconclusive".

    Examples
    --------
    >>> verdict(interval([0.1, 0.2, 0.15]), claimed="positive", margin=0.01)
    'shown'
    """
    if found is None:
        return "not yet run"
    sign = 1.0 if claimed == "positive" else -1.0
    low, high = sorted((sign * found.low, sign * found.high))
    if low > 0:
        return "shown"
    if high < 0:
        return "reversed"
    if -margin <= low and high <= margin:
        return "not shown"
    return "inconclusive"
