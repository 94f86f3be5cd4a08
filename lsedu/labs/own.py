"""Which notebook calls this, and whether what was run in it has been saved."""

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lsedu._errors import LseduError
from lsedu.labs.cells import defines, plain


class SubmitError(LseduError, RuntimeError):
    """The notebook cannot be handed in as it is; the message says what to do."""


def colab() -> dict[str, Any] | None:
    """Return the notebook that calls as Colab holds it, unsaved work included; None elsewhere."""
    try:
        from google.colab import _message
    except ImportError:
        return None
    return _message.blocking_request("get_ipynb", timeout_sec=30)["ipynb"]


def path(lab: str) -> Path:
    """Return the path of the notebook that calls: what the front end says of it, else the one of this lab here.

    Raises
    ------
    SubmitError
        If there is none, or several and no word on which.
    """
    for said in (_vscode(), os.environ.get("JPY_SESSION_NAME", "")):
        if Path(said).suffix == ".ipynb":
            for place in (Path(said), Path.cwd() / re.sub(r"-jvsc-[-0-9a-f]+(?=\.ipynb$)", "", Path(said).name)):
                if place.is_file():
                    return place
    found = [place for place in sorted(Path.cwd().glob("*.ipynb")) if _lab(place) == lab]
    if len(found) == 1:
        return found[0]
    what = f"which of {', '.join(place.name for place in found)} this is" if found else "this notebook"
    example = found[0].name if found else f"{lab}.ipynb"
    raise SubmitError(f'cannot find out {what}: give its path, checks.submit(ready=True, notebook="{example}")')


def _vscode() -> str:
    shell = _shell()
    said = shell.user_ns.get("__vsc_ipynb_file__") if shell is not None else None
    return said if isinstance(said, str) else ""


def _shell() -> Any:
    """Return the shell of the kernel that runs this, without importing IPython where none does."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None


def _lab(place: Path) -> str:
    try:
        return json.loads(place.read_text(encoding="utf-8-sig"))["metadata"]["lsedu"]["lab"]
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def unsaved(cells: Sequence[str], functions: Sequence[str], ran: Sequence[str] | None = None) -> list[str]:
    """Return the functions whose definition that was run last stands in none of the saved cells.

    Parameters
    ----------
    cells
        The texts of the saved code cells.
    functions
        The functions that the lab asks for.
    ran
        What was run, in order; by default in the kernel that runs this.

    Examples
    --------
    >>> unsaved(["def f():\\n    pass"], ["f", "g"], ran=["def f():\\n    pass", "def f():\\n    return 1", "1"])
    ['f']
    """
    if ran is None:
        shell = _shell()
        ran = list(shell.history_manager.input_hist_raw) if shell is not None else []
    saved = {plain(text) for text in cells}
    latest = {name: next((text for text in reversed(ran) if defines(text, name)), None) for name in functions}
    return [name for name, text in latest.items() if text is not None and plain(text) not in saved]
