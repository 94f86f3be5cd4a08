"""The rank statistic under every AUROC of the package."""

import numpy as np


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Return the probability that a positive's score is above a negative's, ties counting one half.

    Parameters
    ----------
    positive, negative : ndarray, shapes (P,) and (N,)
        Scores.

    Returns
    -------
    float
        In [0, 1]; NaN when one side is empty.

    Notes
    -----
    The rank-sum statistic with mid-ranks.
    """
    if len(positive) == 0 or len(negative) == 0:
        return float("nan")
    _, inverse, counts = np.unique(np.concatenate([positive, negative]), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    size = len(positive)
    return float((ranks[:size].sum() - size * (size + 1) / 2.0) / (size * len(negative)))
