r"""Online label smoothing (OLS): the soft targets are last epoch's mean predictions of each class.

.. math:: L = a\,(-\log q_y) + b\,\Big(-\sum_k S_{yk} \log q_k\Big)
"""

from typing import Literal

from torch import Tensor, nn

from lsedu import _check
from lsedu.losses._reduce import Reduction, kept_labels, reduce_kept
from lsedu.losses.cross_entropy import log_softmax
from lsedu.targets import OnlineTable

Weighting = Literal["average", "sum"]


def online_smoothing(
    logits: Tensor,
    labels: Tensor,
    table: Tensor,
    *,
    weighting: Weighting = "average",
    alpha: float = 0.5,
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
        :math:`a = \alpha, b = 1-\alpha` (the paper, and the released code for CIFAR and ImageNet at alpha = 0.5), or
        :math:`a = b = 1` (the released code for fine-grained sets).
    alpha : float
        Weight of the hard term in [0, 1]; used by "average" only.
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
    label, kept = kept_labels(logits, labels, ignore_index)
    k = logits.shape[1]
    if not isinstance(table, Tensor):
        raise ValueError(f"table must be a torch.Tensor of shape ({k}, {k}), got {type(table).__name__}")
    if tuple(table.shape) != (k, k) or table.is_complex():
        raise ValueError(f"table must have shape ({k}, {k}), got {tuple(table.shape)} of {table.dtype}")
    if not _check._TRUSTED.get() and not ((table >= 0) & table.isfinite()).all():
        raise ValueError(f"table must be finite and >= 0, got {table.tolist()}")
    _check.one_of("weighting", weighting, ("average", "sum"))
    alpha = _check.real_in("alpha", alpha, 0.0, 1.0)
    hard, soft = (alpha, 1.0 - alpha) if weighting == "average" else (1.0, 1.0)
    log_q = log_softmax(logits)
    own = -log_q.gather(1, label[:, None]).squeeze(1)
    target = table.detach().to(log_q)[label]
    return reduce_kept(hard * own - soft * (target * log_q).sum(1), kept, reduction=reduction)


class OnlineLabelSmoothing(nn.Module):
    """Online label smoothing as a criterion that keeps its table; call `end_of_epoch` after every epoch.

    Parameters
    ----------
    num_classes : int
        Number of classes K >= 1.
    weighting, alpha
        As in `online_smoothing`.
    start, keep_above
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
    :cite:p:`zhang2021`. Predictions are added up in training mode only, in the forward pass.

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
        alpha: float = 0.5,
        start: Literal["uniform", "zeros"] = "uniform",
        keep_above: float | None = None,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
    ):
        super().__init__()
        self.online = OnlineTable(num_classes, start=start, keep_above=keep_above)
        self.weighting = _check.one_of("weighting", weighting, ("average", "sum"))
        self.alpha = _check.real_in("alpha", alpha, 0.0, 1.0)
        self.ignore_index = _check.whole("ignore_index", ignore_index)
        self.reduction = _check.one_of("reduction", reduction, ("mean", "sum", "none"))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (N, K) and labels (N,), in nats."""
        loss = online_smoothing(
            logits,
            labels,
            self.online.table,
            weighting=self.weighting,
            alpha=self.alpha,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )
        if self.training:
            self.online.update(logits, labels, ignore_index=self.ignore_index)
        return loss

    def end_of_epoch(self) -> None:
        """Make the epoch's class means the targets of the next."""
        self.online.end_of_epoch()
