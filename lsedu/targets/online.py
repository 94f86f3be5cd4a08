r"""The table of online label smoothing: each class's mean prediction over the samples classified correctly.

.. math:: S_y^{(t+1)} = \frac{1}{|C_y|} \sum_{n \in C_y} q_n, \qquad C_y = \{n : y_n = y = \arg\max_k q_{nk}\}
"""

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, distributed, nn

from lsedu import _check
from lsedu._samples import Samples, samples

Start = Literal["uniform", "zeros"]


class OnlineTable(nn.Module):
    r"""Accumulate predictions in the forward pass, and make them the next epoch's targets.

    Parameters
    ----------
    num_classes : int
        Number of classes K >= 1.
    start : {"uniform", "zeros"}
        Targets of the first epoch: uniform (released code for fine-grained sets), or all zero, so that the soft term
        is absent (released code for CIFAR and ImageNet).
    keep_above : float, optional
        A row whose largest entry has reached this value is no longer replaced (0.88 in the released code for
        fine-grained sets); None replaces every row.
    process_group : torch.distributed.ProcessGroup, optional
        Whose predictions are added up where torch.distributed is at work; those of all processes when None.
    device : torch.device, optional
        Where the table lives.
    dtype : torch.dtype, optional
        Dtype of the table, PyTorch's default when None.

    Attributes
    ----------
    table : Tensor, shape (K, K)
        Row y is the soft target of class y.
    sums : Tensor, shape (K, K)
        Sums of the epoch's predictions, in float32 at least: in half precision they would stop at 2,048 or 256, where
        1 is less than the distance of two numbers. They stay so when the module is cast.
    counts : Tensor, shape (K,)
        Numbers of predictions in them, int64.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    :cite:p:`zhang2021`. No extra pass over the data is needed. A class without a correctly classified sample in the
    epoch gets a uniform row, as in the released code. Where torch.distributed is initialised, `end_of_epoch` adds up
    the sums of all processes, so that each must call it, and all have the same table; inside a module wrapped by
    ``DistributedDataParallel`` pass that ``broadcast_buffers=False``, or it overwrites every process's sums.

    Examples
    --------
    >>> online = OnlineTable(2)
    >>> online.update(torch.tensor([[3.0, 0.0], [0.0, 3.0]]), torch.tensor([0, 0]))
    >>> online.end_of_epoch()
    >>> online.table.round(decimals=2).tolist()
    [[0.949999988079071, 0.05000000074505806], [0.5, 0.5]]
    """

    def __init__(
        self,
        num_classes: int,
        *,
        start: Start = "uniform",
        keep_above: float | None = None,
        process_group: Any = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        num_classes = _check.whole("num_classes", num_classes, low=1)
        _check.one_of("start", start, ("uniform", "zeros"))
        if keep_above is not None:
            keep_above = _check.real_in("keep_above", keep_above, 0.0, 1.0, open_low=True)
        self.keep_above = keep_above
        if dtype is not None:
            _check.floating("dtype", dtype)
        device = None if device is None else _check.device("device", device)
        self.start, self.process_group = start, process_group
        table = torch.empty(num_classes, num_classes, device=device, dtype=dtype)
        self.register_buffer("table", table)
        self.register_buffer("sums", table.new_empty(table.shape, dtype=_at_least_float32(table.dtype)))
        self.register_buffer("counts", table.new_empty(num_classes, dtype=torch.int64))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Go back to the first epoch's targets, with nothing counted."""
        self.table.fill_(1.0 / len(self.table) if self.start == "uniform" else 0.0)
        self.sums.zero_()
        self.counts.zero_()

    def update(self, logits: Tensor, labels: Tensor, *, ignore_index: int = -100) -> None:
        """Add the predictions of the samples that the logits (N, K) classify correctly to their labels' sums."""
        self.add(samples(logits, labels, ignore_index, num_classes=len(self.table)))

    @torch.no_grad()
    def add(self, batch: Samples) -> None:
        """Do as `update` for samples that are checked."""
        if batch.logits.shape[1] != len(self.table):
            raise ValueError(f"logits must have {len(self.table)} classes, got {batch.logits.shape[1]}")
        # a NaN is the largest of its row, and would make the targets NaN for the whole of the next epoch
        correct = (batch.logits.argmax(1) == batch.label) & batch.logits.amax(1).isfinite()
        if batch.kept is not None:
            correct &= batch.kept
        # all rows, the wrong ones as zeros: to pick the correct ones would make the program wait for their number
        q = torch.softmax(batch.logits, 1, dtype=self.sums.dtype).masked_fill_(~correct[:, None], 0.0)
        self.sums.index_add_(0, batch.label, q)
        self.counts.index_add_(0, batch.label, correct.to(self.counts.dtype))

    def end_of_epoch(self) -> None:
        """Replace the table by the class means of the epoch, and start counting anew."""
        if distributed.is_available() and distributed.is_initialized():
            for counted in (self.sums, self.counts):
                distributed.all_reduce(counted, group=self.process_group)
        seen = self.counts > 0
        mean = self.sums / self.counts.clamp(min=1)[:, None]
        fresh = torch.where(seen[:, None], mean, 1.0 / len(mean)).to(self.table.dtype)
        if self.keep_above is not None:
            # the released code resets an unseen class to uniform even if its row had reached the limit
            held = seen & (self.table.max(1).values >= self.keep_above)
            fresh = torch.where(held[:, None], self.table, fresh)
        self.table.copy_(fresh)
        self.sums.zero_()
        self.counts.zero_()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "OnlineTable":
        sums = self.sums
        super()._apply(fn, recurse)
        if self.sums.dtype != _at_least_float32(self.sums.dtype):
            self.sums = sums.to(self.sums.device)
        return self

    def extra_repr(self) -> str:
        """Show what was chosen."""
        return f"num_classes={len(self.table)}, start={self.start!r}, keep_above={self.keep_above}"


def _at_least_float32(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.float32)
