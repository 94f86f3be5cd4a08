"""Entropy and Kullback-Leibler divergence of discrete distributions."""

from typing import Any

import numpy as np

from lsedu.information._inputs import CLOSE, distributions, second_order, xlogy
from lsedu.information.units import Unit, nats_per


def _plain(value: np.ndarray) -> Any:
    return float(value) if value.ndim == 0 else value


def entropy(p: Any, *, unit: Unit) -> Any:
    r"""Return the entropy of one distribution or of many.

    Parameters
    ----------
    p : array-like or Tensor, shape (..., K)
        Distributions along the last axis; computed in float64. Sums may miss 1 by 1e-4, in
        half precision by 1e-2, and are divided out.
    unit : {"nats", "bits"}
        Unit of the result.

    Returns
    -------
    float or ndarray, shape (...)
        In [0, log K].

    Raises
    ------
    ValueError
        For negative entries, sums other than 1, or an unknown unit.

    Notes
    -----
    :math:`H(p) = -\sum_k p_k \log p_k` with :math:`0 \log 0 = 0` :cite:p:`textbook`.

    Examples
    --------
    >>> entropy([0.5, 0.25, 0.25], unit="bits")
    1.5
    """
    size = nats_per(unit)
    rows = distributions("p", p)
    return _plain(np.maximum(-xlogy(rows, rows).sum(-1), 0.0) / size)


def kl(p: Any, q: Any, *, unit: Unit) -> Any:
    r"""Return the Kullback-Leibler divergence from q to p.

    Parameters
    ----------
    p, q : array-like or Tensor, shape (..., K)
        Distributions along the last axis, broadcast against each other.
    unit : {"nats", "bits"}
        Unit of the result.

    Returns
    -------
    float or ndarray, shape (...)
        At least 0; 0 only where p = q; infinite where p has mass at which q has none.

    Raises
    ------
    ValueError
        For rows that are no distributions, different numbers of classes, or an unknown unit.

    Notes
    -----
    :math:`\mathrm{KL}(p \| q) = \sum_k p_k \log (p_k / q_k)`, with :math:`0 \log (0/q) = 0`, also at q = 0
    :cite:p:`textbook`.

    Examples
    --------
    >>> kl([1.0, 0.0], [0.5, 0.5], unit="bits")
    1.0
    >>> kl([0.5, 0.5], [1.0, 0.0], unit="bits")
    inf
    """
    size = nats_per(unit)
    a, b = distributions("p", p), distributions("q", q)
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"p and q must have the same number of classes, got {a.shape[-1]} and {b.shape[-1]}")
    a, b = np.broadcast_arrays(a, b)
    value = np.asarray(np.maximum((xlogy(a, a) - xlogy(a, b)).sum(-1), 0.0))
    close = value < CLOSE
    value[close] = second_order(a[close], b[close])
    return _plain(value / size)
