"""How many seeds a study needs, from a pilot's spread, the margin and the effect that one would not miss."""

import math

import numpy as np

from lsedu import _check
from lsedu.experiments.interval import t_quantile

#: The chance of the verdict that a plan asks for.
POWER = 0.8
#: Plans beyond these are no plans for us.
MOST = 500


def power(n: int, *, effect: float, sd: float, margin: float, confidence: float = 0.95) -> float:
    """Return the chance that the interval of n seeds settles it: lies beyond the margin, or within it.

    Parameters
    ----------
    n : int
        Seeds, at least 2.
    effect : float
        The true effect, on the side claimed: above the margin it is to be *shown*, below it to be *negligible*.
    sd : float
        Standard deviation of the effect over the seeds, > 0.
    margin : float
        That of the contrast, >= 0.
    confidence : float
        Of the interval, in (0, 1).

    Raises
    ------
    ValueError
        If a number is out of range.

    Notes
    -----
    Of normal seeds mean and spread are independent: the chance for a given spread is an error function, its mean over
    the chi distribution of the spread a sum. For an effect above the margin this is the power of Student's t test
    against the margin, the upper tail of the noncentral t distribution.

    Examples
    --------
    >>> round(power(10, effect=1.0, sd=1.0, margin=0.0), 3)
    0.803
    """
    _check.whole("n", n, low=2)
    _check.real_in("effect", effect, -math.inf, math.inf, open_low=True, open_high=True)
    _check.real_in("sd", sd, 0.0, math.inf, open_low=True, open_high=True)
    _check.real_in("margin", margin, 0.0, math.inf, open_high=True)
    free = n - 1
    # the spread over its true value, with its density, on a grid that holds all of it
    spread = (np.arange(4000) + 0.5) / 4000 * (1 + 9 / math.sqrt(2 * free))
    log_density = (free - 1) * np.log(spread) - free * spread**2 / 2
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    half = t_quantile(confidence, free) * spread / math.sqrt(n)
    # from the effect, in standard deviations: where the mean has to lie
    above, below = (margin - effect) / sd, (-margin - effect) / sd
    low, high = (above + half, np.inf) if effect > margin else (below + half, above - half)
    within = _normal(high * math.sqrt(n)) - _normal(low * math.sqrt(n))
    return float((weight * np.clip(within, 0, None)).sum())


def _normal(x: np.ndarray | float) -> np.ndarray:
    """Return the normal distribution function."""
    return np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in np.atleast_1d(x)])


def planned(*, effect: float, sd: float, margin: float, chance: float = POWER) -> int | None:
    """Return the least number of seeds with this chance of settling it, or None beyond `MOST`.

    Raises
    ------
    ValueError
        As in `power`, or for a chance outside (0, 1).

    Examples
    --------
    >>> planned(effect=0.005, sd=0.0035, margin=0.003)
    27
    """
    _check.real_in("chance", chance, 0.0, 1.0, open_low=True, open_high=True)
    low, high = 2, MOST
    if power(high, effect=effect, sd=sd, margin=margin) < chance:
        return None
    while low < high:
        middle = (low + high) // 2
        enough = power(middle, effect=effect, sd=sd, margin=margin) >= chance
        low, high = (low, middle) if enough else (middle + 1, high)
    return low
