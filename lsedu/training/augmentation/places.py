"""Where the network looks: crops, flips and squares cut out."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from lsedu import _check
from lsedu.training.augmentation.batch import Batch, per_sample


@dataclass(frozen=True)
class RandomCrop:
    """A window of the image, its place drawn anew for each sample, after a black margin was added.

    Attributes
    ----------
    padding : int
        Width of the margin in pixels, >= 0.
    size : int
        Side of the window; 0 keeps height and width.

    Notes
    -----
    Margin 4 and 32 x 32 windows are the usual augmentation of CIFAR :cite:p:`he2016`.
    """

    padding: int = 4
    size: int = 0
    kind: str = field(default="random-crop", init=False)

    def __post_init__(self) -> None:
        if self.padding < 0 or self.size < 0:
            raise ValueError(f"padding and size must be at least 0, got {self.padding} and {self.size}")

    def __call__(self, batch: Batch, *, generator: torch.Generator) -> Batch:
        """Return the batch with windows for images.

        Raises
        ------
        ValueError
            If the window is larger than image and margin.
        """
        x = batch.images
        n, channels, height, width = x.shape
        high, wide = (self.size, self.size) if self.size else (height, width)
        rows, columns = height + 2 * self.padding - high, width + 2 * self.padding - wide
        if min(rows, columns) < 0:
            raise ValueError(
                f"a window of {high} x {wide} does not fit in {height} x {width} and {self.padding} around"
            )
        padded = functional.pad(x, (self.padding,) * 4)
        top = torch.randint(rows + 1, (n, 1), generator=generator, device=x.device)
        left = torch.randint(columns + 1, (n, 1), generator=generator, device=x.device)
        at = top + torch.arange(high, device=x.device), left + torch.arange(wide, device=x.device)
        sample = torch.arange(n, device=x.device)
        channel = torch.arange(channels, device=x.device)
        window = padded[
            per_sample(sample), channel[None, :, None, None], at[0][:, None, :, None], at[1][:, None, None, :]
        ]
        return batch._replace(images=window)


@dataclass(frozen=True)
class RandomResizedCrop:
    """A window of random area and shape, scaled to one size.

    Attributes
    ----------
    size : int
        Side of the result, >= 1.
    scale : tuple of float
        Least and largest share of the image's area.
    ratio : tuple of float
        Least and largest width over height, drawn evenly on the logarithm.

    Notes
    -----
    The usual augmentation of ImageNet :cite:p:`szegedy2015`. Ten windows are drawn; the first that fits is taken, and
    if none does, the whole image. Pixels are interpolated between neighbours without smoothing beforehand.
    """

    size: int = 224
    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    kind: str = field(default="random-resized-crop", init=False)

    def __post_init__(self) -> None:
        if self.size < 1 or not 0 < self.scale[0] <= self.scale[1] <= 1 or not 0 < self.ratio[0] <= self.ratio[1]:
            raise ValueError(
                "size must be at least 1, 0 < scale[0] <= scale[1] <= 1 and 0 < ratio[0] <= ratio[1], "
                f"got {self.size}, {self.scale} and {self.ratio}"
            )

    def windows(self, n: int, height: int, width: int, *, generator: torch.Generator) -> Tensor:
        """Return top, left, height and width of a window for each of `n` images, shape (n, 4), in pixels."""
        u = torch.rand(4, n, 10, generator=generator, device=generator.device)
        area = height * width * (self.scale[0] + (self.scale[1] - self.scale[0]) * u[0])
        low, high = map(math.log, self.ratio)
        ratio = torch.exp(low + (high - low) * u[1])
        wide, tall = (area * ratio).sqrt().round(), (area / ratio).sqrt().round()
        fits = (wide >= 1) & (tall >= 1) & (wide <= width) & (tall <= height)
        top, left = torch.floor(u[2] * (height - tall + 1)), torch.floor(u[3] * (width - wide + 1))
        first, some = fits.to(torch.uint8).argmax(1, keepdim=True), fits.any(1)
        drawn, whole = (top, left, tall, wide), (0, 0, height, width)
        return torch.stack([torch.where(some, a.gather(1, first)[:, 0], b) for a, b in zip(drawn, whole)], 1)

    def __call__(self, batch: Batch, *, generator: torch.Generator) -> Batch:
        """Return the batch with scaled windows for images."""
        x = batch.images
        n, channels, height, width = x.shape
        top, left, tall, wide = self.windows(n, height, width, generator=generator).T
        zero = torch.zeros_like(top)
        theta = torch.stack(
            [wide / width, zero, (2 * left + wide) / width - 1, zero, tall / height, (2 * top + tall) / height - 1], 1
        )
        grid = functional.affine_grid(theta.view(n, 2, 3), [n, channels, self.size, self.size], align_corners=False)
        scaled = functional.grid_sample(x, grid.to(x), padding_mode="border", align_corners=False)
        return batch._replace(images=scaled)


@dataclass(frozen=True)
class HorizontalFlip:
    """Each image is mirrored, left for right, with the given chance."""

    chance: float = 0.5
    kind: str = field(default="horizontal-flip", init=False)

    def __post_init__(self) -> None:
        _check.real_in("chance", self.chance, 0.0, 1.0)

    def __call__(self, batch: Batch, *, generator: torch.Generator) -> Batch:
        """Return the batch with some images mirrored."""
        x = batch.images
        mirrored = torch.rand(len(x), generator=generator, device=x.device) < self.chance
        return batch._replace(images=torch.where(per_sample(mirrored), x.flip(3), x))


@dataclass(frozen=True)
class Cutout:
    """A square around a random pixel of each image is filled; where it leaves the image it is cut off.

    Attributes
    ----------
    size : int
        Side of the square in pixels, >= 1.
    fill : float
        What it is filled with, in [0, 1].

    Notes
    -----
    :cite:p:`devries2017` uses 16 for CIFAR-10 and 8 for CIFAR-100, and fills with the mean of the set.
    """

    size: int = 16
    fill: float = 0.0
    kind: str = field(default="cutout", init=False)

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size must be at least 1, got {self.size}")
        _check.real_in("fill", self.fill, 0.0, 1.0)

    def __call__(self, batch: Batch, *, generator: torch.Generator) -> Batch:
        """Return the batch with a square missing in each image."""
        x = batch.images
        n, _, height, width = x.shape

        def inside(length: int) -> Tensor:
            start = torch.randint(length, (n, 1), generator=generator, device=x.device) - self.size // 2
            at = torch.arange(length, device=x.device)
            return (at >= start) & (at < start + self.size)

        square = inside(height)[:, None, :, None] & inside(width)[:, None, None, :]
        return batch._replace(images=x.masked_fill(square, self.fill))
