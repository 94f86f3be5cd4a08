"""The student's notebook of a lab, made of its cells; the gate builds it just as the release does."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lsedu import _project
from lsedu.authoring import variant
from lsedu.authoring.lab import Cell, Lab
from lsedu.authoring.pictures import Picture
from lsedu.labs.cells import fingerprint

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
    lab: Lab, *, pictures: Mapping[str, Picture] | None = None, solved: bool = False, student: str | None = None
) -> dict[str, Any]:
    """Return the student's notebook as nbformat's dictionary.

    Parameters
    ----------
    lab
        The lab.
    pictures
        The "you should see" pictures, by cell id; see `lsedu.authoring.pictures`.
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
    values = variant.handed(lab.manifest, student or "")
    cells = []
    for cell in lab.cells:
        metadata = dict(cell.metadata)
        text = _fill(
            replace(cell, source=cell.solution) if solved and cell.role != "plain" else cell, lab=lab, values=values
        )
        if "picture" in metadata.get("lsedu", {}):
            text, drawn = pictures.get(cell.id, Picture())
            metadata["lsedu"] = {"picture": drawn}
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
    return text.replace("{colab}", address).replace("{book}", _project.link("Book"))
