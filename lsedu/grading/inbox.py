"""Find what was handed in: a submission for every student, with a reason where no notebook is to be found."""

import hashlib
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lsedu.grading.archives import LIKE, kinds, unpack
from lsedu.grading.choosing import Candidate, Rating, best, moment
from lsedu.grading.notebooks import UnreadableError, read_file, start_of

MAX_FILES, MAX_DEPTH = 2000, 4
_SKIPPED = {"__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Submission:
    """A student's hand-in: the folder (or the file itself), the notebook in it, and what was odd in finding it.

    `handed_in` is the time, by nbgrader's note beside the notebook, else by the file's own, in ISO 8601 and UTC.
    """

    student: str
    folder: Path
    path: Path | None
    flags: tuple[str, ...] = ()
    reason: str = ""
    files: dict[str, Path] = field(default_factory=dict)
    handed_in: str = ""

    def digest(self) -> str:
        """Return a sha256 over what is graded and how it was found; sizes beyond the cap count by size only."""
        sha = hashlib.sha256("\n".join([*self.flags, self.reason]).encode("utf-8", "surrogateescape"))
        for name, path in sorted({"": self.path, **self.files}.items()):
            sha.update(name.encode("utf-8", "surrogateescape") + b"\0")
            if path is not None:
                try:
                    sha.update(hashlib.sha256(read_file(path)).digest())
                except UnreadableError as error:
                    sha.update(str(error).encode())
        return sha.hexdigest()


@dataclass
class _Seen:
    """What lies in a student's places: notebooks, files by name with where they lie, other names, what went wrong."""

    notebooks: list[Candidate] = field(default_factory=list)
    like: list[Candidate] = field(default_factory=list)
    files: list[tuple[str, Path]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    count: int = 0


def find(
    root: Path,
    lab: str,
    *,
    artefacts: tuple[str, ...] = (),
    rate: Callable[[Path], Rating] | None = None,
    scratch: Path | None = None,
    skip: str = "",
) -> Iterator[Submission]:
    """Yield a submission for every student, by name.

    A student's hand-in is a folder `root/STUDENT/`, a notebook `root/STUDENT.ipynb` or an archive `root/STUDENT.zip`,
    or several of these. The notebook may lie anywhere in it, as in nbgrader's `STUDENT/lab/lab.ipynb` or in the folder
    `submission/` that `lsedu submit` writes. Of several notebooks the one with most answers is taken, and a flag says
    so. A student without a notebook is yielded too, with a reason.

    Parameters
    ----------
    root
        The folder of the submissions.
    lab
        The lab's name.
    artefacts
        Names of further files that the lab asks for.
    rate
        Says what is in a notebook, where there are several; see `choosing.rate`.
    scratch
        A folder to unpack archives to; without one they are not looked into.
    skip
        The real path of a folder that is no student's: the marks, if they are written there.
    """
    groups: dict[str, list[Path]] = defaultdict(list)
    for path in _entries(root, skip):
        if (student := _student(path)) is not None:
            groups[student].append(path)
    taken: set[str] = set()
    for number, (student, places) in enumerate(sorted(groups.items())):
        composed = unicodedata.normalize("NFC", student)
        student = composed if composed not in (groups.keys() | taken) - {student} else student
        taken.add(student)
        yield _submission(student, places, lab, artefacts, rate, scratch / str(number) if scratch else None)


def strays(root: Path, *, skip: str = "") -> list[str]:
    """Return the names of what lies in the folder of the submissions and is nobody's hand-in."""
    return [path.name for path in _entries(root, skip) if _student(path) is None]


def _entries(root: Path, skip: str) -> list[Path]:
    names = sorted(os.listdir(root))
    return [
        root / name for name in names if name not in _SKIPPED and (not skip or os.path.realpath(root / name) != skip)
    ]


def _student(path: Path) -> str | None:
    """Return whose hand-in an entry of the folder is, by its name; None if it is nobody's."""
    if path.name.startswith("."):
        return None
    if path.is_symlink() or path.is_dir():
        return path.name
    lower = path.name.lower()
    if lower.endswith((".ipynb", ".zip")):
        return path.stem
    return next((path.name[: -len(end)] for end in LIKE if lower.endswith(end) and _begins_like_one(path)), None)


def _begins_like_one(path: Path) -> bool:
    try:
        start = start_of(path, 400)
    except UnreadableError:
        return False
    return start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"cells"' in start


def _submission(
    student: str,
    places: list[Path],
    lab: str,
    artefacts: tuple[str, ...],
    rate: Callable[[Path], Rating] | None,
    scratch: Path | None,
) -> Submission:
    seen = _Seen()
    for path in places:
        if path.is_symlink():
            seen.flags.append("link")
            seen.problems.append("the submission is a link, which is not followed")
        elif path.is_dir():
            _walk(path, path, seen, artefacts, scratch)
        else:
            _file(path, path.name, seen, artefacts, scratch)
    if seen.count > MAX_FILES:
        seen.flags.append("very many files")
    if len(places) > 1:
        seen.flags.append(f"handed in as {' and as '.join(path.name for path in places)}")
    candidates = seen.notebooks or seen.like
    if not candidates:
        reason = "; ".join(dict.fromkeys(seen.problems)) or f"no notebook {lab}.ipynb was found"
        if seen.others and not seen.problems:
            reason += f", but {', '.join(sorted(seen.others)[:5])}"
        files = _files(seen, artefacts, None)
        flags = seen.flags if "link" in seen.flags else [*seen.flags, "no notebook"]
        return Submission(student, places[0], None, tuple(flags), reason, files)
    chosen, said = best(candidates, lab, rate)
    seen.flags += [said] if said else []
    if not said and chosen.path.name != f"{lab}.ipynb" and (chosen.path not in places or not seen.notebooks):
        seen.flags.append("other file name")
    if unicodedata.normalize("NFKC", student).casefold() == lab.casefold():
        seen.flags.append("named like the lab, not like a student")
    seen.flags += [problem for problem in dict.fromkeys(seen.problems) if problem not in seen.flags]
    files = _files(seen, artefacts, chosen.path.parent)
    return Submission(student, places[0], chosen.path, tuple(seen.flags), "", files, moment(chosen))


def _walk(folder: Path, top: Path, seen: _Seen, artefacts: tuple[str, ...], scratch: Path | None) -> None:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        seen.flags.append("unreadable")
        seen.problems.append(f"the folder cannot be read ({error.strerror})")
        return
    for entry in entries:
        seen.count += 1
        if seen.count > MAX_FILES:
            return
        path = Path(entry.path)
        label = path.relative_to(top).as_posix()
        if entry.name.startswith(".") or entry.name in _SKIPPED:
            continue
        if entry.is_dir(follow_symlinks=False):
            if label.count("/") < MAX_DEPTH:
                _walk(path, top, seen, artefacts, scratch)
        else:
            _file(path, label, seen, artefacts, scratch)


def _file(path: Path, label: str, seen: _Seen, artefacts: tuple[str, ...], scratch: Path | None) -> None:
    lower = path.name.lower()
    if lower.endswith(".ipynb"):
        seen.notebooks.append(Candidate(path, label))
    elif path.name in artefacts or lower.endswith(kinds(artefacts)):
        seen.files.append((path.name, path))
    elif lower.endswith(".zip") and scratch is not None and not path.is_symlink():
        found = unpack(path, scratch / str(seen.count), wanted=artefacts)
        seen.count += 1
        seen.problems += found.problems
        seen.others += [f"{label}/{name}" for name in found.others]
        for name, place in found.files.items():
            if place.name.lower().endswith(".ipynb"):
                seen.notebooks.append(Candidate(place, f"{label}/{name}", dated=path))
            elif place.name in artefacts or place.name.lower().endswith(kinds(artefacts)):
                seen.files.append((place.name, place))
            elif _begins_like_one(place):
                seen.like.append(Candidate(place, f"{label}/{name}", dated=path))
            else:
                seen.others.append(f"{label}/{name}")
    elif lower.endswith(LIKE) and _begins_like_one(path):
        seen.like.append(Candidate(path, label))
    elif lower != "timestamp.txt":
        seen.others.append(label)


def _files(seen: _Seen, artefacts: tuple[str, ...], beside: Path | None) -> dict[str, Path]:
    """Return for each file that is asked for the one beside the notebook, else the first that there is.

    Where none has the name, one that a browser or a learning platform has renamed is taken, or the only one of its
    kind, and a flag says so.
    """
    found = {}
    others = [(label, path) for label, path in seen.files if label not in artefacts]
    for name in artefacts:
        paths = [path for label, path in seen.files if label == name]
        if not paths:
            kin = [item for item in others if item[0].lower().endswith(kinds([name]))]
            kin = [item for item in kin if _renamed(item[0], name)] or (kin if len(kin) == 1 == len(artefacts) else [])
            paths = [path for _, path in kin]
            seen.flags += [f"{kin[0][0]} is taken for {name}"] if kin else []
        if paths:
            found[name] = next((path for path in paths if path.parent == beside), paths[0])
    return found


def _renamed(name: str, asked: str) -> bool:
    """Whether a file may be the one asked for: a number was added, or something before the name, or case was changed.

    Examples
    --------
    >>> [_renamed(name, "q.npz") for name in ("q (1).npz", "Q-2.npz", "ada_71_q.npz", "seq.npz", "q.npy")]
    [True, True, True, False, False]
    """
    stem, end = os.path.splitext(asked.lower())
    return re.fullmatch(rf"(.*[ _-])?{re.escape(stem)}([ _-]*\(?\d+\)?)?{re.escape(end)}", name.lower()) is not None
