"""What an augmentation takes and gives."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor


class Batch(NamedTuple):
    """Images and what they are labelled with.

    Attributes
    ----------
    images : Tensor, floating point, shape (N, C, H, W)
        In [0, 1].
    labels : Tensor, integer, shape (N,)
    others : Tensor, integer, shape (N,), or None
        Labels of the partners that were mixed in.
    share : Tensor, shape (), or None
        Weight of `labels` in [0, 1]; `others` have the rest.
    """

    images: Tensor
    labels: Tensor
    others: Tensor | None = None
    share: Tensor | None = None


class Augmentation(Protocol):
    """A random change of a batch."""

    kind: str

    def __call__(self, batch: Batch, *, generator: torch.Generator) -> Batch:
        """Return the changed batch; the given one is left alone."""


def augment(batch: Batch, steps: Sequence[Augmentation], *, generator: torch.Generator) -> Batch:
    """Return a batch after all augmentations, in order.

    Parameters
    ----------
    batch : Batch
        Left alone.
    steps : sequence of Augmentation
    generator : torch.Generator
        On the device of the images; where everything random comes from.

    Examples
    --------
    >>> from lsedu.training.augmentation import HorizontalFlip
    >>> batch = Batch(torch.tensor([[[[1.0, 2.0]]]]), torch.tensor([0]))
    >>> augment(batch, [HorizontalFlip(chance=1.0)], generator=torch.Generator()).images.tolist()
    [[[[2.0, 1.0]]]]
    """
    for step in steps:
        batch = step(batch, generator=generator)
    return batch


def per_sample(values: Tensor) -> Tensor:
    """Return values (N,) shaped to act on images (N, C, H, W)."""
    return values[:, None, None, None]
