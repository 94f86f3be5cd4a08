r"""The two functionals of the bottleneck and their gradients.

The Lagrangian :math:`L = I(X;Z) - \beta I(Y;Z)` is linear in the plane's axes and cannot single out a point of a
straight piece of the curve; the squared form :math:`S = \beta I(X;Z)^2 - I(Y;Z)` can :cite:p:`kolchinsky2018`.
"""

from typing import Any, Literal

import numpy as np

from lsedu import _check
from lsedu.information import Unit, plane_point
from lsedu.information._inputs import distributions, row_weights, targets
from lsedu.information.units import nats_per

ROUNDING = 1e-12
"""A coefficient of a logarithm below this part of its terms is rounding."""


def lagrangian(encoder: Any, target: Any, *, beta: float, p_x: Any = None, unit: Unit) -> float:
    r"""Return I(X;Z) - beta I(Y;Z).

    Parameters
    ----------
    encoder : array-like or Tensor, shape (N, M)
        Rows p(z|x).
    target : array-like or Tensor, shape (N,) or (N, K)
        Integer labels, or rows p(y|x).
    beta : float
        Multiplier >= 0 of I(Y;Z).
    p_x : array-like or Tensor, shape (N,), optional
        Distribution over the rows; uniform by default.
    unit : {"nats", "bits"}
        Unit of the result.

    Raises
    ------
    ValueError
        For rows that are no distributions, or a negative beta.

    Notes
    -----
    :cite:p:`tishby2000`, equation 15; equation 5 of :cite:p:`pragmatic-ib` up to scale and sign.

    Examples
    --------
    >>> lagrangian([[1.0, 0.0], [0.0, 1.0]], [0, 1], beta=2.0, unit="bits")
    -1.0
    """
    beta = _check.real_in("beta", beta, 0.0, np.inf, open_high=True)
    point = plane_point(encoder, target, p_x=p_x, unit=unit)
    return point.i_x - beta * point.i_y


def squared_lagrangian(encoder: Any, target: Any, *, beta: float, p_x: Any = None, unit: Unit) -> float:
    r"""Return beta I(X;Z)^2 - I(Y;Z).

    Parameters
    ----------
    encoder, target, p_x
        As in `lagrangian`.
    beta : float
        Multiplier >= 0 of the square. It carries the inverse of `unit`.
    unit : {"nats", "bits"}
        Unit in which both informations are taken.

    Raises
    ------
    ValueError
        As in `lagrangian`.

    Notes
    -----
    Without contradicting labels its least point on the line has :math:`I(X;Z) = \min(1 / (2\beta), H(Y))`
    :cite:p:`kolchinsky2018`.

    Examples
    --------
    >>> squared_lagrangian([[1.0, 0.0], [0.0, 1.0]], [0, 1], beta=0.25, unit="bits")
    -0.75
    """
    beta = _check.real_in("beta", beta, 0.0, np.inf, open_high=True)
    point = plane_point(encoder, target, p_x=p_x, unit=unit)
    return beta * point.i_x**2 - point.i_y


