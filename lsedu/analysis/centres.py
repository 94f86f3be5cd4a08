"""Where the classes lie in feature space, how far apart, and how tight."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lsedu import _check

ROUNDING = 1e-14
"""What two means of one feature may differ by, as a part of its largest value, and still be one."""

PARALLEL = 1e-30
"""Cosine distance below which two directions are one: what rounding leaves of parallel vectors."""


def _features(features: Any, labels: Any, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(num_classes, bool) or not isinstance(num_classes, int | np.integer) or num_classes < 1:
        raise ValueError(f"num_classes must be an integer >= 1, got {num_classes!r}")
    f = _check.array("features", features, ndim=2)
    return f, _check.label_array("labels", labels, int(num_classes), size=len(f))


def class_centres(features: Any, labels: Any, num_classes: int) -> np.ndarray:
    """Return the mean feature of each class.

    Parameters
    ----------
    features : array-like or Tensor, shape (N, D)
        Features, of the penultimate layer for instance.
    labels : array-like or Tensor, shape (N,)
        Integer labels in [0, K).
    num_classes : int
        K.

    Returns
    -------
    ndarray, shape (K, D)
        A class without samples has a row of NaN.

    Raises
    ------
    ValueError
        For misshapen features or labels out of range.

    Examples
    --------
    >>> class_centres([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0]], [0, 0, 1], 2).tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """
    f, y = _features(features, labels, num_classes)
    sums = np.zeros((int(num_classes), f.shape[1]))
    np.add.at(sums, y, f)
    counts = np.bincount(y, minlength=int(num_classes))[:, None]
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def centre_distances(centres: Any, *, normalise: bool = True) -> np.ndarray:
    r"""Return the cosine distances between class centres, each row divided by its sum.

    Parameters
    ----------
    centres : array-like or Tensor, shape (K, D)
        Class centres; a row of NaN is a class without samples.
    normalise : bool
        Whether to divide each row by its L1 norm.

    Returns
    -------
    ndarray, shape (K, K)
        Zero diagonal. NaN in the rows and columns of classes without samples, which do not count in the sums of the
        others; a row whose distances are all 0 stays 0.

    Raises
    ------
    ValueError
        If `centres` has not two axes, holds an infinity, or a centre is the zero vector, which has no direction.

    Notes
    -----
    :math:`\mathrm{cd}(i,j) / \sum_j \mathrm{cd}(i,j)` with :math:`\mathrm{cd} = 1 - \cos(c_i, c_j)`: appendix E of
    :cite:p:`lls`.

    Examples
    --------
    >>> centre_distances([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]).round(4).tolist()
    [[0.0, 0.3333, 0.6667], [0.5, 0.0, 0.5], [0.6667, 0.3333, 0.0]]
    """
    c = _check.array("centres", centres, ndim=2, nan=True)
    # scaled first: squares of very long or short centres would leave the range of float64
    longest = np.abs(c).max(1, keepdims=True, initial=0.0)
    if (longest == 0).any():
        raise ValueError(f"a centre must not be the zero vector, got one in row {int((longest[:, 0] == 0).argmax())}")
    unit = c / longest
    norms = np.linalg.norm(unit, axis=1, keepdims=True)
    unit = unit / norms
    # 1 - cos = |u - v|^2 / 2 keeps the digits of small angles
    distances = np.stack([((unit - u) ** 2).sum(1) / 2.0 for u in unit]) if len(c) else np.zeros((0, 0))
    distances[distances < PARALLEL] = 0.0
    seen = ~np.isnan(norms[:, 0])
    np.fill_diagonal(distances, np.where(seen, 0.0, np.nan))
    if not normalise:
        return distances
    sums = np.nansum(distances, axis=1, keepdims=True)
    return distances / np.where(sums > 0, sums, 1.0)


def distance_spread(centres: Any) -> float:
    """Return how unequal the distances between centres are: 0 when all classes are equally far apart.

    Parameters
    ----------
    centres : array-like or Tensor, shape (K, D)
        Class centres; rows of NaN are left out.

    Returns
    -------
    float
        Standard deviation of the L1-normalised distances off the diagonal over their mean; NaN with fewer than two
        classes.

    Raises
    ------
    ValueError
        As in `centre_distances`.

    Examples
    --------
    >>> round(distance_spread(np.eye(4)), 12)
    0.0
    """
    table = centre_distances(centres)
    values = table[~np.eye(len(table), dtype=bool) & ~np.isnan(table)]
    return float(values.std() / values.mean()) if values.size and values.mean() > 0 else float("nan")


@dataclass(frozen=True)
class Compactness:
    """Scatter of features.

    Attributes
    ----------
    within : float
        Mean squared distance of a sample to its class's centre.
    between : float
        Mean squared distance of a sample's class centre to the overall mean.
    ratio : float
        `within` over `between`: small for tight clusters, whatever the scale; infinite when all centres are one.
    """

    within: float
    between: float
    ratio: float


def compactness(features: Any, labels: Any, num_classes: int) -> Compactness:
    """Return the scatter of features within and between classes.

    Parameters
    ----------
    features : array-like or Tensor, shape (N, D)
        Features.
    labels : array-like or Tensor, shape (N,)
        Integer labels in [0, K).
    num_classes : int
        K.

    Returns
    -------
    Compactness
        `within` and `between` sum to the total variance.

    Raises
    ------
    ValueError
        For misshapen features, labels out of range, or no samples.

    Examples
    --------
    >>> compactness([[0.0], [2.0], [10.0], [12.0]], [0, 0, 1, 1], 2)
    Compactness(within=1.0, between=25.0, ratio=0.04)
    """
    f, y = _features(features, labels, num_classes)
    if len(f) == 0:
        raise ValueError(f"features must hold at least one sample, got shape {f.shape}")
    own = class_centres(f, y, num_classes)[y]
    within = float(((f - own) ** 2).sum(1).mean())
    apart = own - f.mean(0)
    apart[np.abs(apart) <= ROUNDING * np.abs(f).max(0, initial=0.0)] = 0.0
    between = float((apart**2).sum(1).mean())
    return Compactness(within, between, within / between if between > 0 else float("inf"))
