"""Archives that were handed in: notebooks and asked-for files are taken out, and nothing else; names are labels only.

What is in an archive is hostile until shown otherwise: no member chooses where it is written, links are passed over,
sizes are measured while reading, not believed.
"""

import contextlib
import lzma
import os
import re
import stat
import time
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from lsedu.grading.notebooks import MAX_BYTES

LIKE = (".ipynb.txt", ".ipynb.json", ".json", ".txt")
"""Endings under which browsers save a notebook; such a file counts if it begins like one."""
MAX_MEMBERS = 2000
MAX_TOTAL = 4 * MAX_BYTES
_JUNK = {"__MACOSX", ".ipynb_checkpoints", ".git", "__pycache__"}
_BAD = (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError)


@dataclass
class Unpacked:
    """What was taken out of an archive: label to path; names of the rest; why something could not be taken out."""

    files: dict[str, Path] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def unpack(archive: Path, into: Path, *, wanted: Collection[str], whole: bool = False, inner: bool = True) -> Unpacked:
    """Take the notebooks, the files called as in `wanted` and those of their kinds out of a zip.

    Parameters
    ----------
    archive
        The file.
    into
        An empty folder for what is taken out.
    wanted
        Names of further files.
    whole
        Keep the folders and take archives as they are: the archive of a class, each of whose members is a student's.
    inner
        Whether archives inside it are opened in turn.

    Raises
    ------
    OSError
        If `into` cannot be written to.
    """
    found = Unpacked()
    into.mkdir(parents=True, exist_ok=True)
    room = MAX_TOTAL * (16 if whole else 1)
    try:
        with zipfile.ZipFile(archive) as content:
            members = [member for member in content.infolist() if not member.is_dir()]
            if len(members) > MAX_MEMBERS * (100 if whole else 1):
                found.problems.append(f"{archive.name} holds more than {MAX_MEMBERS} files")
                return found
            for number, member in enumerate(members):
                parts = [part for part in PurePosixPath(_name(member)).parts if part.strip("./")]
                if not parts or _JUNK & set(parts) or parts[-1].startswith("."):
                    continue
                label, name = "/".join(parts), _harmless(parts[-1])
                ends = (".ipynb", ".zip", *LIKE, *kinds(wanted))
                taken = name.lower().endswith(ends) or parts[-1] in wanted or whole
                if not taken or stat.S_ISLNK(member.external_attr >> 16):
                    found.others.append(label)
                    continue
                if member.flag_bits & 1:
                    found.problems.append(f"{archive.name} is locked by a password")
                    break
                place = into.joinpath(*map(_harmless, parts)) if whole else into / str(number) / name
                if place.exists():  # two members of one name, by case or by what was made harmless
                    place = place.with_name(f"{number}-{name}")
                size = _copy(content, member, place, min(room, MAX_BYTES))
                if size is None:
                    found.problems.append(f"{label} in {archive.name} is larger than {MAX_BYTES // 2**20} MiB")
                    continue
                room -= size
                if name.lower().endswith(".zip") and not whole:
                    if inner:
                        below = unpack(place, into / f"{number}-in", wanted=wanted, inner=False)
                        found.files |= {f"{label}/{key}": path for key, path in below.files.items()}
                        found.problems += below.problems
                    continue
                found.files[label] = place
    except (*_BAD, zlib.error, lzma.LZMAError) as error:
        if isinstance(error, OSError) and error.filename is not None and str(error.filename).startswith(str(into)):
            raise  # it is our own disk that is full
        found.problems.append(f"{archive.name} cannot be read: it is not a whole zip file")
    return found


def kinds(wanted: Collection[str]) -> tuple[str, ...]:
    """Return the endings of the files in `wanted`: one of such a kind may be the one under another name.

    Examples
    --------
    >>> kinds(["q.npz", "logits.npz"])
    ('.npz',)
    """
    return tuple(sorted({PurePosixPath(name).suffix.lower() for name in wanted} - {""}))


def _copy(content: zipfile.ZipFile, member: zipfile.ZipInfo, place: Path, most: int) -> int | None:
    """Write a member's bytes to `place` with the member's time; None if there are more of them than `most`."""
    if member.file_size > most:
        return None
    with content.open(member) as source:
        data = source.read(most + 1)
    if len(data) > most:
        return None
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    moment = time.mktime((*member.date_time, 0, 0, -1)) if member.date_time[0] > 1980 else 0.0
    os.utime(place, (moment, moment))
    return len(data)


def _name(member: zipfile.ZipInfo) -> str:
    """Return a member's name; where it is not marked as UTF-8 but is, as some systems write it, read it as such."""
    name = member.filename.replace("\\", "/")
    if not member.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            return name.encode("cp437").decode("utf-8")
    return name


def _harmless(name: str) -> str:
    """Return a member's name as a file name that stays where it is put."""
    name = re.sub(r"[\x00-\x1f/\\]", "_", name)
    return name.encode("utf-8", "replace")[-200:].decode("utf-8", "ignore") if name.strip(".") else "_"
