"""Questions answered by a file of arrays: read without pickle, checked, and scored in the trusted process."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from lsedu.authoring.scoring import score
from lsedu.grading.marking import Mark
from lsedu.grading.notebooks import UnreadableError, read_file
from lsedu.labs.arrays import MAX_FILE, ArtefactError, read
from lsedu.labs.spec import ArraySpec, Question

_FEW = 16
"""Fewer numbers than this may agree by chance, a seed or a count, and show no copy."""


def load(path: Path, arrays: Mapping[str, ArraySpec]) -> dict[str, np.ndarray]:
    """Read the arrays that a question asks for from a ``.npz`` or, if it asks for one, a ``.npy`` file.

    Raises
    ------
    ArtefactError
        If the file cannot be read, or an array is missing or not of the type, shape and range asked for.
    """
    try:
        return read(read_file(path, limit=MAX_FILE), arrays)
    except UnreadableError as error:
        raise ArtefactError(str(error)) from None


def mark(
    question: Question,
    path: Path | None,
    *,
    student: str,
    seed: Sequence[int],
    variant: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[Mark, str]:
    """Mark an artefact, and return the digests of its arrays by which copies are found; see `scoring.score`."""
    if path is None:
        return Mark(question.id, 0.0, [f"there is no file {question.file!r}"]), ""
    try:
        arrays = load(path, question.arrays)
    except ArtefactError as error:
        return Mark(question.id, 0.0, [str(error)]), ""
    got = score(question, arrays, student=student, seed=seed, variant=variant)
    return Mark(question.id, got.points, got.reasons, got.reasons, got.flags), digests(arrays)


def digests(arrays: Mapping[str, np.ndarray]) -> str:
    """Return a text with the digest of every array of some size, by which copies are found.

    Equal numbers have equal digests, whatever type they were written as.

    Examples
    --------
    >>> half = np.full(20, 0.5)
    >>> digests({"a": half, "seed": np.array(3)}) == digests({"a": half.astype("f4"), "seed": np.array(4)})
    True
    """
    large = {name: array for name, array in arrays.items() if array.size >= _FEW} or arrays
    found = []
    for name, array in sorted(large.items()):
        # adding 0 makes a negative zero a zero
        plain = np.ascontiguousarray(array.astype(np.float32 if array.dtype.kind == "f" else np.int64)) + 0
        found.append(f"{name}={hashlib.sha256(f'{plain.shape}'.encode() + plain.tobytes()).hexdigest()[:32]}")
    return " ".join(found)
