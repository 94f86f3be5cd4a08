r"""The table of online label smoothing: each class's mean prediction over the samples classified correctly.

.. math:: S_y^{(t+1)} = \frac{1}{|C_y|} \sum_{n \in C_y} q_n, \qquad C_y = \{n : y_n = y = \arg\max_k q_{nk}\}
"""

from typing import Literal

import torch
from torch import Tensor, nn

from lsedu import _check

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
    device : torch.device, optional
        Where the table lives.
    dtype : torch.dtype
        Dtype of the table.

    Attributes
    ----------
    table : Tensor, shape (K, K)
        Row y is the soft target of class y.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    :cite:p:`zhang2021`. No extra pass over the data is needed. A class without a correctly classified sample in the
    epoch gets a uniform row, as in the released code.

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
        device: torch.device | None = None,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        num_classes = _check.whole("num_classes", num_classes, low=1)
        _check.one_of("start", start, ("uniform", "zeros"))
        if keep_above is not None:
            keep_above = _check.real_in("keep_above", keep_above, 0.0, 1.0, open_low=True)
        self.keep_above = keep_above
        dtype = _check.floating("dtype", dtype)
        device = None if device is None else _check.device("device", device)
        first = 1.0 / num_classes if start == "uniform" else 0.0
        table = torch.full((num_classes, num_classes), first, device=device, dtype=dtype)
        self.register_buffer("table", table)
        self.register_buffer("sums", torch.zeros_like(table))
        self.register_buffer("counts", torch.zeros_like(table[0]))

    @torch.no_grad()
    def update(self, logits: Tensor, labels: Tensor, *, ignore_index: int = -100) -> None:
        """Add the predictions of the samples that the logits (N, K) classify correctly to their labels' sums."""
        _check.logits("logits", logits)
        if logits.shape[1] != len(self.table):
            raise ValueError(f"logits must have {len(self.table)} classes, got {logits.shape[1]}")
        _check.whole("ignore_index", ignore_index)
        _check.labels("labels", labels, len(self.table), size=len(logits), ignore_index=ignore_index)
        labels = labels.long()
        correct = (logits.argmax(1) == labels) & (labels != ignore_index)
        label, weight = labels.clamp(min=0), correct.to(self.sums.dtype)
        self.sums.index_add_(0, label, logits.to(self.sums.dtype).softmax(1) * weight[:, None])
        self.counts.index_add_(0, label, weight.to(self.counts.dtype))

    def end_of_epoch(self) -> None:
        """Replace the table by the class means of the epoch, and start counting anew."""
        seen = self.counts > 0
        mean = self.sums / self.counts.clamp(min=1.0)[:, None]
        fresh = torch.where(seen[:, None], mean, torch.full_like(mean, 1.0 / len(mean)))
        if self.keep_above is not None:
            # the released code resets an unseen class to uniform even if its row had reached the limit
            held = seen & (self.table.max(1).values >= self.keep_above)
            fresh = torch.where(held[:, None], self.table, fresh)
        self.table.copy_(fresh)
        self.sums.zero_()
        self.counts.zero_()
