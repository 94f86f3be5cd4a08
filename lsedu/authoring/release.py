"""Release a lab: from the source to the student's notebook and the file of public checks, the same every time."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lsedu import _project, _write
from lsedu.authoring import checkfile, variant
from lsedu.authoring.lab import Cell, Lab
from lsedu.authoring.load import load_lab
from lsedu.authoring.pictures import draw, kept, mark
from lsedu.authoring.source import parse
from lsedu.labs.cells import fingerprint
from lsedu.labs.checkfile import find, read
from lsedu.labs.copies import keep

_GUARD = """\
# On Colab: install the course's package. A torch that is already there stays as it is.
import importlib.util
import subprocess
import sys


def absent(name):
    return importlib.util.find_spec(name) is None


pip = [sys.executable, "-m", "pip", "install", "--quiet"]
if absent("lsedu"):
    packages = {packages}
    if absent("torch"):
        packages.append("{torch}")
    subprocess.check_call([*pip, *packages])
    subprocess.check_call([*pip, "--no-deps", "lsedu @ git+{repository}"])
if lacking := [name for name in {submit} if absent(name)]:  # what handing in needs
    subprocess.check_call([*pip, *lacking])"""
_SUBMIT = ("ipykernel", "nbclient", "nbformat")


def colab_guard() -> str:
    """Return the cell that makes a notebook work on Colab, handing in included; it never reinstalls torch."""
    needs = _project.requirements()
    torch = needs.pop("torch")
    packages = "[" + ", ".join(f'"{line}"' for line in needs.values()) + "]"
    submit = "[" + ", ".join(f'"{name}"' for name in _SUBMIT) + "]"
    return _GUARD.format(packages=packages, torch=torch, repository=_project.link("Repository"), submit=submit)


def build(
    lab: Lab, *, pictures: Mapping[str, str] | None = None, solved: bool = False, student: str | None = None
) -> dict[str, Any]:
    """Return the student's notebook as nbformat's dictionary.

    Parameters
    ----------
    lab
        The lab.
    pictures
        Markdown of the "you should see" pictures, by cell id; see `lsedu.authoring.pictures`.
    solved
        Whether the answers are filled in: the notebook of a student who got everything right.
    student
        Whose variant it is; by default the public one.

    Raises
    ------
    nbformat.ValidationError
        If the result is no valid notebook.
    """
    import nbformat
    from nbformat import v4

    pictures = pictures or {}
    values = variant.default(lab.manifest) if student is None else variant.of_student(lab.manifest, student)
    cells = []
    for cell in lab.cells:
        metadata = dict(cell.metadata)
        text = _fill(
            replace(cell, source=cell.solution) if solved and cell.role != "plain" else cell, lab=lab, values=values
        )
        if "picture" in metadata.get("lsedu", {}):
            text = pictures.get(cell.id, "")
            metadata["lsedu"] = {"picture": mark(text)}
        make = v4.new_markdown_cell if cell.kind == "markdown" else v4.new_code_cell
        cells.append(make(text, id=cell.id, metadata=metadata))
    about = {"lab": lab.name, "title": lab.title, "release": lab.digest[:16], "allow": list(lab.manifest.allow)}
    if files := [question.file for question in lab.questions if question.kind == "artefact"]:
        about["files"] = files
    if student is not None:
        about |= {"student": student, "variant": values}
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "lsedu": about,
    }
    notebook = v4.new_notebook(cells=cells, metadata=metadata)
    notebook.metadata["lsedu"]["sources"] = fingerprint(notebook)
    nbformat.validate(notebook)
    return notebook


def _fill(cell: Cell, *, lab: Lab, values: Mapping[str, Any]) -> str:
    if "colab" in cell.metadata.get("tags", ()):
        return colab_guard()
    text = variant.fill(cell.source, values)
    if cell.kind == "code":
        return text.replace("{release}", lab.digest[:16])
    address = f"https://colab.research.google.com/github/{_project.slug()}/blob/main/labs/{lab.name}.ipynb"
    return text.replace("{colab}", address)


def release(path: Path | str, *, out: Path | str, check: bool = False, say: Callable[[str], None] = str) -> list[Path]:
    """Write the notebook and the file of checks of one lab, or with `check` only say which would change.

    A processor's last digits must not make a difference: a file of checks that agrees to 1e-6 is left as it is, and
    pictures are drawn anew only when the source has changed. A notebook in which somebody has worked is kept beside.

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
    try:
        old = json.loads(notebook.read_text(encoding="utf-8"))
        current = old["metadata"]["lsedu"]["release"] == lab.digest[:16]
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        old, current = {}, False
    pictures = kept(old) if current else {}
    wanted = {name for tag, name, _, _ in source.trusted if tag == "picture"}
    if set(pictures) != wanted:
        say(f"{lab.name}: drawing {len(wanted)} pictures")
        pictures = draw(source)
    content = checkfile.build(lab)
    if checks.is_file() and checkfile.agree(read(checks), content):
        content = read(checks)
    texts = {notebook: _dump(build(lab, pictures=pictures)), checks: checkfile.dump(content)}
    changed = [name for name, text in texts.items() if not name.is_file() or name.read_text(encoding="utf-8") != text]
    if changed and not check:
        _hold(path)
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
    _hold(path)
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


def _hold(path: Path | str) -> None:
    """Refuse to hand out what the gate refuses."""
    from lsedu.authoring import gate  # which builds releases itself

    gate.refuse(path)


def _replace(path: Path, text: str, say: Callable[[str], None]) -> None:
    if path.suffix == ".ipynb" and (kept := keep(path)) is not None:
        say(f"{path} has been worked in: it is kept as {kept}")
    _write.write(path, text.encode())


def _dump(notebook: Mapping[str, Any]) -> str:
    import nbformat

    return nbformat.writes(notebook).rstrip("\n") + "\n"


__all__ = ["build", "colab_guard", "handout", "release"]
