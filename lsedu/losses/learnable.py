r"""Learnable label smoothing (LLS): the smoothing distribution of each class is learned with the network.

.. math::

    L_{\mathrm{LLS}} = \mathrm{KL}(s \,\|\, q) + \mathrm{KL}(q \,\|\, s), \qquad s = (1-\alpha)\delta_y + \alpha Q_y
"""

from typing import Literal

import torch
from torch import Tensor, nn

from lsedu import _check
from lsedu.losses._lls import Coefficients, LearnableSmoothing, Options
from lsedu.losses._reduce import Reduction, reduce_kept
from lsedu.losses.cross_entropy import class_weights, log_softmax
from lsedu.targets import q_targets

Variant = Literal[
    "no-fce", "no-rce", "no-pred-em", "no-targets-em", "fce-only", "symmetric-ce", "forward-kl", "reverse-kl", "lls"
]

#: The rows of the ablation table: multipliers of H(s, q), H(q, s), -H(q) and -H(s).
VARIANTS: dict[str, Coefficients] = {
    "no-fce": Coefficients(0.0, 1.0, 1.0, 1.0),
    "no-rce": Coefficients(1.0, 0.0, 1.0, 1.0),
    "no-pred-em": Coefficients(1.0, 1.0, 0.0, 1.0),
    "no-targets-em": Coefficients(1.0, 1.0, 1.0, 0.0),
    "fce-only": Coefficients(1.0, 0.0, 0.0, 0.0),
    "symmetric-ce": Coefficients(1.0, 1.0, 0.0, 0.0),
    "forward-kl": Coefficients(1.0, 0.0, 0.0, 1.0),
    "reverse-kl": Coefficients(0.0, 1.0, 1.0, 0.0),
    "lls": Coefficients(1.0, 1.0, 1.0, 1.0),
}


def coefficients(variant: Variant, alpha: float) -> Coefficients:
    """Return a variant's multipliers, or raise ValueError where it has no finite value at alpha = 0."""
    c = VARIANTS[_check.one_of("variant", variant, tuple(VARIANTS))]
    if alpha == 0.0 and c.rce:
        raise ValueError(f"alpha must be in (0, 1] for variant {variant!r}, got 0: H(q, s) is infinite for one-hot s")
    return c


def learnable_smoothing(
    logits: Tensor,
    labels: Tensor,
    q_logits: Tensor,
    *,
    alpha: float = 0.1,
    variant: Variant = "lls",
    half: bool = False,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    sparse: bool = False,
) -> Tensor:
    r"""Return the loss of learnable label smoothing, in nats, differentiable in the logits and in Q's logits.

    Parameters
    ----------
    logits : Tensor, shape (N, K)
        The network's logits z, finite; half precision is widened to float32.
    labels : Tensor, shape (N,)
        Integer labels in [0, K) or `ignore_index`.
    q_logits : Tensor, shape (K, K)
        Logits t of the Q-matrix; row y belongs to label y.
    alpha : float
        Share of Q in the target, in (0, 1]; 0 only for variants without H(q, s).
    variant : str
        A row of the ablation table, see `VARIANTS`.
    half : bool
        Halve the loss, as the published pseudo-code does and its equation does not. With weight decay on the network
        the two train differently.
    weight : Tensor, shape (K,), optional
        Non-negative weights of the labels; the mean divides by their sum over the batch.
    ignore_index : int
        Label of samples left out.
    reduction : {"mean", "sum", "none"}
        The mean is over the samples kept; over none of them it is 0.
    sparse : bool
        Give Q a sparse gradient that holds the rows of the batch's labels only. For many classes this is far faster,
        but optimisers take sparse gradients only without weight decay.

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
    :cite:p:`lls`, eq. 5 and table 4; for the gradients see `lls_gradients`. A second derivative is not available.

    Examples
    --------
    >>> z, y = torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([0])
    >>> round(learnable_smoothing(z, y, torch.zeros(3, 3), alpha=0.3).item(), 4)
    0.0545
    """
    _check.logits("logits", logits)
    k = logits.shape[1]
    _check.logits("q_logits", q_logits)
    if tuple(q_logits.shape) != (k, k):
        raise ValueError(f"q_logits must have shape ({k}, {k}), got {tuple(q_logits.shape)}")
    alpha = _check.real_in("alpha", alpha, 0.0, 1.0)
    options = Options(alpha, coefficients(variant, alpha))
    return smoothed_loss(
        logits, labels, q_logits, None, options, weight, ignore_index, reduction=reduction, half=half, sparse=sparse
    )


