"""What the measures of information take: rows that are distributions, and weights of the rows."""

from typing import Any

import numpy as np

from lsedu import _check

CLOSE = 1e-4
"""A divergence in nats below which its terms are taken in second order."""


def distributions(name: str, value: Any, *, ndim: int | None = None, dtype: Any = None) -> np.ndarray:
    """Return `value` as float64 distributions along the last axis, divided by their sums.

    How far these may be from 1 goes by the dtype of `value`, or the one given.

    Raises
    ------
    ValueError
        For another number of axes than `ndim`, no entries, an entry that is negative or not finite, or a sum further
        from 1 than the dtype allows.
    """
    given = _check.plain(name, value)
    shape = given.shape
    if len(shape) == 0 or 0 in shape:
        raise ValueError(f"{name} must hold at least one distribution along its last axis, got shape {shape}")
    p = _check.array(name, value, ndim=len(shape) if ndim is None else ndim)
    if (p < 0).any():
        raise ValueError(f"{name} must be >= 0, got {p.min():g}")
    sums = p.sum(-1, keepdims=True)
    off = np.abs(sums - 1.0) > _check.slack(_check.dtype_of(name, value) if dtype is None else dtype)
    if off.any():
        raise ValueError(f"{name} must sum to 1 along the last axis, got a sum of {sums[off][0]:g}")
    return p / sums


def row_weights(p_x: Any, size: int, *, name: str = "p_x") -> np.ndarray:
    """Return `p_x` as a float64 distribution over `size` rows; None is uniform.

    Raises
    ------
    ValueError
        If it is no distribution, or has another length.
    """
    if p_x is None:
        return np.full(size, 1.0 / size)
    p = distributions(name, p_x, ndim=1)
    if len(p) != size:
        raise ValueError(f"{name} must have shape ({size},), got {p.shape}")
    return p


def targets(name: str, value: Any, size: int | None = None) -> np.ndarray:
    """Return p(y|x) as float64 (N, K); integer labels (N,) become one-hot rows, K being the largest label plus one.

    Raises
    ------
    ValueError
        For another length than `size`, no rows at all, negative labels, or rows that are no distributions.
    """
    given = _check.plain(name, value)
    if given.ndim == 1 and given.size:
        highest = int(given.max()) if np.issubdtype(given.dtype, np.integer) else 0
        labels = _check.label_array(name, given, highest + 1, size=size)
        rows = np.zeros((len(labels), highest + 1))
        rows[np.arange(len(labels)), labels] = 1.0
        return rows
    rows = distributions(name, value, ndim=2)
    if size is not None and len(rows) != size:
        raise ValueError(f"{name} must have {size} rows, one for each row of the encoder, got shape {rows.shape}")
    return rows


def second_order(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return KL(p || q) along the last axis in nats as a sum of terms p log(p/q) - p + q, which are >= 0 each.

    With d = p/q - 1 small, such a term is q ((1 + d) log(1 + d) - d), of second order, where p log(p/q) alone is of
    first and leaves few digits when the terms cancel. Where q is 0 there is no term: of a mixture q that holds p in it,
    the weight of p underflowed.
    """
    p, q = np.broadcast_arrays(p, q)
    p = np.where(q > 0, p, 0.0)
    near = np.abs(p - q) <= q / 2
    d = np.where(near, p - q, 0.0) / np.where(near & (q > 0), q, 1.0)
    apart = xlogy(p, p) - xlogy(p, q) - (p - q)
    return np.maximum(np.where(near, q * ((1.0 + d) * np.log1p(d) - d), apart).sum(-1), 0.0)


def xlogy(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x log y with 0 log y = 0, in nats; -inf where x > 0 and y = 0."""
    with np.errstate(divide="ignore"):
        return np.where(x > 0, x * np.log(np.where(x > 0, y, 1.0)), 0.0)
