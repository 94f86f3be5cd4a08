"""The information plane in batches, for tables that are too large to hold."""

from typing import Any

import numpy as np

from lsedu import _check
from lsedu.information._inputs import distributions, targets, xlogy
from lsedu.information.mutual import Point, information_of_joint
from lsedu.information.units import Unit, nats_per


class PlaneMeter:
    r"""Accumulate I(X;Z) and I(Y;Z) of an encoder p(z|x) over batches of x.

    Parameters
    ----------
    codes : int
        Number of values of Z, the columns of the encoder.
    classes : int
        Number of classes of Y.

    Raises
    ------
    ValueError
        If `codes` or `classes` is not an integer >= 1.

    Notes
    -----
    What it keeps is :math:`p(y,z)` and :math:`\sum_x p(x) H(Z|x)`: K x M + 1 numbers, however many rows pass. Each row
    counts as a value of X of its own; rows of the same x with the same p(z|x) change nothing, as both measures are
    unchanged by merging them.

    Examples
    --------
    >>> meter = PlaneMeter(codes=2, classes=2)
    >>> meter.update([[1.0, 0.0]], [0])
    >>> meter.update([[0.0, 1.0]], [1])
    >>> meter.point(unit="bits")
    Point(i_x=1.0, i_y=1.0, unit='bits')
    """

    def __init__(self, *, codes: int, classes: int) -> None:
        for name, value in (("codes", codes), ("classes", classes)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(f"{name} must be an integer >= 1, got {value!r}")
        self.codes, self.classes = int(codes), int(classes)
        self._joint = np.zeros((self.classes, self.codes))
        self._conditional = 0.0

    def update(self, encoder: Any, target: Any, *, weights: Any = None) -> None:
        """Add a batch of rows.

        Parameters
        ----------
        encoder : array-like or Tensor, shape (B, M)
            Rows p(z|x). An empty batch adds nothing.
        target : array-like or Tensor, shape (B,) or (B, K)
            Integer labels, or rows p(y|x).
        weights : array-like or Tensor, shape (B,), optional
            Weights >= 0 of the rows, need not sum to one; p(x) is the weight over the total. 1 each by default.

        Raises
        ------
        ValueError
            For rows that are no distributions, labels out of range, negative weights, or shapes that do not fit.
        """
        shape = _check.plain("encoder", encoder).shape
        if shape[:1] == (0,):
            return
        z = distributions("encoder", encoder, ndim=2)
        if z.shape[1] != self.codes:
            raise ValueError(f"encoder must have {self.codes} columns, got shape {z.shape}")
        y = targets("target", target, len(z))
        if y.shape[1] > self.classes or (y.shape[1] < self.classes and np.ndim(target) == 2):
            raise ValueError(f"target must have {self.classes} classes, got {y.shape[1]}")
        w = np.ones(len(z)) if weights is None else _check.array("weights", weights, ndim=1)
        if w.shape != (len(z),):
            raise ValueError(f"weights must have shape ({len(z)},), got {w.shape}")
        if (w < 0).any():
            raise ValueError(f"weights must be >= 0, got {w.min():g}")
        self._joint[: y.shape[1]] += (y * w[:, None]).T @ z
        self._conditional -= float(w @ xlogy(z, z).sum(1))

    def point(self, *, unit: Unit) -> Point:
        """Return the point of all rows so far.

        Parameters
        ----------
        unit : {"nats", "bits"}
            Unit of both coordinates.

        Raises
        ------
        ValueError
            If no row with a positive weight was added, or for an unknown unit.
        """
        size = nats_per(unit)
        total = float(self._joint.sum())
        if total <= 0:
            raise ValueError("the meter must have seen at least one row of positive weight, got none")
        joint = self._joint / total
        p_z = joint.sum(0)
        i_x = max(float(-xlogy(p_z, p_z).sum()) - self._conditional / total, 0.0)
        return Point(i_x / size, information_of_joint(joint) / size, unit)
