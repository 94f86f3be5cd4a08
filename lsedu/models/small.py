"""Three small classifiers for images that train in seconds on a CPU: softmax regression, an MLP and a CNN.

Each has ``features(x)``, the input of its last linear layer, and ``head``, that layer.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Classifier(nn.Module):
    """A feature extractor and a linear head.

    Parameters
    ----------
    body : nn.Module
        Maps images (N, C, H, W) to features (N, F).
    width : int
        Number of features F.
    num_classes : int
        Number of classes K.
    """

    def __init__(self, body: nn.Module, width: int, num_classes: int) -> None:
        super().__init__()
        self.body = body
        self.head = nn.Linear(width, num_classes)

    def features(self, images: Tensor) -> Tensor:
        """Return the penultimate activations, shape (N, F), of images (N, C, H, W)."""
        return self.body(images)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (N, K), of images (N, C, H, W)."""
        return self.head(self.features(images))


def softmax_regression(*, shape: tuple[int, int, int] = (1, 28, 28), num_classes: int = 10) -> Classifier:
    """Return a linear classifier on pixels (multinomial logistic regression).

    Parameters
    ----------
    shape : tuple of int
        Channels, height and width of an image.
    num_classes : int
        Number of classes K.

    Examples
    --------
    >>> sum(p.numel() for p in softmax_regression().parameters())
    7850
    """
    channels, height, width = shape
    return Classifier(nn.Flatten(), channels * height * width, num_classes)


def mlp(
    *, shape: tuple[int, int, int] = (1, 28, 28), hidden: tuple[int, ...] = (256, 256), num_classes: int = 10
) -> Classifier:
    """Return a multilayer perceptron with ReLU.

    Parameters
    ----------
    shape : tuple of int
        Channels, height and width of an image.
    hidden : tuple of int
        Width of each hidden layer; at least one.
    num_classes : int
        Number of classes K.

    Raises
    ------
    ValueError
        If `hidden` is empty.

    Examples
    --------
    >>> sum(p.numel() for p in mlp().parameters())
    269322
    """
    if not hidden:
        raise ValueError("hidden must name at least one width, got (); softmax_regression has none")
    channels, height, width = shape
    layers: list[nn.Module] = [nn.Flatten()]
    before = channels * height * width
    for after in hidden:
        layers += [nn.Linear(before, after), nn.ReLU()]
        before = after
    return Classifier(nn.Sequential(*layers), before, num_classes)


def small_cnn(*, shape: tuple[int, int, int] = (1, 28, 28), width: int = 16, num_classes: int = 10) -> Classifier:
    """Return two convolution-ReLU-pool stages and one hidden layer of 128.

    Parameters
    ----------
    shape : tuple of int
        Channels, height and width of an image; height and width at least 4.
    width : int
        Channels of the first stage; the second has twice as many.
    num_classes : int
        Number of classes K.

    Examples
    --------
    >>> small_cnn()(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """
    channels, height, side = shape
    body = nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(width, 2 * width, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(2 * width * (height // 4) * (side // 4), 128),
        nn.ReLU(),
    )
    return Classifier(body, 128, num_classes)


def build(factory: Callable[..., Classifier], *, seed: int, **options: Any) -> Classifier:
    """Return ``factory(**options)`` with weights drawn from `seed`, leaving the global generators untouched."""
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would seed those of every GPU too
        torch.default_generator.manual_seed(seed)
        return factory(**options)
