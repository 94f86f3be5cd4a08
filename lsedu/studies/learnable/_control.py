"""Pictures without class relations: ten orthogonal patterns of equal norm in noise, no two of which are more alike."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from lsedu.studies._pictures import Pictures, Scale

SIDE = 16
#: By which the test pictures are drawn: the same for every seed.
TEST_SEED = 0


def patterns(count: int) -> np.ndarray:
    """Return orthogonal patterns of 16 x 16 pixels, each 1 or -1, float64 (C, 256): rows of a Hadamard matrix.

    Examples
    --------
    >>> found = patterns(3)
    >>> (found @ found.T).tolist()
    [[256.0, 0.0, 0.0], [0.0, 256.0, 0.0], [0.0, 0.0, 256.0]]
    """
    matrix = np.ones((1, 1))
    while len(matrix) < SIDE**2:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix[1 : count + 1]


def control(size: int, *, strength: float, num_classes: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return balanced pictures (N, 1, 16, 16) of the patterns in noise around 0.5, and their labels (N,).

    To turn the patterns among each other turns the distribution of the noise into itself: no class is nearer to one
    than to another.
    """
    rng = np.random.default_rng([seed, 16])
    labels = np.arange(size) % num_classes
    noisy = strength * patterns(num_classes)[labels] + rng.standard_normal((size, SIDE**2))
    images = (0.5 + 0.25 * noisy).astype(np.float32).reshape(size, 1, SIDE, SIDE)
    return torch.from_numpy(images), torch.from_numpy(labels)


def unlike(scale: Scale, *, strength: float, seed: int, device: str, num_classes: int = 10) -> Pictures:
    """Return the control's pictures of a seed, as many as the scale says; the test set is the same for every seed."""
    draw = partial(control, strength=strength, num_classes=num_classes)
    train = draw(scale.train_size, seed=2 * seed + 1)
    held = draw(scale.validation_size, seed=2 * seed + 2)
    parts = [tensor.to(device) for part in (train, held, draw(scale.test_size, seed=TEST_SEED)) for tensor in part]
    return Pictures(*parts, num_classes=num_classes)
