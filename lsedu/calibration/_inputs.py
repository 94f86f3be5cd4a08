"""What every calibration measure takes: probabilities (N, K) and labels (N,), as float64 and int64 arrays."""

from typing import Any

import numpy as np

from lsedu import _check


def arrays(probs: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return `probs` as float64 (N, K) and `labels` as int64 (N,), checked.

    Raises
    ------
    ValueError
        If shapes differ, N is 0, a row is no probability distribution (sums may miss 1 by 1e-4, in half precision by
        1e-2), or a label is out of range.
    """
    dtype = _check.dtype_of("probs", probs)
    probs = _check.array("probs", probs, ndim=2)
    labels = _check.label_array("labels", labels, probs.shape[1], size=len(probs))
    if len(probs) == 0:
        raise ValueError("probs must hold at least one sample, got shape " + str(probs.shape))
    if (probs < 0).any():
        raise ValueError(f"probs must be in [0, 1], got {probs.min():g}; logits go through softmax first")
    sums = probs.sum(1)
    off = np.abs(sums - 1) > _check.slack(dtype)
    if off.any():
        raise ValueError(f"rows of probs must sum to 1, got a sum of {sums[off][0]:g}")
    return probs, labels


def top(probs: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return confidence (the largest probability) and correctness (bool) of each sample; ties go to the lower class."""
    predicted = probs.argmax(1)
    return probs[np.arange(len(probs)), predicted], predicted == labels
