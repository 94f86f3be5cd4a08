r"""Binned calibration: reliability data and the errors read off it.

Equal-width bins are closed on the right, :math:`((m-1)/M, m/M]`, as in :cite:p:`guo2017`; the first also holds 0. With
``edges="left"`` they are closed on the left, as in some libraries; the last then also holds 1. A confidence lies on an
edge when it is within 1e-12 of it, or is the number of its own precision nearest to it, so that 0.3 is on the edge
3/10 whatever its last digit, in float64 as in half precision.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lsedu import _check
from lsedu.calibration._inputs import arrays, top

Edges = Literal["right", "left"]


@dataclass(frozen=True)
class Reliability:
    """Confidence and accuracy by bin.

    Attributes
    ----------
    edges : ndarray, shape (M + 1,)
        Bin edges in [0, 1].
    confidence, accuracy : ndarray, shape (M,)
        Means in the bin; NaN where it is empty.
    count : ndarray, shape (M,), int64
        Samples in the bin.
    """

    edges: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    count: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """Confidence minus accuracy by bin, shape (M,); 0 where the bin is empty."""
        return np.where(self.count > 0, self.confidence - self.accuracy, 0.0)

    @property
    def share(self) -> np.ndarray:
        """Share of the samples by bin, shape (M,)."""
        return self.count / self.count.sum()


def bin_index(values: np.ndarray, bins: int, edges: Edges, *, unit: float = 0.0) -> np.ndarray:
    """Return the equal-width bin of each value in [0, 1], shape (N,); `unit` is that of the precision they came in."""
    scaled = values * bins
    nearest = np.rint(scaled)
    edge = nearest / bins
    off = np.abs(values - edge)
    # numbers in [1/2, 1) lie unit / 2 apart, those in [1/4, 1/2) half as much, and so on
    on_edge = (off <= 1e-12) | (off < np.ldexp(unit, np.frexp(edge)[1] - 2))
    scaled = np.where(on_edge, nearest, scaled)
    index = np.ceil(scaled) - 1 if edges == "right" else np.floor(scaled)
    return np.clip(index, 0, bins - 1).astype(np.int64)


def _summarise(values: np.ndarray, hits: np.ndarray, index: np.ndarray, bins: int) -> Reliability:
    count = np.bincount(index, minlength=bins)
    filled = np.maximum(count, 1)
    empty = count == 0
    confidence = np.bincount(index, weights=values, minlength=bins) / filled
    accuracy = np.bincount(index, weights=hits.astype(float), minlength=bins) / filled
    grid = np.linspace(0.0, 1.0, bins + 1)
    return Reliability(grid, np.where(empty, np.nan, confidence), np.where(empty, np.nan, accuracy), count)


def _bins(bins: int) -> int:
    if not isinstance(bins, int | np.integer) or isinstance(bins, bool) or bins < 1:
        raise ValueError(f"bins must be an integer >= 1, got {bins!r}")
    return int(bins)


def reliability(probs: Any, labels: Any, *, bins: int = 15, edges: Edges = "right") -> Reliability:
    """Return the data of a reliability diagram: confidence and accuracy in equal-width bins of confidence.

    Parameters
    ----------
    probs : array-like or Tensor, shape (N, K)
        Predicted distributions.
    labels : array-like or Tensor, shape (N,)
        Integer labels in [0, K).
    bins : int
        Number of bins M >= 1.
    edges : {"right", "left"}
        The side on which bins are closed.

    Returns
    -------
    Reliability

    Raises
    ------
    ValueError
        For rows that are no distributions, labels out of range, or a bad `bins` or `edges`.

    Notes
    -----
    :cite:p:`guo2017`, equations 2 and 3; diagrams after :cite:p:`niculescu2005`.

    Examples
    --------
    >>> reliability([[0.9, 0.1], [0.8, 0.2]], [0, 1], bins=2).accuracy
    array([nan, 0.5])
    """
    bins = _bins(bins)
    _check.one_of("edges", edges, ("right", "left"))
    unit = _check.unit_of(_check.dtype_of("probs", probs))
    confidence, correct = top(*arrays(probs, labels))
    return _summarise(confidence, correct, bin_index(confidence, bins, edges, unit=unit), bins)


def ece(probs: Any, labels: Any, *, bins: int = 15, edges: Edges = "right") -> float:
    r"""Return the expected calibration error, in [0, 1].

    Parameters
    ----------
    probs, labels, bins, edges
        As in `reliability`.

    Raises
    ------
    ValueError
        As in `reliability`.

    Notes
    -----
    :math:`\mathrm{ECE} = \sum_m \frac{|B_m|}{N} |\mathrm{acc}(B_m) - \mathrm{conf}(B_m)|`
    (:cite:p:`naeini2015`; :cite:p:`guo2017`, equation 3).

    Examples
    --------
    >>> round(ece([[0.9, 0.1], [0.8, 0.2]], [0, 1], bins=1), 12)
    0.35
    """
    table = reliability(probs, labels, bins=bins, edges=edges)
    return float((table.share * np.abs(table.gap)).sum())


def mce(probs: Any, labels: Any, *, bins: int = 15, edges: Edges = "right") -> float:
    """Return the maximum calibration error, the largest gap of a non-empty bin, in [0, 1].

    Parameters
    ----------
    probs, labels, bins, edges
        As in `reliability`.

    Raises
    ------
    ValueError
        As in `reliability`.

    Notes
    -----
    :cite:p:`naeini2015`; :cite:p:`guo2017`, equation 5.

    Examples
    --------
    >>> round(mce([[0.9, 0.1], [0.8, 0.2]], [0, 1], bins=10), 12)
    0.8
    """
    return float(np.abs(reliability(probs, labels, bins=bins, edges=edges).gap).max())


def classwise_ece(probs: Any, labels: Any, *, bins: int = 15, edges: Edges = "right") -> float:
    r"""Return the class-wise expected calibration error: each class's probability against its frequency, averaged.

    Parameters
    ----------
    probs, labels, bins, edges
        As in `reliability`.

    Returns
    -------
    float
        In [0, 1]. Classes without a label count like the others: probability given to them is an error.

    Raises
    ------
    ValueError
        As in `reliability`.

    Notes
    -----
    Static calibration error :cite:p:`nixon2019`:
    :math:`\frac1K \sum_k \sum_m \frac{|B_{mk}|}{N} |\mathrm{freq}(B_{mk}) - \mathrm{conf}(B_{mk})|`.

    Examples
    --------
    >>> round(classwise_ece([[0.9, 0.1], [0.8, 0.2]], [0, 1], bins=1), 12)
    0.35
    """
    bins = _bins(bins)
    _check.one_of("edges", edges, ("right", "left"))
    unit = _check.unit_of(_check.dtype_of("probs", probs))
    probs, labels = arrays(probs, labels)
    errors = []
    for k in range(probs.shape[1]):
        table = _summarise(probs[:, k], labels == k, bin_index(probs[:, k], bins, edges, unit=unit), bins)
        errors.append((table.share * np.abs(table.gap)).sum())
    return float(np.mean(errors))


def adaptive_ece(probs: Any, labels: Any, *, bins: int = 15) -> float:
    r"""Return the calibration error over bins of equal count instead of equal width, in [0, 1].

    Parameters
    ----------
    probs : array-like or Tensor, shape (N, K)
        Predicted distributions.
    labels : array-like or Tensor, shape (N,)
        Integer labels in [0, K).
    bins : int
        Number of bins; samples sorted by confidence (ties in their given order) are cut into
        ``numpy.array_split`` parts: the first N mod M bins hold one more. With N < M, N bins are left.

    Raises
    ------
    ValueError
        As in `reliability`.

    Notes
    -----
    Over the top prediction, as in :cite:p:`mukhoti2020`; after :cite:p:`nguyen2015`.

    Examples
    --------
    >>> round(adaptive_ece([[0.9, 0.1], [0.8, 0.2]], [0, 1], bins=2), 12)
    0.45
    """
    confidence, correct = top(*arrays(probs, labels))
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, _bins(bins)) if len(part)]
    return float(sum(abs((confidence[part] - correct[part]).sum()) for part in parts) / len(order))
