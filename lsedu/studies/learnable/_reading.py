"""Reading a Q-matrix: whose row is like whose confusion, how uneven it is, and what it says of a wrong answer."""

import numpy as np
import torch
from torch import Tensor


def off_diagonal(matrix: np.ndarray) -> np.ndarray:
    """Return the entries of a square matrix that are not on its diagonal, row by row.

    Examples
    --------
    >>> off_diagonal(np.array([[1, 2], [3, 4]])).tolist()
    [2, 3]
    """
    return matrix[~np.eye(len(matrix), dtype=bool)]


def confusion(logits: Tensor, labels: Tensor) -> np.ndarray:
    """Return how many pictures of each class (a row) are taken for which, int32 (K, K), of logits (N, K)."""
    k = logits.shape[1]
    return torch.bincount(labels * k + logits.argmax(1), minlength=k**2).view(k, k).cpu().numpy().astype(np.int32)


def shares(counts: np.ndarray) -> np.ndarray:
    """Return the rows of a table of counts, each divided by its sum; a row without any stays 0.

    Examples
    --------
    >>> shares(np.array([[3, 1], [0, 0]])).tolist()
    [[0.75, 0.25], [0.0, 0.0]]
    """
    sums = counts.sum(1, keepdims=True)
    return np.divide(counts, sums, out=np.zeros(counts.shape), where=sums > 0)


def to_others(table: np.ndarray) -> np.ndarray:
    """Return a table (K, K) with its diagonal set to 0 and its rows in proportion, as `shares` has them.

    Examples
    --------
    >>> to_others(np.array([[0.8, 0.2, 0.0], [0.0, 1.0, 0.0], [0.25, 0.25, 0.5]])).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.5, 0.5, 0.0]]
    """
    return shares(np.where(np.eye(len(table), dtype=bool), 0.0, table))


def likeness(table: np.ndarray, other: np.ndarray) -> float:
    """Return the correlation of two tables' entries off the diagonal, rows scaled to sum 1 there.

    Parameters
    ----------
    table, other : ndarray, shape (K, K)

    Returns
    -------
    float
        In [-1, 1]; 0 if one of them has equal entries only.
    """
    a, b = (shares(off_diagonal(found).reshape(len(found), -1).astype(float)).ravel() for found in (table, other))
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def ranks(values: np.ndarray) -> np.ndarray:
    """Return the ranks of values (..., K) along the last axis, from 1 up, equal values sharing their mean.

    Examples
    --------
    >>> ranks(np.array([0.2, 0.7, 0.2])).tolist()
    [1.5, 3.0, 1.5]
    """
    below = (values[..., None, :] < values[..., :, None]).sum(-1)
    equal = (values[..., None, :] == values[..., :, None]).sum(-1)
    return below + (equal + 1) / 2


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's correlation of two rows, 0 where one of them has equal entries only.

    Examples
    --------
    >>> rank_correlation(np.array([1, 2, 9]), np.array([0.1, 0.3, 0.2]))
    0.5
    """
    left, right = ranks(a), ranks(b)
    left, right = left - left.mean(), right - right.mean()
    size = float(np.sqrt((left**2).sum() * (right**2).sum()))
    return float((left * right).sum()) / size if size else 0.0


def row_likeness(table: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Return how alike two tables' rows rank the other classes, and how alike rows of different classes do.

    Parameters
    ----------
    table, other : ndarray, shape (K, K)
        K >= 4; the diagonals do not count.

    Returns
    -------
    same : float
        Mean over the classes of the rank correlation of their two rows, in [-1, 1].
    shuffled : float
        The same for the row of one class and that of another, mean over all such pairs and over the classes that are
        neither. What exceeds it is not the popularity of some classes with all rows.

    Examples
    --------
    >>> alike = np.array([[0, 3, 2, 1], [3, 0, 1, 2], [2, 1, 0, 3], [1, 2, 3, 0]])
    >>> row_likeness(alike, 10 * alike)
    (1.0, -1.0)
    """
    k = len(table)
    own, strange = [], []
    for i in range(k):
        for j in range(k):
            others = [c for c in range(k) if c not in (i, j)]
            (own if i == j else strange).append(rank_correlation(table[i, others], other[j, others]))
    return float(np.mean(own)), float(np.mean(strange))


def row_unevenness(table: np.ndarray) -> float:
    """Return by how much the entries of a row differ, off the diagonal: 0 where all classes are equally near.

    It is the standard deviation over all rows, each scaled to mean 1.

    Examples
    --------
    >>> row_unevenness(np.array([[0.0, 0.2, 0.6], [0.5, 0.0, 0.5], [0.3, 0.3, 0.0]])).__round__(6)
    0.288675
    """
    rows = off_diagonal(table).reshape(len(table), -1)
    return float((rows / rows.mean(1, keepdims=True)).std())


def guessed(table: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Return which class is meant where an answer is wrong: the largest of the answer's row, itself left out.

    Examples
    --------
    >>> guessed(np.array([[0.9, 0.1, 0.2], [0.3, 0.0, 0.1], [0.2, 0.1, 0.5]]), np.array([0, 2, 1])).tolist()
    [2, 0, 0]
    """
    others = np.where(np.eye(len(table), dtype=bool), -np.inf, table)
    return others.argmax(1)[answers]


def meant(table: np.ndarray, logits: Tensor, labels: Tensor, seen: np.ndarray) -> dict[str, float]:
    """Return how often a guess at the class meant is right, over the pictures that are answered wrongly.

    Parameters
    ----------
    table : ndarray, shape (K, K)
        The Q-matrix.
    logits, labels : Tensor, shapes (N, K) and (N,)
        Of the test set.
    seen : ndarray, shape (K, K)
        Confusion of held-out pictures, from which two of the guesses are drawn.

    Returns
    -------
    dict of str to float
        ``q``: the largest of the answer's row of Q. ``prior``: the class that is most often missed among the held-out
        pictures, or the second such where the first is the answer. ``table``: the class of most held-out pictures with
        this answer. ``second``: the second largest logit. All 0 where no picture is answered wrongly.
    """
    two = logits.topk(2, dim=1).indices.cpu().numpy()
    true = labels.cpu().numpy()
    wrong = two[:, 0] != true
    if not wrong.any():
        return dict.fromkeys(("q", "prior", "table", "second"), 0.0)
    answers, right = two[wrong, 0], true[wrong]
    missed = np.where(np.eye(len(seen), dtype=bool), 0, seen)
    guesses = {
        "q": guessed(table, answers),
        "prior": guessed(np.tile(missed.sum(1), (len(seen), 1)), answers),
        "table": guessed(missed.T, answers),
        "second": two[wrong, 1],
    }
    return {name: float((guess == right).mean()) for name, guess in guesses.items()}
