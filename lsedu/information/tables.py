"""Conditional tables: from annotator counts to p(x) and p(y|x), and equal rows as one."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lsedu import _check
from lsedu.information._inputs import distributions, row_weights


@dataclass(frozen=True)
class Merged:
    """A conditional table whose equal rows are one.

    Attributes
    ----------
    rows : ndarray, shape (U, K)
        The distinct rows p(y|x), in lexicographic order.
    p_x : ndarray, shape (U,)
        Their weights, the sums over the rows merged.
    inverse : ndarray, shape (N,)
        Index into `rows` of every original row: ``rows[inverse]`` is the table.
    """

    rows: np.ndarray
    p_x: np.ndarray
    inverse: np.ndarray


def merge_rows(table: Any, *, p_x: Any = None) -> Merged:
    r"""Return a conditional table with equal rows merged.

    Parameters
    ----------
    table : array-like or Tensor, shape (N, K)
        Rows p(y|x).
    p_x : array-like or Tensor, shape (N,), optional
        Distribution over the rows; uniform by default.

    Returns
    -------
    Merged

    Raises
    ------
    ValueError
        For rows that are no distributions, or a `p_x` of another length.

    Notes
    -----
    Exact, not an approximation: the best p(z|x) depends on x only through p(y|x), and I(X;Z) and I(Y;Z) are unchanged
    when inputs with equal rows become one. Rows are equal when every float64 is.

    Examples
    --------
    >>> merge_rows([[1.0, 0.0], [0.5, 0.5], [1.0, 0.0], [0.5, 0.5]]).p_x
    array([0.5, 0.5])
    """
    rows = distributions("table", table, ndim=2)
    p = row_weights(p_x, len(rows))
    distinct, inverse = np.unique(rows, axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    return Merged(distinct, np.bincount(inverse, weights=p, minlength=len(distinct)), inverse)


def from_counts(counts: Any, *, weigh: Literal["inputs", "labels"] = "inputs") -> tuple[np.ndarray, np.ndarray]:
    """Return p(y|x) and p(x) of a table of label counts.

    Parameters
    ----------
    counts : array-like or Tensor, shape (N, K)
        How often each input was given each label, >= 0; each row needs at least one.
    weigh : {"inputs", "labels"}
        What is equally likely: every input, or every single label, so that p(x) goes with the row's total.

    Returns
    -------
    p_y_given_x : ndarray, shape (N, K)
    p_x : ndarray, shape (N,)

    Raises
    ------
    ValueError
        For negative counts, a row without labels, an empty table or another number of axes.

    Examples
    --------
    >>> p_y_given_x, p_x = from_counts([[3, 1], [0, 2]], weigh="labels")
    >>> p_y_given_x.tolist(), p_x.round(4).tolist()
    ([[0.75, 0.25], [0.0, 1.0]], [0.6667, 0.3333])
    """
    _check.one_of("weigh", weigh, ("inputs", "labels"))
    table = _check.array("counts", counts, ndim=2)
    if table.size == 0:
        raise ValueError(f"counts must hold at least one input and one class, got shape {table.shape}")
    if (table < 0).any():
        raise ValueError(f"counts must be >= 0, got {table.min():g}")
    totals = table.sum(1, keepdims=True)
    if (totals == 0).any():
        raise ValueError(f"every row of counts needs at least one label, got none in row {int(totals[:, 0].argmin())}")
    p_x = np.full(len(table), 1.0 / len(table)) if weigh == "inputs" else totals[:, 0] / totals.sum()
    return table / totals, p_x
