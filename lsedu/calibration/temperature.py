r"""Temperature scaling: one number that softens all logits, fitted by likelihood on held-out data.

.. math:: q_k(T) = \frac{\exp(z_k / T)}{\sum_j \exp(z_j / T)}
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from lsedu import _check

WIDEST = 1e300
"""Temperatures from its inverse to it can be told apart: intervals lie within, and what lies outside one is named."""


def apply_temperature(logits: Any, temperature: float) -> np.ndarray:
    """Return the softmax of logits divided by the temperature.

    Parameters
    ----------
    logits : array-like or Tensor, shape (N, K)
        Unnormalised log-probabilities.
    temperature : float
        T > 0. Above 1 it softens; it never changes the order of the classes, nor accuracy.

    Returns
    -------
    ndarray, shape (N, K), float64

    Raises
    ------
    ValueError
        If the temperature is not positive and finite, or the logits are not a finite (N, K) array.

    Notes
    -----
    :cite:p:`guo2017`, equation 9.

    Examples
    --------
    >>> apply_temperature([[np.log(4.0), 0.0]], 2.0).round(4).tolist()
    [[0.6667, 0.3333]]
    """
    temperature = _check.real_in("temperature", temperature, 0.0, np.inf, open_low=True, open_high=True)
    z = _check.array("logits", logits, ndim=2)
    if z.shape[1] == 0:
        raise ValueError(f"logits must have shape (N, K) with K >= 1, got {z.shape}")
    # the largest is taken off first: divided by a small temperature it would overflow, as what lies far below may
    with np.errstate(over="ignore"):
        e = np.exp((z - z.max(1, keepdims=True)) / temperature)
    return e / e.sum(1, keepdims=True)


def fit_temperature(logits: Any, labels: Any, *, low: float = 1e-2, high: float = 1e2) -> float:
    r"""Return the temperature with the least negative log-likelihood on held-out logits.

    Parameters
    ----------
    logits : array-like or Tensor, shape (N, K)
        Unnormalised log-probabilities on data the model was not trained on.
    labels : array-like or Tensor, shape (N,)
        Integer labels in [0, K).
    low, high : float
        Interval searched, within 1e-300 and 1e300.

    Returns
    -------
    float
        T in [low, high], to a relative accuracy of about 1e-12. An end of the interval where the optimum lies beyond.

    Warns
    -----
    UserWarning
        If an end of the interval is returned: it names the T that the likelihood wants, which is 0 where every label
        has the largest logit, and infinity where the logits do no better than chance.

    Raises
    ------
    ValueError
        For empty or misshapen input, labels out of range, or an interval that is empty or reaches too far.

    Notes
    -----
    In the inverse temperature :math:`b = 1/T` the NLL is convex, with derivative
    :math:`\frac1N \sum_n (\mathbb{E}_{q_n(b)}[z_n] - z_{n,y_n})`, which grows with b; its root is bracketed and
    bisected in log b, so that no start value or step size decides the answer :cite:p:`guo2017`.

    Examples
    --------
    >>> round(fit_temperature([[2.0, 0.0]] * 3 + [[0.0, 2.0]], [0, 0, 0, 0]), 6)
    1.820478
    """
    z = _check.array("logits", logits, ndim=2)
    y = _check.label_array("labels", labels, z.shape[1], size=len(z))
    if len(z) == 0:
        raise ValueError(f"logits must hold at least one sample, got shape {z.shape}")
    numbers = all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in (low, high))
    if not numbers or not 0 < low < high < np.inf:
        raise ValueError(f"the interval must satisfy 0 < low < high, got low={low!r}, high={high!r}")
    if low < 1.0 / WIDEST or high > WIDEST:
        raise ValueError(f"the interval must lie in [{1.0 / WIDEST:g}, {WIDEST:g}], got low={low!r}, high={high!r}")
    z = z - z.max(1, keepdims=True)
    own = z[np.arange(len(z)), y]

    def slope(b: float) -> float:
        with np.errstate(over="ignore"):
            e = np.exp(z * b)
        return float(((e * z).sum(1) / e.sum(1) - own).mean())

    if (z == 0).all():
        return _stopped(high, "every T is as likely, as no logit differs from another")
    if (own == 0).all():
        # the slope is negative everywhere, though it may underflow to 0
        return _stopped(low, "the likelihood wants T = 0, as every label has the largest logit")
    if slope(1.0 / high) >= 0:
        if slope(0.0) >= 0:
            return _stopped(high, "the likelihood wants T = inf, as the logits do no better than chance")
        return _stopped(high, f"the likelihood wants T = {_root(slope, 1.0 / WIDEST, 1.0 / high):.4g}")
    if slope(1.0 / low) <= 0:
        return _stopped(low, f"the likelihood wants T = {_root(slope, 1.0 / low, WIDEST):.4g}")
    return _root(slope, 1.0 / high, 1.0 / low)


def _root(slope: Callable[[float], float], least: float, most: float) -> float:
    """Return the T at whose inverse, between two values, the slope changes its sign."""
    left, right = np.log(least), np.log(most)
    while right - left > 1e-13:
        middle = 0.5 * (left + right)
        if middle in (left, right):
            break
        left, right = (middle, right) if slope(np.exp(middle)) < 0 else (left, middle)
    return float(np.exp(-0.5 * (left + right)))


def _stopped(end: float, why: str) -> float:
    """Return an end of the interval, and warn."""
    warnings.warn(f"fit_temperature stops at T = {end:g}, an end of its interval: {why}", stacklevel=3)
    return float(end)
