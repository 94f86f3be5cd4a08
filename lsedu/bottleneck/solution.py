"""What the solvers return."""

from dataclasses import dataclass

import numpy as np

from lsedu.information import Point, Unit


@dataclass(frozen=True)
class Solution:
    """An encoder found for one beta.

    Attributes
    ----------
    beta : float
        Multiplier of I(Y;Z).
    point : Point
        Where the encoder lies on the information plane, exact.
    distinct : ndarray, shape (U, M)
        p(z|x) for each distinct row of the table.
    inverse : ndarray, shape (N,)
        Which of them belongs to each x.
    history : ndarray, shape (T,)
        Objective by iteration in the point's unit: for Blahut-Arimoto an upper bound of the Lagrangian that never
        rises and meets it at the end; for the gradient solver the Lagrangian itself.
    converged : bool
        Whether the tolerance was met before the iterations ran out.
    """

    beta: float
    point: Point
    distinct: np.ndarray
    inverse: np.ndarray
    history: np.ndarray
    converged: bool

    @property
    def encoder(self) -> np.ndarray:
        """Rows p(z|x), shape (N, M), in the order of the table given."""
        return self.distinct[self.inverse]

    @property
    def objective(self) -> float:
        """I(X;Z) - beta I(Y;Z) of the encoder, in the point's unit."""
        return self.lagrangian(self.beta)

    def lagrangian(self, beta: float) -> float:
        """Return I(X;Z) - beta I(Y;Z) of the encoder at any beta, in the point's unit."""
        return self.point.i_x - beta * self.point.i_y


@dataclass(frozen=True)
class Curve:
    """Solutions along the bottleneck curve.

    Attributes
    ----------
    solutions : tuple of Solution
        One for each beta, in the order given.
    unit : {"nats", "bits"}
        Unit of both coordinates.
    """

    solutions: tuple[Solution, ...]
    unit: Unit

    @property
    def betas(self) -> np.ndarray:
        """Multipliers, shape (B,)."""
        return np.array([solution.beta for solution in self.solutions])

    @property
    def i_x(self) -> np.ndarray:
        """I(X;Z), shape (B,)."""
        return np.array([solution.point.i_x for solution in self.solutions])

    @property
    def i_y(self) -> np.ndarray:
        """I(Y;Z), shape (B,)."""
        return np.array([solution.point.i_y for solution in self.solutions])
