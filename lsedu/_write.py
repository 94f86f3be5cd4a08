"""Files written whole or not at all, and what killed writers left behind cleared away."""

import hashlib
import os
import platform
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO


@cache
def _machine() -> str:
    """Return a name of this machine, and of the table of processes seen from here (a container has its own)."""
    try:
        table = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        table = 0
    return hashlib.sha256(f"{platform.node()} {table}".encode()).hexdigest()[:8]


def _runs(pid: int) -> bool:
    """Return whether a process of that number exists here; where that cannot be asked safely, say yes."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def clear_leftovers(path: Path) -> None:
    """Remove the parts of `path` whose writers were killed: ours, begun on this machine by a process that is gone.

    Parts of another user, of another machine that shares the folder, or of a process that runs stay where they are.
    """
    pattern = re.compile(rf"{re.escape(path.name)}\.{_machine()}-(\d+)-[^.]+\.part")
    for part in path.parent.iterdir():
        if (found := pattern.fullmatch(part.name)) and not _runs(int(found[1])):
            try:
                if os.name != "posix" or part.stat().st_uid == os.getuid():
                    part.unlink()
            except FileNotFoundError:
                continue  # another writer of the same file was faster


@contextmanager
def _part(path: Path, mode: int) -> Iterator[tuple[Path, BinaryIO]]:
    """Give the part that is to become `path`, and the file to write it to; it is gone after the block."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    clear_leftovers(path)
    part = path.with_name(f"{path.name}.{_machine()}-{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as out:
            yield part, out
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error  # a failed write does not say where
    finally:
        part.unlink(missing_ok=True)


def _flush(out: BinaryIO) -> None:
    """See that what was written is on the disk."""
    out.flush()
    os.fsync(out.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a binary file that becomes `path` when the block ends well; otherwise `path` stays as it was.

    A kill at any moment leaves the old file or the new one, never half a file. The folder is made if it is missing.

    Raises
    ------
    OSError
        If the file cannot be written, as on a full disk; it names the file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "a") as out:
    ...         _ = out.write(b"whole")
    ...     (Path(folder) / "a").read_bytes()
    b'whole'
    """
    with _part(path, 0o666) as (part, out):
        yield out
        _flush(out)
        os.replace(part, path)


def write(path: Path, content: bytes | memoryview) -> None:
    """Write `content` to `path`, whole or not at all."""
    with replacing(path) as out:
        out.write(content)


def create(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write `content` to a file that is not there yet, whole or not at all.

    Raises
    ------
    FileExistsError
        If there is one by now: of several writers one wins, and its file stays.
    OSError
        If the file cannot be written.
    """
    with _part(path, mode) as (part, out):
        out.write(content)
        _flush(out)
        try:
            os.link(part, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links: take the name first
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, mode))
            os.replace(part, path)
