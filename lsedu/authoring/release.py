"""Release a lab: from the source to the student's notebook and the file of public checks, the same every time."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lsedu import _write
from lsedu.authoring import checkfile, variant
from lsedu.authoring.gate import refuse
from lsedu.authoring.load import load_lab
from lsedu.authoring.notebook import build, colab_guard
from lsedu.authoring.pictures import draw, kept, origins
from lsedu.authoring.source import parse
from lsedu.labs.checkfile import find, read
from lsedu.labs.copies import keep


def release(path: Path | str, *, out: Path | str, check: bool = False, say: Callable[[str], None] = str) -> list[Path]:
    """Write the notebook and the file of checks of one lab, or with `check` only say which would change.

    A processor's last digits must not make a difference: a file of checks that agrees to 1e-6 is left as it is, and a
    picture is drawn anew only when what is run for it has changed. A notebook in which somebody has worked is kept
    beside.

    Parameters
    ----------
    path
        The lab's source.
    out
        The folder to write to.
    check
        Write nothing.
    say
        Called with what is being done.

    Returns
    -------
    list of Path
        The files that have changed, or with `check` would.

    Raises
    ------
    LabError
        If the source is not a whole lab, or does not pass the gate.
    """
    out = Path(out)
    lab, source = load_lab(path), parse(path)
    notebook, checks = out / f"{lab.name}.ipynb", out / f"{lab.name}.checks.json"
    wanted = origins(source)
    try:
        pictures = kept(json.loads(notebook.read_text(encoding="utf-8")), wanted)
    except (FileNotFoundError, ValueError, LookupError, TypeError, AttributeError):  # no release of a lab
        pictures = {}
    if stale := len(wanted) - len(pictures):
        say(f"{lab.name}: drawing {stale} pictures")
        pictures = draw(source) | pictures
    content = checkfile.build(lab)
    if checks.is_file() and checkfile.agree(read(checks), content):
        content = read(checks)
    texts = {notebook: _dump(build(lab, pictures=pictures)), checks: checkfile.dump(content)}
    changed = [name for name, text in texts.items() if not name.is_file() or name.read_text(encoding="utf-8") != text]
    if changed and not check:
        refuse(path)
        for name in changed:
            _replace(name, texts[name], say)
    return changed


def handout(path: Path | str, students: Sequence[str], *, out: Path | str, say: Callable[[str], None] = str) -> Path:
    """Write a notebook for every student, each with the student's variant, and the table of the variants.

    The file of public checks lies beside each notebook, unless lsedu brings the same one along. A notebook in which
    somebody has worked is kept beside.

    Parameters
    ----------
    path
        The lab's source.
    students
        Their ids, each of which names a folder; see `lsedu.authoring.variant.roster`.
    out
        The folder to write ``STUDENT/LAB.ipynb`` and ``LAB.variants.csv`` to.
    say
        Called with what is being done.

    Returns
    -------
    Path
        The table of the variants, for whoever grades by hand.

    Raises
    ------
    LabError
        If the source is not a whole lab, or does not pass the gate.
    """
    out = Path(out)
    lab, source = load_lab(path), parse(path)
    refuse(path)
    say(f"{lab.name}: {len(students)} notebooks")
    pictures, checks = draw(source), checkfile.build(lab)
    try:
        known = checkfile.agree(read(find(lab.name)), checks)
    except FileNotFoundError:
        known = False
    for student in students:
        target = out / student / f"{lab.name}.ipynb"
        _replace(target, _dump(build(lab, pictures=pictures, student=student)), say)
        if not known:
            _write.write(target.with_suffix(".checks.json"), checkfile.dump(checks).encode())
    table = out / f"{lab.name}.variants.csv"
    rows = io.StringIO(newline="")
    writer = csv.writer(rows)
    writer.writerow(["student", *lab.manifest.variants])
    writer.writerows([student, *variant.of_student(lab.manifest, student).values()] for student in students)
    _write.write(table, rows.getvalue().encode())
    return table


def _replace(path: Path, text: str, say: Callable[[str], None]) -> None:
    if path.suffix == ".ipynb" and (kept := keep(path)) is not None:
        say(f"{path} has been worked in: it is kept as {kept}")
    _write.write(path, text.encode())


def _dump(notebook: Mapping[str, Any]) -> str:
    import nbformat

    return nbformat.writes(notebook).rstrip("\n") + "\n"


__all__ = ["build", "colab_guard", "handout", "release"]
