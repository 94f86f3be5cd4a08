"""Smoothing strength, number of classes and convention: targets, gradients, and the gap at which the push ends."""

import math
from typing import Any

import torch
from matplotlib.figure import Figure

from lsedu import losses, plots, targets

GRID = {
    "alpha": (0.0, 0.1, 0.5, 0.95),
    "classes": (2, 5, 100),
    "convention": ("all", "others"),
    "gap": (-2.0, 0.0, 4.51, 14.0),
}


def payload() -> dict[str, Any]:
    """Return nothing: the figure has formulas and no data."""
    return {}


def compute(parameters: dict[str, Any], data: dict[str, Any]) -> dict[str, float]:
    """Return what the figure shows.

    Parameters
    ----------
    parameters : dict
        ``alpha`` in [0, 1), ``classes`` K >= 2, ``convention`` and ``gap``, by which the label's logit is above the
        others.
    data : dict
        Unused.

    Returns
    -------
    dict
        Target, prediction and gradient of the label and of each other class, loss and its least value in nats, and
        the gap of the fixed point (infinite at alpha = 0).

    Examples
    --------
    >>> shown = compute({"alpha": 0.1, "classes": 5, "convention": "all", "gap": 0.0}, {})
    >>> round(shown["target_label"], 4), round(shown["target_other"], 4)
    (0.92, 0.02)
    """
    alpha, classes, convention = parameters["alpha"], int(parameters["classes"]), parameters["convention"]
    label = torch.tensor([0])
    p = targets.smooth(label, classes, alpha=alpha, convention=convention, dtype=torch.float64)
    logits = torch.zeros(1, classes, dtype=torch.float64)
    logits[0, 0] = parameters["gap"]
    logits.requires_grad_()
    loss = losses.label_smoothing(logits, label, alpha=alpha, convention=convention)
    (gradient,) = torch.autograd.grad(loss, logits)
    q = logits.detach().softmax(1)
    return {
        "target_label": p[0, 0].item(),
        "target_other": p[0, 1].item(),
        "q_label": q[0, 0].item(),
        "q_other": q[0, 1].item(),
        "gradient_label": gradient[0, 0].item(),
        "gradient_other": gradient[0, 1].item(),
        "loss": loss.item(),
        "least_loss": torch.special.entr(p).sum().item(),
        "fixed_gap": losses.logit_gap(classes, alpha, convention=convention) if alpha > 0 else math.inf,
    }


def fallback() -> Figure:
    """Return the picture for pages without scripts: the gradient on the label's logit over the gap."""
    gaps = [-2 + i / 5 for i in range(81)]
    common = {"classes": 10, "convention": "all"}
    lines = {
        title: torch.tensor(
            [compute({**common, "alpha": alpha, "gap": gap}, {})["gradient_label"] for gap in gaps]
        ).numpy()
        for title, alpha in (("one-hot", 0.0), ("alpha = 0.1", 0.1))
    }
    return plots.curves(gaps, {"gradient on the label's logit, K = 10": lines}, xlabel="gap of the logits")
