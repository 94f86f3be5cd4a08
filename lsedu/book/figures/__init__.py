"""The Python side of each moving figure: its data, the numbers it must show, and the static picture for no scripts.

``book/_static/figures/NAME.js`` draws in the reader's browser. ``lsedu.book.figures.NAME`` has `payload` (what the page
hands to it), `compute` (the same numbers by the library), `GRID` (values of each parameter, on which a test holds the
two together) and `fallback`, the picture. Nothing lists the figures: they are the modules of this package.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from lsedu._errors import UnknownNameError


def names() -> tuple[str, ...]:
    """Return the names of all figures; none is imported."""
    return tuple(sorted(found.name for found in iter_modules(__path__) if not found.name.startswith("_")))


def get(name: str) -> ModuleType:
    """Return the Python side of the figure called `name`.

    Raises
    ------
    UnknownNameError
        If there is none; the message lists the names that exist.
    ValueError
        If it lacks something.
    """
    if name not in names():
        raise UnknownNameError(f"no moving figure is called {name!r}; there are {', '.join(names())}")
    module = import_module(f"{__name__}.{name}")
    if missing := [part for part in ("payload", "compute", "GRID", "fallback") if not hasattr(module, part)]:
        raise ValueError(
            f"{module.__name__} has no {', '.join(missing)}; see the head of lsedu/book/figures/__init__.py"
        )
    return module
