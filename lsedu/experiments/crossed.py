"""Intervals that cover seeds and test pictures: both are draws, and each seed is tested on the same pictures."""

import math
from collections.abc import Callable

import numpy as np

from lsedu.experiments.interval import Interval, around, mean_and_sd, t_quantile


def crossed(values: np.ndarray, *, confidence: float = 0.95) -> Interval:
    """Return the mean over seeds and pictures with an interval for other seeds and other pictures.

    Parameters
    ----------
    values : ndarray, shape (seeds, pictures)
        What each seed gives on each picture; for paired methods their differences, such as of hits.
    confidence : float
        In (0, 1).

    Raises
    ------
    ValueError
        If there are fewer than two of either, or a value is not finite.

    Notes
    -----
    A two-way table with random rows and columns and one value a cell. With the mean squares of seeds, pictures and
    what is left, the variance of the grand mean is estimated by :math:`(S + P - R) / (n N)`, or by :math:`S / (n N)`
    where that is larger, which is the interval over the seeds alone.

    Examples
    --------
    >>> hits = np.array([[1, 1, 0, 1, 0], [1, 0, 0, 1, 0], [1, 1, 0, 1, 0]])
    >>> print(crossed(hits).text(100, 0))
    53 [-19, 125]
    """
    x = np.asarray(values, dtype=float)
    if x.ndim != 2 or min(x.shape) < 2 or not np.isfinite(x).all():
        raise ValueError(f"values must be finite, (seeds, pictures) with two or more of both, got shape {x.shape}")
    n, size = x.shape
    if (x == x[0, 0]).all():  # rounding is no spread
        return around(float(x[0, 0]), 0.0, n - 1, sd=0.0, n=n, confidence=confidence)
    mean, rows, columns = float(x.mean()), x.mean(1), x.mean(0)
    seeds, pictures = size * rows.var(ddof=1), n * columns.var(ddof=1)
    rest = float(np.square(x - rows[:, None] - columns + mean).sum()) / ((n - 1) * (size - 1))
    parts = [(seeds / (n * size), n - 1)]
    if pictures > rest:
        parts.append(((pictures - rest) / (n * size), size - 1))
    return _together(mean, parts, float(rows.std(ddof=1)), n, confidence)


def resampled(
    effects: Callable[[np.ndarray], np.ndarray],
    pictures: int,
    *,
    draws: int = 400,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Return the same for what is no mean over pictures, such as a calibration error, by drawing pictures again.

    Parameters
    ----------
    effects : callable
        From weights, how often each picture counts, shape (draws, pictures), to the effect of each seed, shape
        (draws, seeds); NaN where a draw leaves it undefined, as a score of wrong answers is where a draw has none: it
        does not count for that seed.
    pictures : int
        Number of test pictures.
    draws : int
        How often pictures are drawn with replacement, the same for all seeds.
    seed : int
        Seed of the draws.
    confidence : float
        In (0, 1).

    Raises
    ------
    ValueError
        If there are fewer than two seeds.

    Notes
    -----
    Over the draws, the variance of the mean over seeds (`shared`) holds what pictures do to all seeds and a share of
    what they do to each; that of a single seed (`each`) holds both in full. The second is already in the spread of the
    seeds, so that ``(each - shared) / (n - 1)`` is taken off.
    """
    every = np.asarray(effects(np.ones((1, pictures))), dtype=float)[0]
    n = len(every)
    if n < 2:
        raise ValueError(f"an interval over seeds needs two or more, got {n}")
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(pictures, size=pictures) for _ in range(draws))
    again = effects(np.array([np.bincount(index, minlength=pictures) for index in drawn], dtype=float))
    again = again[~np.isnan(again).all(1)]
    shared, each = np.nanmean(again, 1).var(ddof=1), np.nanvar(again, 0, ddof=1).mean()
    mean, sd = mean_and_sd(every)
    parts = [(sd**2 / n, n - 1)]
    if (more := shared - (each - shared) / (n - 1)) > 0:
        parts.append((more, pictures - 1))
    return _together(mean, parts, sd, n, confidence)


#: More degrees of freedom than these make no difference that a page could show.
MOST = 200


def _together(mean: float, parts: list[tuple[float, int]], sd: float, n: int, confidence: float) -> Interval:
    """Return the interval around a mean whose variance is the sum of parts with their degrees of freedom.

    The half-width squared is the sum of the parts', each with its own quantile (Graybill and Wang, 1980); the degrees
    of freedom are the most, in whole numbers, whose quantile is no smaller.
    """
    variance = sum(part for part, _ in parts)
    least = min(free for _, free in parts)
    if not variance > 0:
        return around(mean, 0.0, least, sd=sd, n=n, confidence=confidence)
    wide = sum(part * t_quantile(confidence, min(free, MOST)) ** 2 for part, free in parts) / variance
    low, high = least, MOST
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if t_quantile(confidence, middle) ** 2 >= wide - 1e-9 else (low, middle - 1)
    return around(mean, math.sqrt(variance), low, sd=sd, n=n, confidence=confidence)
