"""The swap test: change the factor in question, hold all else, and see whether the model minds."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lsedu import _check


@dataclass(frozen=True)
class Swap:
    """Outcome of a swap.

    Attributes
    ----------
    accuracy, swapped : float
        Accuracy on the inputs as they were and with the factor swapped.
    drop : float
        `accuracy` minus `swapped`: what the model owed to the factor.
    changed : float
        Share of samples whose prediction changed.
    """

    accuracy: float
    swapped: float
    drop: float
    changed: float


def swap_test(outputs: Any, swapped_outputs: Any, labels: Any) -> Swap:
    """Return how predictions react to swapping a factor of the input, clutter of another class for instance.

    Parameters
    ----------
    outputs, swapped_outputs : array-like or Tensor, shape (N, K)
        Logits or probabilities for the same samples before and after the swap. Ties go to the lower class.
    labels : array-like or Tensor, shape (N,)
        Integer labels in [0, K), which the swap does not change.

    Returns
    -------
    Swap

    Raises
    ------
    ValueError
        For shapes that differ, labels out of range, or no samples.

    Notes
    -----
    An intervention, where a saliency map only correlates: a model that ignores the factor has drop 0 and changed 0.

    Examples
    --------
    >>> swap_test([[2.0, 0.0], [0.0, 1.0]], [[0.0, 2.0], [0.0, 1.0]], [0, 1])
    Swap(accuracy=1.0, swapped=0.5, drop=0.5, changed=0.5)
    """
    before = _check.array("outputs", outputs, ndim=2)
    after = _check.array("swapped_outputs", swapped_outputs, ndim=2)
    if before.shape != after.shape:
        raise ValueError(f"outputs and swapped_outputs must have one shape, got {before.shape} and {after.shape}")
    if before.size == 0:
        raise ValueError(f"outputs must hold at least one sample and one class, got shape {before.shape}")
    y = _check.label_array("labels", labels, before.shape[1], size=len(before))
    first, second = before.argmax(1), after.argmax(1)
    accuracy, swapped = float(np.mean(first == y)), float(np.mean(second == y))
    return Swap(accuracy, swapped, accuracy - swapped, float(np.mean(first != second)))
