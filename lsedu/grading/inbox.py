"""Find what was handed in: a submission for every student, with a reason where no notebook is to be found."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lsedu.grading.notebooks import UnreadableError, read_file

MAX_FILES = 2000
_SKIPPED = {".ipynb_checkpoints", ".git", "__MACOSX", ".DS_Store", "__pycache__"}


@dataclass(frozen=True)
class Submission:
    """A student's hand-in: the folder (or the file itself), the notebook in it, and what was odd in finding it."""

    student: str
    folder: Path
    path: Path | None
    flags: tuple[str, ...] = ()
    reason: str = ""
    files: dict[str, Path] = field(default_factory=dict)

    def digest(self) -> str:
        """Return a sha256 over the names and contents of what is graded; sizes beyond the cap count by size only."""
        sha = hashlib.sha256()
        for name, path in sorted({"": self.path, **self.files}.items()):
            sha.update(name.encode("utf-8", "surrogateescape") + b"\0")
            if path is not None:
                try:
                    sha.update(hashlib.sha256(read_file(path)).digest())
                except UnreadableError as error:
                    sha.update(str(error).encode())
        return sha.hexdigest()


def find(root: Path, lab: str, *, artefacts: tuple[str, ...] = ()) -> Iterator[Submission]:
    """Yield a submission for every student, by name.

    A folder `root/student/lab.ipynb`, nbgrader's `root/student/lab/lab.ipynb` and a file `root/student.ipynb` are
    understood. A student without a notebook is yielded too, with a reason.

    Parameters
    ----------
    root
        The folder of the submissions.
    lab
        The lab's name.
    artefacts
        Names of further files that the lab asks for.
    """
    for name in sorted(os.listdir(root)):
        path = root / name
        if name in _SKIPPED:
            continue
        if path.is_symlink():
            yield Submission(name, path, None, ("link",), "the submission is a link, which is not followed")
        elif path.is_dir():
            yield _in_folder(name, path, lab, artefacts)
        elif path.suffix.lower() == ".ipynb" and not (root / path.stem).is_dir():
            yield Submission(path.stem, path, path)


def _in_folder(student: str, folder: Path, lab: str, artefacts: tuple[str, ...]) -> Submission:
    places = [folder, folder / lab]
    places = [place for place in places if os.path.isdir(place) and not place.is_symlink()]
    flags: list[str] = []
    files = {name: place / name for name in artefacts for place in reversed(places) if os.path.lexists(place / name)}
    try:
        names = [[item.name for item in os.scandir(place)] for place in places]
    except OSError as error:
        return Submission(student, folder, None, ("unreadable",), f"the folder cannot be read ({error.strerror})")
    if any(len(found) > MAX_FILES for found in names):
        flags.append("very many files")
    for place in reversed(places):
        if os.path.lexists(place / f"{lab}.ipynb"):
            return Submission(student, folder, place / f"{lab}.ipynb", tuple(flags), files=files)
    others = [
        place / name
        for place, found in zip(places, names)
        for name in sorted(found)[:MAX_FILES]
        if name.lower().endswith(".ipynb") and not name.startswith(".")
    ]
    same = [path for path in others if lab.lower() in path.name.lower()]
    chosen = same if len(same) == 1 else others
    if len(chosen) == 1:
        return Submission(student, folder, chosen[0], (*flags, "other file name"), files=files)
    reason = f"no notebook {lab}.ipynb was found" if not others else f"several notebooks, and none is {lab}.ipynb"
    return Submission(student, folder, None, (*flags, "no notebook"), reason, files)
