"""The nine losses of the ablation table: which of them are one loss to the network, which to Q, and what they reach."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lsedu import losses, training
from lsedu.studies._scores import right
from lsedu.studies.learnable._methods import ALPHA

#: In the order of the table.
ROWS = tuple(losses.VARIANTS)


def on_network(row: str) -> tuple[float, float, float]:
    """Return the multipliers of the terms that the network feels: rows that agree here have one gradient on it."""
    c = losses.VARIANTS[row]
    return c.fce, c.rce, c.pred_em


def on_q(row: str) -> tuple[float, float, float]:
    """Return the multipliers of the terms that Q feels: rows that agree here have one gradient on it."""
    c = losses.VARIANTS[row]
    return c.fce, c.rce, c.target_em


def makers(num_classes: int, **options: Any) -> dict[str, Callable[[], losses.LearnableLabelSmoothing]]:
    """Return a maker of the criterion of each row; `options` go to all of them."""
    return {
        row: partial(losses.LearnableLabelSmoothing, num_classes, alpha=ALPHA, variant=row, **options) for row in ROWS
    }


def sureness(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Return what a network says of pictures.

    Returns
    -------
    dict of str to float
        ``accuracy``; ``sure``, the mean largest probability; ``stuck``, the share of pictures whose label has less
        than a tenth of an even share.

    Examples
    --------
    >>> found = sureness(torch.tensor([[0.96, 0.02, 0.02], [0.2, 0.7, 0.1]]).log(), torch.tensor([2, 1]))
    >>> {name: round(value, 2) for name, value in found.items()}
    {'accuracy': 0.5, 'sure': 0.83, 'stuck': 0.5}
    """
    probs = logits.double().softmax(1)
    top, answers = probs.max(1)
    own = probs.gather(1, labels[:, None])[:, 0]
    return {
        "accuracy": (answers == labels).double().mean().item(),
        "sure": top.mean().item(),
        "stuck": (own < 0.1 / logits.shape[1]).double().mean().item(),
    }


def looked(model: nn.Module, x: Tensor, y: Tensor, x_test: Tensor, y_test: Tensor) -> dict[str, float]:
    """Return the accuracy on test pictures, and under ``training/`` what is said of the training pictures."""
    test = training.predict(model, x_test)
    said = sureness(training.predict(model, x), y)
    accuracy = right(test, y_test)
    return {"accuracy": accuracy} | {f"training/{name}": value for name, value in said.items()}


def at_start(num_classes: int, row: str) -> np.ndarray:
    """Return a row's gradient (K,) on the logits where prediction and Q are even, the label first.

    Examples
    --------
    >>> at_start(10, "fce-only").round(2).tolist()[:2]
    [-0.81, 0.09]
    >>> float(at_start(100, "reverse-kl")[0] / at_start(100, "fce-only")[0]).__round__(4)  # log(901) / 90
    0.0756
    """
    z = torch.zeros(1, num_classes, dtype=torch.float64, requires_grad=True)
    even = torch.zeros(num_classes, num_classes, dtype=torch.float64)
    losses.learnable_smoothing(z, torch.tensor([0]), even, alpha=ALPHA, variant=row).backward()
    return z.grad[0].numpy()
