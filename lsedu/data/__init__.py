"""Real data by name: hashes checked, licences stated, one default that needs no download."""

from lsedu.data.dataset import Dataset, split, to_tensors
from lsedu.data.download import CorruptDataError, DataUnavailableError, cache_dir, fetch, locate
from lsedu.data.load import hashes, load
from lsedu.data.registry import SETS, File, Source, source

__all__ = [
    "SETS",
    "CorruptDataError",
    "DataUnavailableError",
    "Dataset",
    "File",
    "Source",
    "cache_dir",
    "fetch",
    "hashes",
    "load",
    "locate",
    "source",
    "split",
    "to_tensors",
]
