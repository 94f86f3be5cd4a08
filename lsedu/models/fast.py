"""The network of the fast recipe: its first layer whitens patches, the others begin as the identity (jordan2024)."""

import torch
from torch import Tensor, nn
from torch.nn import functional


def _block(before: int, width: int) -> nn.Sequential:
    """Two convolutions that begin as the identity on the first channels, each with a norm that learns only its bias."""
    convs = [nn.Conv2d(n, width, 3, padding=1, bias=False) for n in (before, width)]
    norms = [nn.BatchNorm2d(width, eps=1e-12, momentum=0.4) for _ in convs]
    for conv, norm in zip(convs, norms):
        nn.init.dirac_(conv.weight.data[: conv.in_channels])
        norm.weight.requires_grad_(False)
    return nn.Sequential(convs[0], nn.MaxPool2d(2), norms[0], nn.GELU(), convs[1], norms[1], nn.GELU())


class FastNet(nn.Module):
    """Eight layers: whitened patches, three blocks of `widths` channels, the largest answer of each channel, a head."""

    def __init__(self, *, channels: int = 3, num_classes: int = 10, widths: tuple[int, ...] = (64, 256, 256)) -> None:
        super().__init__()
        self.whiten = nn.Conv2d(channels, 8 * channels, 2)
        self.whiten.weight.requires_grad_(False)
        nn.init.zeros_(self.whiten.bias)
        self.blocks = nn.Sequential(*(_block(a, b) for a, b in zip((8 * channels, *widths), widths)))
        self.head = nn.Linear(widths[-1], num_classes, bias=False)

    def features(self, images: Tensor) -> Tensor:
        """Return the input of the head, shape (N, F), for images (N, C, H, W)."""
        maps = self.blocks(functional.gelu(self.whiten(images)))
        return maps.flatten(2).max(2).values  # amax would look for equals, and compiled in half precision find none

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (N, K), for images (N, C, H, W); the factor keeps the first ones small."""
        return self.head(self.features(images)) / 9.0


def whitening(images: Tensor, *, eps: float = 5e-4) -> Tensor:
    """Return filters (8 C, C, 2, 2): uncorrelated answers of one variance to the patches of images, and negatives."""
    channels = images.shape[1]
    patches = functional.unfold(images.float(), 2).transpose(1, 2).reshape(-1, 4 * channels)
    variances, directions = torch.linalg.eigh((patches.T @ patches / len(patches)).double().cpu())
    filters = (directions / (variances + eps).sqrt()).T.reshape(-1, channels, 2, 2)
    return torch.cat([filters, -filters]).float()
