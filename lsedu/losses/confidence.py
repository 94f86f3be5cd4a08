r"""The confidence penalty in both parametrisations, and the KL terms that tie it to label smoothing.

.. math::

    L_{\mathrm{LS}} &= (1-\alpha) H(p, q) + \alpha\,\mathrm{KL}(u \,\|\, q) + \alpha H(u) \\
    L_{\mathrm{CP}} &= (1-\alpha) H(p, q) + \alpha\,\mathrm{KL}(q \,\|\, u)
"""

import math
from typing import Literal

import torch
from torch import Tensor

from lsedu import _check
from lsedu._look import looks_at
from lsedu._samples import rows, samples, shape_of_labels
from lsedu.losses._logs import expected, log_softmax, logarithm, mixed, own, rate
from lsedu.losses._module import Criterion
from lsedu.losses._reduce import Reduction, reduce


def _log_prior(prior: Tensor | None, log_q: Tensor) -> Tensor:
    k = log_q.shape[1]
    if prior is None:
        return log_q.new_full((k,), -math.log(k))
    _check.distributions("prior", prior)
    if tuple(prior.shape) != (k,):
        raise ValueError(f"prior must have shape ({k},), got {tuple(prior.shape)}")
    return logarithm(prior, log_q)


def _positive_log_prior(prior: Tensor | None, log_q: Tensor) -> Tensor:
    log_u = _log_prior(prior, log_q)
    if prior is not None and looks_at(log_u) and torch.isinf(log_u).any():
        raise ValueError("prior must be > 0 for direction 'q||prior', got an entry of 0")
    return log_u


def prior_kl(logits: Tensor, *, direction: Literal["prior||q", "q||prior"], prior: Tensor | None = None) -> Tensor:
    r"""Return the divergence between the prediction and a fixed prior, in nats.

    Parameters
    ----------
    logits : Tensor, shape (N, K)
        Unnormalised log-probabilities, finite; half precision is widened to float32.
    direction : {"prior||q", "q||prior"}
        Which distribution comes first: the first is the term in label smoothing, the second in the confidence penalty.
    prior : Tensor, shape (K,), optional
        The distribution u, uniform when None.

    Returns
    -------
    Tensor, shape (N,)
        Divergences, at least 0.

    Raises
    ------
    ValueError
        For a wrong shape, direction or prior; for "q||prior" also if the prior has a zero, where KL is infinite.

    Notes
    -----
    :cite:p:`pereyra2017`, section 3.2; :cite:p:`pragmatic-ib`, eq. 9 to 11.

    Examples
    --------
    >>> prior_kl(torch.zeros(1, 3), direction="q||prior").abs().item() < 1e-6
    True
    """
    flat = rows("logits", logits)
    _check.one_of("direction", direction, ("prior||q", "q||prior"))
    log_q = log_softmax(flat)
    if direction == "q||prior":
        each = rate(log_q.exp(), log_q - _positive_log_prior(prior, log_q))
    else:
        log_u = _log_prior(prior, log_q)
        each = rate(log_u.exp(), log_u - log_q)
    return each if logits.ndim == 2 else each.reshape(shape_of_labels(logits))


def confidence_penalty(
    logits: Tensor,
    labels: Tensor,
    *,
    beta: float | None = None,
    alpha: float | None = None,
    prior: Tensor | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the cross-entropy with a penalty on confident predictions, in nats.

    Parameters
    ----------
    logits : Tensor, shape (N, K)
        Unnormalised log-probabilities, finite; half precision is widened to float32.
    labels : Tensor, shape (N,)
        Integer labels in [0, K) or `ignore_index`.
    beta : float, optional
        Multiplier >= 0 of the entropy: :math:`-\log q_y - \beta H(q)`.
    alpha : float, optional
        Mixing weight in [0, 1]: :math:`(1-\alpha)(-\log q_y) + \alpha\,\mathrm{KL}(q \,\|\, u)`. Exactly one of
        `beta` and `alpha` must be given.
    prior : Tensor, shape (K,), optional
        The distribution u > 0 of the second form, uniform when None.
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
    :cite:p:`pereyra2017` (beta); :cite:p:`pragmatic-ib`, eq. 10 and 11 (alpha). For the uniform prior the second form
    is :math:`(1-\alpha)` times the first at :math:`\beta = \alpha/(1-\alpha)`, plus the constant
    :math:`\alpha\log K`; exchanging the arguments of its KL gives label smoothing less :math:`\alpha H(u)`.

    Examples
    --------
    >>> z, y = torch.zeros(1, 2), torch.tensor([0])
    >>> round(confidence_penalty(z, y, beta=1.0).item(), 6), round(confidence_penalty(z, y, alpha=0.5).item(), 4)
    (0.0, 0.3466)
    """
    batch = samples(logits, labels, ignore_index)
    if (beta is None) == (alpha is None):
        raise ValueError(f"exactly one of beta and alpha must be given, got beta={beta} and alpha={alpha}")
    log_q = log_softmax(batch.logits)
    hard = -own(log_q, batch.label)
    if alpha is not None:
        alpha = _check.real_in("alpha", alpha, 0.0, 1.0)
        losses = mixed(1.0 - alpha, hard, alpha, rate(log_q.exp(), log_q - _positive_log_prior(prior, log_q)))
    elif prior is not None:
        raise ValueError("prior belongs to the form with alpha, got it with beta")
    else:
        beta = _check.real_in("beta", beta, 0.0, math.inf, open_high=True)
        losses = mixed(1.0, hard, beta, expected(log_q.exp(), log_q))
    return reduce(losses, batch, reduction=reduction)


class ConfidencePenalty(Criterion, of=confidence_penalty):
    """Confidence penalty as a module: `confidence_penalty` with its options given once.

    Parameters
    ----------
    beta, alpha, prior, ignore_index, reduction
        As in `confidence_penalty`.

    Notes
    -----
    :cite:p:`pereyra2017`.

    Examples
    --------
    >>> round(ConfidencePenalty(beta=1.0)(torch.zeros(1, 2), torch.tensor([0])).item(), 6)
    0.0
    """
