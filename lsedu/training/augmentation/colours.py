"""Changes of colour, for whole batches: floats in [0, 1], each image its own strength.

They follow the definitions of the Pillow library, which the published augmentations were made with, but do not round
to 256 levels except where the definition counts levels.
"""

import torch
from torch import Tensor
from torch.nn import functional

from lsedu.training.augmentation.batch import per_sample

LEVELS = 255


def grey(x: Tensor) -> Tensor:
    """Return the luminance of images (N, C, H, W), shape (N, 1, H, W); of one channel, that channel."""
    if x.shape[1] != 3:
        return x.mean(1, keepdim=True)
    red, green, blue = x.split(1, 1)
    return (0.299 * red).add(green, alpha=0.587).add(blue, alpha=0.114)


def blend(base: Tensor, x: Tensor, factor: Tensor) -> Tensor:
    """Go from `base` towards `x`: there at factor 1, beyond it above; factor has shape (N,). Clipped to [0, 1]."""
    return torch.lerp(base, x, per_sample(factor)).clamp(0.0, 1.0)


def brightness(x: Tensor, factor: Tensor) -> Tensor:
    """Blend with black."""
    return blend(torch.zeros_like(x), x, factor)


def saturation(x: Tensor, factor: Tensor) -> Tensor:
    """Blend with the grey image."""
    return blend(grey(x).expand_as(x), x, factor)


def contrast(x: Tensor, factor: Tensor) -> Tensor:
    """Blend with the mean luminance."""
    return blend(grey(x).mean((1, 2, 3), keepdim=True).expand_as(x), x, factor)


def sharpness(x: Tensor, factor: Tensor) -> Tensor:
    """Blend with an image smoothed over 3 x 3 pixels, the centre counting five times; the border is left alone."""
    channels = x.shape[1]
    kernel = x.new_ones(3, 3)
    kernel[1:2, 1:2] = 5.0  # a slice is filled; a single element would be copied from the CPU
    smooth = functional.conv2d(x, (kernel / kernel.sum()).expand(channels, 1, 3, 3), groups=channels)
    base = x.clone()
    base[:, :, 1:-1, 1:-1] = smooth
    return blend(base, x, factor)


def solarise(x: Tensor, threshold: Tensor) -> Tensor:
    """Invert what is not darker than the threshold, shape (N,)."""
    return torch.where(x < per_sample(threshold), x, 1.0 - x)


def posterise(x: Tensor, bits: Tensor) -> Tensor:
    """Keep the leading bits, shape (N,), of 8."""
    step = per_sample(2.0 ** (8 - bits))
    return torch.floor((x * LEVELS).round() / step) * step / LEVELS


def autocontrast(x: Tensor) -> Tensor:
    """Stretch each channel to [0, 1]; a channel of one value is left alone."""
    low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
    flat = high <= low
    return torch.where(flat, x, (x - low) / torch.where(flat, 1.0, high - low))


def equalise(x: Tensor) -> Tensor:
    """Make all of 256 levels about equally frequent, channel by channel."""
    n, channels, height, width = x.shape
    levels = (x * LEVELS).round().reshape(n, channels, -1).contiguous()
    ranked = levels.sort(-1).values.contiguous()
    below = torch.searchsorted(ranked, levels)
    brightest = (levels == ranked[..., -1:]).sum(-1, keepdim=True)
    step = (height * width - brightest) // LEVELS
    spread = ((step // 2 + below) // step.clamp(min=1)).clamp(max=LEVELS).to(x) / LEVELS
    return torch.where(step > 0, spread, levels / LEVELS).reshape(x.shape)
