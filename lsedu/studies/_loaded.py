"""Data sets that stay in memory: a process that measures one short part after another reads them once."""

from functools import lru_cache

from lsedu import data


@lru_cache(maxsize=4)
def loaded(name: str, split: str) -> data.Dataset:
    """Return `lsedu.data.load` of a set and split, the same object each time: not to be changed."""
    return data.load(name, split=split)
