"""Which lsedu modules a piece of code reaches, and a digest of those that it makes use of: the key of every cache."""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache

from lsedu._uses import ROOT, Closure, origin, package_of, path_of, uses

__all__ = ["ROOT", "digest", "imports", "path_of", "reached", "undocumented"]


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
    for node in _statements(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = origin(node, package)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "lsedu":
                found.update(
                    prefix for i in range(1, len(parts) + 1) if path_of(prefix := ".".join(parts[:i])) is not None
                )
    return found


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements of a tree, in functions and classes too; no import is in an expression, so none is read."""
    queue = [tree]
    while queue:
        node = queue.pop()
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, part, ())
            queue.extend(inner if isinstance(inner, list) else ())


@cache
def _module_imports(name: str) -> frozenset[str]:
    return frozenset(imports(path_of(name).read_text(encoding="utf-8"), package=package_of(name)))


def reached(names: Iterable[str]) -> list[str]:
    """Return the sorted names of all lsedu modules that `names` import, directly or not, themselves included."""
    seen: set[str] = set()
    queue = [name for name in names if path_of(name) is not None]
    while queue:
        name = queue.pop()
        if name not in seen:
            seen.add(name)
            queue.extend(_module_imports(name) - seen)
    return sorted(seen)


def undocumented(source: str) -> str:
    r"""Return Python source without its docstrings: what runs.

    Examples
    --------
    >>> undocumented("def f():\n    'Return one.'\n    return 1")
    'def f():\n    \n    return 1'
    """
    lines = [line.encode() for line in source.split("\n")]  # ast counts bytes
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is None:
            continue
        at = node.body[0].value
        first, last = at.lineno - 1, at.end_lineno - 1
        lines[last] = lines[first][: at.col_offset] + lines[last][at.end_col_offset :]
        lines[first:last] = [b""] * (last - first)
    return b"\n".join(lines).decode()


@cache
def _what_runs(name: str) -> bytes:
    return undocumented(path_of(name).read_text(encoding="utf-8")).encode()


def digest(names: Iterable[str] = (), *, source: str = "", docstrings: bool = True) -> str:
    """Return the sha256 (hex) over the code that modules, and Python `source`, make use of in lsedu.

    It covers the names and texts of the modules that define what is used, directly or not; of packages that only pass
    names on, the names that are used. So a loss that is added and exported changes the digest of nothing that was there
    before. Where a use cannot be told, everything that an import brings in counts: see `lsedu._uses`.

    Without `docstrings` the texts are those of what runs: for what is measured, words do not count.
    """
    found = Closure([*((name, ()) for name in names), *uses(source)])
    sha = hashlib.sha256()
    for link in sorted(found.links):
        sha.update(link.encode() + b"\0")
    for name in sorted(found.modules):
        text = path_of(name).read_bytes() if docstrings else _what_runs(name)
        sha.update(name.encode() + b"\0" + text + b"\0")
    return sha.hexdigest()
