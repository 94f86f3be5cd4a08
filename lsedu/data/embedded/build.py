"""Make the embedded part of Fashion-MNIST from the full set, and print the hashes that the registry holds.

A class-balanced draw of both splits, and apart from it the test pictures that were not drawn.
The same official files give the same bytes. Run it with ``python -m lsedu.data.embedded.build``.
"""

from pathlib import Path

import numpy as np

from lsedu.data.dataset import Dataset
from lsedu.data.idx import write_idx
from lsedu.data.load import load

SEED = 1708_07747
SIZES = {"train": 10_000, "test": 2_000}


def choose(labels: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return the sorted indices of a class-balanced random subset of `size` samples."""
    classes = np.unique(labels)
    drawn = [rng.choice(np.flatnonzero(labels == k), size // len(classes), replace=False) for k in classes]
    return np.sort(np.concatenate(drawn))


def _write(folder: Path, name: str, chosen: Dataset) -> None:
    write_idx(folder / f"{name}-images.idx.xz", chosen.images)
    write_idx(folder / f"{name}-labels.idx.xz", chosen.labels.astype(np.uint8))


def main() -> None:
    """Write the six files and the table of indices beside this module."""
    import hashlib
    import sys

    folder = Path(__file__).parent / "fashion-mnist-mini"
    rng = np.random.default_rng(SEED)
    indices = {}
    for part, size in SIZES.items():
        full = load("fashion-mnist", split=part)
        indices[part] = choose(full.labels, size, rng).astype(np.int32)
        _write(folder, part, full.take(indices[part]))
    _write(folder, "test-rest", full.take(np.setdiff1d(np.arange(len(full)), indices["test"])))
    np.savez_compressed(folder / "indices.npz", **indices)
    for path in sorted(folder.glob("*.xz")):
        sys.stdout.write(f"{path.name} {path.stat().st_size} {hashlib.sha256(path.read_bytes()).hexdigest()}\n")


if __name__ == "__main__":
    main()
