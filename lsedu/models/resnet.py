"""Residual networks: the thin ones for CIFAR (20, 56) and the wide ones (18, 34, 50, 101), with either stem."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from lsedu import _check
from lsedu.models.small import Classifier


def _conv(before: int, after: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False), nn.BatchNorm2d(after)
    )


class _PadShortcut(nn.Module):
    """Shortcut without parameters: every other pixel, new channels filled with zeros (option A of he2016)."""

    def __init__(self, extra: int) -> None:
        super().__init__()
        self.extra = extra

    def forward(self, x: Tensor) -> Tensor:
        return functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.extra // 2, self.extra - self.extra // 2))


class _Block(nn.Module):
    """Two 3 x 3 convolutions, or 1 x 1, 3 x 3, 1 x 1 with four times the channels, added to a shortcut."""

    def __init__(self, before: int, width: int, stride: int, *, bottleneck: bool, pad: bool) -> None:
        super().__init__()
        after = 4 * width if bottleneck else width
        if bottleneck:
            layers = [_conv(before, width, 1), nn.ReLU(), _conv(width, width, 3, stride), nn.ReLU()]
            layers.append(_conv(width, after, 1))
        else:
            layers = [_conv(before, width, 3, stride), nn.ReLU(), _conv(width, after, 3)]
        self.branch = nn.Sequential(*layers)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            self.shortcut = _PadShortcut(after - before) if pad else _conv(before, after, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.branch(x) + self.shortcut(x))


def _stages(
    before: int, widths: tuple[int, ...], counts: tuple[int, ...], *, bottleneck: bool, pad: bool
) -> tuple[list[nn.Module], int]:
    layers: list[nn.Module] = []
    for stage, (width, count) in enumerate(zip(widths, counts)):
        for block in range(count):
            layers.append(_Block(before, width, 2 if stage and not block else 1, bottleneck=bottleneck, pad=pad))
            before = 4 * width if bottleneck else width
    return layers, before


def _initialise(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def thin_resnet(*, depth: int = 20, channels: int = 3, num_classes: int = 10) -> Classifier:
    """Return the residual network that its authors made for CIFAR: 16, 32, 64 channels, shortcuts without parameters.

    Parameters
    ----------
    depth : int
        6 n + 2 layers; 20 and 56 are used in the papers.
    channels : int
        Channels of an image.
    num_classes : int
        Number of classes K.

    Raises
    ------
    ValueError
        If `depth` is not 6 n + 2 with n >= 1.

    Notes
    -----
    Published sizes: 0.27 million parameters (20 layers), 0.85 million (56) [he2016].

    Examples
    --------
    >>> sum(p.numel() for p in thin_resnet(depth=20).parameters())
    269722
    """
    if depth < 8 or (depth - 2) % 6:
        raise ValueError(f"depth must be 6 n + 2 with n >= 1, got {depth}")
    counts = ((depth - 2) // 6,) * 3
    layers, width = _stages(16, (16, 32, 64), counts, bottleneck=False, pad=True)
    body = nn.Sequential(_conv(channels, 16, 3), nn.ReLU(), *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    _initialise(body)
    return Classifier(body, width, num_classes)


_DEPTHS = {18: ((2, 2, 2, 2), False), 34: ((3, 4, 6, 3), False), 50: ((3, 4, 6, 3), True), 101: ((3, 4, 23, 3), True)}


def resnet(
    *,
    depth: int = 18,
    stem: Literal["cifar", "imagenet"] = "cifar",
    map_size: int = 1,
    channels: int = 3,
    num_classes: int = 10,
) -> Classifier:
    """Return ResNet-18, 34, 50 or 101.

    Parameters
    ----------
    depth : {18, 34, 50, 101}
    stem : {"cifar", "imagenet"}
        One 3 x 3 convolution that keeps the resolution, or 7 x 7 with stride 2 and a pooling.
    map_size : int
        Side of the average-pooled map that is flattened for the last layer: 1 is global pooling. The parameter counts
        in table 9 of lls fit ``map_size=2`` at 64 x 64.
    channels : int
        Channels of an image.
    num_classes : int
        Number of classes K.

    Raises
    ------
    ValueError
        For another depth or stem, or a map size below 1.

    Notes
    -----
    Published sizes with the ImageNet stem and 1,000 classes: 11,689,512; 21,797,672; 25,557,032; 44,549,160.

    Examples
    --------
    >>> sum(p.numel() for p in resnet(depth=18, map_size=2, num_classes=200).parameters())
    11578632
    """
    _check.one_of("depth", depth, tuple(_DEPTHS))
    _check.one_of("stem", stem, ("cifar", "imagenet"))
    if map_size < 1:
        raise ValueError(f"map_size must be at least 1, got {map_size}")
    counts, bottleneck = _DEPTHS[depth]
    layers, width = _stages(64, (64, 128, 256, 512), counts, bottleneck=bottleneck, pad=False)
    if stem == "cifar":
        first = [_conv(channels, 64, 3), nn.ReLU()]
    else:
        first = [_conv(channels, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    body = nn.Sequential(*first, *layers, nn.AdaptiveAvgPool2d(map_size), nn.Flatten())
    _initialise(body)
    return Classifier(body, width * map_size**2, num_classes)


def load_weights(model: nn.Module, state: dict[str, Tensor]) -> nn.Module:
    """Put weights that the user gives into `model`, every one of them, and return it.

    Raises
    ------
    ValueError
        If names or shapes differ; the message names the first ones.
    """
    own = model.state_dict()
    wrong = [k for k in own.keys() | state.keys() if k not in own or k not in state or own[k].shape != state[k].shape]
    if wrong:
        raise ValueError(
            f"state must have the names and shapes of the model; {len(wrong)} differ, such as {sorted(wrong)[:3]}"
        )
    with torch.no_grad():
        model.load_state_dict(state)
    return model
