r"""Focal loss: cross-entropy that lets go of samples already predicted well.

.. math:: L_{\mathrm{FL}} = -(1 - q_y)^{\gamma} \log q_y
"""

import math

import torch
from torch import Tensor

from lsedu import _check
from lsedu._samples import samples
from lsedu.losses._logs import class_weights, log_softmax, own
from lsedu.losses._module import Criterion
from lsedu.losses._reduce import Reduction, reduce

# an exponent as steep as this gives what any steeper one does, and times a logarithm it stays a number of float32
_STEEP = 1e30


def _exponent(name: str, value: float) -> float:
    return min(_check.real_in(name, value, 0.0, math.inf, open_high=True), _STEEP)


def _focal(log_q: Tensor, label: Tensor, gamma: float | Tensor) -> Tensor:
    index, log_own = label[:, None], own(log_q, label)
    if log_q.shape[1] == 1:
        return -log_own
    # log(1 - q_y): from the other classes where q_y is large, as 1 - q_y would round to 0, with an infinite slope for
    # gamma < 1; from q_y where it is small, as the slopes on the other classes would cancel only up to rounding
    small = log_own < math.log(0.5)
    of_own = torch.log1p(-torch.where(small, log_own, -1.0).exp())
    # a number for the label's own, not minus infinity: all others may be shut out
    log_rest = torch.where(small, of_own, log_q.scatter(1, index, -1e30).logsumexp(1))
    return -log_own * torch.exp(gamma * log_rest)


def focal(
    logits: Tensor,
    labels: Tensor,
    *,
    gamma: float = 3.0,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the focal loss, in nats; the default is FL-3.

    Parameters
    ----------
    logits : Tensor, shape (N, K)
        Unnormalised log-probabilities, finite; half precision is widened to float32.
    labels : Tensor, shape (N,)
        Integer labels in [0, K) or `ignore_index`.
    gamma : float
        Exponent >= 0; 0 is cross-entropy.
    weight : Tensor, shape (K,), optional
        Non-negative weights of the labels; the mean divides by their sum over the batch.
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
    :cite:p:`lin2017`; for calibration :cite:p:`mukhoti2020`.

    Examples
    --------
    >>> round(focal(torch.zeros(1, 2), torch.tensor([0]), gamma=3.0).item(), 4)
    0.0866
    """
    batch = samples(logits, labels, ignore_index)
    gamma = _exponent("gamma", gamma)
    log_q = log_softmax(batch.logits)
    share = None if weight is None else class_weights(weight, log_q)[batch.label]
    return reduce(_focal(log_q, batch.label, gamma), batch, reduction=reduction, share=share)


class Focal(Criterion, of=focal):
    """Focal loss as a module: `focal` with its options given once.

    Parameters
    ----------
    gamma, weight, ignore_index, reduction
        As in `focal`.

    Notes
    -----
    :cite:p:`lin2017`.

    Examples
    --------
    >>> round(Focal(gamma=3.0)(torch.zeros(1, 2), torch.tensor([0])).item(), 4)
    0.0866
    """


def focal_sample_dependent(
    logits: Tensor,
    labels: Tensor,
    *,
    gammas: tuple[float, float] = (5.0, 3.0),
    threshold: float = 0.2,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the focal loss whose exponent depends on the label's probability, in nats; the default is FLSD-53.

    Parameters
    ----------
    logits : Tensor, shape (N, K)
        Unnormalised log-probabilities, finite; half precision is widened to float32.
    labels : Tensor, shape (N,)
        Integer labels in [0, K) or `ignore_index`.
    gammas : tuple of float
        Exponents >= 0 for a label with probability below the threshold, and for one at or above it.
    threshold : float
        In [0, 1].
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
    :cite:p:`mukhoti2020`, FLSD-53: gamma = 5 for :math:`q_y < 0.2` and 3 otherwise. The choice of exponent carries no
    gradient; the loss jumps at the threshold, and a probability within rounding of it is at it.

    Examples
    --------
    >>> round(focal_sample_dependent(torch.zeros(1, 2), torch.tensor([0])).item(), 4)
    0.0866
    """
    batch = samples(logits, labels, ignore_index)
    if not isinstance(gammas, tuple | list) or len(gammas) != 2:
        raise ValueError(f"gammas must be a pair of exponents, got {gammas!r}")
    low, high = (_exponent("gammas", g) for g in gammas)
    threshold = _check.real_in("threshold", threshold, 0.0, 1.0)
    log_q = log_softmax(batch.logits)
    q_y = own(log_q.detach(), batch.label).exp()
    at = threshold * (1.0 - 8.0 * torch.finfo(q_y.dtype).eps)
    gamma = torch.where(q_y < at, low, high)
    return reduce(_focal(log_q, batch.label, gamma), batch, reduction=reduction)


class FocalSampleDependent(Criterion, of=focal_sample_dependent):
    """Focal loss with exponents by probability as a module: `focal_sample_dependent` with its options given once.

    Parameters
    ----------
    gammas, threshold, ignore_index, reduction
        As in `focal_sample_dependent`.

    Notes
    -----
    :cite:p:`mukhoti2020`.

    Examples
    --------
    >>> round(FocalSampleDependent()(torch.zeros(1, 2), torch.tensor([0])).item(), 4)
    0.0866
    """
