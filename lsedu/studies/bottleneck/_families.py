"""Families of encoders that a strength moves: smoothing with this prior or that, and its relatives, at their optimum.

Each is the answer that a network gives which can give any (assumption 4.3 of pragmatic-ib): the mean target of an
input over its labels.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from lsedu import bottleneck, information, losses, targets
from lsedu.information import Merged, Point

Encoders = Callable[[float], np.ndarray]


class Family(NamedTuple):
    """Encoders by strength, from `least` to `most`; the most is where I(X;Z) stops falling."""

    encoder: Encoders
    least: float
    most: float


def point(table: Merged, encoder: np.ndarray) -> Point:
    """Return the point of an encoder over the distinct rows, in bits."""
    return information.plane_point(encoder, table.rows, p_x=table.p_x, unit="bits")


def class_means(table: Merged) -> np.ndarray:
    """Return the mean row of p(y|x) over the inputs whose majority label is each class, shape (K, K)."""
    own = np.eye(table.rows.shape[1])[table.rows.argmax(1)] * table.p_x[:, None]
    return _stochastic(own.T @ table.rows)


def confusion(table: Merged) -> np.ndarray:
    """Return p(y'|y) of two annotators who look at the same input, shape (K, K)."""
    return _stochastic((table.rows * table.p_x[:, None]).T @ table.rows)


def others(matrix: np.ndarray) -> np.ndarray:
    """Return the matrix without its diagonal, each row a distribution; a row with nothing else is even."""
    off = matrix * (1.0 - np.eye(len(matrix)))
    even = (1.0 - np.eye(len(matrix))) / (len(matrix) - 1)
    return np.where(off.sum(1, keepdims=True) > 0, _stochastic(off), even)


def _stochastic(matrix: np.ndarray) -> np.ndarray:
    total = matrix.sum(1, keepdims=True)
    return np.divide(matrix, total, out=np.full_like(matrix, 1.0 / matrix.shape[1]), where=total > 0)


def smoothing(rows: np.ndarray, prior: np.ndarray) -> Encoders:
    """Return smoothing of labels drawn from `rows` (N, K), with a row of `prior` (K, K) for each label."""
    labels, q = torch.arange(len(prior)), torch.from_numpy(prior)

    def encoder(alpha: float) -> np.ndarray:
        each = targets.smooth(labels, len(prior), alpha=alpha, prior=q, dtype=torch.float64)
        return rows @ each.numpy()

    return encoder


def zipf(table: Merged) -> Encoders:
    """Return the mixture of each label with Zipf's law over the others, ranked by p(y|x)."""
    scores = torch.from_numpy(np.log(np.maximum(table.rows, 1e-12)))
    laws = [
        targets.zipf(scores, torch.full((len(scores),), k)).numpy() * table.rows[:, k : k + 1]
        for k in range(scores.shape[1])
    ]
    tail = np.sum(laws, axis=0)
    return lambda alpha: (1.0 - alpha) * table.rows + alpha * tail


def online(table: Merged, *, passes: int) -> Encoders:
    """Return where online smoothing settles: its table is the mean answer to the inputs that it gets right."""
    size = table.rows.shape[1]

    def encoder(alpha: float) -> np.ndarray:
        means = np.full((size, size), 1.0 / size)
        for _ in range(passes):
            answers = smoothing(table.rows, means)(alpha)
            right = table.rows * table.p_x[:, None] * np.eye(size)[answers.argmax(1)]
            means, before = _stochastic(right.T @ answers), means
            if np.abs(means - before).max() < 1e-12:
                break
        return answers

    return encoder


def temperature(table: Merged) -> Encoders:
    """Return p(y|x) at a temperature: a teacher that knows the annotators, made softer."""

    def encoder(t: float) -> np.ndarray:
        return _stochastic(table.rows ** (1.0 / t))

    return encoder


def families(table: Merged, *, passes: int) -> dict[str, Family]:
    """Return the families by name."""
    rows, size = table.rows, table.rows.shape[1]
    majority, even = np.eye(size)[rows.argmax(1)], np.full((size, size), 1.0 / size)
    means, confused = class_means(table), others(confusion(table))
    root = _stochastic(np.sqrt(confused))
    return {
        "uniform": Family(smoothing(rows, even), 0.0, 1.0),
        "means": Family(smoothing(rows, means), 0.0, 1.0),
        "means-others": Family(smoothing(rows, others(means)), 0.0, 0.6),
        "confusion": Family(smoothing(rows, confused), 0.0, 0.6),
        "confusion-root": Family(smoothing(rows, root), 0.0, 0.7),
        "majority": Family(smoothing(majority, even), 0.0, 1.0),
        "majority-confusion": Family(smoothing(majority, confused), 0.0, 0.6),
        "sharper-confusion": Family(smoothing(temperature(table)(0.5), confused), 0.0, 0.6),
        "zipf": Family(zipf(table), 0.0, 0.9),
        "online": Family(online(table, passes=passes), 0.0, 0.99),
        "temperature": Family(temperature(table), 1.0, 3.0),
    }


def at_rate(table: Merged, family: Family, rate: float) -> tuple[float, Point] | None:
    """Return the strength at which a family has this I(X;Z), in bits, and its point; None if it never has."""
    low, high = family.least, family.most
    if not point(table, family.encoder(high)).i_x <= rate <= point(table, family.encoder(low)).i_x + 1e-9:
        return None
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if point(table, family.encoder(middle)).i_x > rate else (low, middle)
    return low, point(table, family.encoder(low))


def best_matrix(table: Merged, *, betas: tuple[float, ...], steps: int) -> tuple[list[Point], list[np.ndarray]]:
    """Return points and matrices, by falling beta, of the smoothing matrix (K, K) that the Lagrangian likes best.

    Each row is a free target of a label, so that every smoothing with a row for each label, at every strength, is
    among them: no learned Q can do better. Annealed from one-hot targets down, by Adam; a local optimum at worst.
    """
    from torch.optim import Adam

    size = table.rows.shape[1]
    rows, weights = torch.from_numpy(table.rows), torch.from_numpy(table.p_x)
    matrix = torch.eye(size, dtype=torch.float64)
    points, matrices = [], []
    for beta in sorted(betas, reverse=True):
        logits = (0.99 * matrix + 0.01 / size).log().requires_grad_()
        adam = Adam([logits], lr=0.05)
        for _ in range(steps):
            z = rows @ logits.softmax(1)
            joint = (rows * weights[:, None]).T @ z
            h_z = -torch.special.xlogy(joint.sum(0), joint.sum(0)).sum()
            h_x = h_z + (weights[:, None] * torch.special.xlogy(z, z)).sum()
            h_y = h_z + torch.special.xlogy(joint, joint).sum()
            adam.zero_grad()
            (h_x - beta * h_y).backward()
            adam.step()
        matrix = logits.detach().softmax(1)
        matrices.append(matrix.numpy())
        points.append(point(table, table.rows @ matrices[-1]))
    return points, matrices


def learnable(table: Merged, *, alpha: float, steps: int) -> tuple[Point, np.ndarray]:
    """Return the point of learnable smoothing's free answers on the table, and its Q (K, K), learned with them."""
    index, label = np.nonzero(table.rows)
    weights = torch.from_numpy(table.p_x[index] * table.rows[index, label])
    size = table.rows.shape[1]
    logits = torch.from_numpy(np.log(np.maximum(table.rows, 1e-3))).requires_grad_()
    q = torch.zeros(size, size, dtype=torch.float64, requires_grad=True)
    x, y = torch.from_numpy(index), torch.from_numpy(label)
    optimiser = torch.optim.Adam([logits, q], lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        optimiser.zero_grad()
        each = losses.learnable_smoothing(logits[x], y, q, alpha=alpha, reduction="none")
        (each * weights).sum().backward()
        optimiser.step()
        schedule.step()
    return point(table, logits.detach().softmax(1).numpy()), q.detach().softmax(1).numpy()


def curve_at(table: Merged, rate: float) -> float:
    """Return I(Y;Z) of the curve with K codes at a rate, in bits; more is not needed for less."""
    found = bottleneck.constrained(table.rows, p_x=table.p_x, rate=rate, unit="bits")
    return found.point.i_y
