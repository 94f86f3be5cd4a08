"""A file of arrays that answers a question: read without pickle, and held to the form asked for, at home and in class."""

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lsedu._errors import LseduError
from lsedu.labs.spec import ArraySpec

MAX_FILE = 32 * 2**20
MAX_ARRAY = 64 * 2**20


class ArtefactError(LseduError, ValueError):
    """A file that does not hold what was asked for; the message is for the student."""


def read(data: bytes, arrays: Mapping[str, ArraySpec]) -> dict[str, np.ndarray]:
    """Return the arrays that a question asks for, from the bytes of a ``.npz`` or, if it asks for one, a ``.npy`` file.

    Nothing else in the file is looked at; nothing is unpickled; a size that a header claims is checked against the
    bytes that are there before anything is allocated.

    Raises
    ------
    ArtefactError
        If the file cannot be read, or an array is missing or not of the type, shape and range asked for.
    """
    raw = _raw(data, arrays)
    return {name: _array(name, raw(name), spec) for name, spec in arrays.items()}


def forms(path: Path, arrays: Mapping[str, ArraySpec]) -> dict[str, str]:
    """Return for each array what keeps a student's file from being taken, or an empty string.

    Raises
    ------
    ArtefactError
        If none of them can be looked at.
    OSError
        If the file cannot be opened.
    """
    if path.stat().st_size > MAX_FILE:
        raise ArtefactError(f"the file is larger than {MAX_FILE // 2**20} MiB")
    raw = _raw(path.read_bytes(), arrays)
    said = {}
    for name, spec in arrays.items():
        try:
            _array(name, raw(name), spec)
            said[name] = ""
        except ArtefactError as error:
            said[name] = str(error)
    return said


def encoded(spec: ArraySpec) -> dict[str, Any]:
    """Return a specification as JSON takes it, for the file of checks; see `decoded`."""
    ends = [None if math.isinf(value) else value for value in (spec.low, spec.high)]
    return {"kind": spec.kind, "shape": list(spec.shape), "range": ends}


def decoded(entry: Mapping[str, Any]) -> ArraySpec:
    """Return the specification that the file of checks holds.

    Examples
    --------
    >>> decoded(encoded(ArraySpec("f", (None, 3), 0))) == ArraySpec("f", (None, 3), 0)
    True
    """
    low, high = entry["range"]
    return ArraySpec(
        entry["kind"], tuple(entry["shape"]), -math.inf if low is None else low, math.inf if high is None else high
    )


def _raw(data: bytes, arrays: Mapping[str, ArraySpec]) -> Any:
    """Return a function that gives the bytes of an array by its name."""
    if data.startswith(b"\x93NUMPY"):
        if len(arrays) != 1:
            raise ArtefactError(f"one array was found, but {len(arrays)} are asked for in one .npz file")
        return lambda name: data
    return lambda name: _member(data, name)


def _member(data: bytes, name: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            try:
                about = archive.getinfo(f"{name}.npy")
            except KeyError:
                raise ArtefactError(f"there is no array {name!r} in the file") from None
            if about.file_size > MAX_ARRAY:
                raise ArtefactError(f"array {name!r} is larger than {MAX_ARRAY // 2**20} MiB")
            with archive.open(about) as member:
                return member.read(MAX_ARRAY + 1)
    except ArtefactError:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise ArtefactError("the file is not a whole .npz file as numpy.savez writes it") from error
    except (ValueError, OverflowError) as error:
        raise ArtefactError("the file is not a whole .npz file as numpy.savez writes it") from error
    except Exception as error:  # zlib.error and its kin of other compressions share no base class
        raise ArtefactError("the file is damaged") from error


def _array(name: str, data: bytes, spec: ArraySpec) -> np.ndarray:
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read_header(file, max_header_size=4096)
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
