"""The paper's way: a matrix of logits, one row an input, trained by Adam on the Lagrangian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lsedu import _check
from lsedu.bottleneck import _starts, _table
from lsedu.bottleneck.solution import Solution
from lsedu.information import Unit, plane_point
from lsedu.information.units import nats_per

if TYPE_CHECKING:
    import torch


def _lagrangian(logits: torch.Tensor, rows: torch.Tensor, p_x: torch.Tensor, beta: float) -> torch.Tensor:
    """Return I(X;Z) - beta I(Y;Z) in nats, differentiable on the logits."""
    import torch

    log_z = logits.log_softmax(1)
    z = log_z.exp()
    joint = (rows * p_x[:, None]).T @ z
    p_z, p_y = joint.sum(0), joint.sum(1)
    h_z = -torch.special.xlogy(p_z, p_z.clamp_min(1e-300)).sum()
    h_y = -torch.special.xlogy(p_y, p_y.clamp_min(1e-300)).sum()
    h_yz = -torch.special.xlogy(joint, joint.clamp_min(1e-300)).sum()
    return h_z + (p_x[:, None] * z * log_z).sum() - beta * (h_y + h_z - h_yz)


def adam(
    p_y_given_x: Any,
    *,
    beta: float,
    p_x: Any = None,
    codes: int | None = None,
    start: Literal["labels", "random"] = "labels",
    steps: int = 2000,
    lr: float = 0.05,
    merge: bool = True,
    tolerance: float = 0.0,
    generator: torch.Generator | None = None,
    device: torch.device | str = "cpu",
    unit: Unit,
) -> Solution:
    r"""Return the encoder that Adam finds for the Lagrangian.

    Parameters
    ----------
    p_y_given_x : array-like or Tensor, shape (N, K)
        Rows p(y|x).
    beta : float
        Multiplier of I(Y;Z), in [0, 1e300].
    p_x : array-like or Tensor, shape (N,), optional
        Distribution over the rows; uniform by default.
    codes : int, optional
        Number M of values of Z; K by default.
    start : {"labels", "random"}
        Logits at log p(y|x), slightly softened, or drawn from a standard normal. From random logits it can end below
        label smoothing.
    steps : int
        Steps >= 1.
    lr : float
        Learning rate > 0, lowered to 0 along a cosine.
    merge : bool
        Whether equal rows are one row of logits; exact, and faster. The paper has one for each input.
    tolerance : float
        Stop once the Lagrangian, in nats, fell by no more than this over 100 steps; 0 never stops early.
    generator : torch.Generator, optional
        Source of the random start, on the CPU; one seeded with 0 by default.
    device : torch.device or str
        Where to compute, in float64.
    unit : {"nats", "bits"}
        Unit of the result; beta has none.

    Returns
    -------
    Solution
        The last encoder.

    Raises
    ------
    ValueError
        For rows that are no distributions, or options out of range.

    Notes
    -----
    Section 5.2.2 of :cite:p:`pragmatic-ib`, with beta on the other term. `blahut_arimoto` is faster and more exact.

    Examples
    --------
    >>> found = adam([[0.9, 0.1], [0.1, 0.9]], beta=50.0, steps=200, unit="bits")
    >>> round(found.point.i_y, 2)
    0.53
    """
    import torch

    size = nats_per(unit)
    beta = _check.real_in("beta", beta, 0.0, _table.LARGEST)
    lr = _check.real_in("lr", lr, 0.0, np.inf, open_low=True, open_high=True)
    _check.one_of("start", start, ("labels", "random"))
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise ValueError(f"steps must be an integer >= 1, got {steps!r}")
    table = _table.make(p_y_given_x, p_x, merge=merge)
    first = torch.from_numpy(_starts.labels(table, codes))
    if start == "labels":
        logits = first.log()
    else:
        draws = torch.Generator().manual_seed(0) if generator is None else generator
        logits = torch.randn(first.shape, dtype=torch.float64, device="cpu", generator=draws)
    device = _check.device("device", device)
    logits = logits.to(device).requires_grad_()
    rows = torch.from_numpy(table.merged.rows).to(device)
    weights = torch.from_numpy(table.merged.p_x).to(device)
    optimiser = torch.optim.Adam([logits], lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, int(steps))
    history: list[float] = []
    converged = False
    for step in range(int(steps)):
        optimiser.zero_grad()
        loss = _lagrangian(logits, rows, weights, beta)
        loss.backward()
        optimiser.step()
        schedule.step()
        history.append(float(loss.detach()))
        converged = tolerance > 0 and step >= 100 and history[-101] - history[-1] <= tolerance
        if converged:
            break
    encoder = logits.detach().softmax(1).cpu().numpy()
    point = plane_point(encoder, table.merged.rows, p_x=table.merged.p_x, unit=unit)
    return Solution(beta, point, encoder, table.merged.inverse, np.array(history) / size, converged)
