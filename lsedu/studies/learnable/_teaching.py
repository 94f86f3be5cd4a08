"""What teaches a student in a network's place: a table of targets, learned, counted, or with its relations mixed up."""

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lsedu import losses
from lsedu.studies.learnable._methods import ALPHA, RATE
from lsedu.studies.learnable.loss_scale import doubled


def criterion(name: str, num_classes: int) -> Any:
    """Return the criterion of a network that learns from labels.

    Parameters
    ----------
    name : str
        ``one-hot``; ``doubled``, the same at twice the loss; ``ls``; ``lls``, as published; ``half``, with half of its
        loss; or ``own``, with half of the loss, Q's own rate and no decay of Q.
    num_classes : int
    """
    lls = partial(losses.LearnableLabelSmoothing, num_classes, alpha=ALPHA)
    return {
        "one-hot": lambda: losses.cross_entropy,
        "doubled": lambda: doubled,
        "ls": lambda: partial(losses.label_smoothing, alpha=ALPHA),
        "lls": lls,
        "half": partial(lls, half=True),
        "own": partial(lls, half=True, lr_factor=RATE * num_classes, weight_decay=0.0),
    }[name]()


def substitute(q_logits: Tensor) -> losses.SubstituteTeacher:
    """Return the criterion of a student that a Q-matrix teaches, with the paper's settings."""
    return losses.SubstituteTeacher(q_logits, alpha=ALPHA)


def counted(means: np.ndarray) -> Tensor:
    """Return the logits of a Q that nobody learned: mean predictions for each class (K, K), without the label's own.

    Examples
    --------
    >>> counted(np.array([[0.8, 0.1, 0.1], [0.0, 0.5, 0.5], [0.1, 0.2, 0.7]])).softmax(1)[2].numpy().round(4)
    array([0.3333, 0.6667, 0.    ], dtype=float32)
    """
    others = np.where(np.eye(len(means), dtype=bool), 0.0, means)
    return torch.from_numpy(others).clamp(min=1e-45).log().float()


def mixed_up(table: Tensor, *, seed: int) -> Tensor:
    """Return a table (K, K) in which each row's entries off the diagonal have changed places among themselves.

    Every row keeps its label's entry and the sizes of the others: what is lost is which class has which.

    Examples
    --------
    >>> mixed_up(torch.tensor([[5.0, 1.0, 1.0], [2.0, 6.0, 2.0], [3.0, 3.0, 7.0]]), seed=0).tolist()
    [[5.0, 1.0, 1.0], [2.0, 6.0, 2.0], [3.0, 3.0, 7.0]]
    """
    k = len(table)
    draws = np.random.default_rng(seed)
    index = torch.arange(k).repeat(k, 1)
    for row in range(k):
        others = np.delete(np.arange(k), row)
        index[row, others] = torch.from_numpy(draws.permutation(others))
    return table.gather(1, index.to(table.device))
