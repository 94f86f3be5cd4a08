"""A network in evaluation mode, and each of its parts back in the mode that it was in."""

import contextlib
from collections.abc import Iterator

from torch import nn


@contextlib.contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    """Put the model in evaluation mode within the block.

    Notes
    -----
    Afterwards every submodule has its own mode again: ``model.train(was_training)`` would give all of them that of the
    whole, and wake the batch normalisation that fine-tuning keeps frozen, or the dropout that sampling keeps on.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield model
    finally:
        for module, mode in modes:
            module.training = mode
