r"""Blahut-Arimoto for the information bottleneck: accelerated, annealed from fine to coarse, with warm starts.

One sweep is the fixed-point map

.. math:: p(z|x) \propto r(z) \, e^{-\beta \mathrm{KL}(p(y|x) \| q(y|z))}, \quad
   r(z) q(y|z) = \sum_x p(x) p(y|x) p(z|x)

whose bound on the Lagrangian never rises :cite:p:`tishby2000`. Its state is the M x K joint alone, so that Anderson's
mixing, which extrapolates from the last few sweeps, is cheap; a step that would raise the bound is replaced by the
plain sweep.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from lsedu import _check
from lsedu.bottleneck import _starts, _table
from lsedu.bottleneck.solution import Curve, Solution
from lsedu.information import Unit, plane_point
from lsedu.information.units import nats_per

MEMORY = 8
"""Sweeps that the extrapolation looks back on."""

ROUNDING = 1e-14
"""A rise of the bound by no more than this, or this part of the bound, is rounding."""

LEAK = 1e-6
"""Share of the joint before that a warm start keeps, so that a code given up can come back."""

SETTLED = 1e-10
"""Part of beta by which a Lagrangian must fall to count as lower."""

FLOOR = 1e-300
"""Least probability whose logarithm is mixed; an exact 0 stays 0."""


def _mix(states: list[np.ndarray], images: list[np.ndarray]) -> np.ndarray:
    """Return Anderson's extrapolation of log joints, weighed by the probability each entry carries; it sums to one."""
    weight = np.sqrt(np.exp(images[-1])).ravel()
    residuals = [(image - state).ravel() * weight for state, image in zip(states, images)]
    steps = np.stack([later - earlier for earlier, later in pairwise(residuals)], axis=1)
    coefficients = np.linalg.lstsq(steps, residuals[-1], rcond=1e-12)[0]
    result = images[-1].copy()
    for c, earlier, later in zip(coefficients, images, images[1:]):
        result -= c * (later - earlier)
    result = np.clip(result, images[-1] - 20.0, images[-1] + 20.0)
    result -= result.max()
    return result - np.log(np.exp(result).sum())


def _log(joint: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(joint, FLOOR))


def _solve(
    table: _table.Table, joint: np.ndarray, beta: float, *, tolerance: float, max_iterations: int, accelerate: bool
) -> tuple[np.ndarray, list[float], bool]:
    """Return encoder, bounds (nats, without the constants) and whether it converged, from a joint p(z, y)."""
    if beta <= 1.0:
        encoder = np.tile(joint.sum(1), (len(table.merged.rows), 1))
        return encoder, [beta * table.label_entropy], True
    history: list[float] = []
    states: list[np.ndarray] = []
    images: list[np.ndarray] = []
    state = image = joint
    for _ in range(max_iterations):
        plain = image
        bound, encoder, image = table.sweep(state, beta)
        if len(states) > 1 and bound > history[-1] + ROUNDING * max(1.0, abs(bound)):
            state = plain
            states, images = [], []
            bound, encoder, image = table.sweep(state, beta)
        history.append(bound)
        if np.abs(image - state).max() <= tolerance:
            return encoder, history, True
        if accelerate:
            states, images = [*states[1 - MEMORY :], _log(state)], [*images[1 - MEMORY :], _log(image)]
        state = np.where(image > 0, np.exp(_mix(states, images)), 0.0) if len(states) > 1 else image
    return encoder, history, False


class _Search:
    """One table and how to search it: from a joint p(z, y) to the solution of a beta."""

    def __init__(self, p_y_given_x: Any, p_x: Any, *, unit: Unit, **options: Any) -> None:
        _check.real_in("tolerance", options["tolerance"], 0.0, 1.0, open_low=True)
        _at_least("max_iterations", options["max_iterations"], 1)
        self.nats, self.unit, self.options = nats_per(unit), unit, options
        self.table = _table.make(p_y_given_x, p_x)

    def solve(self, joint: np.ndarray, beta: float) -> Solution:
        """Return the solution that the sweeps reach from a joint."""
        merged = self.table.merged
        encoder, history, converged = _solve(self.table, joint, beta, **self.options)
        point = plane_point(encoder, merged.rows, p_x=merged.p_x, unit=self.unit)
        bounds = (np.minimum.accumulate(history) - beta * self.table.label_entropy) / self.nats
        return Solution(beta, point, encoder, merged.inverse, bounds, converged)

    def starts(self, first: np.ndarray, restarts: int, generator: np.random.Generator | None) -> Iterator[np.ndarray]:
        """Yield the joints to start from: that of `first`, and of as many encoders drawn as there are restarts."""
        _at_least("restarts", restarts, 0)
        if generator is not None and not isinstance(generator, np.random.Generator):
            raise ValueError(f"generator must be a numpy.random.Generator, got {type(generator).__name__}")
        rng = np.random.default_rng(0) if generator is None else generator
        yield self.table.joint(first)
        for _ in range(restarts):
            yield self.table.joint(_starts.drawn(self.table, first.shape[1], rng))


