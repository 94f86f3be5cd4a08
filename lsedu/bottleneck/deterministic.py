"""The bottleneck when labels do not contradict: a straight line, and a trivial way of walking on it."""

from typing import Any

import numpy as np

from lsedu import _check
from lsedu.information import Unit, entropy
from lsedu.information._inputs import distributions, targets
from lsedu.information.units import nats_per

ROUNDING = 1e-12
"""How far above H(Y) an `i_x` may lie and still mean H(Y)."""


def deterministic_curve(i_x: Any, p_y: Any, *, unit: Unit) -> Any:
    r"""Return the largest I(Y;Z) at given I(X;Z) when each input has one label.

    Parameters
    ----------
    i_x : float or array-like, shape (...)
        I(X;Z) >= 0 in `unit`.
    p_y : array-like or Tensor, shape (K,)
        Class frequencies.
    unit : {"nats", "bits"}
        Unit of `i_x` and of the result.

    Returns
    -------
    float or ndarray, shape (...)

    Raises
    ------
    ValueError
        For a negative or non-finite `i_x`, or a `p_y` that is no distribution.

    Notes
    -----
    :math:`I(Y;Z) \le \min(I(X;Z), H(Y))`, reached everywhere: proposition 4.2 of :cite:p:`pragmatic-ib`, after
    :cite:p:`kolchinsky2018`.

    Examples
    --------
    >>> deterministic_curve([0.5, 2.0], [0.5, 0.5], unit="bits").tolist()
    [0.5, 1.0]
    """
    x = _check.array("i_x", i_x, ndim=_check.plain("i_x", i_x).ndim)
    if (x < 0).any():
        raise ValueError(f"i_x must be >= 0, got {x.min():g}")
    value = np.minimum(x, entropy(distributions("p_y", p_y, ndim=1), unit=unit))
    return float(value) if value.ndim == 0 else value


def erasure_encoder(target: Any, *, i_x: float | None = None, keep: float | None = None, unit: Unit) -> np.ndarray:
    r"""Return the trivial solution: Z is the label with probability `keep`, else an erasure sign.

    Parameters
    ----------
    target : array-like or Tensor, shape (N,) or (N, K)
        Integer labels, or rows p(y|x) (one-hot where labels do not contradict).
    i_x : float, optional
        The I(X;Z) to reach, in `unit`, in [0, H(Y)]; for one-hot rows of equal weight.
    keep : float, optional
        Probability in [0, 1] that the label gets through. Give this or `i_x`.
    unit : {"nats", "bits"}
        Unit of `i_x`.

    Returns
    -------
    ndarray, shape (N, K + 1)
        Rows p(z|x); the last column is the erasure.

    Raises
    ------
    ValueError
        If not exactly one of `i_x` and `keep` is given, one is out of range, or `i_x` is given with soft rows.

    Notes
    -----
    :math:`I(X;Z) = I(Y;Z) = \text{keep} \cdot H(Y)`: optimal for the bottleneck and of no use to a learner
    :cite:p:`kolchinsky2018`; the proof of proposition 4.2 of :cite:p:`pragmatic-ib`.

    Examples
    --------
    >>> erasure_encoder([0, 1], i_x=0.25, unit="bits").tolist()
    [[0.25, 0.0, 0.75], [0.0, 0.25, 0.75]]
    """
    nats_per(unit)
    if (i_x is None) == (keep is None):
        raise ValueError(f"give exactly one of i_x and keep, got i_x={i_x!r} and keep={keep!r}")
    rows = targets("target", target, None)
    if keep is None:
        if not np.isin(rows, (0.0, 1.0)).all():
            raise ValueError("i_x needs labels that do not contradict (one-hot rows), got soft rows; give keep instead")
        ceiling = entropy(rows.mean(0), unit=unit)
        i_x = _check.real_in("i_x", i_x, 0.0, np.inf)
        # H(Y) from elsewhere may differ in its last digits
        if i_x > ceiling + ROUNDING:
            raise ValueError(f"i_x must be in [0, {ceiling:g}], got {i_x:g}")
        keep = min(i_x / ceiling, 1.0) if ceiling > 0 else 1.0
    keep = _check.real_in("keep", keep, 0.0, 1.0)
    return np.concatenate([keep * rows, np.full((len(rows), 1), 1.0 - keep)], axis=1)
