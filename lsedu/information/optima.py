"""Where one-hot training and label smoothing end on the information plane, if the model can represent anything."""

from typing import Any, Literal

import numpy as np

from lsedu import _check
from lsedu.information._inputs import CLOSE, distributions, second_order
from lsedu.information.mutual import Point, plane_point
from lsedu.information.units import Unit, nats_per


def smoothed_point(
    p_y_given_x: Any,
    *,
    alpha: float,
    convention: Literal["all", "others"] = "all",
    prior: Any = None,
    p_x: Any = None,
    unit: Unit,
) -> Point:
    r"""Return the point of the optimum of label smoothing; of one-hot training at alpha = 0.

    Parameters
    ----------
    p_y_given_x : array-like or Tensor, shape (N, K)
        The labels' distribution for each input. One-hot rows: labels do not contradict each other. For unequal
        classes without contradiction, ``numpy.eye(K)`` with `p_x` the class frequencies is enough.
    alpha : float
        Smoothing in [0, 1].
    convention : {"all", "others"}
        As in `lsedu.targets.smooth`.
    prior : array-like or Tensor, shape (K,), optional
        Smoothing distribution of the convention "all"; uniform by default.
    p_x : array-like or Tensor, shape (N,), optional
        Distribution over the inputs; uniform by default.
    unit : {"nats", "bits"}
        Unit of both coordinates.

    Returns
    -------
    Point

    Raises
    ------
    ValueError
        For rows that are no distributions, alpha outside [0, 1], an unknown convention or unit, or if under "others" a
        prior has no mass off a label.

    Notes
    -----
    The loss is least where the output is the expected target, :math:`p(z|x) = (1-\alpha) p(y{=}z|x) + \alpha u(z)`: the
    smoothed labels' table, averaged by p(y|x).
    Without contradicting labels this lies on the bottleneck curve, whatever the prior (propositions 4.4 and 4.5 of
    :cite:p:`pragmatic-ib`); with them it need not.

    Examples
    --------
    >>> smoothed_point([[1.0, 0.0], [0.0, 1.0]], alpha=0.0, unit="bits")
    Point(i_x=1.0, i_y=1.0, unit='bits')
    """
    alpha = _check.real_in("alpha", alpha, 0.0, 1.0)
    _check.one_of("convention", convention, ("all", "others"))
    rows = distributions("p_y_given_x", p_y_given_x, ndim=2)
    u = None if prior is None else distributions("prior", prior, ndim=1)
    return plane_point(rows @ _smoothed(rows.shape[1], alpha, convention, u), rows, p_x=p_x, unit=unit)


def _smoothed(size: int, alpha: float, convention: str, prior: np.ndarray | None) -> np.ndarray:
    """Return the smoothed target of every label, shape (K, K): `lsedu.targets.smooth` without torch."""
    hard = np.eye(size)
    if alpha == 0.0:
        return hard
    if prior is not None and len(prior) != size:
        raise ValueError(f"prior must have shape ({size},), got {prior.shape}")
    rows = np.tile(np.full(size, 1.0 / size) if prior is None else prior, (size, 1))
    if convention == "others":
        np.fill_diagonal(rows, 0.0)
        mass = rows.sum(1, keepdims=True)
        if (mass <= 0).any():
            raise ValueError(
                f"convention 'others' needs prior mass on a class other than the label, got none (num_classes={size})"
            )
        rows = rows / mass
    return (1.0 - alpha) * hard + alpha * rows


def balanced_information(num_classes: int, *, alpha: float, unit: Unit) -> float:
    r"""Return I(X;Z) = I(Y;Z) of uniform smoothing at its optimum, with K equally frequent classes.

    Parameters
    ----------
    num_classes : int
        K >= 1.
    alpha : float
        Smoothing in [0, 1], spread over all classes.
    unit : {"nats", "bits"}
        Unit of the result.

    Returns
    -------
    float
        From log K at alpha = 0 down to 0 at alpha = 1.

    Raises
    ------
    ValueError
        For K < 1, alpha outside [0, 1], or an unknown unit.

    Notes
    -----
    With :math:`a = 1 - \alpha + \alpha/K` and :math:`b = \alpha/K`,
    :math:`I = \log K + a \log a + (K-1) b \log b`, when labels do not contradict.

    Examples
    --------
    >>> balanced_information(2, alpha=0.0, unit="bits"), balanced_information(2, alpha=1.0, unit="bits")
    (1.0, 0.0)
    """
    size = nats_per(unit)
    alpha = _check.real_in("alpha", alpha, 0.0, 1.0)
    if isinstance(num_classes, bool) or not isinstance(num_classes, int | np.integer) or num_classes < 1:
        raise ValueError(f"num_classes must be an integer >= 1, got {num_classes!r}")
    row = np.full(int(num_classes), alpha / num_classes)
    row[0] = 1.0 - (num_classes - 1) * alpha / num_classes
    kept = row[row > 0]
    value = float(np.log(num_classes) + (kept * np.log(kept)).sum())
    return (value if value >= CLOSE else float(second_order(row, np.full_like(row, 1.0 / num_classes)))) / size
