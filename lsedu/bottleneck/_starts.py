"""Where a solver starts: an encoder given, one made of the labels, or one drawn."""

from typing import Any

import numpy as np

from lsedu.bottleneck._table import Table
from lsedu.information._inputs import distributions

SOFT = 0.001
"""Share of every row that is spread over all codes, so that none is shut out."""


def _soften(encoder: np.ndarray) -> np.ndarray:
    return (1.0 - SOFT) * encoder + SOFT / encoder.shape[1]


def given(table: Table, start: Any, codes: int | None) -> np.ndarray:
    """Return a `start` over all N rows as an encoder over the distinct rows.

    Raises
    ------
    ValueError
        If it is no encoder, has not N rows, or not `codes` columns where they are given.
    """
    encoder = distributions("start", start, ndim=2)
    if len(encoder) != len(table.weights):
        raise ValueError(f"start must have {len(table.weights)} rows, got shape {encoder.shape}")
    if codes is not None and encoder.shape[1] != codes:
        raise ValueError(f"start must have {codes} columns, got shape {encoder.shape}")
    return table.average(encoder)


def labels(table: Table, codes: int | None) -> np.ndarray:
    """Return p(z|x) = p(y|x), slightly softened, as an encoder over the distinct rows.

    With fewer codes than classes, classes are folded onto them. With more, each row goes to the nearest of as many
    rows as there are codes, chosen one after the other where the most is lost so far.
    """
    m = table.size if codes is None else codes
    if isinstance(m, bool) or not isinstance(m, int | np.integer) or m < 1:
        raise ValueError(f"codes must be an integer >= 1, got {codes!r}")
    rows = table.merged.rows
    if m > table.size:
        return _nearest(table, m, lambda loss: int(loss.argmax()))
    encoder = np.zeros((len(rows), m))
    for k in range(table.size):
        encoder[:, k % m] += rows[:, k]
    return _soften(encoder)


def drawn(table: Table, codes: int, generator: np.random.Generator) -> np.ndarray:
    """Return a random encoder: each row goes to the nearest of `codes` rows drawn by what is lost without them.

    Notes
    -----
    The seeding of k-means++ with the bottleneck's own divergence :cite:p:`arthur2007`.
    """
    return _nearest(table, codes, lambda loss: int(generator.choice(len(loss), p=loss / loss.sum())))


def _nearest(table: Table, codes: int, choose: Any) -> np.ndarray:
    """Return the softened encoder that takes each row to the nearest of `codes` rows picked by `choose`."""
    rows, weights = table.merged.rows, table.merged.p_x
    loss, nearest, least = weights, np.zeros(len(rows), dtype=int), np.full(len(rows), np.inf)
    for z in range(min(codes, len(rows))):
        pick = choose(loss)
        gaps = table.divergences(_soften(rows[[pick]]))[:, 0]
        gaps[pick] = 0.0
        nearest = np.where(gaps < least, z, nearest)
        least = np.minimum(least, gaps)
        loss = weights * least
        if loss.sum() <= 0:
            break
    encoder = np.zeros((len(rows), codes))
    encoder[np.arange(len(rows)), nearest] = 1.0
    return _soften(encoder)
