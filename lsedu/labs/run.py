"""Run a notebook from the start in a fresh kernel of this Python, and keep of its outputs what can be handed in."""

import asyncio
import atexit
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import v4

from lsedu import _home
from lsedu.labs.own import SubmitError

KEPT = 4 * 2**20
"""Characters of output that are kept of a cell; what it prints or draws beyond them is left out."""
STOPPED = 16 * 2**20
"""Characters of output after which a cell is interrupted: it would print for ever."""


class _OnePython(KernelSpecManager):
    """Knows one kernel: that of one Python. What else is called `python3` on a machine may lack the course."""

    def __init__(self, python: Sequence[str], **options: Any) -> None:
        super().__init__(**options)
        self.python = python

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        command = [*self.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


def _manager(python: Sequence[str]) -> type[AsyncKernelManager]:
    class Manager(AsyncKernelManager):
        def __init__(self, **options: Any) -> None:
            super().__init__(kernel_spec_manager=_OnePython(python), **options)

    return Manager


class _Client(NotebookClient):
    """Keeps a measure of output for each cell, and interrupts a cell that prints far beyond it."""

    def reset_execution_trackers(self) -> None:
        super().reset_execution_trackers()
        self.kept: Counter[int] = Counter()
        self.made: Counter[int] = Counter()
        self.cut: dict[int, str] = {}

    def output(self, outs: list, msg: dict[str, Any], display_id: str | None, cell_index: int) -> Any:
        content = msg["content"]
        size = _size(content)
        before = self.made[cell_index] // STOPPED
        self.made[cell_index] += size
        if self.made[cell_index] // STOPPED > before:
            self.cut[cell_index] = "was stopped, for it printed without end"
            asyncio.ensure_future(self.km.interrupt_kernel())
        room = KEPT - self.kept[cell_index]
        self.kept[cell_index] += size
        if size <= room or (msg["msg_type"] == "error" and size <= KEPT):
            return super().output(outs, msg, display_id, cell_index)
        if cell_index not in self.cut:
            self.cut[cell_index] = f"shows more than {KEPT // 2**20} MiB; the rest of its output was left out"
        if room > 0:
            text = content.get("text", "")[:room] if msg["msg_type"] == "stream" else ""
            outs.append(v4.new_output("stream", name="stdout", text=f"{text}\n[what came here was left out]\n"))
        return None

    def clear_output(self, outs: list, msg: dict[str, Any], cell_index: int) -> None:
        super().clear_output(outs, msg, cell_index)
        self.kept[cell_index] = self.made[cell_index] = 0


def _size(content: dict[str, Any]) -> int:
    if "text" in content:
        return len(content["text"])
    parts = [*content.get("data", {}).values(), *content.get("traceback", ()), content.get("evalue", "")]
    return sum(len(part) if isinstance(part, str) else len(json.dumps(part, default=str)) for part in parts)


def run(
    content: Any,
    *,
    folder: Path,
    timeout: float,
    environment: dict[str, str],
    slow: float | None,
    python: Sequence[str] = (sys.executable,),
) -> list[str]:
    """Run a notebook's code cells in order, where it stands, and return notes on what went wrong.

    Cells that fail do not stop the rest.

    Parameters
    ----------
    content
        The notebook, as nbformat reads it; it gets the outputs.
    folder
        Where the kernel works.
    timeout
        Longest time of one cell, in seconds.
    environment
        Further variables of the kernel's environment.
    slow
        Seconds that a cell which holds an answer may take when it is marked; None: not known.
    python
        The words that start the kernel's Python.

    Raises
    ------
    SubmitError
        If no kernel can be started.
    """
    with _home.borrowed():
        notes = _elsewhere(content)
    content.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    with _home.borrowed():
        client = _Client(
            content,
            kernel_manager_class=_manager(python),
            kernel_name="python3",
            timeout=timeout,
            allow_errors=True,
            coalesce_streams=True,
            resources={"metadata": {"path": str(folder)}},
            shutdown_kernel="immediate",
            extra_arguments=["--IPKernelApp.log_level=ERROR"],  # its warnings are about the machine, not for students
        )
        try:
            client.execute(env={**os.environ, **environment})
        except CellTimeoutError:
            notes.append(f"Note: a cell ran longer than {timeout:g} s; what comes after it was not run.")
        except DeadKernelError:
            notes.append("Note: the kernel died (out of memory?); what comes after that cell was not run.")
        except RuntimeError as error:  # Jupyter's word for a kernel that did not come up
            raise SubmitError(f"no kernel could be started with {python[-1]} ({str(error)[:200]})") from error
        finally:
            atexit.unregister(client._cleanup_kernel)  # nbclient forgets to where the kernel did not come up
    for index, cell in enumerate(content.cells):
        notes += [f"Note: cell {index + 1} {note}" for note in _about(cell, slow)]
        if index in client.cut:
            notes.append(f"Note: cell {index + 1} {client.cut[index]}.")
    return notes


def _about(cell: Any, slow: float | None) -> list[str]:
    """Return what there is to say of a cell after its run: its error, and whether it took too long for marking."""
    said = []
    for output in cell.get("outputs", ()):
        if output.output_type == "error":
            said.append(f"fails with {output.ename}: {output.evalue[:200]}")
    times = cell.metadata.get("execution", {})
    begin, end = times.get("iopub.status.busy"), times.get("iopub.status.idle")
    if slow is not None and begin and end and cell.metadata.get("nbgrader", {}).get("solution"):
        seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
        if seconds > slow:
            said.append(f"took {seconds:.0f} s; when it is marked, it is stopped after {slow:g} s.")
    return said


def _elsewhere(content: Any) -> list[str]:
    """Say where the notebook was written for a kernel of another language, or of another Python than this."""
    given = content.metadata.get("kernelspec", {})
    name = given.get("name") or "python3"
    language = given.get("language") or content.metadata.get("language_info", {}).get("name") or "python"
    if language.lower() not in ("python", "python3", "ipython"):
        return [f"Note: the notebook asks for a kernel of {language}; it was run with Python."]
    try:
        command = KernelSpecManager().get_kernel_spec(name).argv[:1]
    except (NoSuchKernel, RuntimeError, OSError, ValueError):
        return []
    other = shutil.which(command[0]) if command else None
    if other is None or not os.path.dirname(command[0]):  # a bare name stands for the Python that asks
        return []
    if os.path.dirname(os.path.abspath(other)) == os.path.dirname(os.path.abspath(sys.executable)):
        return []
    return [f"Note: Jupyter's kernel {name!r} is of {other}; this was run with {sys.executable}, where lsedu is."]
