"""Labs: the source text of a lab, its release to students, and the checks that run in a student's notebook.

The names of this package load when first used, so that `import lsedu.labs` needs neither Jupyter nor torch.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "ArraySpec": "spec",
    "Case": "spec",
    "Cell": "spec",
    "Checks": "checks",
    "Lab": "spec",
    "Manifest": "spec",
    "Question": "spec",
    "Wrong": "spec",
    "case": "spec",
    "explain": "compare",
    "load_lab": "load",
    "LabError": "source",
    "judge": "compare",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
