"""Standardised inputs as the first step of a network, so that images stay in [0, 1] everywhere else."""

import torch
from torch import Tensor, nn

from lsedu.models.small import Classifier

ROUNDING = 1e-12
"""A standard deviation below this part of a channel's largest value is rounding."""


class Standardise(nn.Module):
    """Subtracts a mean from each channel and divides by a standard deviation, both shape (C,)."""

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean[:, None, None].clone())
        self.register_buffer("std", std[:, None, None].clone())

    def forward(self, images: Tensor) -> Tensor:
        """Return standardised images (N, C, H, W)."""
        return (images - self.mean) / self.std


def standardised(model: Classifier, images: Tensor) -> Classifier:
    """Return `model` with its inputs standardised by the mean and deviation of training images, channel by channel.

    Parameters
    ----------
    model : Classifier
        Changed in place; give it weights beforehand.
    images : Tensor, float in [0, 1] or uint8, shape (N, C, H, W)

    Raises
    ------
    ValueError
        If a channel is the same everywhere.

    Examples
    --------
    >>> from lsedu.models import mlp
    >>> images = torch.rand(8, 1, 28, 28)
    >>> model = standardised(mlp(), images)
    >>> x = model.body[0](images)
    >>> abs(x.mean().item()) < 1e-5, abs(x.std(correction=0).item() - 1) < 1e-5
    (True, True)
    """
    scale = 255.0 if images.dtype == torch.uint8 else 1.0
    channels = [images[:, c].double() / scale for c in range(images.shape[1])]
    mean = torch.stack([channel.mean() for channel in channels]).float()
    std = torch.stack([channel.std(correction=0) for channel in channels]).float()
    largest = torch.stack([channel.abs().max() for channel in channels])
    if not (std > ROUNDING * largest).all():
        raise ValueError(f"every channel must vary, got standard deviations {std.tolist()}")
    model.body = nn.Sequential(Standardise(mean, std), model.body)
    return model
