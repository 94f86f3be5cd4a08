"""A mean over seeds and how far it can be trusted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np


def t_within(t: float, degrees: int) -> float:
    """Return the probability that Student's t lies between -t and t.

    Parameters
    ----------
    t : float
        At least 0.
    degrees : int
        Degrees of freedom, >= 1.

    Notes
    -----
    A finite closed form for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4): training machines
    carry no SciPy.

    Examples
    --------
    >>> t_within(1.0, 1)
    0.5
    """
    theta = math.atan(t / math.sqrt(degrees))
    c2 = math.cos(theta) ** 2
    term = math.cos(theta) if degrees % 2 else 1.0
    total = term if degrees > 1 else 0.0
    for j in range(3 if degrees % 2 else 2, degrees - 1, 2):
        term *= c2 * (j - 1) / j
        total += term
    total *= math.sin(theta)
    return 2.0 / math.pi * (theta + total) if degrees % 2 else total


def t_beyond(t: float, degrees: int) -> float:
    """Return the probability that Student's t lies outside -t and t, to as many digits where it is next to nothing.

    Parameters
    ----------
    t : float
        At least 0.
    degrees : int
        Degrees of freedom, >= 1.

    Notes
    -----
    The sums of `t_within` are the first terms of series that add up to one: what follows them is what is asked for.

    Examples
    --------
    >>> round(t_beyond(1.0, 1), 12)
    0.5
    >>> f"{t_beyond(100.0, 10):.4g}"
    '2.45e-16'
    """
    if (within := t_within(t, degrees)) < 0.5 or math.isinf(t):
        return 1.0 - within
    c2 = degrees / (degrees + t * t)
    odd = degrees % 2
    term, j = (math.sqrt(c2), 3) if odd else (1.0, 2)
    while j <= degrees:
        term *= c2 * (j - 1) / j
        j += 2
    total = 0.0
    while term > 1e-17 * total:
        total += term
        term *= c2 * (j - 1) / j
        j += 2
    return total * math.sqrt(1.0 - c2) * (2.0 / math.pi if odd else 1.0)


@cache
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

    Examples
    --------
    >>> round(t_quantile(0.95, 4), 4)
    2.7764
    """
    if degrees < 1 or not 0 < confidence < 1:
        raise ValueError(f"need degrees >= 1 and 0 < confidence < 1, got {degrees!r} and {confidence!r}")
    low, high = 0.0, 1.0
    while t_within(high, degrees) < confidence:
        high *= 2.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if t_within(middle, degrees) < confidence else (low, middle)
    return 0.5 * (low + high)


@dataclass(frozen=True)
class Interval:
    """Mean over seeds with its 95% interval.

    Attributes
    ----------
    mean, low, high : float
        Low and high are infinite for a single seed: one run says nothing about the spread.
    sd : float
        Sample standard deviation over the seeds; NaN for a single seed.
    n : int
        Number of seeds.
    se : float
        Standard error of the mean; NaN for a single seed.
    degrees : int
        Degrees of freedom of the standard error; 0 for a single seed.
    """

    mean: float
    low: float
    high: float
    sd: float
    n: int
    se: float
    degrees: int

    def p(self, value: float = 0.0) -> float:
        """Return the two-sided p-value of the hypothesis that the true mean is `value`: Student's t test.

        Examples
        --------
        >>> round(interval([0.1, 0.2, 0.3]).p(), 3)
        0.074
        """
        if math.isnan(self.se):
            return 1.0
        if self.se == 0:
            return float(self.mean == value)
        return t_beyond(abs(self.mean - value) / self.se, self.degrees)

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


def around(mean: float, se: float, degrees: int, *, sd: float, n: int, confidence: float = 0.95) -> Interval:
    """Return Student's interval around a mean with this standard error."""
    half = t_quantile(confidence, degrees) * se
    return Interval(mean, mean - half, mean + half, sd, n, se, degrees)


def mean_and_sd(x: np.ndarray) -> tuple[float, float]:
    """Return mean and sample standard deviation of two or more values; of equal ones, these exactly and 0.

    The mean of equal values may miss them by a last digit, and what that leaves is no spread.
    """
    return (float(x[0]), 0.0) if (x == x[0]).all() else (float(x.mean()), float(x.std(ddof=1)))


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
    if len(x) == 1:
        return Interval(float(x[0]), -math.inf, math.inf, math.nan, 1, math.nan, 0)
    mean, sd = mean_and_sd(x)
    return around(mean, sd / math.sqrt(len(x)), len(x) - 1, sd=sd, n=len(x), confidence=confidence)
