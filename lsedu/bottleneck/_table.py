"""The table a solver works on: merged rows, their weights, and one sweep of Blahut-Arimoto."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lsedu.information import Merged, merge_rows
from lsedu.information._inputs import distributions, xlogy

FLOOR = 1e-300
"""Least probability whose logarithm is taken: below it a code is as good as unused."""


@dataclass(frozen=True)
class Table:
    """A table p(y|x) with equal rows merged, and what every sweep needs of it."""

    merged: Merged

    @property
    def size(self) -> int:
        """Number of classes K."""
        return self.merged.rows.shape[1]

    def joint(self, encoder: np.ndarray) -> np.ndarray:
        """Return p(z, y) of an encoder over the distinct rows, shape (M, K)."""
        return (encoder * self.merged.p_x[:, None]).T @ self.merged.rows

    def sweep(self, joint: np.ndarray, beta: float) -> tuple[float, np.ndarray, np.ndarray]:
        r"""Return the bound at a joint p(z, y), the best encoder given it, and that encoder's joint.

        The bound is :math:`-\sum_x p(x) \log \sum_z r(z) e^{\beta \sum_y p(y|x) \log q(y|z)}` in nats; less the
        constant :math:`\beta H(Y)` it is at least :math:`I(X;Z) - \beta I(Y;Z)` of the encoder returned.
        """
        log_r = np.log(np.maximum(joint.sum(1), FLOOR))
        log_q = np.log(np.maximum(joint, FLOOR)) - log_r[:, None]
        score = self.merged.rows @ (beta * log_q.T)
        score += log_r
        top = score.max(1, keepdims=True)
        score -= top
        encoder = np.exp(score, out=score)
        total = encoder.sum(1, keepdims=True)
        encoder /= total
        bound = -float(self.merged.p_x @ (top + np.log(total))[:, 0])
        return bound, encoder, self.joint(encoder)

    def label_entropy(self) -> float:
        """Return H(Y) in nats."""
        p_y = self.merged.p_x @ self.merged.rows
        return -float(xlogy(p_y, p_y).sum())


def make(p_y_given_x: Any, p_x: Any) -> Table:
    """Return the merged table of rows p(y|x) and weights p(x); rows of weight 0 take no part in a sweep's sums."""
    rows = distributions("p_y_given_x", p_y_given_x, ndim=2)
    return Table(merge_rows(rows, p_x=p_x))


def first_encoder(table: Table, codes: int | None, start: Any) -> np.ndarray:
    """Return the encoder to start from, over the distinct rows.

    By default p(z|x) = p(y|x), a thousandth of it spread over all codes so that none is shut out; with more codes than
    classes each class is split unevenly between codes, with fewer they are folded onto them. A `start` is an
    encoder over all N rows; rows that are merged are averaged.
    """
    rows = table.merged.rows
    if start is not None:
        given = distributions("start", start, ndim=2)
        if len(given) != len(table.merged.inverse):
            raise ValueError(f"start must have {len(table.merged.inverse)} rows, got shape {given.shape}")
        if codes is not None and given.shape[1] != codes:
            raise ValueError(f"start must have {codes} columns, got shape {given.shape}")
        sums = np.zeros((len(rows), given.shape[1]))
        np.add.at(sums, table.merged.inverse, given)
        return sums / sums.sum(1, keepdims=True)
    m = table.size if codes is None else codes
    if isinstance(m, bool) or not isinstance(m, int | np.integer) or m < 1:
        raise ValueError(f"codes must be an integer >= 1, got {codes!r}")
    encoder = np.zeros((len(rows), m))
    if m <= table.size:
        for k in range(table.size):
            encoder[:, k % m] += rows[:, k]
    else:
        index = np.arange(len(rows))
        for z in range(m):
            encoder[:, z] = rows[:, z % table.size] * (1.0 + 0.5 * np.sin(z + (1 + z // table.size) * index))
        encoder /= encoder.sum(1, keepdims=True)
    return 0.999 * encoder + 0.001 / m