def smoothed_loss(
    logits: Tensor,
    labels: Tensor,
    table: Tensor,
    row: Tensor | None,
    options: Options,
    weight: Tensor | None,
    ignore_index: int,
    *,
    reduction: Reduction,
    half: bool,
    sparse: bool,
) -> Tensor:
    """Check the labels, run the kernel, reduce; `row` says which row of `table` is a sample's, its label if None."""
    n, k = logits.shape
    _check.one_of("reduction", reduction, ("mean", "sum", "none"))
    _check.whole("ignore_index", ignore_index)
    inside = _check.labels_inside("labels", labels, k, size=n, ignore_index=ignore_index)
    ignored = None
    if not inside or 0 <= ignore_index < k:
        ignored = labels == ignore_index
        labels = torch.where(ignored, 0, labels)
    label = labels.long()
    plain = weight is None and ignored is None and n > 0
    factor = (0.5 if half else 1.0) / (n if plain and reduction == "mean" else 1)
    index = label if row is None else row
    total = plain and reduction != "none"
    if options.alpha > 0.0:
        losses = LearnableSmoothing.apply(logits, table, index, label, options, factor, sparse, total)
    else:
        log_q = log_softmax(logits)
        confidence = options.c.pred_em * (log_q.exp() * log_q).sum(1)
        own = log_q.gather(1, label[:, None]).squeeze(1)
        losses = factor * (confidence - options.c.fce * own) + 0.0 * table[index].sum(1)
        losses = losses.sum() if total else losses
    if plain:
        return losses
    kept = torch.ones_like(label, dtype=torch.bool) if ignored is None else ~ignored
    share = None if weight is None else class_weights(weight, losses.new_empty((0, k)))[label]
    return reduce_kept(losses, kept, reduction=reduction, weight=share)


class LearnableLabelSmoothing(nn.Module):
    r"""Learnable label smoothing as a criterion that owns its Q-matrix.

    Parameters
    ----------
    num_classes : int
        Number of classes K >= 1.
    alpha : float
        Share of Q in the target, in (0, 1].
    variant, half, sparse
        See `learnable_smoothing`.
    lr_factor : float
        Q's learning rate as a multiple of the network's; 1 as published.
    weight_decay : float, optional
        Q's weight decay; the network's when None, as published. A sparse gradient needs 0.
    device, dtype
        Of the Q-matrix.

    Attributes
    ----------
    q_logits : Parameter, shape (K, K)
        Logits of Q, zero at the start, so that training starts from uniform smoothing.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    :cite:p:`lls`. Set ``criterion.q_logits.requires_grad_(False)`` to train with a Q that is kept as it is.

    Examples
    --------
    >>> criterion = LearnableLabelSmoothing(3, alpha=0.3)
    >>> round(criterion(torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([0])).item(), 4)
    0.0545
    """

    def __init__(
        self,
        num_classes: int,
        *,
        alpha: float = 0.1,
        variant: Variant = "lls",
        half: bool = False,
        sparse: bool = False,
        lr_factor: float = 1.0,
        weight_decay: float | None = None,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        device: torch.device | None = None,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        num_classes = _check.whole("num_classes", num_classes, low=1)
        self.alpha = _check.real_in("alpha", alpha, 0.0, 1.0)
        coefficients(variant, self.alpha)
        self.lr_factor = _check.real_in("lr_factor", lr_factor, 0.0, float("inf"), open_high=True)
        if weight_decay is not None:
            weight_decay = _check.real_in("weight_decay", weight_decay, 0.0, float("inf"), open_high=True)
        self.weight_decay = weight_decay
        self.variant, self.half, self.sparse = variant, half, sparse
        self.ignore_index = _check.whole("ignore_index", ignore_index)
        self.reduction = _check.one_of("reduction", reduction, ("mean", "sum", "none"))
        dtype = _check.floating("dtype", dtype)
        device = None if device is None else _check.device("device", device)
        self.q_logits = nn.Parameter(torch.zeros(num_classes, num_classes, device=device, dtype=dtype))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (N, K) and labels (N,), in nats."""
        return learnable_smoothing(
            logits,
            labels,
            self.q_logits,
            alpha=self.alpha,
            variant=self.variant,
            half=self.half,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            sparse=self.sparse,
        )

    def q(self) -> Tensor:
        """Return the Q-matrix (K, K), detached; row y is class y's smoothing distribution."""
        return self.q_logits.detach().softmax(1)

    def targets(self, labels: Tensor) -> Tensor:
        """Return the current targets (N, K) of labels, differentiable in Q's logits."""
        return q_targets(labels, self.q_logits, alpha=self.alpha)

    def parameter_groups(self, *, lr: float, weight_decay: float) -> list[dict]:
        """Return Q's optimiser group, given the network's learning rate and weight decay."""
        decay = weight_decay if self.weight_decay is None else self.weight_decay
        return [{"params": list(self.parameters()), "lr": self.lr_factor * lr, "weight_decay": decay}]

    def extra_repr(self) -> str:
        """Show what was chosen."""
        return f"num_classes={len(self.q_logits)}, alpha={self.alpha}, variant={self.variant!r}, half={self.half}"
