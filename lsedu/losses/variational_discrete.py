r"""The variational information bottleneck for a discrete representation: both variational bounds, and the loss.

.. math::

    I(Y;Z) \ge H(Y) + \mathbb{E}\log q(y|z), \qquad I(X;Z) \le \mathbb{E}\,\mathrm{KL}(p(z|x) \,\|\, r(z))
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from lsedu import _check
from lsedu._look import looks_at
from lsedu._samples import full_precision, samples
from lsedu.losses._logs import expected, log_softmax, logarithm, mixed, nonnegative
from lsedu.losses._module import Criterion
from lsedu.losses._reduce import Reduction, reduce


class Bounds(NamedTuple):
    """Variational bounds on the two informations of a representation, in nats."""

    relevance: Tensor
    rate: Tensor


def vib_bounds(encoder: Tensor, classifier: Tensor, joint: Tensor, prior: Tensor) -> Bounds:
    r"""Return a lower bound on I(Y;Z) and an upper bound on I(X;Z) for finite X, Y and Z, in nats.

    Parameters
    ----------
    encoder : Tensor, shape (N, M)
        p(z|x), each row a distribution.
    classifier : Tensor, shape (M, K)
        q(y|z), each row a distribution.
    joint : Tensor, shape (N, K)
        p(x, y), entries summing to one.
    prior : Tensor, shape (M,)
        r(z), a distribution.

    Returns
    -------
    Bounds
        `relevance` = :math:`H(Y) + \mathbb{E}\log q(y|z) \le I(Y;Z)`, with equality for q(y|z) = p(y|z), and
        `rate` = :math:`\mathbb{E}\,\mathrm{KL}(p(z|x) \| r) \ge I(X;Z)`, with equality for r(z) = p(z). Either may be
        infinite where a zero of q or r meets mass.

    Raises
    ------
    ValueError
        For shapes that do not fit or rows that are no distributions.

    Notes
    -----
    :cite:p:`alemi2017`; :cite:p:`pragmatic-ib`, eq. 6 and 7.

    Examples
    --------
    >>> eye = torch.eye(2)
    >>> bounds = vib_bounds(eye, eye, eye / 2, torch.full((2,), 0.5))
    >>> round(bounds.relevance.item(), 4), round(bounds.rate.item(), 4)
    (0.6931, 0.6931)
    """
    for name, value in (("encoder", encoder), ("classifier", classifier), ("prior", prior)):
        _check.distributions(name, value)
    _check.distributions("joint", joint.flatten() if isinstance(joint, Tensor) else joint)
    for name, value in (("encoder", encoder), ("classifier", classifier), ("joint", joint)):
        if value.ndim != 2:
            raise ValueError(f"{name} must have 2 axes, got shape {tuple(value.shape)}")
    n, m, k = encoder.shape[0], encoder.shape[1], classifier.shape[1]
    wants = {"encoder": (encoder, (n, m)), "classifier": (classifier, (m, k)), "joint": (joint, (n, k))}
    for name, (value, shape) in {**wants, "prior": (prior, (m,))}.items():
        if tuple(value.shape) != shape:
            raise ValueError(f"{name} must have shape {shape}, got {tuple(value.shape)}")
    wide = torch.float32
    for value in (encoder, classifier, joint, prior):
        wide = torch.promote_types(wide, value.dtype)
    encoder, classifier, joint, prior = (value.to(wide) for value in (encoder, classifier, joint, prior))
    p_y, p_x = joint.sum(0), joint.sum(1)
    with full_precision(encoder):
        p_zy = encoder.T @ joint
    entropy = -torch.xlogy(p_y, p_y).sum()
    relevance = entropy + torch.xlogy(p_zy, classifier).sum()
    # a mask before the product: the slope of x log x is infinite at 0
    surely = torch.where(encoder > 0, encoder, 1.0).log()
    divergence = (encoder * surely - torch.xlogy(encoder, prior)).sum(1)
    # an input that never occurs costs nothing, however far its row
    rate = torch.where(p_x > 0, p_x * divergence, 0.0).sum()
    return Bounds(relevance, nonnegative(rate))


def vib_discrete(
    encoder_logits: Tensor,
    classifier: Tensor,
    labels: Tensor,
    *,
    beta: float,
    prior: Tensor | None = None,
    log_outside: bool = False,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the loss of the variational information bottleneck for a discrete representation, in nats.

    Parameters
    ----------
    encoder_logits : Tensor, shape (N, M)
        Logits of p(z|x) over M values; half precision is widened to float32.
    classifier : Tensor, shape (M, K)
        q(y|z), each row a distribution.
    labels : Tensor, shape (N,)
        Integer labels in [0, K) or `ignore_index`.
    beta : float
        Price of information >= 0.
    prior : Tensor, shape (M,), optional
        r(z) > 0, uniform when None.
    log_outside : bool
        Take the logarithm of the expected q(y|z) rather than the expected logarithm. With the identity as classifier
        this is the cross-entropy of p(z|x), and the loss becomes the confidence penalty.
    ignore_index : int
        Label of samples left out.
    reduction : {"mean", "sum", "none"}
        The mean is over the samples kept; over none of them it is 0.

    Returns
    -------
    Tensor
        Loss in nats, float32 or float64; infinite without `log_outside` where p(z|x) > 0 meets q(y|z) = 0.

    Raises
    ------
    ValueError
        For hyper-parameters, shapes or labels out of range.

    Notes
    -----
    :cite:p:`pragmatic-ib`, section 4.1: with the indicator classifier the expectation inside is infinite unless
    p(z|x) is one-hot, so the tie between the bottleneck and smoothing is one of structure, not of value.

    Examples
    --------
    >>> loss = vib_discrete(torch.zeros(1, 2), torch.eye(2), torch.tensor([0]), beta=1.0, log_outside=True)
    >>> round(loss.item(), 4)
    0.6931
    """
    beta = _check.real_in("beta", beta, 0.0, math.inf, open_high=True)
    _check.logits("encoder_logits", encoder_logits, any_shape=True)
    _check.distributions("classifier", classifier)
    m = encoder_logits.shape[min(1, encoder_logits.ndim - 1)]
    if classifier.ndim != 2 or len(classifier) != m:
        raise ValueError(f"classifier must have shape ({m}, K), got {tuple(classifier.shape)}")
    names, classes = ("encoder_logits", "labels"), classifier.shape[1]
    batch = samples(encoder_logits, labels, ignore_index, num_classes=classes, names=names)
    log_p = log_softmax(batch.logits)
    p = log_p.exp()
    # row n holds log q(y_n | z) for every z, of the dtype that knows 1e-50 from 0; a sample left out must not bring in
    # an infinite slope
    log_fit = logarithm(classifier.T[batch.label], log_p)
    if batch.kept is not None:
        log_fit = torch.where(batch.kept[:, None], log_fit, 0.0)
    distortion = -(torch.logsumexp(log_p + log_fit, 1) if log_outside else expected(p, log_fit))
    if prior is None:
        log_r = log_p.new_full((m,), -math.log(m))
    else:
        _check.distributions("prior", prior)
        if tuple(prior.shape) != (m,):
            raise ValueError(f"prior must have shape ({m},), got {tuple(prior.shape)}")
        if looks_at(prior) and not (prior > 0).all():
            raise ValueError("prior must be > 0, got an entry of 0")
        log_r = logarithm(prior, log_p)
    rate = nonnegative(expected(p, log_p - log_r))
    return reduce(mixed(1.0, distortion, beta, rate), batch, reduction=reduction)


class VibDiscrete(Criterion, of=vib_discrete):
    """Variational information bottleneck of a discrete representation as a module: `vib_discrete`, options given once.

    Parameters
    ----------
    beta, prior, log_outside, ignore_index, reduction
        As in `vib_discrete`; the call takes the encoder's logits, the classifier and labels.

    Notes
    -----
    :cite:p:`alemi2017`.

    Examples
    --------
    >>> loss = VibDiscrete(beta=1.0, log_outside=True)
    >>> round(loss(torch.zeros(1, 2), torch.eye(2), torch.tensor([0])).item(), 4)
    0.6931
    """
