r"""Online label smoothing (OLS): the soft targets are last epoch's mean predictions of each class.

.. math:: L = a\,(-\log q_y) + b\,\Big(-\sum_k S_{yk} \log q_k\Big)
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from lsedu import _check
from lsedu._look import looks_at
from lsedu._samples import Samples, samples
from lsedu.losses._logs import expected, log_softmax, mixed, own
from lsedu.losses._reduce import Reduction, reduce
from lsedu.targets import OnlineTable

Weighting = Literal["average", "sum"]


def online_smoothing(
    logits: Tensor,
    labels: Tensor,
    table: Tensor,
    *,
    weighting: Weighting = "average",
    hard_weight: float = 0.5,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the loss of online label smoothing for a given table of soft targets, in nats.

    Parameters
    ----------
    logits : Tensor, shape (N, K)
        Unnormalised log-probabilities, finite; half precision is widened to float32.
    labels : Tensor, shape (N,)
        Integer labels in [0, K) or `ignore_index`.
    table : Tensor, shape (K, K)
        Row y is the soft target of label y, entries >= 0; a row of zeros leaves the soft term out.
    weighting : {"average", "sum"}
        :math:`a` = `hard_weight` and :math:`b = 1 - a` (the paper, and the released code for CIFAR and ImageNet at
        0.5), or :math:`a = b = 1` (the released code for fine-grained sets).
    hard_weight : float
        Weight a of the label's own term in [0, 1], the paper's alpha; used by "average" only. Elsewhere in this library
        `alpha` is the share of what smooths.
    ignore_index : int
        Label of samples left out.
    reduction : {"mean", "sum", "none"}
        The mean is over the samples kept; over none of them it is 0.

    Returns
    -------
    Tensor
        Loss in nats, float32 or float64.

    Raises
    ------
    ValueError
        For hyper-parameters, shapes or labels out of range.

    Notes
    -----
    :cite:p:`zhang2021`.

    Examples
    --------
    >>> import torch
    >>> z, y = torch.zeros(1, 2), torch.tensor([0])
    >>> round(online_smoothing(z, y, torch.full((2, 2), 0.5), weighting="sum").item(), 4)
    1.3863
    """
    batch = samples(logits, labels, ignore_index)
    k = batch.logits.shape[1]
    if not isinstance(table, Tensor):
        raise ValueError(f"table must be a torch.Tensor of shape ({k}, {k}), got {type(table).__name__}")
    if tuple(table.shape) != (k, k) or table.is_complex():
        raise ValueError(f"table must have shape ({k}, {k}), got {tuple(table.shape)} of {table.dtype}")
    if looks_at(table) and not (good := (table >= 0) & table.isfinite()).all():
        raise ValueError(f"table must be finite and >= 0, got {table[~good][0].item():g}")
    _check.one_of("weighting", weighting, ("average", "sum"))
    hard_weight = _check.real_in("hard_weight", hard_weight, 0.0, 1.0)
    weights = (hard_weight, 1.0 - hard_weight) if weighting == "average" else (1.0, 1.0)
    return reduce(_losses(batch, table.detach(), *weights), batch, reduction=reduction)


def _losses(batch: Samples, table: Tensor, hard: float, soft: float) -> Tensor:
    log_q = log_softmax(batch.logits)
    return -mixed(hard, own(log_q, batch.label), soft, expected(table[batch.label].to(log_q), log_q))


class OnlineLabelSmoothing(nn.Module):
    """Online label smoothing as a criterion that keeps its table; call `end_of_epoch` after every epoch.

    Parameters
    ----------
    num_classes : int
        Number of classes K >= 1.
    weighting, hard_weight, ignore_index, reduction
        As in `online_smoothing`.
    start, keep_above, process_group, device, dtype
        As in `lsedu.targets.OnlineTable`.

    Attributes
    ----------
    online : OnlineTable
        The soft targets in use, and the running sums for the next epoch.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    :cite:p:`zhang2021`. Predictions are added up in training mode only, in the forward pass; where torch.distributed is
    at work, those of all processes, at the end of the epoch.

    Examples
    --------
    >>> import torch
    >>> criterion = OnlineLabelSmoothing(2)
    >>> round(criterion(torch.zeros(1, 2), torch.tensor([0])).item(), 4)
    0.6931
    """

    def __init__(
        self,
        num_classes: int,
        *,
        weighting: Weighting = "average",
        hard_weight: float = 0.5,
        start: Literal["uniform", "zeros"] = "uniform",
        keep_above: float | None = None,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        process_group: Any = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self.online = OnlineTable(
            num_classes, start=start, keep_above=keep_above, process_group=process_group, device=device, dtype=dtype
        )
        self.weighting = _check.one_of("weighting", weighting, ("average", "sum"))
        self.hard_weight = _check.real_in("hard_weight", hard_weight, 0.0, 1.0)
        self.ignore_index = _check.whole("ignore_index", ignore_index)
        self.reduction = _check.one_of("reduction", reduction, ("mean", "sum", "none"))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (N, K) and labels (N,), in nats."""
        batch = samples(logits, labels, self.ignore_index)
        if batch.logits.shape[1] != len(self.online.table):
            raise ValueError(f"logits must have {len(self.online.table)} classes, got {batch.logits.shape[1]}")
        weights = (self.hard_weight, 1.0 - self.hard_weight) if self.weighting == "average" else (1.0, 1.0)
        # a copy of the samples' rows is taken: the table may change before the backward pass
        loss = reduce(_losses(batch, self.online.table, *weights), batch, reduction=self.reduction)
        if self.training:
            self.online.add(batch)
        return loss

    def end_of_epoch(self) -> None:
        """Make the epoch's class means the targets of the next."""
        self.online.end_of_epoch()

    def extra_repr(self) -> str:
        """Show what was chosen."""
        return f"weighting={self.weighting!r}, hard_weight={self.hard_weight}"
