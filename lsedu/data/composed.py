"""Sets made of other sets: images occluded by digits, and digits among clutter."""

from dataclasses import replace

import numpy as np

from lsedu.data.dataset import Dataset


def occlude(images: Dataset, digits: Dataset, *, seed: int) -> tuple[Dataset, np.ndarray]:
    """Draw a random digit over each image, after Achille and Soatto's Occluded CIFAR.

    Parameters
    ----------
    images : Dataset
        What is to be classified, (N, H, W) or (N, H, W, C).
    digits : Dataset
        Grey images (M, h, w), h <= H and w <= W: the nuisance.
    seed : int
        Decides digit and place of every image.

    Returns
    -------
    Dataset
        The images with a digit over each: white ink where the digit is brighter than the image.
    ndarray, int64, shape (N,)
        Label of the digit over each image.

    Raises
    ------
    ValueError
        If the digits are not grey or do not fit.
    """
    height, width = images.images.shape[1:3]
    if digits.images.ndim != 3 or digits.images.shape[1] > height or digits.images.shape[2] > width:
        raise ValueError(f"digits must be grey and fit in {height} x {width}, got {digits.images.shape[1:]}")
    h, w = digits.images.shape[1:]
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(digits), size=len(images))
    top, left = rng.integers(height - h + 1, size=len(images)), rng.integers(width - w + 1, size=len(images))
    layer = np.zeros((len(images), height, width), dtype=np.uint8)
    rows = top[:, None] + np.arange(h)
    columns = left[:, None] + np.arange(w)
    layer[np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]] = digits.images[chosen]
    if images.images.ndim == 4:
        layer = layer[..., None]
    return (
        replace(images, name=f"occluded {images.name}", images=np.maximum(images.images, layer)),
        digits.labels[chosen],
    )


def clutter(
    digits: Dataset, *, seed: int, size: int = 56, crops: int = 12, crop_size: int = 8, swap: bool = False
) -> tuple[Dataset, np.ndarray]:
    """Place each digit in a larger image together with random crops of itself, or of a digit of another class.

    Parameters
    ----------
    digits : Dataset
        Grey images (N, h, w).
    seed : int
        Decides places and crops; the same with and without `swap`.
    size : int
        Side of the new image, 56 in pragmatic-ib.
    crops : int
        Number of crops, 12 there.
    crop_size : int
        Side of a crop; the paper does not say: 8, as in the original Cluttered MNIST (assumed).
    swap : bool
        Whether the crops come from a digit of another class: then clutter speaks against the label.

    Returns
    -------
    Dataset
        Images (N, size, size); labels are those of the whole digit.
    ndarray, int64, shape (N, 4)
        Top, left, bottom and right of the whole digit: where an attentive network should look.

    Raises
    ------
    ValueError
        If the digits are not grey, do not fit, or `swap` is asked for with one class only.
    """
    if digits.images.ndim != 3 or max(digits.images.shape[1:]) > size or crop_size > min(digits.images.shape[1:]):
        raise ValueError(
            f"digits must be grey, fit in {size} x {size} and hold crops of {crop_size}, got {digits.images.shape[1:]}"
        )
    if swap and len(np.unique(digits.labels)) < 2:
        raise ValueError("swap needs digits of at least two classes, got one")
    n, h, w = digits.images.shape
    rng = np.random.default_rng(seed)
    top, left = rng.integers(size - h + 1, size=n), rng.integers(size - w + 1, size=n)
    at = rng.integers(size - crop_size + 1, size=(n, crops, 2))
    source_row = rng.integers(h - crop_size + 1, size=(n, crops))
    source_column = rng.integers(w - crop_size + 1, size=(n, crops))
    donors = np.arange(n)
    if swap:
        others = np.random.default_rng([seed, 1])
        for k in np.unique(digits.labels):
            members = np.flatnonzero(digits.labels == k)
            donors[members] = others.choice(np.flatnonzero(digits.labels != k), size=len(members))
    canvas = np.zeros((n, size, size), dtype=np.uint8)
    every, offsets = np.arange(n)[:, None, None], np.arange(crop_size)

    def window(start: np.ndarray, steps: np.ndarray) -> np.ndarray:
        return start[:, None] + steps

    for j in range(crops):
        piece = digits.images[
            donors[:, None, None],
            window(source_row[:, j], offsets)[:, :, None],
            window(source_column[:, j], offsets)[:, None, :],
        ]
        place = (every, window(at[:, j, 0], offsets)[:, :, None], window(at[:, j, 1], offsets)[:, None, :])
        canvas[place] = np.maximum(canvas[place], piece)
    place = (every, window(top, np.arange(h))[:, :, None], window(left, np.arange(w))[:, None, :])
    canvas[place] = np.maximum(canvas[place], digits.images)
    name = f"{'swapped' if swap else 'cluttered'} {digits.name}"
    return replace(digits, name=name, images=canvas), np.stack([top, left, top + h, left + w], axis=1)
