r"""The variational information bottleneck: stochastic encoder, both variational bounds, and the discrete form.

.. math::

    L_{\mathrm{VIB}} = \mathbb{E}_{z \sim p(z|x)}[-\log q(y|z)] + \beta\,\mathrm{KL}(p(z|x) \,\|\, r(z))
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lsedu import _check
from lsedu.losses._reduce import Reduction, kept_labels, reduce_kept
from lsedu.losses.cross_entropy import cross_entropy, log_softmax


def _gaussian(mean: Tensor, log_std: Tensor) -> tuple[Tensor, Tensor]:
    for name, value in (("mean", mean), ("log_std", log_std)):
        if not isinstance(value, Tensor) or not value.is_floating_point() or value.ndim != 2:
            shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise ValueError(f"{name} must be a floating-point tensor of shape (N, D), got {shape}")
    if mean.shape != log_std.shape:
        raise ValueError(f"log_std must have shape {tuple(mean.shape)}, got {tuple(log_std.shape)}")
    if mean.dtype in (torch.float16, torch.bfloat16):
        return mean.float(), log_std.float()
    return mean, log_std


def reparametrise(
    mean: Tensor, log_std: Tensor, *, samples: int = 1, generator: torch.Generator | None = None
) -> Tensor:
    r"""Draw from a diagonal Gaussian so that gradients reach its parameters.

    Parameters
    ----------
    mean, log_std : Tensor, shape (N, D)
        Mean and logarithm of the standard deviation.
    samples : int
        Number of draws S >= 1.
    generator : torch.Generator, optional
        Source of the noise.

    Returns
    -------
    Tensor, shape (S, N, D)
        Draws :math:`\mu + \sigma\epsilon` with standard normal noise.

    Raises
    ------
    ValueError
        For wrong shapes or no samples.

    Notes
    -----
    :cite:p:`alemi2017`.

    Examples
    --------
    >>> reparametrise(torch.ones(2, 3), torch.full((2, 3), -100.0)).round().flatten().tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    mean, log_std = _gaussian(mean, log_std)
    if samples < 1:
        raise ValueError(f"samples must be at least 1, got {samples}")
    noise = torch.randn((samples, *mean.shape), generator=generator, dtype=mean.dtype, device=mean.device)
    return mean + log_std.exp() * noise


def gaussian_kl(mean: Tensor, log_std: Tensor) -> Tensor:
    r"""Return KL(N(mean, diag(std^2)) || N(0, I)) in nats.

    Parameters
    ----------
    mean, log_std : Tensor, shape (N, D)
        Mean and logarithm of the standard deviation.

    Returns
    -------
    Tensor, shape (N,)
        :math:`\tfrac12 \sum_d (\mu_d^2 + \sigma_d^2 - 1 - 2\log\sigma_d)`, at least 0.

    Raises
    ------
    ValueError
        For wrong shapes.

    Notes
    -----
    :cite:p:`alemi2017`.

    Examples
    --------
    >>> gaussian_kl(torch.tensor([[2.0]]), torch.tensor([[0.0]])).item()
    2.0
    """
    mean, log_std = _gaussian(mean, log_std)
    # expm1 keeps sigma^2 - 1 exact near sigma = 1
    return 0.5 * (mean.square() + torch.expm1(2.0 * log_std) - 2.0 * log_std).sum(1)


