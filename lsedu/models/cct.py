"""The compact convolutional transformer: convolutions make the tokens, attention pools them."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from lsedu.models.small import Classifier


class _DropPath(nn.Module):
    """Leaves the branch out for a random share of the samples while training."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0.0:
            return x
        keep = torch.rand(len(x), 1, 1, device=x.device, dtype=x.dtype) >= self.rate
        return x * keep / (1.0 - self.rate)


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int, ratio: int, drop_path: float) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.project = nn.Linear(width, width)
        self.between = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, ratio * width), nn.GELU(), nn.Linear(ratio * width, width))
        self.drop = _DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        n, tokens, width = x.shape
        q, k, v = self.qkv(self.before(x)).view(n, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, tokens, width)
        x = self.between(x + self.drop(self.project(mixed)))
        return x + self.drop(self.mlp(x))


class _Body(nn.Module):
    def __init__(
        self, channels: int, size: int, kernel: int, convolutions: int, width: int, heads: int, ratio: int, depth: int
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i in range(convolutions):
            before = channels if i == 0 else 64
            after = width if i == convolutions - 1 else 64
            stride = max(1, kernel // 2 - 1)
            layers += [nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False), nn.ReLU()]
            layers.append(nn.MaxPool2d(3, 2, 1))
        self.tokens = nn.Sequential(*layers)
        with torch.no_grad():
            count = self.tokens(torch.zeros(1, channels, size, size)).shape[2:].numel()
        self.position = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, count, width), std=0.2))
        self.layers = nn.Sequential(*(_Layer(width, heads, ratio, 0.1 * i / (depth - 1)) for i in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.score = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.tokens(x).flatten(2).transpose(1, 2) + self.position
        x = self.norm(self.layers(x))
        return (self.score(x).softmax(1).transpose(1, 2) @ x).squeeze(1)


def cct7(
    *, kernel: int = 7, convolutions: int = 2, size: int = 224, channels: int = 3, num_classes: int = 102
) -> Classifier:
    """Return CCT-7, by default CCT-7/7x2: seven layers of width 256 with four heads, two 7 x 7 convolutions.

    Parameters
    ----------
    kernel, convolutions : int
        Side and number of the convolutions that make the tokens.
    size : int
        Side of an image; the learned positions are for this size.
    channels : int
        Channels of an image.
    num_classes : int
        Number of classes K.

    Notes
    -----
    hassani2021 publishes 3.76 million parameters for CCT-7/3x1 on CIFAR-10, which this construction meets.

    Examples
    --------
    >>> model = cct7(kernel=3, convolutions=1, size=32, num_classes=10)
    >>> sum(p.numel() for p in model.parameters())
    3760139
    """
    return Classifier(_Body(channels, size, kernel, convolutions, 256, 4, 2, 7), 256, num_classes)
