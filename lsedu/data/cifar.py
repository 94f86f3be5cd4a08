"""CIFAR-10 and CIFAR-100: the official archives, and lossless mosaics of the same images."""

import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR100_CLASSES = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy",
    "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock",
    "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest",
    "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard",
    "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid",
    "otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine", "possum",
    "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper",
    "snail", "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone",
    "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf",
    "woman", "worm",
)  # fmt: skip

#: The authors' twenty groups ("superclasses") of CIFAR-100, five classes each.
CIFAR100_GROUPS: dict[str, tuple[str, ...]] = {
    "aquatic mammals": ("beaver", "dolphin", "otter", "seal", "whale"),
    "fish": ("aquarium_fish", "flatfish", "ray", "shark", "trout"),
    "flowers": ("orchid", "poppy", "rose", "sunflower", "tulip"),
    "food containers": ("bottle", "bowl", "can", "cup", "plate"),
    "fruit and vegetables": ("apple", "mushroom", "orange", "pear", "sweet_pepper"),
    "household electrical devices": ("clock", "keyboard", "lamp", "telephone", "television"),
    "household furniture": ("bed", "chair", "couch", "table", "wardrobe"),
    "insects": ("bee", "beetle", "butterfly", "caterpillar", "cockroach"),
    "large carnivores": ("bear", "leopard", "lion", "tiger", "wolf"),
    "large man-made outdoor things": ("bridge", "castle", "house", "road", "skyscraper"),
    "large natural outdoor scenes": ("cloud", "forest", "mountain", "plain", "sea"),
    "large omnivores and herbivores": ("camel", "cattle", "chimpanzee", "elephant", "kangaroo"),
    "medium-sized mammals": ("fox", "porcupine", "possum", "raccoon", "skunk"),
    "non-insect invertebrates": ("crab", "lobster", "snail", "spider", "worm"),
    "people": ("baby", "boy", "girl", "man", "woman"),
    "reptiles": ("crocodile", "dinosaur", "lizard", "snake", "turtle"),
    "small mammals": ("hamster", "mouse", "rabbit", "shrew", "squirrel"),
    "trees": ("maple_tree", "oak_tree", "palm_tree", "pine_tree", "willow_tree"),
    "vehicles 1": ("bicycle", "bus", "motorcycle", "pickup_truck", "train"),
    "vehicles 2": ("lawn_mower", "rocket", "streetcar", "tank", "tractor"),
}

_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


class _ArraysOnly(pickle.Unpickler):
    """Reads arrays, numbers and text; anything else a pickle could name is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"the archive names {module}.{name}, which no CIFAR archive does")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def read_archive(path: Path, *, split: str, labels: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, 32, 32, 3) and labels (N,) of one split of an official Python archive.

    Parameters
    ----------
    path : Path
        ``cifar-10-python.tar.gz`` or ``cifar-100-python.tar.gz``.
    split : {"train", "test"}
    labels : {"labels", "fine_labels"}
        Key of the labels in the archive's dictionaries.

    Raises
    ------
    ValueError
        If the archive is not such an archive.
    """
    wanted = {"train": ("data_batch_", "train"), "test": ("test_batch", "test")}[split]
    images, found = [], []
    try:
        with tarfile.open(path, "r:gz") as archive:
            members = [m for m in archive.getmembers() if m.isfile() and Path(m.name).name.startswith(wanted)]
            for member in sorted(members, key=lambda m: m.name):
                batch = _ArraysOnly(archive.extractfile(member), encoding="bytes").load()
                images.append(batch[b"data"])
                found.append(np.asarray(batch[labels.encode()], dtype=np.int64))
    except Exception as error:  # what a damaged pickle raises is anything
        raise ValueError(f"{path} is no CIFAR archive: {error}") from error
    if not images:
        raise ValueError(f"{path} is no CIFAR archive: it has no {split} part")
    for pixels, wanted in zip(images, found):
        of = (pixels.dtype, pixels.shape) if isinstance(pixels, np.ndarray) else type(pixels).__name__
        if of != (np.uint8, (len(wanted), 3072)):
            raise ValueError(f"{path} is no CIFAR archive: of {len(wanted)} images it has {of}, not 3072 bytes each")
    pixels = np.concatenate(images).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(pixels), np.concatenate(found)


def decode(path: Path) -> np.ndarray:
    """Return the pixels of a picture, uint8, shape (H, W, 3).

    Raises
    ------
    ImportError
        If its decoder is not installed.
    """
    try:
        if path.suffix == ".jxl":
            import imagecodecs

            return imagecodecs.jpegxl_decode(path.read_bytes())
        from PIL import Image

        return np.asarray(Image.open(path).convert("RGB"))
    except ImportError as error:
        raise ImportError(f"{path.name} is read with {error.name}: pip install 'lsedu[images]'") from error


def read_mosaics(paths: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, 32, 32, 3) and labels (N,) from mosaics of 100 x 100 tiles and, last, an npy of labels.

    Raises
    ------
    ValueError
        If a mosaic has another shape than (3200, 3200, 3).
    ImportError
        If the decoder is not installed.
    """
    parts = []
    for path in paths[:-1]:
        mosaic = decode(path)
        if mosaic.shape != (3200, 3200, 3) or mosaic.dtype != np.uint8:
            raise ValueError(f"{path} must decode to uint8 (3200, 3200, 3), got {mosaic.dtype} {mosaic.shape}")
        parts.append(mosaic.reshape(100, 32, 100, 32, 3).swapaxes(1, 2).reshape(10_000, 32, 32, 3))
    return np.concatenate(parts), np.load(paths[-1], allow_pickle=False).astype(np.int64)
