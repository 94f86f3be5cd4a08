"""RandAugment on whole batches: each image gets its own operations, all of one strength."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from lsedu import _check
from lsedu.training.augmentation import colours
from lsedu.training.augmentation.batch import Batch, per_sample

OPERATIONS = (
    "identity", "autocontrast", "equalise", "rotate", "solarise", "saturation", "posterise", "contrast", "brightness",
    "sharpness", "shear-x", "shear-y", "translate-x", "translate-y",
)  # fmt: skip

#: What full strength is: degrees, slope, share of the side, and distance of the blending factor from 1.
ROTATE, SHEAR, TRANSLATE, BLEND = 30.0, 0.3, 150 / 331, 0.9


def moved(x: Tensor, operation: Tensor, strength: Tensor, *, fill: float) -> Tensor:
    """Return images rotated, sheared or shifted about their centre, those with another operation as they are.

    Parameters
    ----------
    x : Tensor, shape (N, C, H, W)
    operation : Tensor, integer, shape (N,)
        Index in `OPERATIONS`.
    strength : Tensor, shape (N,)
        In [-1, 1].
    fill : float
        What comes in from outside.
    """
    height, width = x.shape[2:]
    zero = torch.zeros_like(strength)

    def where(name: str, value: Tensor) -> Tensor:
        return torch.where(operation == OPERATIONS.index(name), value, zero)

    angle = where("rotate", math.radians(ROTATE) * strength)
    # in units of half the image's sides: what turns squares into squares on a wide image is stretched by the sides
    theta = torch.stack(
        [
            angle.cos(), angle.sin() * height / width + where("shear-x", SHEAR * strength) * height / width,
            where("translate-x", 2 * TRANSLATE * strength),
            -angle.sin() * width / height + where("shear-y", SHEAR * strength) * width / height, angle.cos(),
            where("translate-y", 2 * TRANSLATE * strength),
        ], 1,
    ).view(-1, 2, 3)  # fmt: skip
    grid = functional.affine_grid(theta, list(x.shape), align_corners=False).to(x)
    inside = functional.grid_sample(x - fill, grid, padding_mode="zeros", align_corners=False) + fill
    is_moved = angle.ne(0)
    for name in ("shear-x", "shear-y", "translate-x", "translate-y"):
        is_moved = is_moved | where(name, strength).ne(0)
    return torch.where(per_sample(is_moved), inside, x)


def apply(x: Tensor, operation: Tensor, strength: Tensor, *, fill: float) -> Tensor:
    """Return images after one operation each, at signed strengths (N,) in [-1, 1]; see `moved`."""
    factor = 1.0 + BLEND * strength
    level = strength.abs()
    changed = {
        "autocontrast": colours.autocontrast(x),
        "equalise": colours.equalise(x),
        "solarise": colours.solarise(x, 1.0 - level),
        "saturation": colours.saturation(x, factor),
        "posterise": colours.posterise(x, 8.0 - (4.0 * level).round()),
        "contrast": colours.contrast(x, factor),
        "brightness": colours.brightness(x, factor),
        "sharpness": colours.sharpness(x, factor),
    }
    out = moved(x, operation, strength, fill=fill)
    for name, images in changed.items():
        out = torch.where(per_sample(operation == OPERATIONS.index(name)), images, out)
    return out


@dataclass(frozen=True)
class RandAugment:
    """Some operations, drawn evenly from fourteen for each image, one after the other.

    Attributes
    ----------
    operations : int
        How many, >= 1.
    magnitude : float
        Strength of all of them, in [0, 30]; 30 is a rotation by 30 degrees.
    fill : float
        What comes in from outside when an image is moved, in [0, 1].

    Notes
    -----
    :cite:p:`cubuk2020`, section 4: identity, autocontrast, equalise, rotate, solarise, colour, posterise, contrast,
    brightness, sharpness, shear and translate along x and y. Directions are drawn with equal chance. Shears and
    rotations keep the centre. Two operations at magnitude 9 are a common choice.
    """

    operations: int = 2
    magnitude: float = 9.0
    fill: float = 0.5
    kind: str = field(default="randaugment", init=False)

    def __post_init__(self) -> None:
        if self.operations < 1:
            raise ValueError(f"operations must be at least 1, got {self.operations}")
        _check.real_in("magnitude", self.magnitude, 0.0, 30.0)
        _check.real_in("fill", self.fill, 0.0, 1.0)

    def __call__(self, batch: Batch, *, generator: torch.Generator) -> Batch:
        """Return the batch with its images changed."""
        x = batch.images
        for _ in range(self.operations):
            drawn = torch.randint(len(OPERATIONS), (len(x),), generator=generator, device=x.device)
            sign = torch.randint(2, (len(x),), generator=generator, device=x.device) * 2.0 - 1.0
            x = apply(x, drawn, sign * self.magnitude / 30.0, fill=self.fill)
        return batch._replace(images=x)
