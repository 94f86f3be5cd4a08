"""Loading a registered set by name."""

from collections.abc import Mapping

import numpy as np

from lsedu import _check
from lsedu.data.dataset import Dataset
from lsedu.data.download import at_hand, fetch
from lsedu.data.registry import source


def load(
    name: str = "fashion-mnist-mini", *, split: str = "train", download: bool = True, progress: bool = True
) -> Dataset:
    """Return one split of a registered data set.

    Parameters
    ----------
    name : str
        A key of `lsedu.data.SETS`; the default ships with the package.
    split : {"train", "test", "test-all"}
        Which part. Of ``fashion-mnist-mini``, whose test part is a balanced draw, ``test-all`` is those pictures and
        then all others of the official test set, 10,000 in all; no other set has it.
    download : bool
        Whether a set that is not on this machine may be downloaded.
    progress : bool
        Whether a download shows its progress.

    Returns
    -------
    Dataset

    Raises
    ------
    KeyError
        If no set has that name.
    ValueError
        If the set has no such split.
    DataUnavailableError
        If the set is not here and cannot be downloaded; the message holds the command to get it.
    CorruptDataError
        If a file is not the one its hash names.

    Examples
    --------
    >>> test = load("fashion-mnist-mini", split="test")
    >>> test.images.shape, test.classes[0]
    ((2000, 28, 28), 'T-shirt/top')
    """
    entry = at_hand(source(name))
    if "annotations" in entry.files:
        raise ValueError(f"{name} has no images of its own; annotations({name!r}) returns its labels")
    _check.one_of("split", split, tuple(entry.files))
    paths = [fetch(entry, file, download=download, progress=progress) for file in entry.files[split]]
    read = entry.read[split] if isinstance(entry.read, Mapping) else entry.read
    images, labels = read(paths)
    return Dataset(f"{name}/{split}", images, labels, entry.classes)


def annotations(name: str, *, download: bool = True, progress: bool = True) -> dict[str, np.ndarray]:
    """Return the human labels of a set of annotations, by name.

    Parameters
    ----------
    name : {"cifar10h", "cifar10n", "cifar100n"}
        ``cifar10h`` gives `counts` int64 and `probs` float64, both (10000, 10), for the CIFAR-10 test images.
        ``cifar10n`` gives `aggregate`, `random1` to `random3` and `worst`, each int64 (50000,), for the training
        images; ``cifar100n`` gives `noisy`.
    download, progress : bool
        As for `load`.

    Raises
    ------
    KeyError, DataUnavailableError, CorruptDataError
        As for `load`.
    ValueError
        If the set holds images.
    """
    entry = source(name)
    if "annotations" not in entry.files:
        raise ValueError(f"{name} is a set of images; load({name!r}) returns it")
    return entry.read([fetch(entry, file, download=download, progress=progress) for file in entry.files["annotations"]])


def hashes(name: str) -> dict[str, str]:
    """Return the hash of each file of a set, by file name: the part of a record's provenance that names its data."""
    files = [file for part in at_hand(source(name)).files.values() for file in part]
    return {file.name: file.sha256 or file.hash for file in files}
