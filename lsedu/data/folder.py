"""Sets that the user must get: read from a folder in the layout of their authors, counts checked."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lsedu import _check
from lsedu.data.dataset import Dataset
from lsedu.data.download import DataUnavailableError

Listing = tuple[list[Path], list[int], tuple[str, ...]]


def _lines(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _matlab(path: Path) -> dict[str, np.ndarray]:
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise ImportError(f"{path.name} is read with scipy: pip install scipy") from error
    return loadmat(path)


def _by_class(folder: Path) -> Listing:
    classes = tuple(sorted(child.name for child in folder.iterdir() if child.is_dir()))
    found = [(file, k) for k, name in enumerate(classes) for file in sorted((folder / name).rglob("*.*"))]
    paths = [(file, k) for file, k in found if file.suffix.lower() in (".jpg", ".jpeg", ".png")]
    return [file for file, _ in paths], [k for _, k in paths], classes


def _imagenet100(folder: Path, split: str) -> Listing:
    return _by_class(folder / {"train": "train", "test": "val"}[split])


def _tiny_imagenet(folder: Path, split: str) -> Listing:
    classes = tuple(sorted(row[0] for row in _lines(folder / "wnids.txt")))
    if split == "train":
        files = [
            (file, k) for k, name in enumerate(classes) for file in sorted((folder / "train" / name).rglob("*.JPEG"))
        ]
    else:
        rows = _lines(folder / "val" / "val_annotations.txt")
        files = [(folder / "val" / "images" / row[0], classes.index(row[1])) for row in rows]
    return [file for file, _ in files], [k for _, k in files], classes


def _cub200(folder: Path, split: str) -> Listing:
    classes = tuple(row[1] for row in _lines(folder / "classes.txt"))
    labels = {row[0]: int(row[1]) - 1 for row in _lines(folder / "image_class_labels.txt")}
    part = {row[0] for row in _lines(folder / "train_test_split.txt") if row[1] == {"train": "1", "test": "0"}[split]}
    rows = [row for row in _lines(folder / "images.txt") if row[0] in part]
    return [folder / "images" / row[1] for row in rows], [labels[row[0]] for row in rows], classes


def _flowers102(folder: Path, split: str) -> Listing:
    labels = _matlab(folder / "imagelabels.mat")["labels"].ravel().astype(int) - 1
    key = {"train": "trnid", "validation": "valid", "test": "tstid"}[split]
    ids = _matlab(folder / "setid.mat")[key].ravel()
    classes = tuple(f"flower {k + 1}" for k in range(102))
    return [folder / "jpg" / f"image_{i:05d}.jpg" for i in ids], [int(labels[i - 1]) for i in ids], classes


def _animals10n(folder: Path, split: str) -> Listing:
    classes = ("cat", "lynx", "wolf", "coyote", "cheetah", "jaguar", "chimpanzee", "orangutan", "hamster", "guinea pig")
    here = folder / {"train": "training", "test": "testing"}[split]
    paths = sorted(path for path in here.iterdir() if path.suffix == ".jpg")
    return paths, [int(path.name.split("_")[0]) for path in paths], classes


@dataclass(frozen=True)
class Layout:
    """A folder layout, the number of samples its authors state by split, and their side after scaling."""

    listing: Callable[[Path, str], Listing] | None
    counts: dict[str, int | None]
    size: int


LAYOUTS = {
    "svhn": Layout(None, {"train": 73_257, "test": 26_032}, 32),
    "flowers-102": Layout(_flowers102, {"train": 1_020, "validation": 1_020, "test": 6_149}, 256),
    "tiny-imagenet": Layout(_tiny_imagenet, {"train": 100_000, "test": 10_000}, 64),
    "cub-200": Layout(_cub200, {"train": 5_994, "test": 5_794}, 256),
    "animals-10n": Layout(_animals10n, {"train": 50_000, "test": 5_000}, 64),
    "imagenet-100": Layout(_imagenet100, {"train": None, "test": 5_000}, 224),
}


def _svhn(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    found = _matlab(folder / f"{split}_32x32.mat")
    return found["X"].transpose(3, 0, 1, 2), found["y"].ravel().astype(np.int64) % 10


def load_folder(
    name: str, folder: Path, *, split: str = "train", size: int | None = None, check_counts: bool = True
) -> Dataset:
    """Return one split of a set that lies unpacked in `folder`, as its authors lay it out.

    Parameters
    ----------
    name : {"svhn", "flowers-102", "tiny-imagenet", "cub-200", "animals-10n", "imagenet-100"}
        The layout.
    folder : Path
        The folder that the set's archive unpacks to.
    split : str
        "train" or "test" (the official validation images where the test labels are not public); Flowers-102 also has
        "validation".
    size : int, optional
        Images are scaled so that their shorter side is this long and cropped at the centre; the layout's default
        otherwise. SVHN is never scaled.
    check_counts : bool
        Whether the number of samples must be the published one.

    Raises
    ------
    ValueError
        For an unknown name or split, or another number of samples than the published one.
    DataUnavailableError
        If the folder does not hold the set.

    Notes
    -----
    No hash is checked: none is cited for the unpacked files.
    """
    layout = LAYOUTS[_check.one_of("name", name, tuple(LAYOUTS))]
    _check.one_of("split", split, tuple(layout.counts))
    folder = Path(folder)
    try:
        if layout.listing is None:
            images, labels = _svhn(folder, split)
            classes: tuple[str, ...] = tuple("0123456789")
        else:
            paths, listed, classes = layout.listing(folder, split)
            labels = np.asarray(listed, dtype=np.int64)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataUnavailableError(f"{folder} does not hold {name} as its authors unpack it: {error}") from error
    expected = layout.counts[split]
    if len(labels) == 0 or (check_counts and expected is not None and len(labels) != expected):
        raise ValueError(f"{name}/{split} must have {expected or 'some'} samples, {folder} holds {len(labels)}")
    if layout.listing is not None:
        images = np.stack([_read_image(path, size or layout.size) for path in paths])
    return Dataset(f"{name}/{split}", np.ascontiguousarray(images), labels, classes)


def _read_image(path: Path, size: int) -> np.ndarray:
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.BILINEAR))
    except OSError as error:
        raise ValueError(f"{path} is not a readable image: {error}") from error
