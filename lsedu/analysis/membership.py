"""Membership inference: whether a sample's loss tells that the model was trained on it."""

from typing import Any

from lsedu import _check
from lsedu._ranks import auroc


def membership_auc(member_losses: Any, other_losses: Any) -> float:
    """Return the area under the ROC curve of guessing membership by a threshold on the loss.

    Parameters
    ----------
    member_losses : array-like or Tensor, shape (N,)
        Losses of samples that the model was trained on.
    other_losses : array-like or Tensor, shape (M,)
        Losses of samples that it never saw.

    Returns
    -------
    float
        Probability that a member's loss is the lower one, ties counting one half: 0.5 is no leak, 1 a full one.

    Raises
    ------
    ValueError
        If either is empty, not one-dimensional, or not finite.

    Notes
    -----
    The loss-threshold attack of :cite:p:`yeom2018`, over all thresholds. Use the plain cross-entropy for every model,
    whatever it was trained with, or the comparison is between losses and not between models.

    Examples
    --------
    >>> membership_auc([0.1, 0.2], [0.2, 0.9])
    0.875
    """
    members = _check.array("member_losses", member_losses, ndim=1)
    others = _check.array("other_losses", other_losses, ndim=1)
    for name, values in (("member_losses", members), ("other_losses", others)):
        if len(values) == 0:
            raise ValueError(f"{name} must hold at least one loss, got none")
    return auroc(-members, -others)
