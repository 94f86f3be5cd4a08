"""Reductions shared by the losses, following `torch.nn.functional.cross_entropy`."""

from typing import Literal

import torch
from torch import Tensor

from lsedu import _check
from lsedu._samples import Samples

Reduction = Literal["mean", "sum", "none"]


def reduce(
    losses: Tensor, batch: Samples, *, reduction: Reduction, share: Tensor | None = None, shared: bool = False
) -> Tensor:
    """Reduce the losses (M,) of a batch's samples; those left out count for nothing.

    `share` (M,) multiplies the losses, unless they come `shared` already, and the mean's denominator. The mean over no
    sample at all (an empty or fully ignored batch) is 0 with zero gradient, where torch gives NaN: a batch without
    labels carries no signal, and it must not end a run.
    """
    _check.one_of("reduction", reduction, ("mean", "sum", "none"))
    if share is not None and not shared:
        losses = losses * share
    if batch.kept is not None:
        losses = torch.where(batch.kept, losses, 0.0)
    if reduction == "none":
        return losses.reshape(batch.shape)
    if reduction == "sum":
        return losses.sum()
    if batch.kept is None and share is None:
        return losses.mean() if losses.shape[0] else losses.sum()
    count = batch.kept.sum() if share is None else share.sum() if batch.kept is None else (share * batch.kept).sum()
    return losses.sum() / torch.where(count > 0, count, 1)
