r"""The variational information bottleneck with a stochastic Gaussian encoder.

.. math::

    L_{\mathrm{VIB}} = \mathbb{E}_{z \sim p(z|x)}[-\log q(y|z)] + \beta\,\mathrm{KL}(p(z|x) \,\|\, r(z))
"""

import math

import torch
from torch import Tensor, nn

from lsedu import _check
from lsedu._samples import rows, samples
from lsedu.losses._logs import log_softmax, mixed, nonnegative, own
from lsedu.losses._module import Criterion
from lsedu.losses._reduce import Reduction, reduce

# where e^x is infinite in any dtype, x itself no longer counts: infinity less infinity would be NaN
_FAR = 1e30


def _gaussian(mean: Tensor, log_std: Tensor) -> tuple[Tensor, Tensor]:
    for name, value in (("mean", mean), ("log_std", log_std)):
        if not isinstance(value, Tensor) or not value.is_floating_point() or value.ndim not in (1, 2):
            got = type(value).__name__
            if isinstance(value, Tensor):
                got = tuple(value.shape) if value.is_floating_point() else value.dtype
            raise ValueError(f"{name} must be a floating-point tensor of shape (N, D), got {got}")
    if mean.shape != log_std.shape:
        raise ValueError(f"log_std must have shape {tuple(mean.shape)}, got {tuple(log_std.shape)}")
    wide = torch.promote_types(torch.promote_types(mean.dtype, log_std.dtype), torch.float32)
    return mean.to(wide), log_std.to(wide)


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
    samples = _check.whole("samples", samples, low=1)
    noise = torch.randn((samples, *mean.shape), generator=generator, dtype=mean.dtype, device=mean.device)
    return mean + log_std.exp() * noise


def gaussian_kl(mean: Tensor, log_std: Tensor) -> Tensor:
    r"""Return KL(N(mean, diag(std^2)) || N(0, I)) in nats.

    Parameters
    ----------
    mean, log_std : Tensor, shape (N, D) or (D,)
        Mean and logarithm of the standard deviation.

    Returns
    -------
    Tensor, shape (N,) or ()
        :math:`\tfrac12 \sum_d (\mu_d^2 + \sigma_d^2 - 1 - 2\log\sigma_d)`, at least 0; infinite where a standard
        deviation is 0 or the value is beyond the dtype.

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
    # expm1 keeps sigma^2 - 1 exact near sigma = 1; as g + g^2 / 2 it overflows no earlier than the value does
    grown = torch.expm1(log_std)
    spread = torch.addcmul(grown, grown, grown, value=0.5) - log_std.clamp(max=_FAR)
    return nonnegative(torch.addcmul(spread, mean, mean, value=0.5).sum(-1))


class StochasticEncoder(nn.Module):
    """A linear head that turns features into a diagonal Gaussian and a draw from it.

    Parameters
    ----------
    features : int
        Width of the features, >= 1.
    dim : int
        Width D of the representation, >= 1.
    device, dtype
        Of the two linear maps.

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

    def __init__(
        self,
        features: int,
        dim: int,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        for name, value in (("features", features), ("dim", dim)):
            _check.whole(name, value, low=1)
        if dtype is not None:
            _check.floating("dtype", dtype)
        device = None if device is None else _check.device("device", device)
        self.mean = nn.Linear(features, dim, device=device, dtype=dtype)
        self.log_std = nn.Linear(features, dim, device=device, dtype=dtype)
        nn.init.zeros_(self.log_std.bias)

    def reset_parameters(self) -> None:
        """Draw both maps anew; the standard deviation is 1 at zero features."""
        self.mean.reset_parameters()
        self.log_std.reset_parameters()
        nn.init.zeros_(self.log_std.bias)

    def forward(self, features: Tensor, *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Return a draw, the mean and the log standard deviation, each (N, D), of features (N, F)."""
        _check.logits("features", features)
        if features.shape[1] != self.mean.in_features:
            raise ValueError(f"features must have {self.mean.in_features} columns, got shape {tuple(features.shape)}")
        mean, log_std = _gaussian(self.mean(features), self.log_std(features))
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
    if not isinstance(logits, Tensor):
        raise ValueError(f"logits must be a torch.Tensor of shape (N, K) or (S, N, K), got {type(logits).__name__}")
    draws = logits if logits.ndim == 3 else logits.unsqueeze(0)
    if draws.ndim not in (2, 3) or len(draws) == 0:
        raise ValueError(f"logits must have shape (N, K) or (S, N, K) with S >= 1, got {tuple(logits.shape)}")
    rate = gaussian_kl(mean, log_std)
    batch = samples(draws[0], labels, ignore_index)
    if rate.shape != batch.shape:
        raise ValueError(f"mean must have {len(batch.label)} rows, got {rate.numel()}")
    distortion = torch.stack([-own(log_softmax(rows("logits", draw)), batch.label) for draw in draws]).mean(0)
    return reduce(mixed(1.0, distortion, beta, rate.reshape(-1)), batch, reduction=reduction)


class Vib(Criterion, of=vib):
    """Variational information bottleneck as a module: `vib` with its options given once.

    Parameters
    ----------
    beta, ignore_index, reduction
        As in `vib`; the call takes logits, labels, mean and log standard deviation.

    Notes
    -----
    :cite:p:`alemi2017`.

    Examples
    --------
    >>> z, y = torch.zeros(1, 2), torch.tensor([0])
    >>> round(Vib(beta=1.0)(z, y, torch.ones(1, 2), torch.zeros(1, 2)).item(), 4)
    1.6931
    """
