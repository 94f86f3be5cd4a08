"""Questions answered by a file of arrays: read without pickle, checked, and scored in the trusted process."""

import hashlib
import inspect
import io
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lsedu._errors import LseduError
from lsedu.grading.marking import Mark
from lsedu.grading.notebooks import UnreadableError, read_file
from lsedu.labs.spec import ArraySpec, Question

MAX_FILE = 32 * 2**20
MAX_ARRAY = 64 * 2**20


class ArtefactError(LseduError, ValueError):
    """A file that does not hold what was asked for; the message is for the student."""


def load(path: Path, arrays: dict[str, ArraySpec]) -> dict[str, np.ndarray]:
    """Read the arrays that a question asks for from a ``.npz`` or, if it asks for one, a ``.npy`` file.

    Nothing else in the file is looked at; nothing is unpickled; a size that a header claims is checked against the
    bytes that are there before anything is allocated.

    Raises
    ------
    ArtefactError
        If the file cannot be read, or an array is missing or not of the type, shape and range asked for.
    """
    try:
        data = read_file(path, limit=MAX_FILE)
    except UnreadableError as error:
        raise ArtefactError(str(error)) from None
    if data.startswith(b"\x93NUMPY"):
        if len(arrays) != 1:
            raise ArtefactError(f"one array was found, but {len(arrays)} are asked for in one .npz file")
        raw = dict.fromkeys(arrays, data)
    else:
        raw = _members(data, list(arrays))
    return {name: _array(name, raw[name], spec) for name, spec in arrays.items()}


def _members(data: bytes, names: list[str]) -> dict[str, bytes]:
    found = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in names:
                try:
                    about = archive.getinfo(f"{name}.npy")
                except KeyError:
                    raise ArtefactError(f"there is no array {name!r} in the file") from None
                if about.file_size > MAX_ARRAY:
                    raise ArtefactError(f"array {name!r} is larger than {MAX_ARRAY // 2**20} MiB")
                with archive.open(about) as member:
                    found[name] = member.read(MAX_ARRAY + 1)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise ArtefactError("the file is not a whole .npz file as numpy.savez writes it") from error
    except (ValueError, OverflowError) as error:
        if isinstance(error, ArtefactError):
            raise
        raise ArtefactError("the file is not a whole .npz file as numpy.savez writes it") from error
    except Exception as error:  # zlib.error and its kin of other compressions share no base class
        raise ArtefactError("the file is damaged") from error
    return found


def _array(name: str, data: bytes, spec: ArraySpec) -> np.ndarray:
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file, max_header_size=4096)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError, EOFError) as error:
        raise ArtefactError(f"array {name!r} has no valid header") from error
    if dtype.hasobject or dtype.kind not in "biuf":
        raise ArtefactError(f"array {name!r} holds objects or text; numbers are asked for")
    if dtype.kind != spec.kind and not (spec.kind in "iu" and dtype.kind in "iu"):
        words = {"f": "floating-point numbers", "i": "integers", "u": "integers", "b": "True or False"}
        raise ArtefactError(f"array {name!r} must hold {words[spec.kind]}")
    wanted = tuple("any" if size is None else size for size in spec.shape)
    if len(shape) != len(spec.shape) or any(b is not None and a != b for a, b in zip(shape, spec.shape)):
        raise ArtefactError(f"array {name!r} has shape {shape}, asked for is {wanted}")
    if 0 in shape and 0 not in spec.shape:  # of nothing, everything is true
        raise ArtefactError(f"array {name!r} has shape {shape}: it is empty")
    rest = data[file.tell() :]
    if math.prod(shape) * dtype.itemsize != len(rest):
        raise ArtefactError(f"array {name!r} is not as long as its header says")
    array = np.frombuffer(rest, dtype=dtype).reshape(shape, order="F" if fortran else "C")
    if dtype.kind == "f" and not np.isfinite(array).all():
        raise ArtefactError(f"array {name!r} holds NaN or infinity")
    if array.size and (array.min() < spec.low or array.max() > spec.high):
        raise ArtefactError(f"array {name!r} leaves the range [{spec.low:g}, {spec.high:g}]")
    return array.astype(dtype.newbyteorder("="))


def mark(question: Question, path: Path | None, *, student: str, seed: Sequence[int]) -> tuple[Mark, str]:
    """Mark an artefact, and return the digest of its arrays by which copies are found.

    The scoring function is called with the arrays, and, if it has such a parameter, with ``rng``: a generator drawn
    from the class's secret and the student's id, so that each student can be scored on a split of their own. It yields
    (passed, reason), or (passed, reason, flag) where a result is too good to be taken at its word.
    """
    if path is None:
        return Mark(question.id, 0.0, [f"there is no file {question.file!r}"]), ""
    try:
        arrays = load(path, dict(question.arrays))
    except ArtefactError as error:
        return Mark(question.id, 0.0, [str(error)]), ""
    sha = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        sha.update(f"{name} {array.dtype} {array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    options: dict[str, Any] = {}
    if "rng" in inspect.signature(question.score).parameters:
        own = int.from_bytes(hashlib.sha256(student.encode("utf-8", "surrogateescape")).digest()[:8], "big")
        options["rng"] = np.random.default_rng([*seed, own])
    parts = [tuple(part) for part in question.score(arrays, **options)]
    reasons = [part[1] for part in parts if not part[0]] if parts else ["nothing in the file could be scored"]
    flags = [str(part[2]) for part in parts if len(part) > 2 and part[2]]
    points = round(question.points * sum(bool(part[0]) for part in parts) / max(len(parts), 1), 2)
    return Mark(question.id, points, reasons, reasons, flags), sha.hexdigest()
