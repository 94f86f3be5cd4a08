"""Read a notebook that a student handed in, any that can be read, with a reason where one cannot.

The files are hostile until shown otherwise: links are not followed, only regular files are opened, sizes are capped,
and nothing here runs or compiles what it reads.
"""

import contextlib
import errno
import json
import os
import stat
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from lsedu._errors import LseduError

MAX_BYTES = 64 * 2**20  # outputs are large, and cost nothing
MAX_MARKS = 8_000_000  # brackets and commas, which bound how many values a file can hold
MAX_CELLS = 5000
MAX_CELL_TEXT = 2**20
MAX_TEXT = 4 * 2**20  # of all cells: a long course's notebook has a twentieth of it
_LARGE = threading.Lock()  # one large file in memory at a time


class UnreadableError(LseduError, ValueError):
    """A file that cannot be read as a notebook; the message is for the student."""


@dataclass(frozen=True)
class Item:
    """A cell of a student's notebook: kind ("code", "markdown" or other), text, cell id and nbgrader metadata.

    Where the text is too long to be read, it is empty, and `left_out` says why.
    """

    kind: str
    text: str
    id: str = ""
    grade_id: str = ""
    graded: bool = False
    solution: bool = False
    left_out: str = ""


@dataclass(frozen=True)
class Notebook:
    """What was read: the cells in order, what was odd about the file, and what its metadata says of the lab.

    `about` holds the texts under the metadata's key `lsedu`: lab, release, student, handed_in, as far as they are
    there. The student can write there what they like.
    """

    items: tuple[Item, ...]
    flags: tuple[str, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)


def _open(path: Path) -> BinaryIO:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise UnreadableError("the file is a link, which is not followed") from error
        raise UnreadableError(f"the file cannot be opened ({error.strerror})") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableError("this is not a regular file")
    return open(descriptor, "rb")


def read_file(path: Path, *, limit: int = MAX_BYTES) -> bytes:
    """Return the bytes of a regular file, never through a link.

    Raises
    ------
    UnreadableError
        If it is no regular file, too large or not to be opened.
    """
    with _open(path) as file:
        if os.fstat(file.fileno()).st_size > limit or len(data := file.read(limit + 1)) > limit:
            raise UnreadableError(f"the file is larger than {limit // 2**20} MiB")
    return data


def start_of(path: Path, size: int) -> bytes:
    """Return the first bytes of a regular file, never through a link; see `read_file`."""
    with _open(path) as file:
        return file.read(size)


def decode(data: bytes) -> tuple[str, str]:
    """Return the text and the name of its encoding: by byte order mark, else UTF-8, else Windows-1252.

    Examples
    --------
    >>> decode("é".encode("utf-16"))
    ('é', 'utf-16')
    """
    name = json.detect_encoding(data[:16])  # by byte order mark, or by where the zeros of "{" stand
    if name != "utf-8":
        return data.decode(name, "replace"), name
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), "cp1252"


def read(path: Path) -> Notebook:
    """Read a notebook of format 2, 3 or 4.

    Raises
    ------
    UnreadableError
        If it cannot be read; the message says why.
    """
    return parse(read_file(path))


def parse(data: bytes) -> Notebook:
    """Read a notebook from the bytes of its file; see `read`."""
    if not data.strip(b" \t\r\n\0"):
        raise UnreadableError("the file is empty")
    if sum(map(data.count, (b"[", b"{", b","))) > MAX_MARKS:
        raise UnreadableError("the file holds too many values")
    with _LARGE if len(data) > 2**22 else contextlib.nullcontext():
        return _parse(data)


def _parse(data: bytes) -> Notebook:
    text, encoding = decode(data)
    flags = [] if encoding in ("utf-8", "utf-8-sig") else [f"encoding {encoding}"]
    try:
        content = json.loads(text.strip("\0 \t\r\n\ufeff"), strict=False)
    except RecursionError:
        raise UnreadableError("the file is nested too deeply") from None
    except ValueError as error:
        raise UnreadableError(f"the file is not a whole notebook: {_instead(text, error)}") from None
    if not isinstance(content, dict):
        raise UnreadableError("the file is JSON, but not a notebook")
    raw = content.get("cells")
    if not isinstance(raw, list) and isinstance(content.get("worksheets"), list):
        sheets = [sheet for sheet in content["worksheets"] if isinstance(sheet, dict)]
        raw = [cell for sheet in sheets if isinstance(sheet.get("cells"), list) for cell in sheet["cells"]]
        flags.append("old notebook format")
    if not isinstance(raw, list):
        raise UnreadableError("the file is JSON, but not a notebook: it has no cells")
    if len(raw) > MAX_CELLS:
        raise UnreadableError(f"the notebook has more than {MAX_CELLS} cells")
    items, room = [], MAX_TEXT
    for item in map(_item, raw):
        if item is not None:
            room -= len(item.text)
            why = f"cells before it hold more than {MAX_TEXT // 2**20} MiB of text"
            items.append(item if room >= 0 else replace(item, text="", left_out=why))
    if len(items) < len(raw):
        flags.append("malformed cells")
    if left_out := sum(bool(item.left_out) for item in items):
        flags.append(f"{left_out} cell{'s' if left_out > 1 else ''} too long to be read")
    return Notebook(tuple(items), tuple(flags), _about(content))


def _instead(text: str, error: ValueError) -> str:
    """Say what a file is that is no JSON."""
    if text.lstrip("\0 \t\r\n\ufeff").startswith("<"):
        return "it is a web page, saved instead of it"
    if "<<<<<<< " in text and ">>>>>>> " in text:
        return "it holds two versions, with the marks of a merge that was not finished"
    return f"it is not JSON ({_first_line(error)})"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:80] if str(error) else type(error).__name__


def _item(raw: Any) -> Item | None:
    if not isinstance(raw, dict):
        return None
    text = raw.get("source", raw.get("input", ""))
    if isinstance(text, list):
        lines = [line for line in text if isinstance(line, str)]
        text = ("" if any(line.endswith("\n") for line in lines) else "\n").join(lines)
    if not isinstance(text, str):
        return None
    left_out = f"it is longer than {MAX_CELL_TEXT // 2**20} MiB" if len(text) > MAX_CELL_TEXT else ""
    text = "" if left_out else text
    metadata = raw.get("metadata") if isinstance(raw.get("metadata"), dict) else {}
    graded = metadata.get("nbgrader") if isinstance(metadata.get("nbgrader"), dict) else {}
    words = [raw.get("cell_type"), raw.get("id"), graded.get("grade_id")]
    kind, name, grade_id = (word if isinstance(word, str) else "" for word in words)
    text = text.encode("utf-8", "replace").decode("utf-8")
    is_solution = graded.get("solution") is True
    return Item(kind, text, name, grade_id, graded.get("grade") is True, is_solution, left_out)


def _about(content: Mapping[str, Any]) -> dict[str, str]:
    metadata = content.get("metadata")
    said = metadata.get("lsedu") if isinstance(metadata, dict) else None
    return {key: value[:200] for key, value in said.items() if isinstance(value, str)} if isinstance(said, dict) else {}
