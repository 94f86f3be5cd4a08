"""A labelled image set in memory, and its split and conversion to tensors."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Dataset:
    """Images with integer labels.

    Attributes
    ----------
    name : str
        Name of the set in the registry, with the split: "fashion-mnist-mini/train".
    images : ndarray, uint8, shape (N, H, W) or (N, H, W, C)
    labels : ndarray, int64, shape (N,)
    classes : tuple of str
        Class names, in label order.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim not in (3, 4):
            raise ValueError(
                f"images must be uint8 (N, H, W[, C]), got {self.images.dtype} with shape {self.images.shape}"
            )
        if self.labels.shape != (len(self.images),):
            raise ValueError(f"labels must have shape ({len(self.images)},), got {self.labels.shape}")
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise ValueError(
                f"labels must be in [0, {len(self.classes)}), got {self.labels.min()} to {self.labels.max()}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: np.ndarray) -> "Dataset":
        """Return the samples at `index`, in that order."""
        return replace(self, images=self.images[index], labels=self.labels[index])


def split(data: Dataset, *, sizes: tuple[int, ...], seed: int) -> tuple[Dataset, ...]:
    """Return disjoint, class-balanced random parts of a set.

    Parameters
    ----------
    data : Dataset
        The set to divide.
    sizes : tuple of int
        Number of samples of each part; together at most ``len(data)``.
    seed : int
        Seed of the draw: the same seed gives the same parts.

    Returns
    -------
    tuple of Dataset
        Class counts within a part follow those of `data`, to within one.

    Raises
    ------
    ValueError
        If a size is not positive or the sizes add up to more than there is.
    """
    if min(sizes) < 1 or sum(sizes) > len(data):
        raise ValueError(f"sizes must be positive and sum to at most {len(data)}, got {sizes}")
    rng = np.random.default_rng(seed)
    # Each sample's rank within its class, as a share of the class: sorted by it, every prefix is balanced.
    share = np.empty(len(data))
    for k in range(len(data.classes)):
        members = rng.permutation(np.flatnonzero(data.labels == k))
        share[members] = (np.arange(len(members)) + 0.5) / max(len(members), 1)
    order = np.lexsort((rng.random(len(data)), share))
    parts = np.split(order, np.cumsum(sizes))[: len(sizes)]
    return tuple(data.take(rng.permutation(part)) for part in parts)


def to_tensors(data: Dataset, *, device: torch.device | str = "cpu", as_bytes: bool = False) -> tuple[Tensor, Tensor]:
    """Return images and labels as tensors that stay on `device`.

    Parameters
    ----------
    data : Dataset
    device : torch.device or str
    as_bytes : bool
        Keep bytes, a quarter of the memory; `lsedu.training.fit` and `predict` take them as 256 levels of [0, 1].

    Returns
    -------
    images : Tensor, float32 in [0, 1] or uint8, shape (N, C, H, W)
    labels : Tensor, int64, shape (N,)

    Examples
    --------
    >>> data = Dataset("two", np.full((2, 1, 1), 51, dtype=np.uint8), np.array([0, 1]), ("a", "b"))
    >>> images, labels = to_tensors(data)
    >>> images.flatten().tolist(), to_tensors(data, as_bytes=True)[0].flatten().tolist()
    ([0.20000000298023224, 0.20000000298023224], [51, 51])
    """
    images = torch.from_numpy(np.array(data.images)).to(device)
    images = images.unsqueeze(1) if images.ndim == 3 else images.permute(0, 3, 1, 2)
    if not as_bytes:
        images = images.float().div_(255.0)
    return images.contiguous(), torch.from_numpy(np.array(data.labels)).to(device)
