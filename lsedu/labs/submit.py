"""Hand in: restart, run everything, check, and write the one file to submit."""

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lsedu import _write
from lsedu.labs import checkfile, own
from lsedu.labs.cells import fingerprint, untouched
from lsedu.labs.own import SubmitError

_TOTAL = " points on the public cases"
_RUNNING = "LSEDU_SUBMITTING"
_LIMIT_MB = 20
_PLACEHOLDERS = {"code": "raise NotImplementedError", "markdown": "Write your answer here"}


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


def submit(
    notebook: Path | str,
    *,
    out: Path | str = "submission",
    timeout: float = 1800,
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
        If the file is not a released lab or too large, or `out` cannot be used; all but the size before anything runs.
    FileNotFoundError
        If there is no such notebook.
    OSError
        If the copy cannot be written; one that was handed in before stays as it was.
    """
    path = Path(notebook)
    if not path.is_file():
        raise FileNotFoundError(f"there is no notebook {path}: give the path of your lab, such as lab01.ipynb")
    content = _read(path)
    say(f"running {path.name} from the start in a fresh kernel")
    return _hand_in(content, str(path), path.resolve().parent, Path(out), timeout)


def _read(path: Path) -> Any:
    nbformat = _needed("nbformat")
    try:
        return nbformat.reads(path.read_text(encoding="utf-8-sig"), as_version=4)
    except (ValueError, nbformat.ValidationError, nbformat.reader.NotJSONError) as error:
        raise SubmitError(
            f"{path} cannot be read as a notebook: save it again in Jupyter ({type(error).__name__})"
        ) from error


def _needed(module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise SubmitError(f'handing in needs {error.name}, which is not installed: pip install "lsedu[labs]"') from error


def _hand_in(content: Any, name: str, folder: Path, out: Path, timeout: float) -> HandIn:
    about = content.metadata.get("lsedu", {})
    if "lab" not in about:
        raise SubmitError(f"{name} is not a lab of this course: its metadata has no `lsedu` entry")
    running = _needed("lsedu.labs.run")
    target = out / f"{about['lab']}.ipynb"
    _look_at(target, folder)
    known = _checks(about["lab"], folder)
    before = {wanted: _written(folder / Path(wanted).name) for wanted in about.get("files", ())}
    notes = running.run(
        content, folder=folder, timeout=timeout, environment={_RUNNING: "1"}, slow=known.get("cell_seconds")
    )
    notes += _unanswered(content)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    content.metadata["lsedu"] |= {"handed_in": now, "sources": fingerprint(content)}
    text, left_out = _fitting(content)
    notes += left_out
    _write.write(target, text)
    files = []
    for wanted, moment in before.items():
        made, copy = folder / Path(wanted).name, target.parent / Path(wanted).name
        if made.is_file():
            if made.resolve() != copy.resolve():
                _write.write(copy, made.read_bytes())
            files.append(copy)
            if moment == _written(made):
                notes.append(f"Note: this run has not written {wanted}: the one that is handed in is an earlier run's.")
            notes += [f"Note: {said}." for said in _form(known, wanted, made) if said]
        else:
            notes.append(f"Note: there is no {wanted} yet.")
    return HandIn(target, target.stat().st_size, tuple(notes), tuple(files), _report(content))


def _look_at(target: Path, folder: Path) -> None:
    """Make the folder and write to it, before the run that would be in vain; spare a notebook that is no hand-in.

    Raises
    ------
    SubmitError
        If the folder cannot be written to, or `target` is somebody's work.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise SubmitError(
            f"{target.parent} cannot be written to ({error.strerror}): name another folder, "
            '`lsedu submit NOTEBOOK --out FOLDER` or checks.submit(ready=True, out="FOLDER")'
        ) from error
    if target.parent.resolve() == folder or (target.exists() and not _handed_in(target)):
        raise SubmitError(
            f"{target} would be overwritten, and is not just what `lsedu submit` wrote: name another folder by --out, "
            "or move it away"
        )


