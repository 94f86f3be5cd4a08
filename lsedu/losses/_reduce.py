"""Reductions shared by the losses, following `torch.nn.functional.cross_entropy`."""

from typing import Literal

import torch
from torch import Tensor

from lsedu import _check

Reduction = Literal["mean", "sum", "none"]


def reduce(losses: Tensor, *, reduction: Reduction, weight: Tensor | None = None) -> Tensor:
    """Reduce losses of shape (N,).

    `weight` holds the samples' share of the mean's denominator (0 for an ignored one); `losses` come already
    multiplied by it. The mean over no sample at all (an empty or fully ignored batch) is 0 with zero gradient, where
    torch gives NaN: a batch without labels carries no signal, and it must not end a run.
    """
    _check.one_of("reduction", reduction, ("mean", "sum", "none"))
    if reduction == "none":
        return losses
    total = losses.sum()
    if reduction == "sum":
        return total
    count = torch.as_tensor(float(len(losses)) if weight is None else weight.sum(), dtype=total.dtype)
    return total / torch.where(count > 0, count, torch.ones_like(count)).to(total.device)


def reduce_kept(losses: Tensor, kept: Tensor, *, reduction: Reduction, weight: Tensor | None = None) -> Tensor:
    """Reduce losses (N,) of the samples kept; `weight` (N,) multiplies them and the mean's denominator."""
    share = kept.to(losses.dtype) if weight is None else kept * weight
    return reduce(torch.where(kept, losses, 0.0) * share, reduction=reduction, weight=share)


def kept_labels(logits: Tensor, labels: Tensor, ignore_index: int) -> tuple[Tensor, Tensor]:
    """Check logits and labels; return int64 labels with 0 where ignored, and the mask (N,) of samples kept."""
    _check.logits("logits", logits)
    _check.whole("ignore_index", ignore_index)
    _check.labels("labels", labels, logits.shape[1], size=len(logits), ignore_index=ignore_index)
    labels = labels.long()
    kept = labels != ignore_index
    return torch.where(kept, labels, 0), kept
