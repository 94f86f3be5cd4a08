"""A class's hand-ins, from a folder or from an archive of one, with what was handed out and what is nobody's."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lsedu._errors import LseduError
from lsedu.authoring import names
from lsedu.authoring.lab import Lab
from lsedu.grading import choosing, inbox, released
from lsedu.grading.archives import unpack
from lsedu.grading.inbox import Submission
from lsedu.grading.released import Released


class ClassError(LseduError, RuntimeError):
    """A class cannot be graded as asked; the message says what to do."""


@dataclass(frozen=True)
class HandedIn:
    """What lies in the folder of the submissions: hand-ins, names of what else lies there, and what was handed out."""

    found: Sequence[Submission]
    strays: Sequence[str]
    released: Released


def collect(submissions: Path, lab: Lab, *, out: Path, scratch: Path, only: str | None = None) -> HandedIn:
    """Find the hand-ins of a class.

    Parameters
    ----------
    submissions
        The folder of the submissions, or a zip of one.
    lab
        The lab.
    out
        The folder of the marks, which is no hand-in if it lies among them.
    scratch
        An empty folder for what is taken out of archives.
    only
        The one student to look for, or None.

    Raises
    ------
    ClassError
        If there are none.
    """
    root, problems = submissions, []
    if submissions.is_file() and submissions.suffix.lower() == ".zip":
        root, problems = _opened(submissions, scratch / "class")
    elif not submissions.is_dir():
        raise ClassError(f"{submissions} is not a folder; it must hold a folder a student, or be a zip of one")
    wanted = tuple(question.file for question in lab.questions if question.kind == "artefact")
    skip = os.path.realpath(out)
    given = released.of(lab)
    rate = partial(choosing.rate, lab=lab, released=given)
    try:
        found = list(inbox.find(root, lab.name, artefacts=wanted, rate=rate, scratch=scratch / "in", skip=skip))
        strays = [*problems, *inbox.strays(root, skip=skip)]
    except OSError as error:
        raise ClassError(f"{submissions} cannot be read: {error.strerror}") from error
    also = released.handed_out([item.path for item in found if item.path is not None], lab)
    if only is not None:
        found = [item for item in found if names.normal(item.student) == names.normal(only)]
    if not found:
        what = f"is no submission of {only!r}" if only is not None else "are no submissions"
        beside = f", but {', '.join(strays[:5])}" if strays else ""
        raise ClassError(f"there {what} in {submissions}{beside}")
    return HandedIn(found, strays, replace(given, texts=given.texts | also))


def _opened(archive: Path, into: Path) -> tuple[Path, list[str]]:
    """Take a class's archive apart; return the folder of the submissions, which may be the only one in it."""
    problems = unpack(archive, into, wanted=(), whole=True).problems
    inside = list(into.iterdir())
    if len(inside) == 1 and inside[0].is_dir():
        below = list(inside[0].iterdir())
        if sum(path.is_dir() or path.suffix.lower() in (".ipynb", ".zip") for path in below) > 1:
            return inside[0], problems
    return into, problems
