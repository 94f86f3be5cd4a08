"""Wrong labels: symmetric noise, and annotators who make them up."""

import numpy as np

from lsedu import _check


def symmetric_noise(labels: np.ndarray, num_classes: int, *, rate: float, seed: int) -> np.ndarray:
    """Return labels of which a share is replaced by another class, each other class equally likely.

    Parameters
    ----------
    labels : ndarray, int64, shape (N,)
    num_classes : int
        Number of classes K, at least 2.
    rate : float
        Chance in [0, 1] that a label is wrong. A higher rate with the same seed keeps the wrong ones wrong.
    seed : int

    Raises
    ------
    ValueError
        If a label or the rate is out of range.

    Examples
    --------
    >>> labels = np.arange(10_000) % 10
    >>> float(np.mean(symmetric_noise(labels, 10, rate=0.4, seed=0) != labels).round(2))
    0.4
    """
    labels = _check.label_array("labels", labels, num_classes)
    rate = _check.real_in("rate", rate, 0.0, 1.0)
    if num_classes < 2:
        raise ValueError(f"num_classes must be at least 2, got {num_classes}")
    rng = np.random.default_rng(seed)
    wrong = rng.random(len(labels)) < rate
    step = rng.integers(1, num_classes, size=len(labels))
    return np.where(wrong, (labels + step) % num_classes, labels)


def annotate(labels: np.ndarray, confusion: np.ndarray, *, annotators: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Let synthetic annotators label every sample.

    Parameters
    ----------
    labels : ndarray, int64, shape (N,)
        True classes.
    confusion : ndarray, shape (K, K)
        Row k: the distribution of an annotator's answer when the class is k.
    annotators : int
        Answers a sample, at least 1, drawn independently.
    seed : int

    Returns
    -------
    answers : ndarray, int64, shape (N, annotators)
    counts : ndarray, int64, shape (N, K)
        Votes by class, as CIFAR-10H has them.

    Raises
    ------
    ValueError
        If a row is no distribution, a label out of range or there is no annotator.
    """
    confusion = _check.array("confusion", confusion, ndim=2)
    num_classes = len(confusion)
    if confusion.shape != (num_classes, num_classes) or (confusion < 0).any():
        raise ValueError(f"confusion must be (K, K) with entries >= 0, got shape {confusion.shape}")
    if not np.allclose(confusion.sum(1), 1.0):
        raise ValueError(f"rows of confusion must sum to 1, got {confusion.sum(1)}")
    if annotators < 1:
        raise ValueError(f"annotators must be at least 1, got {annotators}")
    labels = _check.label_array("labels", labels, num_classes)
    draws = np.random.default_rng(seed).random((len(labels), annotators))
    edges = np.cumsum(confusion, axis=1)
    # what rounding took from the sum is not the last class's, which may have no mass, but all classes' alike
    edges /= edges[:, -1:]
    answers = (draws[:, :, None] >= edges[labels][:, None, :]).sum(-1)
    counts = np.zeros((len(labels), num_classes), dtype=np.int64)
    np.add.at(counts, (np.arange(len(labels))[:, None], answers), 1)
    return answers, counts
