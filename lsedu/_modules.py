"""Which lsedu modules a piece of code reaches, and a digest of their text: the key of every cache."""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def _path(name: str) -> Path | None:
    """Return the source file of the lsedu module called `name`, or None if there is none."""
    base = ROOT.joinpath(*name.split(".")[1:])
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def imports(source: str, *, package: str = "") -> set[str]:
    """Return the dotted names of the lsedu modules that Python `source` imports.

    Parameters
    ----------
    source
        Python source text. Lines that start with ``%`` or ``!`` (IPython's) are passed over.
    package
        The package against which relative imports are resolved.

    Returns
    -------
    set of str
        Names of existing modules, their parent packages included.

    Raises
    ------
    SyntaxError
        If `source` is not Python.
    """
    text = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines())
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "lsedu":
                found.update(
                    prefix for i in range(1, len(parts) + 1) if _path(prefix := ".".join(parts[:i])) is not None
                )
    return found


@cache
def _module_imports(name: str) -> frozenset[str]:
    path = _path(name)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return frozenset(imports(path.read_text(encoding="utf-8"), package=package))


def reached(names: Iterable[str]) -> list[str]:
    """Return the sorted names of all lsedu modules that `names` import, directly or not, themselves included."""
    seen: set[str] = set()
    queue = [name for name in names if _path(name) is not None]
    while queue:
        name = queue.pop()
        if name not in seen:
            seen.add(name)
            queue.extend(_module_imports(name) - seen)
    return sorted(seen)


def digest(names: Iterable[str]) -> str:
    """Return the sha256 (hex) over the names and texts of all modules that `names` reach."""
    sha = hashlib.sha256()
    for name in reached(names):
        sha.update(name.encode() + b"\0" + _path(name).read_bytes() + b"\0")
    return sha.hexdigest()
