"""Real data by name: hashes checked, licences stated, one default that needs no download."""

from lsedu.data.cifar import CIFAR100_GROUPS
from lsedu.data.composed import clutter, occlude
from lsedu.data.dataset import Dataset, split, to_tensors
from lsedu.data.download import CorruptDataError, DataUnavailableError, at_hand, cache_dir, fetch, locate
from lsedu.data.folder import LAYOUTS, load_folder
from lsedu.data.load import annotations, hashes, load
from lsedu.data.noise import annotate, symmetric_noise
from lsedu.data.registry import SETS, source
from lsedu.data.source import File, Source

__all__ = [
    "CIFAR100_GROUPS",
    "LAYOUTS",
    "SETS",
    "CorruptDataError",
    "DataUnavailableError",
    "Dataset",
    "File",
    "Source",
    "annotate",
    "annotations",
    "at_hand",
    "cache_dir",
    "clutter",
    "fetch",
    "hashes",
    "load",
    "load_folder",
    "locate",
    "occlude",
    "source",
    "split",
    "symmetric_noise",
    "to_tensors",
]
