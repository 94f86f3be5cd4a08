"""LeNet, AlexNet for small images, and MobileNetV2."""

from torch import Tensor, nn

from lsedu.models.small import Classifier


def lenet(*, channels: int = 1, size: int = 32, num_classes: int = 10) -> Classifier:
    """Return LeNet-5 with ReLU and max-pooling.

    Parameters
    ----------
    channels, size : int
        Channels and side of an image; 28 is padded to 32.
    num_classes : int
        Number of classes K.

    Raises
    ------
    ValueError
        If `size` is below 28.

    Notes
    -----
    With one channel and 32 x 32 it has the 61,706 parameters of lecun1998 with full second connections.

    Examples
    --------
    >>> sum(p.numel() for p in lenet().parameters())
    61706
    """
    if size < 28:
        raise ValueError(f"size must be at least 28, got {size}")
    padding = 2 if size == 28 else 0
    side = ((size + 2 * padding - 4) // 2 - 4) // 2
    body = nn.Sequential(
        nn.Conv2d(channels, 6, 5, padding=padding), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(16 * side * side, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
    )  # fmt: skip
    return Classifier(body, 84, num_classes)


def alexnet(*, channels: int = 3, num_classes: int = 10) -> Classifier:
    """Return AlexNet cut down to images of 28 x 28 or 32 x 32: five convolutions, 256 features, one linear layer.

    Parameters
    ----------
    channels : int
        Channels of an image.
    num_classes : int
        Number of classes K.

    Notes
    -----
    lls names AlexNet for CIFAR-10 and Fashion-MNIST without its layers. This is the usual cut for small images, with
    2.47 million parameters for CIFAR-10: assumed.

    Examples
    --------
    >>> sum(p.numel() for p in alexnet().parameters())
    2472266
    """
    body = nn.Sequential(
        nn.Conv2d(channels, 64, 11, 4, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),
        nn.AdaptiveMaxPool2d(1), nn.Flatten(),
    )  # fmt: skip
    return Classifier(body, 256, num_classes)


class _Inverted(nn.Module):
    """Widen by 1 x 1, filter each channel alone, narrow by 1 x 1 without a nonlinearity."""

    def __init__(self, before: int, after: int, stride: int, expand: int) -> None:
        super().__init__()
        width = before * expand
        layers: list[nn.Module] = []
        if expand != 1:
            layers += [nn.Conv2d(before, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU6()]
        layers += [nn.Conv2d(width, width, 3, stride, 1, groups=width, bias=False), nn.BatchNorm2d(width), nn.ReLU6()]
        layers += [nn.Conv2d(width, after, 1, bias=False), nn.BatchNorm2d(after)]
        self.branch = nn.Sequential(*layers)
        self.residual = stride == 1 and before == after

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x) if self.residual else self.branch(x)


# expansion, channels, repeats, stride of the first: table 2 of sandler2018
_MOBILE = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def mobilenet_v2(*, stem: str = "cifar", channels: int = 3, num_classes: int = 10) -> Classifier:
    """Return MobileNetV2 of width 1.

    Parameters
    ----------
    stem : {"cifar", "imagenet"}
        With "cifar" the first convolution and the second stage keep the resolution (assumed: lls does not say).
    channels : int
        Channels of an image.
    num_classes : int
        Number of classes K.

    Raises
    ------
    ValueError
        For another stem.

    Notes
    -----
    The published 3.5 million parameters [sandler2018] are 3,504,872 with 1,000 classes.

    Examples
    --------
    >>> sum(p.numel() for p in mobilenet_v2(stem="imagenet", num_classes=1000).parameters())
    3504872
    """
    if stem not in ("cifar", "imagenet"):
        raise ValueError(f"stem must be 'cifar' or 'imagenet', got {stem!r}")
    small = stem == "cifar"
    layers: list[nn.Module] = [
        nn.Conv2d(channels, 32, 3, 1 if small else 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6(),
    ]  # fmt: skip
    before = 32
    for stage, (expand, after, repeats, stride) in enumerate(_MOBILE):
        for i in range(repeats):
            layers.append(_Inverted(before, after, stride if i == 0 and not (small and stage == 1) else 1, expand))
            before = after
    layers += [nn.Conv2d(before, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6()]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2)]
    return Classifier(nn.Sequential(*layers), 1280, num_classes)
