"""Three classes on a triangle: the pull on the logits with and without smoothing, and the flow along it."""

from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from lsedu import losses, plots

GRID = {"first": (-4.0, 1.3), "second": (-2.0, 4.0), "alpha": (0.0, 0.3, 0.9), "time": (0.1, 2.96, 50.0)}
STEP = 0.1


def payload() -> dict[str, Any]:
    """Return nothing: the figure has formulas and no data."""
    return {}


def gradient(logits: np.ndarray, alpha: float) -> np.ndarray:
    """Return the gradient of the smoothing loss on three logits, the label being the first."""
    z = torch.tensor(logits, dtype=torch.float64)[None].requires_grad_()
    (found,) = torch.autograd.grad(losses.label_smoothing(z, torch.tensor([0]), alpha=alpha), z)
    return found[0].numpy()


def flow(start: np.ndarray, alpha: float, steps: int) -> np.ndarray:
    """Return the logits at times 0, STEP, ..., shape (steps + 1, 3), by the classical Runge-Kutta rule."""
    target = np.array([1 - alpha + alpha / 3, alpha / 3, alpha / 3])

    def push(z: np.ndarray) -> np.ndarray:
        e = np.exp(z - z.max())
        return target - e / e.sum()

    path = [np.asarray(start, dtype=float)]
    for _ in range(steps):
        z = path[-1]
        a = push(z)
        b = push(z + STEP / 2 * a)
        c = push(z + STEP / 2 * b)
        d = push(z + STEP * c)
        path.append(z + STEP / 6 * (a + 2 * b + 2 * c + d))
    return np.array(path)


def compute(parameters: dict[str, float], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows.

    Parameters
    ----------
    parameters : dict
        Logits ``first`` (the label's) and ``second``, the third being 0; ``alpha`` in [0, 1]; ``time`` >= 0, rounded
        to a multiple of the step.
    data : dict
        Unused.

    Returns
    -------
    dict
        ``q`` at the start, ``gradient`` and ``gradient_smoothed`` there, ``later`` and ``later_smoothed`` predictions
        at that time, and both gaps of the label's logit to the mean of the others.

    Examples
    --------
    >>> shown = compute({"first": 0.0, "second": 0.0, "alpha": 0.3, "time": 200.0}, {})
    >>> round(shown["later_smoothed"][0], 6)  # the target, 1 - 0.3 + 0.1
    0.8
    """
    start = np.array([parameters["first"], parameters["second"], 0.0])
    steps = round(parameters["time"] / STEP)
    ends = [flow(start, alpha, steps)[-1] for alpha in (0.0, parameters["alpha"])]
    softmax = [np.exp(z - z.max()) / np.exp(z - z.max()).sum() for z in (start, *ends)]
    gaps = [float(z[0] - z[1:].mean()) for z in ends]
    return {
        "q": softmax[0].tolist(),
        "gradient": gradient(start, 0.0).tolist(),
        "gradient_smoothed": gradient(start, parameters["alpha"]).tolist(),
        "later": softmax[1].tolist(),
        "later_smoothed": softmax[2].tolist(),
        "gap": gaps[0],
        "gap_smoothed": gaps[1],
    }


def fallback() -> Figure:
    """Return the picture for pages without scripts: both gaps over time, from the figure's first setting."""
    steps = np.unique(np.round(np.geomspace(1, 2000, 80)).astype(int))
    paths = {
        title: flow(np.array([-1.0, 1.5, 0.0]), alpha, 2000)
        for title, alpha in (("one-hot", 0.0), ("alpha = 0.3", 0.3))
    }
    lines = {title: path[steps, 0] - path[steps, 1:].mean(1) for title, path in paths.items()}
    panel = "gap of the label's logit to the mean of the others"
    return plots.curves(steps * STEP, {panel: lines}, xlabel="time", logx=True)
