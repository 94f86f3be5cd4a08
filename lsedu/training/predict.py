"""Logits of a trained network."""

import torch
from torch import Tensor, nn

from lsedu._evaluating import evaluating


def as_floats(images: Tensor) -> Tensor:
    """Return images as floats: bytes as 256 levels of [0, 1], floats as they are."""
    return images.float().div_(255.0) if images.dtype == torch.uint8 else images


@torch.inference_mode()
def predict(model: nn.Module, images: Tensor, *, batch_size: int = 1024) -> Tensor:
    """Return the logits of all images, shape (N, K), float32, on their device, the model in evaluation mode.

    Afterwards each of its modules is in the mode it was in.
    """
    with evaluating(model):
        return torch.cat([model(as_floats(batch)).float() for batch in images.split(batch_size)])
