r"""Learnable label smoothing (LLS): the smoothing distribution of each class is learned with the network.

.. math::

    L_{\mathrm{LLS}} = \mathrm{KL}(s \,\|\, q) + \mathrm{KL}(q \,\|\, s), \qquad s = (1-\alpha)\delta_y + \alpha Q_y
"""

from typing import Literal

import torch
from torch import Tensor

from lsedu import _check
from lsedu._look import transformed
from lsedu._samples import Samples, full_precision, samples
from lsedu.losses import _lls_plain
from lsedu.losses._lls import Coefficients, LearnableSmoothing, Options, is_divergence
from lsedu.losses._logs import class_weights, expected, log_softmax, nonnegative, own
from lsedu.losses._reduce import Reduction, reduce
from lsedu.losses.cross_entropy import distributions
from lsedu.targets.learned import mixed_targets

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
        The network's logits z; half precision is widened to float32. Where one is minus infinity the loss is infinite
        if it has H(s, q), and finite if not; on a GPU, where nothing is looked at, all must be finite.
    labels : Tensor, shape (N,) integer or (N, K) floating point
        Integer labels in [0, K) or `ignore_index`; or distributions p, such as those of mixed samples, whose targets
        are :math:`s = (1-\alpha)p + \alpha\,pQ`.
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
        Non-negative weights of the labels; the mean divides by their sum over the batch. A distribution has the mean
        weight of its labels.
    ignore_index : int
        Label of samples left out.
    reduction : {"mean", "sum", "none"}
        The mean is over the samples kept; over none of them it is 0.
    sparse : bool
        Give Q a sparse gradient that holds the rows of the batch's labels only: beside Q itself nothing of K x K
        numbers is made. For many classes this is far faster, but optimisers take sparse gradients only without weight
        decay, and keep nothing of that size themselves only without momentum.

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
    soft = isinstance(labels, Tensor) and labels.is_floating_point()
    if soft:
        batch, p = distributions(logits, labels, ignore_index, name="labels")
    else:
        batch = samples(logits, labels, ignore_index)
    _check.logits("q_logits", q_logits)
    k = batch.logits.shape[1]
    if q_logits.shape != (k, k):
        raise ValueError(f"q_logits must have shape ({k}, {k}), got {tuple(q_logits.shape)}")
    alpha = _check.real_in("alpha", alpha, 0.0, 1.0)
    options = Options(alpha, coefficients(variant, alpha))
    if not soft:
        return smoothed_loss(
            batch, q_logits, None, options, weight=weight, reduction=reduction, half=half, sparse=sparse
        )
    if sparse:
        raise ValueError("sparse needs integer labels, got probability targets: they ask for all rows of Q")
    return _soft_loss(batch, p, q_logits, options, weight=weight, reduction=reduction, half=half)


def smoothed_loss(
    batch: Samples,
    table: Tensor,
    row: Tensor | None,
    options: Options,
    *,
    weight: Tensor | None,
    reduction: Reduction,
    half: bool,
    sparse: bool = False,
) -> Tensor:
    """Run the kernel on a batch and reduce; `row` says which row of `table` is a sample's, its label if None."""
    _check.one_of("reduction", reduction, ("mean", "sum", "none"))
    z, label, kept, _ = batch
    n, index = label.shape[0], label if row is None else row
    scale = 0.5 if half else 1.0
    if options.alpha > 0.0 and not transformed():
        # where all samples count alike, the kernel divides by their number while a block is in the cache
        alike = weight is None and kept is None and n > 0
        factor = scale / n if alike and reduction == "mean" else scale
        total = alike and reduction != "none"
        with full_precision(z):
            losses = LearnableSmoothing.apply(z, table, index, label, options, factor, sparse, total)
        if total:
            return losses
    else:
        losses = scale * _plain_losses(z, torch.nn.functional.embedding(index, table, sparse=sparse), label, options)
    share = None if weight is None else class_weights(weight, losses.new_empty((0, z.shape[1])))[label]
    return reduce(losses, batch, reduction=reduction, share=share)


def _wide(z: Tensor, t: Tensor) -> torch.dtype:
    """Return the dtype of the plain arithmetic: logarithms of large logits cancel, and on a CPU float64 is at hand."""
    return torch.float64 if z.is_cpu else _dtype(z, t)


def _dtype(z: Tensor, t: Tensor) -> torch.dtype:
    return torch.promote_types(torch.promote_types(z.dtype, t.dtype), torch.float32)


def _plain_losses(z: Tensor, t: Tensor, label: Tensor, options: Options) -> Tensor:
    """Return the losses (n,) without the kernel; `t` are the samples' rows of Q's logits."""
    if options.alpha == 0.0:
        # what is left is finite: the label's own term and the entropy; Q gets a gradient of 0
        log_q = log_softmax(z)
        return options.c.pred_em * expected(log_q.exp(), log_q) - options.c.fce * own(log_q, label) + 0.0 * t.sum(1)
    wide = _wide(z, t)
    losses = _lls_plain.losses(z.to(wide), t.to(wide), label[:, None], options)
    return (nonnegative(losses) if is_divergence(options.c) else losses).to(_dtype(z, t))


def _soft_loss(
    batch: Samples,
    p: Tensor,
    table: Tensor,
    options: Options,
    *,
    weight: Tensor | None,
    reduction: Reduction,
    half: bool,
) -> Tensor:
    """Return the loss for probability targets, such as those of mixed samples; PyTorch differentiates it."""
    z, wide, dtype = batch.logits, _wide(batch.logits, table), _dtype(batch.logits, table)
    s = mixed_targets(p.to(wide), table, options.alpha)
    # a share may underflow, or be 0 at alpha = 0, where none of the variants takes its logarithm for what it is
    log_s = s.clamp(min=torch.finfo(wide).tiny).log()
    losses = _lls_plain.of_logs(torch.log_softmax(z.to(wide), 1), log_s, options.c)
    losses = (0.5 if half else 1.0) * (nonnegative(losses) if is_divergence(options.c) else losses).to(dtype)
    p = p.to(dtype)
    share = None if weight is None else (p * class_weights(weight, p)).sum(1)
    return reduce(losses, batch, reduction=reduction, share=share)
