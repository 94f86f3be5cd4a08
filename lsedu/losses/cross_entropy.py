r"""Cross-entropy with integer labels or probability targets.

.. math:: H(p, q) = -\sum_k p_k \log q_k, \qquad q = \mathrm{softmax}(z)
"""

import torch
from torch import Tensor

from lsedu import _check
from lsedu.losses._reduce import Reduction, reduce


def log_softmax(logits: Tensor) -> Tensor:
    """Return log-probabilities of shape (N, K), in float32 at least: half inputs are widened first."""
    wide = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
    return torch.log_softmax(wide, dim=-1)


def class_weights(weight: Tensor, logq: Tensor) -> Tensor:
    """Return class weights of shape (K,) in the dtype and on the device of `logq`, or raise ValueError."""
    k = logq.shape[1]
    if not isinstance(weight, Tensor) or tuple(weight.shape) != (k,):
        got = tuple(weight.shape) if isinstance(weight, Tensor) else type(weight).__name__
        raise ValueError(f"weight must be a tensor of shape ({k},), got {got}")
    if weight.is_complex():
        raise ValueError(f"weight must be a tensor of real numbers, got {weight.dtype}")
    if not ((weight >= 0) & torch.isfinite(weight)).all():
        raise ValueError(f"weight must be finite and >= 0, got {weight.tolist()}")
    return weight.to(logq)


def cross_entropy(
    logits: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the cross-entropy of predictions from logits to targets, in nats.

    Parameters
    ----------
    logits : Tensor, shape (N, K)
        Unnormalised log-probabilities z; half precision is widened to float32.
    target : Tensor, shape (N,) integer or (N, K) floating point
        Class labels in [0, K), or probability distributions.
    weight : Tensor, shape (K,), optional
        Non-negative class weights w. As in PyTorch, the mean divides by the sum of the labels' weights for integer
        labels, and by N for probability targets.
    ignore_index : int
        Integer label of samples that count neither in the loss nor in the mean.
    reduction : {"mean", "sum", "none"}
        "none" returns shape (N,), 0 where ignored. The mean over no sample is 0.

    Returns
    -------
    Tensor
        Loss in nats, float32 or float64.

    Raises
    ------
    ValueError
        For wrong shapes or dtypes, labels out of range, rows that are no distributions, or negative weights.

    Notes
    -----
    With one-hot p the loss is :math:`-\log q_y`, with gradient :math:`q - p` on the logits :cite:p:`textbook`.

    Examples
    --------
    >>> cross_entropy(torch.zeros(1, 4), torch.tensor([1])).item() == torch.log(torch.tensor(4.0)).item()
    True
    """
    _check.logits("logits", logits)
    if not isinstance(target, Tensor):
        raise ValueError(f"target must be a torch.Tensor of shape (N,) or (N, K), got {type(target).__name__}")
    n, k = logits.shape
    logq = log_softmax(logits)
    if weight is not None:
        weight = class_weights(weight, logq)
    if not target.is_floating_point():
        _check.whole("ignore_index", ignore_index)
        _check.labels("target", target, k, size=n, ignore_index=ignore_index)
        target = target.long()
        kept = target != ignore_index
        index = torch.where(kept, target, 0)
        share = kept.to(logq.dtype) if weight is None else weight[index] * kept
        losses = torch.where(kept, -logq.gather(1, index[:, None]).squeeze(1), 0.0) * share
        return reduce(losses, reduction=reduction, weight=share)
    if tuple(target.shape) != (n, k):
        raise ValueError(f"target must have shape ({n}, {k}), got {tuple(target.shape)}")
    target = _check.distributions("target", target).to(logq)
    weighted = target if weight is None else target * weight
    # 0 * -inf is NaN: a class without target mass adds nothing, however small its probability
    losses = -torch.where(weighted > 0, weighted * logq, 0.0).sum(1)
    return reduce(losses, reduction=reduction)
