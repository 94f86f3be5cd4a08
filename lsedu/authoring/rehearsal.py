"""Run a release as a student would: from the first cell to the last, untouched and solved, in a folder of its own."""

import json
import tempfile
from pathlib import Path
from typing import Any

from lsedu.authoring import checkfile
from lsedu.authoring.lab import Lab
from lsedu.authoring.notebook import build

_SECONDS = 600.0
_COURSE = Path(__file__).resolve().parents[2] / "solutions"
_MARK = "states of the checks: "
# The checks of the course's own labs come with lsedu; those of this release are not there yet.
_POINT = "from pathlib import Path as _Path\nfrom lsedu.labs import checkfile as _file\n_file._SHIPPED = _Path.cwd()"
SMALL = 'if "scale" in globals():\n    scale = "smoke"'
STATES = f"""\
import json as _json
from lsedu.labs import Checks as _Checks
_made = [value for value in list(globals().values()) if isinstance(value, _Checks)]
print({_MARK!r} + _json.dumps({{name: result.status for item in _made for name, result in item.results.items()}}))"""


def rehearse(lab: Lab, *, solved: bool, files: dict[str, bytes] | None = None) -> str:
    """Return what goes wrong when a release is run from the start, or an empty string.

    Parameters
    ----------
    lab
        The lab. Where its notebook has a parameter `scale`, it is run at the scale "smoke".
    solved
        Whether the answers are filled in: then every check must be passed; else every check must say that nothing is
        answered yet.
    files
        Filled with what the run has written of the files that the lab asks for, by name.
    """
    from nbformat import from_dict, v4

    from lsedu.labs.run import run

    notebook = from_dict(build(lab, solved=solved))
    cells: list[Any] = [v4.new_code_cell(_POINT)] if Path(lab.path).resolve().parent == _COURSE else []
    for cell in notebook.cells:
        if "colab" not in cell.metadata.get("tags", ()):
            cells.append(cell)
        if "parameters" in cell.metadata.get("tags", ()):
            cells.append(v4.new_code_cell(SMALL))
    notebook.cells = [*cells, v4.new_code_cell(STATES)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / f"{lab.name}.checks.json").write_text(checkfile.dump(checkfile.build(lab)), encoding="utf-8")
        lost = run(notebook, folder=folder, timeout=_SECONDS, environment={"MPLBACKEND": "agg"}, slow=None)
        for question in lab.questions:
            if files is not None and question.kind == "artefact" and (folder / question.file).is_file():
                files[question.file] = (folder / question.file).read_bytes()
    return judged(lab, notebook, lost, solved=solved)


def judged(lab: Lab, notebook: Any, lost: list[str], *, solved: bool) -> str:
    """Return what went wrong in a run that ended with `STATES`, or an empty string; `lost` are the notes on it."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                said = f"cell {cell.id!r} stops with {output.ename}: {_line(output.evalue)}"
                return said + _advice(output, solved=solved)
    found = [output.get("text", "") for output in notebook.cells[-1].get("outputs", ())]
    text = next((text.partition(_MARK)[2] for text in found if _MARK in text), "")
    if not text:
        return _line(lost[0]) if lost else "it did not run to its end"
    states, due = json.loads(text), "right" if solved else "open"
    for question in lab.questions:
        if question.kind == "function" and states.get(question.id) != due:
            was = {"open": "as not answered", "wrong": "as wrong", "right": "as right"}
            return (
                f"the check of {question.id!r} takes it {was[states[question.id]]}"
                if question.id in states
                else (f"no check of {question.id!r} was run")
            )
    return ""


def _line(text: str) -> str:
    return " ".join(text.split())[:200]


def _advice(output: Any, *, solved: bool) -> str:
    if output.ename == "FileNotFoundError" and ".checks.json" in output.evalue:
        return '; students have the file of checks beside the notebook: write Checks(..., folder=".")'
    if output.ename == "NotImplementedError" and not solved:
        return "; a cell that uses students' functions must ask `checks.ready(...)` first"
    return ""