def _handed_in(path: Path) -> bool:
    """Whether a file is what an earlier `submit` wrote, and nothing was done in it since: only that may be replaced."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return "handed_in" in content["metadata"]["lsedu"] and untouched(content)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def _checks(lab: str, folder: Path) -> dict[str, Any]:
    """Return the lab's file of checks if it is at hand, else an empty dict."""
    for place in (None, folder):
        try:
            return checkfile.read(checkfile.find(lab, folder=place))
        except (OSError, ValueError):
            continue
    return {}


def _written(path: Path) -> int | None:
    """Return when a file was written last; None if there is none."""
    return path.stat().st_mtime_ns if path.is_file() else None


def _form(known: dict[str, Any], name: str, path: Path) -> list[str]:
    """Return what keeps a file from being taken, by each question that it answers."""
    entries = known.get("questions", {}).values()
    return [checkfile.about_file(entry, path) for entry in entries if entry.get("file") == name]


def _fitting(content: Any) -> tuple[bytes, list[str]]:
    """Return the file's bytes and a note: where it is too large, the largest outputs are left out.

    Raises
    ------
    SubmitError
        If it is too large without any output.
    """
    import nbformat

    text, left_out = nbformat.writes(content).encode(), []
    sizes = {index: len(json.dumps(cell.get("outputs", []))) for index, cell in enumerate(content.cells)}
    for index in sorted(sizes, key=sizes.get, reverse=True):
        if len(text) <= _LIMIT_MB * 2**20:
            break
        content.cells[index].outputs = []
        left_out.append(f"Note: the output of cell {index + 1} is left out, it is too large.")
        text = nbformat.writes(content).encode()
    if len(text) > _LIMIT_MB * 2**20:
        raise SubmitError(f"the notebook is over {_LIMIT_MB} MiB without any output: is a picture or a table in it?")
    return text, left_out


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
        if graded.get("solution") and any(text in cell.source for text in _PLACEHOLDERS.values()):
            notes.append(f"Note: {graded.get('grade_id')} is not answered yet.")
    return notes


def from_notebook(
    lab: str,
    *,
    ready: bool,
    notebook: Path | str | None = None,
    out: Path | str | None = None,
    as_saved: bool = False,
    functions: Sequence[str] = (),
) -> HandIn | str:
    """Submit the notebook that calls this, as it was last saved.

    Parameters
    ----------
    lab
        The lab's name.
    ready
        Nothing happens unless True, so that "run all cells" does not hand in by accident.
    notebook
        Its path; found by itself in JupyterLab, Jupyter Notebook, VS Code and Colab.
    out
        Folder for the file; by default `submission` beside the notebook.
    as_saved
        Hand in the file even where an answer in it is another than the one that was run last.
    functions
        The functions that the lab asks for, by which unsaved work is noticed.

    Raises
    ------
    SubmitError
        If the notebook cannot be found, or work in it has not been saved.
    """
    if os.environ.get(_RUNNING):
        return "This run is the one that is handed in."
    if not ready:
        return "Not handed in. When you are done: save the notebook, set ready=True here, and run this cell."
    if notebook is None and (live := own.colab()) is not None:
        import nbformat

        content = nbformat.reads(json.dumps(live), as_version=4)
        return _hand_in(content, "this notebook", Path.cwd(), Path(out or "submission"), 1800)
    path = Path(notebook) if notebook is not None else own.path(lab)
    if path.is_file() and not as_saved:
        code = [cell.source for cell in _read(path).cells if cell.cell_type == "code"]
        if changed := own.unsaved(code, functions):
            raise SubmitError(
                f"Not handed in: {path} holds another {', '.join(changed)} than you ran last. Save the notebook "
                "(Ctrl+S) and run this cell again; if that is not this notebook, add notebook=its path; to hand "
                "in the file as it is, add as_saved=True."
            )
    return submit(path, out=out if out is not None else path.parent / "submission")
