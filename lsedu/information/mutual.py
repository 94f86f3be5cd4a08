r"""Exact mutual information of a conditional table: the two axes of the information plane.

The chain is Y - X - Z: Z is drawn from p(z|x) and knows of Y only what X tells, :math:`p(y,z) = \sum_x p(x) p(y|x)
p(z|x)`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lsedu import _check
from lsedu.information._inputs import CLOSE, distributions, row_weights, second_order, targets, xlogy
from lsedu.information.units import Unit, nats_per


@dataclass(frozen=True)
class Point:
    """A point of the information plane.

    Attributes
    ----------
    i_x : float
        I(X;Z), how much the representation keeps of the input.
    i_y : float
        I(Y;Z), how much of that is about the label; at most `i_x`.
    unit : {"nats", "bits"}
        Unit of both.
    """

    i_x: float
    i_y: float
    unit: Unit


def information_of_joint(joint: np.ndarray) -> float:
    """Return the mutual information in nats of a joint table that sums to one."""
    row, column = joint.sum(1, keepdims=True), joint.sum(0, keepdims=True)
    terms = xlogy(joint, joint) - xlogy(joint, np.broadcast_to(row, joint.shape))
    value = float((terms - xlogy(joint, np.broadcast_to(column, joint.shape))).sum())
    return value if value >= CLOSE else float(second_order(joint, row * column).sum())


def mutual_information(joint: Any, *, unit: Unit) -> float:
    r"""Return the mutual information of two discrete variables from their joint table.

    Parameters
    ----------
    joint : array-like or Tensor, shape (A, B)
        Joint probabilities, >= 0; the sum may miss 1 by 1e-4, in half precision by 1e-2, and is divided out.
    unit : {"nats", "bits"}
        Unit of the result.

    Returns
    -------
    float
        In [0, min(log A, log B)].

    Raises
    ------
    ValueError
        For negative entries, a sum other than 1, another number of axes, or an unknown unit.

    Notes
    -----
    :math:`I(A;B) = \sum_{a,b} p(a,b) \log \frac{p(a,b)}{p(a) p(b)}` :cite:p:`textbook`.

    Examples
    --------
    >>> mutual_information([[0.5, 0.0], [0.0, 0.5]], unit="bits")
    1.0
    """
    size = nats_per(unit)
    table = _check.array("joint", joint, ndim=2)
    flat = distributions("joint", table.reshape(-1), dtype=_check.dtype_of("joint", joint))
    return information_of_joint(flat.reshape(table.shape)) / size


def encoder_information(encoder: Any, *, p_x: Any = None, unit: Unit) -> float:
    r"""Return I(X;Z) of an encoder, exactly.

    Parameters
    ----------
    encoder : array-like or Tensor, shape (N, M)
        Rows p(z|x), one for each x.
    p_x : array-like or Tensor, shape (N,), optional
        Distribution over the rows, zeros allowed; uniform by default.
    unit : {"nats", "bits"}
        Unit of the result.

    Returns
    -------
    float
        In [0, min(log N, log M)].

    Raises
    ------
    ValueError
        For rows that are no distributions, a `p_x` of another length, or an unknown unit.

    Notes
    -----
    :math:`I(X;Z) = H(Z) - \sum_x p(x) H(Z|x)` :cite:p:`pragmatic-ib`. Unchanged when rows that are equal are merged.

    Examples
    --------
    >>> encoder_information([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], p_x=[0.5, 0.5, 0.0], unit="bits")
    1.0
    """
    size = nats_per(unit)
    z = distributions("encoder", encoder, ndim=2)
    p = row_weights(p_x, len(z))
    p_z = p @ z
    value = float(p @ xlogy(z, z).sum(1) - xlogy(p_z, p_z).sum())
    return (value if value >= CLOSE else float(p @ second_order(z, p_z))) / size


def target_information(encoder: Any, target: Any, *, p_x: Any = None, unit: Unit) -> float:
    r"""Return I(Y;Z) of an encoder, exactly.

    Parameters
    ----------
    encoder : array-like or Tensor, shape (N, M)
        Rows p(z|x).
    target : array-like or Tensor, shape (N,) or (N, K)
        Integer labels, or rows p(y|x) where labels contradict each other.
    p_x : array-like or Tensor, shape (N,), optional
        Distribution over the rows; uniform by default.
    unit : {"nats", "bits"}
        Unit of the result.

    Returns
    -------
    float
        In [0, I(X;Z)].

    Raises
    ------
    ValueError
        For rows that are no distributions, lengths that differ, or an unknown unit.

    Notes
    -----
    The mutual information of :math:`p(y,z) = \sum_x p(x) p(y|x) p(z|x)` :cite:p:`pragmatic-ib`.

    Examples
    --------
    >>> target_information([[1.0, 0.0], [0.0, 1.0]], [1, 0], unit="bits")
    1.0
    """
    size = nats_per(unit)
    z = distributions("encoder", encoder, ndim=2)
    y = targets("target", target, len(z))
    joint = (y * row_weights(p_x, len(z))[:, None]).T @ z
    return information_of_joint(joint) / size


def plane_point(encoder: Any, target: Any, *, p_x: Any = None, unit: Unit) -> Point:
    """Return the point of an encoder on the information plane, exactly.

    Parameters
    ----------
    encoder : array-like or Tensor, shape (N, M)
        Rows p(z|x).
    target : array-like or Tensor, shape (N,) or (N, K)
        Integer labels, or rows p(y|x).
    p_x : array-like or Tensor, shape (N,), optional
        Distribution over the rows; uniform by default.
    unit : {"nats", "bits"}
        Unit of both coordinates.

    Returns
    -------
    Point

    Raises
    ------
    ValueError
        For rows that are no distributions, lengths that differ, or an unknown unit.

    Notes
    -----
    `encoder_information` and `target_information` together; for large N see `PlaneMeter`.

    Examples
    --------
    >>> plane_point([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [0, 0, 1, 1], unit="bits")
    Point(i_x=1.0, i_y=1.0, unit='bits')
    """
    return Point(
        encoder_information(encoder, p_x=p_x, unit=unit),
        target_information(encoder, target, p_x=p_x, unit=unit),
        unit,
    )
