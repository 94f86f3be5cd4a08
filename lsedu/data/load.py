"""Loading a registered set by name."""

from lsedu import _check
from lsedu.data.dataset import Dataset
from lsedu.data.download import fetch
from lsedu.data.registry import source


def load(
    name: str = "fashion-mnist-mini", *, split: str = "train", download: bool = True, progress: bool = True
) -> Dataset:
    """Return one split of a registered data set.

    Parameters
    ----------
    name : str
        A key of `lsedu.data.SETS`; the default ships with the package.
    split : {"train", "test"}
        Which part.
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
    entry = source(name)
    _check.one_of("split", split, tuple(entry.files))
    paths = [fetch(entry, file, download=download, progress=progress) for file in entry.files[split]]
    images, labels = entry.read(paths)
    return Dataset(f"{name}/{split}", images, labels, entry.classes)


def hashes(name: str) -> dict[str, str]:
    """Return the sha256 of each file of a set, by file name: the part of a record's provenance that names its data."""
    return {file.name: file.sha256 for files in source(name).files.values() for file in files}
