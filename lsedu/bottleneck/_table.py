"""The table a solver works on: merged rows, their weights, and one sweep of Blahut-Arimoto."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lsedu.information import Merged, merge_rows
from lsedu.information._inputs import distributions, row_weights, xlogy

LARGEST = 1e300
"""The largest beta of a solver: multiplied by a logarithm of a probability it still is a number."""


@dataclass(frozen=True)
class Table:
    """A table p(y|x) with equal rows merged, the weights p(x) of its N rows, and what every sweep needs of it."""

    merged: Merged
    weights: np.ndarray

    @property
    def size(self) -> int:
        """Number of classes K."""
        return self.merged.rows.shape[1]

    @cached_property
    def label_entropy(self) -> float:
        """H(Y) in nats."""
        p_y = self.merged.p_x @ self.merged.rows
        return -float(xlogy(p_y, p_y).sum())

    @cached_property
    def _surprise(self) -> np.ndarray:
        return xlogy(self.merged.rows, self.merged.rows).sum(1, keepdims=True)

    def average(self, encoder: np.ndarray) -> np.ndarray:
        """Return an encoder over all N rows as one over the distinct rows: the mean by weight of those merged.

        That leaves p(z, y) as it was. Rows of weight 0 have no say beside others, and a plain mean among themselves.
        """
        inverse, total = self.merged.inverse, self.merged.p_x[self.merged.inverse]
        share = np.where(total > 0, self.weights / np.where(total > 0, total, 1.0), 1.0)
        sums = np.zeros((len(self.merged.rows), encoder.shape[1]))
        np.add.at(sums, inverse, encoder * share[:, None])
        return sums / sums.sum(1, keepdims=True)

    def joint(self, encoder: np.ndarray) -> np.ndarray:
        """Return p(z, y) of an encoder over the distinct rows, shape (M, K)."""
        return (encoder * self.merged.p_x[:, None]).T @ self.merged.rows

    def _log_likelihood(self, joint: np.ndarray, scale: float) -> np.ndarray:
        """Return `scale` times the sum over y of p(y|x) log q(y|z), shape (U, M); -inf where q misses a label of x."""
        rows, r = self.merged.rows, joint.sum(1, keepdims=True)
        met = joint > 0
        log_q = np.log(np.where(met, joint, 1.0)) - np.where(met, np.log(np.where(r > 0, r, 1.0)), 0.0)
        score = rows @ (scale * log_q.T)
        if not met.all():
            score[rows @ ~met.T > 0] = -np.inf
        return score

    def divergences(self, joint: np.ndarray) -> np.ndarray:
        """Return KL(p(y|x) || q(y|z)) in nats of each distinct row from each code, shape (U, M); it may be infinite."""
        return np.maximum(self._surprise - self._log_likelihood(joint, 1.0), 0.0)

    def sweep(self, joint: np.ndarray, beta: float) -> tuple[float, np.ndarray, np.ndarray]:
        r"""Return the bound at a joint p(z, y), the best encoder given it, and that encoder's joint.

        The bound is :math:`-\sum_x p(x) \log \sum_z r(z) e^{\beta \sum_y p(y|x) \log q(y|z)}` in nats; less the
        constant :math:`\beta H(Y)` it is at least :math:`I(X;Z) - \beta I(Y;Z)` of the encoder returned. A code that is
        not used stays unused, and no row takes a code that never meets one of the row's labels.
        """
        with np.errstate(divide="ignore"):
            log_r = np.log(joint.sum(1))
        score = self._log_likelihood(joint, beta)
        score += log_r
        top = score.max(1, keepdims=True)
        if np.isinf(top).any():
            # a row that fits no code has no weight, or one that underflows: it follows the others
            lost = np.isinf(top[:, 0])
            score[lost], top[lost] = log_r, 0.0
        score -= top
        encoder = np.exp(score, out=score)
        total = encoder.sum(1, keepdims=True)
        encoder /= total
        bound = -float(self.merged.p_x @ (top + np.log(total))[:, 0])
        return bound, encoder, self.joint(encoder)


def make(p_y_given_x: Any, p_x: Any, *, merge: bool = True) -> Table:
    """Return the table of rows p(y|x) and weights p(x), equal rows merged or each row for itself."""
    rows = distributions("p_y_given_x", p_y_given_x, ndim=2)
    weights = row_weights(p_x, len(rows))
    return Table(merge_rows(rows, p_x=weights) if merge else Merged(rows, weights, np.arange(len(rows))), weights)
