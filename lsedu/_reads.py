"""Which files a program reads: what it made depends on them, by whatever expression it came to open them.

Python tells its audit hooks of every file that is opened and every folder that is listed. `watching` notes them in this
process, where they lie below a folder; a process that is started with `environment`, and what it starts itself, notes
them in a file from its first import of lsedu on. Whoever only looks for a file says so by the event `LOOKED_FOR`.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

#: Where and below which folder a process notes what it reads.
VARIABLE = "LSEDU_READS"

#: The audit event of a search for a file, which need not be there, or of the files of a folder.
LOOKED_FOR = "lsedu.looked_for"
_EVENTS = frozenset({"open", "os.listdir", "os.scandir", LOOKED_FOR})

#: Watched folders, and what is told of each path.
_watched: list[tuple[str, Callable[[str], None]]] = []


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watched or event not in _EVENTS:
        return
    if event == "open" and (set(arguments[1] or "") & set("wax+") or arguments[2] & (os.O_WRONLY | os.O_RDWR)):
        return
    try:
        path = os.path.abspath(os.fsdecode(arguments[0] or "."))
    except TypeError:  # a descriptor that is open already
        return
    if event.startswith("os.") and path == os.getcwd():  # Python looks there for modules
        return
    for folder, tell in _watched:
        if event == LOOKED_FOR or f"{path}{os.sep}".startswith(folder + os.sep):
            tell(path)


@cache
def _listen() -> None:
    sys.addaudithook(_heard)  # it cannot be taken off again: it does nothing while nothing is watched


@contextmanager
def watching(folder: Path) -> Iterator[set[Path]]:
    """Give a set that fills with what is read below `folder` within the block, and what is looked for anywhere."""
    found: set[Path] = set()
    _listen()
    entry = (str(folder.resolve()), lambda path: found.add(Path(path)))
    _watched.append(entry)
    try:
        yield found
    finally:
        _watched.remove(entry)


def environment(manifest: Path, folder: Path) -> dict[str, str]:
    """Return the variable that makes a process note in `manifest` what it reads below `folder`."""
    return {VARIABLE: f"{manifest}{os.pathsep}{folder.resolve()}"}


def start() -> None:
    """Note what this process reads, if it was started with `environment`; an empty line says that it listens."""
    manifest, _, folder = os.environ.get(VARIABLE, "").partition(os.pathsep)
    if not folder:
        return
    seen: set[str] = set()

    def note(path: str) -> None:
        if path not in seen:
            seen.add(path)
            with open(manifest, "a", encoding="utf-8") as out:
                out.write(f"{path}\n")

    _listen()
    _watched.append((folder, note))
    note("")


def noted(manifest: Path) -> set[Path] | None:
    """Return the files that processes noted, or None if none of them noted anything."""
    if not manifest.is_file():
        return None
    return {Path(line) for line in manifest.read_text(encoding="utf-8").splitlines() if line}


def unchanged(before: dict[str, str], root: Path) -> bool:
    """Return whether all that `states` named is as it was."""
    return states({root / name for name in before}, root) == before


def states(paths: Iterable[Path], root: Path) -> dict[str, str]:
    """Return what is now in files (a hash) and folders (their names), by the path from `root`, or whole if outside."""
    found = {}
    for path in sorted(paths):
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        if path.is_file():
            with open(path, "rb") as content:
                found[name] = hashlib.file_digest(content, "sha256").hexdigest()
        else:
            found[name] = " ".join(sorted(os.listdir(path))) if path.is_dir() else "absent"
    return found
