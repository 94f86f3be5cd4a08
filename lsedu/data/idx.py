"""The idx format of the MNIST family, plain, gzip or xz, read whole or refused."""

import gzip
import lzma
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from lsedu import _write

_OPEN = {".gz": gzip.decompress, ".xz": lzma.decompress}


def read_idx(path: Path) -> np.ndarray:
    """Return the unsigned-byte array of an idx file.

    Parameters
    ----------
    path : Path
        File ending in .gz or .xz (compressed), or anything else (plain).

    Returns
    -------
    ndarray of uint8
        With the shape that the header states.

    Raises
    ------
    ValueError
        If the file is no unsigned-byte idx file, or its length is not the one its header states.
    """
    raw = Path(path).read_bytes()
    try:
        raw = _OPEN.get(Path(path).suffix, bytes)(raw)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise ValueError(f"{path} is not a readable {Path(path).suffix} file: {error}") from error
    if len(raw) < 4 or raw[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is no idx file of unsigned bytes: it begins with {raw[:4]!r}")
    start = 4 + 4 * raw[3]
    if len(raw) < start:
        raise ValueError(f"{path} ends within its header: it states {raw[3]} axes, but holds {len(raw)} bytes in all")
    shape = struct.unpack(f">{raw[3]}I", raw[4:start])
    size = math.prod(shape)  # of Python's integers: NumPy's wrap
    if len(raw) - start != size:
        raise ValueError(f"{path} states the shape {shape}, {size} bytes, but holds {len(raw) - start}")
    return np.frombuffer(raw, dtype=np.uint8, offset=start).reshape(shape)


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write a uint8 array as an xz-compressed idx file; the same array gives the same bytes."""
    if array.dtype != np.uint8:
        raise ValueError(f"array must have dtype uint8, got {array.dtype}")
    raw = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    _write.write(path, lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME))
