"""Which modules a student's function uses that will not be there when it is marked."""

import contextlib
import dis
import functools
import sys
from collections.abc import Collection, Iterable, Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from lsedu import _modules

_MOST = 2000
_PLAIN = (str, bytes, int, float, complex, bool, type(None), np.ndarray)

ALWAYS = ("numpy", "tqdm", "rich")
"""What may be imported in every lab: what marking itself uses, and what shows progress and computes nothing."""
SHOWN = ("matplotlib", "seaborn", "plotly", "IPython")
"""What only shows: when marks are given, something inert stands in for it."""


def missing(function: Any, allow: Collection[str]) -> list[str]:
    """Return the modules that a function uses, itself or through the notebook's own functions, and that will be missing.

    Parameters
    ----------
    function
        The student's function.
    allow
        The modules that the lab allows; those of lsedu one by one.

    Examples
    --------
    >>> import json, decimal
    >>> def answer(x):
    ...     import zoneinfo, pytest.fixtures
    ...     return json.dumps(x)
    >>> missing(answer, ["numpy"])
    ['pytest']
    """
    there = {name.partition(".")[0] for name in (*allow, *ALWAYS, *SHOWN)} - {"lsedu"} | {"__main__", "builtins"}
    own = [name for name in allow if name.partition(".")[0] == "lsedu"]
    ours = set(_modules.reached(own)) if own else set()
    found = []
    for name in _used(function, _home(function), {}):
        top = name.partition(".")[0]
        if top == "lsedu":
            if name not in ours and name != "lsedu":
                found.append(name)
        elif top not in there and top not in sys.stdlib_module_names:
            found.append(top)
    return list(dict.fromkeys(found))


def _used(value: Any, home: str, seen: dict[int, Any]) -> Iterator[str]:
    """Yield the names of the modules behind a value, and behind what it uses where it is of the notebook's own making.

    Functions lead to what their code names, to what they hold from where they were made, and to their defaults; classes
    to their methods, objects and containers to what is in them.
    """
    if id(value) in seen or len(seen) > _MOST or isinstance(value, _PLAIN):
        return
    seen[id(value)] = value  # kept, so that no other object gets its identity
    if isinstance(value, ModuleType):
        yield value.__name__
        return
    value = getattr(value, "__func__", value)  # a method, or a static one
    inside: Iterable[Any] = ()
    if isinstance(value, FunctionType) and _home(value) == home:
        inside = [*_held(value), *(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
        for kind, name in _names(value.__code__):
            if kind == "import":
                yield name
            elif name in value.__globals__:
                inside.append(value.__globals__[name])
    elif isinstance(value, type) and value.__module__ == home:
        inside = [*value.__bases__, *vars(value).values()]
    elif isinstance(value, dict):
        inside = value.values()
    elif isinstance(value, (list, tuple, set, frozenset)):
        inside = value
    elif isinstance(value, functools.partial):
        inside = [value.func, *value.args, *value.keywords.values()]
    elif isinstance(value, np.ufunc):
        yield _of_ufunc(value)
    elif isinstance(value, (FunctionType, BuiltinFunctionType, type)):
        yield _home(value)
    else:
        yield from _used(type(value), home, seen)
        inside = [*getattr(value, "__dict__", {}).values()]
    for item in [*inside, getattr(value, "__wrapped__", None)]:
        yield from _used(item, home, seen)


def _home(value: Any) -> str:
    return getattr(value, "__module__", None) or "builtins"


def _held(function: FunctionType) -> list[Any]:
    """Return what a function holds from where it was made."""
    found = []
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # not filled yet
            found.append(cell.cell_contents)
    return found


def _of_ufunc(value: np.ufunc) -> str:
    """Return the module that offers a ufunc, which does not say so itself."""
    if getattr(np, value.__name__, None) is value:
        return "numpy"
    loaded = list(sys.modules.items())
    return next((name for name, module in loaded if getattr(module, value.__name__, None) is value), "numpy")


def _names(code: CodeType) -> Iterator[tuple[str, str]]:
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            yield "import", step.argval
        elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield "name", step.argval
    if {"import_module", "__import__"} & set(code.co_names):
        texts = [text for text in code.co_consts if isinstance(text, str)]
        yield from (("import", text) for text in texts if text.partition(".")[0] in sys.modules)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)