def _slopes(encoder: Any, target: Any, p_x: Any, *, first: float, second: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the encoder and `first` dI(X;Z) - `second` dI(Y;Z) in nats on its entries, each (N, M).

    Where p(z|x) = 0 the slope is that of a small entry e: c log e plus a constant, whose sign is -c; c counts 1 from
    I(X;Z), and from I(Y;Z) the p(y|x) of labels that the code does not meet yet.
    """
    z = distributions("encoder", encoder, ndim=2)
    y = targets("target", target, len(z))
    w = row_weights(p_x, len(z))[:, None]
    joint = (y * w).T @ z
    p_z, p_y = joint.sum(0), joint.sum(1)
    used = (p_z > 0) & (w > 0)
    log_p_z = _log(p_z)
    slope = first * w * (_log(z) - log_p_z)
    steepness = np.full_like(z, first)
    for k in range(y.shape[1]):
        own = w * y[:, k : k + 1]
        slope -= second * own * (np.where(joint[k] > 0, _log(joint[k]), _log(own)) - _log(p_y[k]) - log_p_z)
        steepness -= np.where(joint[k] > 0, 0.0, second * y[:, k : k + 1])
    level = ROUNDING * max(first, second)
    slope[(z == 0) & (steepness > level)] = -np.inf
    slope[(z == 0) & (steepness < -level)] = np.inf
    return z, np.where(used, slope, 0.0)


def _log(x: np.ndarray) -> np.ndarray:
    """Return the logarithm, and 0 at 0."""
    return np.log(np.where(x > 0, x, 1.0))


def _through(z: np.ndarray, slope: np.ndarray, of: str, unit: Unit) -> np.ndarray:
    _check.one_of("of", of, ("logits", "encoder"))
    if of == "logits":
        flow = z * np.where(z > 0, slope, 0.0)
        slope = flow - z * flow.sum(1, keepdims=True)
    return slope / nats_per(unit)


def lagrangian_gradient(
    encoder: Any,
    target: Any,
    *,
    beta: float,
    p_x: Any = None,
    of: Literal["logits", "encoder"] = "logits",
    unit: Unit,
) -> np.ndarray:
    r"""Return the gradient of `lagrangian`.

    Parameters
    ----------
    encoder, target, beta, p_x, unit
        As in `lagrangian`.
    of : {"logits", "encoder"}
        Whether on the logits whose softmax the encoder is, or on its entries, taken as free.

    Returns
    -------
    ndarray, shape (N, M)
        On the logits it is finite everywhere and its rows sum to 0. On the entries it is -inf or +inf where
        p(z|x) = 0 but p(z) > 0, as the slope is there (+inf where a larger beta than 1 makes it cost more to blur
        labels than the code saves), and 0 for a code that is never used.

    Raises
    ------
    ValueError
        As in `lagrangian`, or for another `of`.

    Notes
    -----
    .. math:: \frac{\partial I(X;Z)}{\partial p(z|x)} = p(x) \log \frac{p(z|x)}{p(z)}, \quad
       \frac{\partial I(Y;Z)}{\partial p(z|x)} = p(x) \sum_y p(y|x) \log \frac{p(y,z)}{p(y) p(z)}

    and on the logits :math:`p(z|x) (g_z - \sum_{z'} p(z'|x) g_{z'})` for slopes g on the entries.

    Examples
    --------
    >>> lagrangian_gradient([[0.75, 0.25], [0.25, 0.75]], [0, 1], beta=2.0, unit="nats").round(3).tolist()
    [[-0.103, 0.103], [0.103, -0.103]]
    """
    beta = _check.real_in("beta", beta, 0.0, np.inf, open_high=True)
    return _through(*_slopes(encoder, target, p_x, first=1.0, second=beta), of, unit) + 0.0


def squared_lagrangian_gradient(
    encoder: Any,
    target: Any,
    *,
    beta: float,
    p_x: Any = None,
    of: Literal["logits", "encoder"] = "logits",
    unit: Unit,
) -> np.ndarray:
    r"""Return the gradient of `squared_lagrangian`.

    Parameters
    ----------
    encoder, target, beta, p_x, of, unit
        As in `lagrangian_gradient`, with the beta of `squared_lagrangian`.

    Returns
    -------
    ndarray, shape (N, M)

    Raises
    ------
    ValueError
        As in `lagrangian_gradient`.

    Notes
    -----
    :math:`2 \beta I(X;Z) \nabla I(X;Z) - \nabla I(Y;Z)`.

    Examples
    --------
    >>> squared_lagrangian_gradient([[0.5, 0.5], [0.5, 0.5]], [0, 1], beta=1.0, unit="nats").tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    beta = _check.real_in("beta", beta, 0.0, np.inf, open_high=True)
    scale = 2.0 * beta * plane_point(encoder, target, p_x=p_x, unit=unit).i_x
    return _through(*_slopes(encoder, target, p_x, first=scale, second=1.0), of, unit) + 0.0
