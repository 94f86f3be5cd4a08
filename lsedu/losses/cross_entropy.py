r"""Cross-entropy with integer labels or probability targets.

.. math:: H(p, q) = -\sum_k p_k \log q_k, \qquad q = \mathrm{softmax}(z)
"""

from torch import Tensor

from lsedu import _check
from lsedu._samples import Samples, like, rows, samples, shape_of_labels
from lsedu.losses._logs import class_weights, expected, log_softmax, own
from lsedu.losses._module import Criterion
from lsedu.losses._reduce import Reduction, reduce


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
    >>> import torch
    >>> cross_entropy(torch.zeros(1, 4), torch.tensor([1])).item() == torch.log(torch.tensor(4.0)).item()
    True
    """
    if not isinstance(target, Tensor):
        raise ValueError(f"target must be a torch.Tensor of shape (N,) or (N, K), got {type(target).__name__}")
    if not target.is_floating_point():
        batch = samples(logits, target, ignore_index, names=("logits", "target"))
        log_q = log_softmax(batch.logits)
        share = None if weight is None else class_weights(weight, log_q)[batch.label]
        return reduce(-own(log_q, batch.label), batch, reduction=reduction, share=share)
    batch, p = distributions(logits, target, ignore_index, name="target")
    log_q = log_softmax(batch.logits)
    p = p.to(log_q)
    if weight is not None:
        p = p * class_weights(weight, log_q)
    return reduce(-expected(p, log_q), batch, reduction=reduction)


def distributions(logits: Tensor, target: Tensor, ignore_index: int, *, name: str) -> tuple[Samples, Tensor]:
    """Check logits and probability targets of one shape; return samples without labels, and the targets (M, K)."""
    flat = rows("logits", logits)
    if _check.whole("ignore_index", ignore_index) >= 0:
        raise ValueError(
            f"ignore_index must be negative for probability targets, which have no labels to leave out, "
            f"got {ignore_index}"
        )
    p = _check.distributions(name, like(name, target, logits))
    return Samples(flat, None, None, shape_of_labels(logits)), p


class CrossEntropy(Criterion, of=cross_entropy):
    """Cross-entropy as a module: `cross_entropy` with its options given once.

    Parameters
    ----------
    weight, ignore_index, reduction
        As in `cross_entropy`.

    Notes
    -----
    :cite:p:`textbook`.

    Examples
    --------
    >>> import torch
    >>> round(CrossEntropy(reduction="sum")(torch.zeros(2, 4), torch.tensor([1, 0])).item(), 4)
    2.7726
    """
