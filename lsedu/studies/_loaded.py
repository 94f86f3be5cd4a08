"""Data sets that stay in memory: a process that measures one short part after another reads them once."""

from functools import lru_cache

from torch import Tensor
from torch.nn.functional import avg_pool2d

from lsedu import data


@lru_cache(maxsize=4)
def loaded(name: str, split: str) -> data.Dataset:
    """Return `lsedu.data.load` of a set and split, the same object each time: not to be changed."""
    return data.load(name, split=split)


def drawn(name: str, split: str, size: int, *, seed: int = 0) -> data.Dataset:
    """Return a class-balanced draw of a split; for a size of 0 all of it, in the order of the set.

    With the default seed it is the same for every seed of a study: what test pictures are.
    """
    whole = loaded(name, split)
    return data.split(whole, sizes=(size,), seed=seed)[0] if size else whole


def apart(name: str, train_size: int, validation_size: int, *, seed: int) -> tuple[data.Dataset, data.Dataset]:
    """Return training and validation pictures of a seed; a training size of 0 takes all that validation leaves."""
    whole = loaded(name, "train")
    return data.split(whole, sizes=(train_size or len(whole) - validation_size, validation_size), seed=seed)


def averaged(pictures: data.Dataset, *, shrink: int, device: str) -> tuple[Tensor, Tensor]:
    """Return pictures in [0, 1], each the means over squares of `shrink` pixels a side, and their labels."""
    x, y = data.to_tensors(pictures, device=device)
    return avg_pool2d(x, shrink), y