class StochasticEncoder(nn.Module):
    """A linear head that turns features into a diagonal Gaussian and a draw from it.

    Parameters
    ----------
    features : int
        Width of the features, >= 1.
    dim : int
        Width D of the representation, >= 1.

    Raises
    ------
    ValueError
        If a width is below 1.

    Notes
    -----
    :cite:p:`alemi2017`. The standard deviation is 1 at zero features.

    Examples
    --------
    >>> sample, mean, log_std = StochasticEncoder(4, 2)(torch.zeros(3, 4))
    >>> sample.shape, mean.shape
    (torch.Size([3, 2]), torch.Size([3, 2]))
    """

    def __init__(self, features: int, dim: int):
        super().__init__()
        for name, value in (("features", features), ("dim", dim)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        self.mean = nn.Linear(features, dim)
        self.log_std = nn.Linear(features, dim)
        nn.init.zeros_(self.log_std.bias)

    def forward(self, features: Tensor, *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Return a draw, the mean and the log standard deviation, each (N, D), of features (N, F)."""
        mean, log_std = self.mean(features), self.log_std(features)
        return reparametrise(mean, log_std, generator=generator)[0], mean, log_std


def vib(
    logits: Tensor,
    labels: Tensor,
    mean: Tensor,
    log_std: Tensor,
    *,
    beta: float,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the loss of the variational information bottleneck for a Gaussian encoder, in nats.

    Parameters
    ----------
    logits : Tensor, shape (N, K) or (S, N, K)
        The classifier's logits for one draw of the representation, or for S draws, which are averaged.
    labels : Tensor, shape (N,)
        Integer labels in [0, K) or `ignore_index`.
    mean, log_std : Tensor, shape (N, D)
        The encoder's Gaussian; the prior r is standard normal.
    beta : float
        Price of information >= 0.
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
    :cite:p:`alemi2017`; :cite:p:`pragmatic-ib`, eq. 8.

    Examples
    --------
    >>> z, y = torch.zeros(1, 2), torch.tensor([0])
    >>> round(vib(z, y, torch.ones(1, 2), torch.zeros(1, 2), beta=1.0).item(), 4)
    1.6931
    """
    beta = _check.real_in("beta", beta, 0.0, math.inf, open_high=True)
    draws = logits.unsqueeze(0) if logits.ndim == 2 else logits
    if draws.ndim != 3 or len(draws) == 0:
        raise ValueError(f"logits must have shape (N, K) or (S, N, K) with S >= 1, got {tuple(logits.shape)}")
    rate = gaussian_kl(mean, log_std)
    _, kept = kept_labels(draws[0], labels, ignore_index)
    if len(rate) != len(labels):
        raise ValueError(f"mean must have {len(labels)} rows, got {len(rate)}")
    distortion = torch.stack([cross_entropy(d, labels, ignore_index=ignore_index, reduction="none") for d in draws])
    return reduce_kept(distortion.mean(0) + beta * rate, kept, reduction=reduction)


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
    _check.distributions("joint", joint.flatten())
    n, m, k = encoder.shape[0], encoder.shape[-1], classifier.shape[-1]
    wants = {"encoder": (encoder, (n, m)), "classifier": (classifier, (m, k)), "joint": (joint, (n, k))}
    for name, (value, shape) in {**wants, "prior": (prior, (m,))}.items():
        if tuple(value.shape) != shape:
            raise ValueError(f"{name} must have shape {shape}, got {tuple(value.shape)}")
    p_y, p_x = joint.sum(0), joint.sum(1)
    p_zy = encoder.T @ joint
    entropy = -torch.xlogy(p_y, p_y).sum()
    relevance = entropy + torch.xlogy(p_zy, classifier).sum()
    rate = (p_x[:, None] * (torch.xlogy(encoder, encoder) - torch.xlogy(encoder, prior))).sum()
    return Bounds(relevance, rate)


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
    _check.logits("encoder_logits", encoder_logits)
    beta = _check.real_in("beta", beta, 0.0, math.inf, open_high=True)
    _check.distributions("classifier", classifier)
    n, m = encoder_logits.shape
    if classifier.ndim != 2 or len(classifier) != m:
        raise ValueError(f"classifier must have shape ({m}, K), got {tuple(classifier.shape)}")
    _check.labels("labels", labels, classifier.shape[1], size=n, ignore_index=ignore_index)
    kept = labels != ignore_index
    label = torch.where(kept, labels, 0).long()
    log_p = log_softmax(encoder_logits)
    p = log_p.exp()
    fit = classifier.to(log_p).T[label]  # row n holds q(y_n | z) for every z
    distortion = -torch.logsumexp(log_p + fit.log(), 1) if log_outside else -torch.xlogy(p, fit).sum(1)
    if prior is None:
        log_r = log_p.new_full((m,), -math.log(m))
    else:
        _check.distributions("prior", prior)
        if tuple(prior.shape) != (m,) or not (prior > 0).all():
            raise ValueError(f"prior must have shape ({m},) and entries > 0, got {prior.tolist()}")
        log_r = prior.to(log_p).log()
    rate = (p * (log_p - log_r)).sum(1)
    return reduce_kept(distortion + beta * rate, kept, reduction=reduction)
