"""Students' own copies of the labs, and that no work in a notebook is ever overwritten."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsedu import _write
from lsedu._errors import LseduError
from lsedu.labs.cells import untouched


class CopyError(LseduError, RuntimeError):
    """There is nothing to copy; the message says where labs are."""


def copy(source: Path, out: Path, *, say: Callable[[str], None] = str) -> list[Path]:
    """Copy the labs of a course to a folder of the student's own, where there is no copy yet.

    A copy that is there stays as it is. Where the course has released the lab anew since, the new one is put beside it
    under a name with its release.

    Parameters
    ----------
    source
        The folder of the released labs.
    out
        The student's folder; made if it is missing.
    say
        Called with what a student should know.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    CopyError
        If there is no lab in `source`.
    """
    labs = {path: about for path in sorted(source.glob("*.ipynb")) if (about := _about(path)) is not None}
    labs = {path: about for path, about in labs.items() if path.stem == about.get("lab")}
    if not labs:
        raise CopyError(f"there is no lab in {source}/: run this in the course's folder, or name another by --source")
    written = []
    for path, about in labs.items():
        target = out / path.name
        if target.exists():
            if (_about(target) or {}).get("release") == about.get("release"):
                continue
            target = out / f"{path.stem}-{about.get('release', '')[:8]}.ipynb"
            if target.exists():
                continue
            say(f"{path.name} was released anew: yours stays as it is, the new one is {target}")
        _write.create(target, path.read_bytes())
        written.append(target)
    return written


def keep(path: Path) -> Path | None:
    """Move a notebook that holds work out of the way of another that is to take its place.

    Returns
    -------
    Path or None
        Where it is now, ``NAME-kept-1.ipynb`` beside; None if there was nothing, or nothing but what lsedu wrote.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "lab.ipynb"
    ...     _ = path.write_text("a notebook of somebody's")
    ...     keep(path).name, path.exists()
    ('lab-kept-1.ipynb', False)
    """
    if not path.exists() or not _worked(path):
        return None
    number = 1
    while (place := path.with_name(f"{path.stem}-kept-{number}{path.suffix}")).exists():
        number += 1
    return path.rename(place)


def _worked(path: Path) -> bool:
    """Whether a notebook is anything but a release as it was written, not even run."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return not untouched(content) or any(cell.get("outputs") for cell in content["cells"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return True


def _about(path: Path) -> dict[str, Any] | None:
    """Return what a notebook says of the lab it is of; None if it says nothing, or cannot be read."""
    try:
        about = json.loads(path.read_text(encoding="utf-8-sig"))["metadata"]["lsedu"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return about if isinstance(about, dict) else None
