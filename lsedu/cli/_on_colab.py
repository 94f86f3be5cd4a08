"""A lab done on Colab, from the first cell to the mark: what is handed in there must earn here what it should."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from lsedu.authoring import colab
from lsedu.authoring.lab import Lab
from lsedu.grading.classroom import Options, grade
from lsedu.grading.isolation import bwrap_path
from lsedu.grading.row import Row


def working(image: colab.Image, content: Path, hide: Path) -> str | None:
    """Return bubblewrap's program if it can be had and works here (containers often forbid it), else None."""
    program = bwrap_path()
    if program is None:
        return None
    tried = [*colab.command(image, content, hide=hide, bubblewrap=program), "-c", "pass"]
    return program if subprocess.run(tried, capture_output=True).returncode == 0 else None


def rehearse(lab: Lab, image: colab.Image, folder: Path, *, hide: Path, say: Callable[[str], None] = str) -> str:
    """Return what goes wrong when a solved lab is done as on Colab, or an empty string.

    A lab that asks for a file is handed in there and graded here: all that is not graded by hand must be earned.

    Parameters
    ----------
    lab
        The lab.
    image
        What stands in for Colab, see `colab.image`.
    folder
        A folder of its own, made anew; what was handed in stays there.
    hide
        The checkout, of which Colab sees nothing.
    say
        Called with what is being done.
    """
    shutil.rmtree(folder, ignore_errors=True)
    content = folder / "submissions" / "ada"
    content.mkdir(parents=True)
    files = any(question.kind == "artefact" for question in lab.questions)
    problem = colab.rehearse(lab, image, content, hide=hide, bubblewrap=working(image, content, hide), hand_in=files)
    if problem or not files:
        return problem
    say(f"  grading {lab.name}")
    alone = folder / "handed_in" / "ada"
    shutil.copytree(content / "submission", alone)
    grade(lab.path, alone.parent, folder / "marks", Options(jobs=1, secret_file=folder / "secret"), say=say)
    (line,) = (folder / "marks" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    return unearned(lab, Row.from_json(json.loads(line)))


def unearned(lab: Lab, row: Row) -> str:
    """Return which points that are not given by hand a row lacks, and why, or an empty string."""
    for question in lab.questions:
        got = row.points.get(question.id)
        if question.kind != "manual" and got != question.points:
            why = row.reason or "; ".join(row.reasons.get(question.id, ()))
            return f"{question.id} earned {got} of {question.points:g} points: {why}"
    return ""
