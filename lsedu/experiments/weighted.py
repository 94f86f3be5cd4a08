"""Scores of test pictures that count several times or not at all, for many such draws at once."""

import numpy as np

from lsedu.calibration.binned import bin_index


def ece(top: np.ndarray, hits: np.ndarray, weights: np.ndarray, *, bins: int = 15) -> np.ndarray:
    """Return the expected calibration error for each draw, shape (draws,).

    Parameters
    ----------
    top : ndarray, shape (N,)
        Confidence, in [0, 1].
    hits : ndarray of bool, shape (N,)
        Whether the answer is right.
    weights : ndarray, shape (draws, N)
        How often each picture counts.
    bins : int
        Of equal width, as in `lsedu.calibration.ece`.
    """
    off = np.zeros((len(top), bins))
    off[np.arange(len(top)), bin_index(top, bins, "right")] = top - hits
    return np.abs(weights @ off).sum(1) / weights.sum(1)


def error_auroc(top: np.ndarray, hits: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return for each draw the probability that a right answer is surer than a wrong one, ties counting one half.

    NaN for a draw without right answers, or without wrong ones: there is nothing to tell apart.
    """
    _, group = np.unique(top, return_inverse=True)
    right, wrong = (_by_group(weights * part, group) for part in (hits, ~hits))
    below = np.cumsum(wrong, 1) - 0.5 * wrong
    pairs = right.sum(1) * wrong.sum(1)
    return np.divide((right * below).sum(1), pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def aurc(top: np.ndarray, hits: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return for each draw the area under the risk-coverage curve, as in `lsedu.calibration.risk_coverage`."""
    _, group = np.unique(-top, return_inverse=True)
    counts, errors = _by_group(weights, group), _by_group(weights * ~hits, group)
    kept = np.cumsum(counts, 1)
    risk = np.divide(np.cumsum(errors, 1), kept, out=np.zeros(kept.shape), where=kept > 0)
    return (risk * counts).sum(1) / kept[:, -1]


def _by_group(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the sums of values (draws, N) over groups 0, 1, ..., shape (draws, groups)."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(group.max() + 1))
    return np.add.reduceat(values[:, order], starts, axis=1)
