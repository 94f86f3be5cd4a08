"""Hand in: restart, run everything, check, and write the one file to submit."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsedu._errors import LseduError
from lsedu import _write

_TOTAL = " points on the public cases"
_RUNNING = "LSEDU_SUBMITTING"
_LIMIT_MB = 20


@dataclass(frozen=True)
class HandIn:
    """What was written: the notebook, its size in bytes, notes, the files that go with it, and the score it shows."""

    path: Path
    size: int
    notes: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    report: str = ""

    def __repr__(self) -> str:
        ask = "Hand in this one file."
        if self.files:
            ask = f"Hand it in together with {', '.join(file.name for file in self.files)} from the same folder."
        written = f"Written: {self.path} ({self.size / 1024:.0f} KiB). {ask}"
        return "\n".join([*filter(None, [self.report]), written, *self.notes])


class SubmitError(LseduError, RuntimeError):
    """The notebook cannot be handed in as it is; the message says what to do."""


def submit(
    notebook: Path | str,
    *,
    out: Path | str = "submission",
    timeout: int = 1800,
    say: Callable[[str], None] = str,
) -> HandIn:
    """Run a notebook from the start in a fresh kernel, and write the executed copy.

    Cells that fail do not stop the rest: what could not be run is named in the notes, and the file is written all the
    same, for a half-finished lab may be handed in.

    Parameters
    ----------
    notebook
        The student's notebook.
    out
        Folder for the file, whose name is the lab's.
    timeout
        Longest time of one cell, in seconds.
    say
        Called with what is being done.

    Raises
    ------
    SubmitError
        If the file is not a released lab, or too large.
    FileNotFoundError
        If there is no such notebook.
    OSError
        If the copy cannot be written; one that was handed in before stays as it was.
    """
    import nbformat

    path = Path(notebook)
    if not path.is_file():
        raise FileNotFoundError(f"there is no notebook {path}: give the path of your lab, such as lab01.ipynb")
    try:
        content = nbformat.reads(path.read_text(encoding="utf-8-sig"), as_version=4)
    except (ValueError, nbformat.ValidationError, nbformat.reader.NotJSONError) as error:
        raise SubmitError(
            f"{path} cannot be read as a notebook: save it again in Jupyter ({type(error).__name__})"
        ) from error
    about = content.metadata.get("lsedu", {})
    if "lab" not in about:
        raise SubmitError(f"{path} is not a lab of this course: its metadata has no `lsedu` entry")
    say(f"running {path.name} from the start in a fresh kernel")
    notes = _execute(content, folder=path.resolve().parent, timeout=timeout)
    notes += _unanswered(content)
    target = Path(out) / f"{about['lab']}.ipynb"
    text = nbformat.writes(content)
    if len(text.encode()) > _LIMIT_MB * 2**20:
        raise SubmitError(f"the executed notebook is over {_LIMIT_MB} MiB: print and plot less, then try again")
    _write.write(target, text.encode())
    files = []
    for name in about.get("files", ()):
        if (made := path.resolve().parent / Path(name).name).is_file():
            files.append(target.with_name(made.name))
            _write.write(files[-1], made.read_bytes())
        else:
            notes.append(f"Note: there is no {name} yet.")
    return HandIn(target, target.stat().st_size, tuple(notes), tuple(files), _report(content))


def _execute(content: Any, *, folder: Path, timeout: int) -> list[str]:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    content.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    client = NotebookClient(
        content,
        timeout=timeout,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # its warnings are about the machine, not for students
    )
    notes = []
    try:
        client.execute(env={**os.environ, _RUNNING: "1"})
    except CellTimeoutError:
        notes.append(f"Note: a cell ran longer than {timeout} s; what comes after it was not run.")
    except DeadKernelError:
        notes.append("Note: the kernel died (out of memory?); what comes after that cell was not run.")
    for number, cell in enumerate(content.cells, start=1):
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                notes.append(f"Note: cell {number} fails with {output.ename}: {output.evalue[:200]}")
    return notes


def _report(content: Any) -> str:
    """Return the score table that the run has shown, or an empty string."""
    for cell in content.cells:
        for output in cell.get("outputs", ()):
            table, mark, _ = output.get("data", {}).get("text/plain", "").partition(_TOTAL)
            if mark:
                return table + mark
    return ""


def _unanswered(content: Any) -> list[str]:
    notes = []
    for cell in content.cells:
        graded = cell.metadata.get("nbgrader", {})
        if graded.get("solution") and (
            "raise NotImplementedError" in cell.source or "Write your answer here" in cell.source
        ):
            notes.append(f"Note: {graded.get('grade_id')} is not answered yet.")
    return notes


def from_notebook(lab: str, *, ready: bool, notebook: Path | str | None = None) -> HandIn | str:
    """Submit the notebook that calls this, as it was last saved.

    Parameters
    ----------
    lab
        The lab's name.
    ready
        Nothing happens unless True, so that "run all cells" does not hand in by accident.
    notebook
        Its path; found by itself in JupyterLab, Jupyter Notebook, VS Code and Colab.

    Raises
    ------
    SubmitError
        If the path cannot be found.
    """
    if os.environ.get(_RUNNING):
        return "This run is the one that is handed in."
    if not ready:
        return "Not handed in. When you are done: save the notebook, set ready=True here, and run this cell."
    path = Path(notebook) if notebook is not None else _own_path(lab)
    return submit(path, out=path.parent / "submission")


def _own_path(lab: str) -> Path:
    """Return the path of the running notebook."""
    if (name := os.environ.get("JPY_SESSION_NAME")) and Path(name).suffix == ".ipynb":
        return Path(name) if Path(name).is_file() else Path.cwd() / Path(name).name
    try:
        from google.colab import _message
    except ImportError:
        pass
    else:
        content = _message.blocking_request("get_ipynb", timeout_sec=30)["ipynb"]
        path = Path.cwd() / f"{lab}.ipynb"
        _write.write(path, json.dumps(content).encode())
        return path
    if (path := Path.cwd() / f"{lab}.ipynb").is_file():
        return path
    raise SubmitError(f'cannot find this notebook: give its path, checks.submit(ready=True, notebook="{lab}.ipynb")')
