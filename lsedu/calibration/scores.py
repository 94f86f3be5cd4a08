"""Accuracy, confidence and the two proper scores: NLL and Brier."""

from typing import Any

import numpy as np

from lsedu import _check
from lsedu.calibration._inputs import arrays, top


def accuracy(probs: Any, labels: Any) -> float:
    """Return the share of samples whose most probable class is the label, in [0, 1]; ties go to the lower class.

    Parameters
    ----------
    probs : array-like or Tensor, shape (N, K)
        Predicted distributions.
    labels : array-like or Tensor, shape (N,)
        Integer labels in [0, K).

    Raises
    ------
    ValueError
        For rows that are no distributions or labels out of range.

    Examples
    --------
    >>> accuracy([[0.9, 0.1], [0.8, 0.2]], [0, 1])
    0.5
    """
    return float(top(*arrays(probs, labels))[1].mean())


def mean_confidence(probs: Any) -> float:
    """Return the mean of the largest predicted probability, in [1/K, 1].

    Parameters
    ----------
    probs : array-like or Tensor, shape (N, K)
        Predicted distributions.

    Raises
    ------
    ValueError
        For rows that are no distributions.

    Examples
    --------
    >>> round(mean_confidence([[0.9, 0.1], [0.2, 0.8]]), 12)
    0.85
    """
    return float(arrays(probs, np.zeros(_check.plain("probs", probs).shape[:1], dtype=int))[0].max(1).mean())


def overconfidence(probs: Any, labels: Any) -> float:
    """Return mean confidence minus accuracy, in [-1, 1]: positive when the model claims more than it knows.

    Parameters
    ----------
    probs : array-like or Tensor, shape (N, K)
        Predicted distributions.
    labels : array-like or Tensor, shape (N,)
        Integer labels in [0, K).

    Raises
    ------
    ValueError
        For rows that are no distributions or labels out of range.

    Examples
    --------
    >>> round(overconfidence([[0.9, 0.1], [0.8, 0.2]], [0, 1]), 12)
    0.35
    """
    confidence, correct = top(*arrays(probs, labels))
    return float(confidence.mean() - correct.mean())


def nll(probs: Any, labels: Any) -> float:
    """Return the mean negative log-likelihood of the labels, in nats; infinite if a label had probability 0.

    Parameters
    ----------
    probs : array-like or Tensor, shape (N, K)
        Predicted distributions.
    labels : array-like or Tensor, shape (N,)
        Integer labels in [0, K).

    Raises
    ------
    ValueError
        For rows that are no distributions or labels out of range.

    Notes
    -----
    From logits, `lsedu.losses.cross_entropy` gives the same value without underflow.

    Examples
    --------
    >>> round(nll([[0.5, 0.5]], [0]), 6)
    0.693147
    """
    probs, labels = arrays(probs, labels)
    with np.errstate(divide="ignore"):
        return float(-np.log(probs[np.arange(len(probs)), labels]).mean()) + 0.0


def brier(probs: Any, labels: Any) -> float:
    r"""Return the Brier score over all classes, in [0, 2]: mean squared distance to the one-hot label.

    Parameters
    ----------
    probs : array-like or Tensor, shape (N, K)
        Predicted distributions.
    labels : array-like or Tensor, shape (N,)
        Integer labels in [0, K).

    Raises
    ------
    ValueError
        For rows that are no distributions or labels out of range.

    Notes
    -----
    :math:`\frac1N \sum_n \sum_k (q_{nk} - \delta_{k,y_n})^2`, Brier's original definition :cite:p:`brier1950`; for
    two classes it is twice scikit-learn's ``brier_score_loss``.

    Examples
    --------
    >>> brier([[1.0, 0.0], [0.5, 0.5]], [0, 1])
    0.25
    """
    probs, labels = arrays(probs, labels)
    errors = probs.copy()
    errors[np.arange(len(probs)), labels] -= 1.0
    return float((errors**2).sum(1).mean())