def _at_least(name: str, value: Any, low: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low:
        raise ValueError(f"{name} must be an integer >= {low}, got {value!r}")


def blahut_arimoto(
    p_y_given_x: Any,
    *,
    beta: float,
    p_x: Any = None,
    codes: int | None = None,
    start: Any = None,
    restarts: int = 0,
    generator: np.random.Generator | None = None,
    tolerance: float = 1e-9,
    max_iterations: int = 5000,
    accelerate: bool = True,
    unit: Unit,
) -> Solution:
    r"""Return an encoder that makes I(X;Z) - beta I(Y;Z) small.

    Parameters
    ----------
    p_y_given_x : array-like or Tensor, shape (N, K)
        Rows p(y|x); equal rows are merged first, which is exact.
    beta : float
        Multiplier of I(Y;Z), in [0, 1e300]. At beta <= 1 the data processing inequality makes the trivial encoder best,
        and it is returned at once.
    p_x : array-like or Tensor, shape (N,), optional
        Distribution over the rows; uniform by default.
    codes : int, optional
        Number M of values of Z; K by default.
    start : array-like or Tensor, shape (N, M), optional
        Encoder to start from. By default p(y|x), slightly softened; with more codes than classes, each row at the
        nearest of M rows that lie far apart. A code that `start` never uses stays unused; rows of weight 0 have no say.
    restarts : int
        Further starts to draw; the solution with the lowest Lagrangian is returned.
    generator : numpy.random.Generator, optional
        Source of the restarts; one seeded with 0 by default.
    tolerance : float
        Stop when a sweep moves no entry of p(z, y) by more.
    max_iterations : int
        Sweeps at most.
    accelerate : bool
        Whether to extrapolate from earlier sweeps.
    unit : {"nats", "bits"}
        Unit of the result; beta has none.

    Returns
    -------
    Solution

    Raises
    ------
    ValueError
        For rows that are no distributions, or a beta or options out of range.

    Notes
    -----
    :cite:p:`tishby2000`, equations 28 to 31. The problem is not convex: what is found is a fixed point that may be a
    local optimum. `restarts` find better ones, and so does `curve`, which comes down from large beta.

    Examples
    --------
    >>> solution = blahut_arimoto([[0.9, 0.1], [0.1, 0.9]], beta=50.0, unit="bits")
    >>> round(solution.point.i_y, 3), bool((np.diff(solution.history) <= 0).all())
    (0.531, True)
    """
    beta = _check.real_in("beta", beta, 0.0, _table.LARGEST)
    options = {"tolerance": tolerance, "max_iterations": max_iterations, "accelerate": accelerate}
    search = _Search(p_y_given_x, p_x, unit=unit, **options)
    table = search.table
    first = _starts.labels(table, codes) if start is None else _starts.given(table, start, codes)
    found = [search.solve(joint, beta) for joint in search.starts(first, restarts, generator)]
    return min(found, key=lambda solution: solution.objective)


def curve(
    p_y_given_x: Any,
    *,
    betas: Any,
    p_x: Any = None,
    codes: int | None = None,
    restarts: int = 0,
    generator: np.random.Generator | None = None,
    tolerance: float = 1e-9,
    max_iterations: int = 5000,
    accelerate: bool = True,
    unit: Unit,
) -> Curve:
    r"""Return the bottleneck curve at many betas, annealed from the largest down with warm starts.

    Parameters
    ----------
    p_y_given_x, p_x, codes, tolerance, max_iterations, accelerate, unit
        As in `blahut_arimoto`.
    betas : array-like, shape (B,)
        Multipliers in [0, 1e300], in any order.
    restarts : int
        Further passes from starts that are drawn; each beta keeps the best it saw.
    generator : numpy.random.Generator, optional
        Source of the restarts; one seeded with 0 by default.

    Returns
    -------
    Curve
        In the order of `betas`.

    Raises
    ------
    ValueError
        As in `blahut_arimoto`, or if `betas` is empty.

    Notes
    -----
    Annealing from fine to coarse merges codes where they should merge, and no symmetry has to be broken. Afterwards a
    beta at which the solution of another beta has a lower Lagrangian is solved again from there, until none has.

    So at its own beta no solution is beaten by another of the curve: the points lie on a concave curve, and neither
    information falls as beta grows. It is not guaranteed that this is *the* bottleneck curve. For each beta the problem
    is not convex, so that every solution is a fixed point that may be a local optimum, and a lower bound of the curve;
    the fewer codes for many unlike rows, the likelier. Restarts, by the seeding of k-means++ :cite:p:`arthur2007`,
    make it less likely. Without contradicting labels the curve is known, see `deterministic_curve`.

    Examples
    --------
    >>> found = curve([[0.9, 0.1], [0.1, 0.9]], betas=[1.0, 2.0, 20.0], unit="bits")
    >>> found.i_y.round(3).tolist()
    [0.0, 0.407, 0.531]
    """
    betas = [_check.real_in("betas", b, 0.0, _table.LARGEST) for b in _check.array("betas", betas, ndim=1).tolist()]
    if not betas:
        raise ValueError("betas must hold at least one value, got none")
    options = {"tolerance": tolerance, "max_iterations": max_iterations, "accelerate": accelerate}
    search = _Search(p_y_given_x, p_x, unit=unit, **options)
    table = search.table
    best: dict[float, Solution] = {}
    for joint in search.starts(_starts.labels(table, codes), restarts, generator):
        for beta in sorted(set(betas), reverse=True):
            found = search.solve(joint, beta)
            best[beta] = min(best.get(beta, found), found, key=lambda solution: solution.objective)
            joint = (1.0 - LEAK) * table.joint(found.distinct) + LEAK * joint
    improved = True
    while improved:
        improved = False
        for beta, own in best.items():
            other = min(best.values(), key=lambda solution: solution.lagrangian(beta))
            if beta > 1.0 and other.lagrangian(beta) < own.objective - SETTLED * beta:
                found = search.solve(table.joint(other.distinct), beta)
                # no sweep raises the Lagrangian, but for rounding
                if found.objective < own.objective:
                    best[beta], improved = found, True
    return Curve(tuple(best[beta] for beta in betas), unit)
