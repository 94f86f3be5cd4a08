r"""Blahut-Arimoto for the information bottleneck: accelerated, annealed from fine to coarse, with warm starts.

One sweep is the fixed-point map

.. math:: p(z|x) \propto r(z) \, e^{-\beta \mathrm{KL}(p(y|x) \| q(y|z))}, \quad
   r(z) q(y|z) = \sum_x p(x) p(y|x) p(z|x)

whose bound on the Lagrangian never rises :cite:p:`tishby2000`. Its state is the M x K joint alone, so that Anderson's
mixing, which extrapolates from the last few sweeps, is cheap; a step that would raise the bound is replaced by the
plain sweep.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from lsedu import _check
from lsedu.bottleneck import _table
from lsedu.bottleneck.solution import Curve, Solution
from lsedu.information import Unit, plane_point
from lsedu.information.units import nats_per

MEMORY = 8
"""Sweeps that the extrapolation looks back on."""

ROUNDING = 1e-14
"""A rise of the bound by no more than this is rounding."""


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
    return np.log(np.maximum(joint, _table.FLOOR))


def _solve(
    table: _table.Table, joint: np.ndarray, beta: float, *, tolerance: float, max_iterations: int, accelerate: bool
) -> tuple[np.ndarray, list[float], bool]:
    """Return encoder, bounds (nats, without the constants) and whether it converged, from a joint p(z, y)."""
    if beta <= 1.0:
        encoder = np.tile(joint.sum(1), (len(table.merged.rows), 1))
        return encoder, [beta * table.label_entropy()], True
    history: list[float] = []
    states: list[np.ndarray] = []
    images: list[np.ndarray] = []
    state = joint
    for _ in range(max_iterations):
        bound, encoder, image = table.sweep(state, beta)
        if len(states) > 1 and bound > history[-1] + ROUNDING:
            state = np.exp(images[-1])
            states, images = [], []
            bound, encoder, image = table.sweep(state, beta)
        history.append(bound)
        if np.abs(image - state).max() <= tolerance:
            return encoder, history, True
        if accelerate:
            states, images = [*states[1 - MEMORY :], _log(state)], [*images[1 - MEMORY :], _log(image)]
        state = np.exp(_mix(states, images)) if len(states) > 1 else image
    return encoder, history, False


def _finish(
    table: _table.Table, beta: float, encoder: np.ndarray, history: list[float], converged: bool, unit: Unit
) -> Solution:
    point = plane_point(encoder, table.merged.rows, p_x=table.merged.p_x, unit=unit)
    bounds = (np.array(history) - beta * table.label_entropy()) / nats_per(unit)
    return Solution(beta, point, encoder, table.merged.inverse, bounds, converged)


def _settings(tolerance: float, max_iterations: int) -> None:
    _check.real_in("tolerance", tolerance, 0.0, 1.0, open_low=True)
    if isinstance(max_iterations, bool) or not isinstance(max_iterations, int | np.integer) or max_iterations < 1:
        raise ValueError(f"max_iterations must be an integer >= 1, got {max_iterations!r}")


def blahut_arimoto(
    p_y_given_x: Any,
    *,
    beta: float,
    p_x: Any = None,
    codes: int | None = None,
    start: Any = None,
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
        Multiplier of I(Y;Z), >= 0. At beta <= 1 the data processing inequality makes the trivial encoder best, and it
        is returned at once.
    p_x : array-like or Tensor, shape (N,), optional
        Distribution over the rows; uniform by default.
    codes : int, optional
        Number M of values of Z; K by default.
    start : array-like or Tensor, shape (N, M), optional
        Encoder to start from; p(y|x), slightly softened, by default. A code that `start` never uses stays unused.
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
        For rows that are no distributions, a negative beta, or options out of range.

    Notes
    -----
    :cite:p:`tishby2000`, equations 28 to 31. The problem is not convex: what is found is a fixed point, and `curve`
    reaches better ones for small beta by coming down from large.

    Examples
    --------
    >>> solution = blahut_arimoto([[0.9, 0.1], [0.1, 0.9]], beta=50.0, unit="bits")
    >>> round(solution.point.i_y, 3), bool((np.diff(solution.history) <= 0).all())
    (0.531, True)
    """
    nats_per(unit)
    beta = _check.real_in("beta", beta, 0.0, np.inf, open_high=True)
    _settings(tolerance, max_iterations)
    table = _table.make(p_y_given_x, p_x)
    joint = table.joint(_table.first_encoder(table, codes, start))
    options = {"tolerance": tolerance, "max_iterations": max_iterations, "accelerate": accelerate}
    return _finish(table, beta, *_solve(table, joint, beta, **options), unit)


def curve(
    p_y_given_x: Any,
    *,
    betas: Any,
    p_x: Any = None,
    codes: int | None = None,
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
        Multipliers >= 0, in any order.

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
    From fine to coarse, codes merge where they should and no symmetry has to be broken. Afterwards, a beta at which the
    solution of another beta has a lower Lagrangian is solved again from there, so that the points lie on a concave
    curve.

    Examples
    --------
    >>> found = curve([[0.9, 0.1], [0.1, 0.9]], betas=[1.0, 2.0, 20.0], unit="bits")
    >>> found.i_y.round(3).tolist()
    [0.0, 0.407, 0.531]
    """
    nats_per(unit)
    betas = [_check.real_in("betas", b, 0.0, np.inf, open_high=True) for b in _check.array("betas", betas, ndim=1)]
    if not betas:
        raise ValueError("betas must hold at least one value, got none")
    _settings(tolerance, max_iterations)
    table = _table.make(p_y_given_x, p_x)
    options = {"tolerance": tolerance, "max_iterations": max_iterations, "accelerate": accelerate}
    joint = table.joint(_table.first_encoder(table, codes, None))
    solutions: dict[int, Solution] = {}
    for i in sorted(range(len(betas)), key=lambda i: -betas[i]):
        solutions[i] = _finish(table, betas[i], *_solve(table, joint, betas[i], **options), unit)
        joint = 0.999999 * table.joint(solutions[i].distinct) + 0.000001 * joint
    for i, beta in enumerate(betas):
        values = [s.point.i_x - beta * s.point.i_y for s in solutions.values()]
        keys = list(solutions)
        best = keys[int(np.argmin(values))]
        if min(values) < solutions[i].objective - 1e-10 and beta > 1.0:
            again = _solve(table, table.joint(solutions[best].distinct), beta, **options)
            solutions[i] = _finish(table, beta, *again, unit)
    return Curve(tuple(solutions[i] for i in range(len(betas))), unit)
