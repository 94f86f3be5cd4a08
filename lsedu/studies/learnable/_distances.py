"""Class centres in feature space, read: how tight, how equally far apart, and which classes are nearer than others."""

import numpy as np
from torch import Tensor

from lsedu import analysis
from lsedu.studies.learnable._groups import group_of

#: Ratio of scatters from which on a class is a point: its logarithm has to be finite.
POINT = 1e-12


def trio(distances: np.ndarray, classes: tuple[int, int, int]) -> float:
    """Return how near two classes are, in the mean of their distances to a third: 1 where all three are as far.

    Parameters
    ----------
    distances : ndarray, shape (K, K)
        Symmetric, rows not normalised.
    classes : tuple of int
        The two that are alike, and the third.

    Examples
    --------
    >>> trio(np.array([[0.0, 1.0, 3.0], [1.0, 0.0, 5.0], [3.0, 5.0, 0.0]]), (0, 1, 2))
    0.25
    """
    a, b, far = classes
    return float(distances[a, b] / (0.5 * (distances[a, far] + distances[b, far])))


def nearer(distances: np.ndarray, groups: np.ndarray) -> float:
    """Return the mean distance of classes of one group, in the mean distance of classes of two: 1 without relations.

    Examples
    --------
    >>> table = np.array([[0.0, 1.0, 2.0, 2.0], [1.0, 0.0, 2.0, 2.0], [2.0, 2.0, 0.0, 3.0], [2.0, 2.0, 3.0, 0.0]])
    >>> nearer(table, np.array([0, 0, 1, 1]))
    1.0
    """
    same = groups[:, None] == groups
    others = ~np.eye(len(groups), dtype=bool)
    return float(distances[same & others].mean() / distances[~same].mean())


def read(features: Tensor, labels: Tensor, *, num_classes: int, classes: tuple[int, int, int]) -> dict[str, float]:
    """Return what the clusters of a network are like.

    Parameters
    ----------
    features, labels : Tensor, shapes (N, F) and (N,)
        Each class at least once.
    num_classes : int
    classes : tuple of int
        Two classes that are alike, and a third.

    Returns
    -------
    dict of str to float
        ``ratio``, the scatter of classes over that of their centres, and ``scatter``, its logarithm; ``angular``, the
        ratio for features of length 1, whose distances are the paper's. ``distance``, the mean cosine distance of
        centres. ``spread``, how unequal their distances are as the paper normalises them, and ``centred``, when the
        origin is moved to the mean of the centres. ``trio``, how near two classes are in their distance to a third.
        With a hundred classes ``group``, how near those of a group are.
    """
    unit = features / features.norm(dim=1, keepdim=True).clamp_min(1e-12)
    centres = analysis.class_centres(features, labels, num_classes)
    distances = analysis.centre_distances(centres, normalise=False)
    ratio = analysis.compactness(features, labels, num_classes).ratio
    found = {
        "ratio": ratio,
        "scatter": float(np.log(max(ratio, POINT))),
        "angular": analysis.compactness(unit, labels, num_classes).ratio,
        "distance": float(distances[~np.eye(num_classes, dtype=bool)].mean()),
        "spread": analysis.distance_spread(centres),
        "centred": analysis.distance_spread(centres - centres.mean(0)),
        "trio": trio(distances, classes),
    }
    return found | ({"group": nearer(distances, group_of())} if num_classes == len(group_of()) else {})
