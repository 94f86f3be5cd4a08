"""Which modules a student's function uses that will not be there when it is marked."""

import dis
import sys
from collections.abc import Collection, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from lsedu import _modules

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
    for name in _used(function, set()):
        top = name.partition(".")[0]
        if top == "lsedu":
            if name not in ours and name != "lsedu":
                found.append(name)
        elif top not in there and top not in sys.stdlib_module_names:
            found.append(top)
    return list(dict.fromkeys(found))


def _used(function: Any, seen: set[int]) -> Iterator[str]:
    """Yield the names of the modules behind what a function's code names, each function once."""
    function = getattr(function, "__func__", function)
    if not isinstance(function, FunctionType) or id(function) in seen:
        return
    seen.add(id(function))
    for kind, name in _names(function.__code__):
        if kind == "import":
            yield name
            continue
        value = function.__globals__.get(name)
        if isinstance(value, ModuleType):
            yield value.__name__
        elif isinstance(value, FunctionType) and value.__globals__ is function.__globals__:
            yield from _used(value, seen)
        elif isinstance(home := getattr(value, "__module__", None), str) and callable(value):
            if home != function.__module__:
                yield home


def _names(code: CodeType) -> Iterator[tuple[str, str]]:
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            yield "import", step.argval
        elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield "name", step.argval
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)
