"""What a piece of code makes use of in lsedu, name by name: the modules that define it, not every one re-exported.

``from lsedu.losses import focal``, and ``losses.focal`` after ``from lsedu import losses``, lead to the module in which
`focal` is defined: the package between them only passes the name on, and what else it passes on does not matter.
Where a use cannot be told (a module handed on as a value, a star, a name that is nowhere bound), all of the module
counts, with all that it imports.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

ROOT = Path(__file__).resolve().parent

#: A module, and the names that are looked up in it one after the other; without any, all of it.
Use = tuple[str, tuple[str, ...]]


def path_of(name: str) -> Path | None:
    """Return the source file of the lsedu module called `name`, or None if there is none."""
    base = ROOT.joinpath(*name.split(".")[1:])
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def is_ours(name: str) -> bool:
    """Return whether a module is one of lsedu's."""
    return name.split(".")[0] == "lsedu" and path_of(name) is not None


def package_of(name: str) -> str:
    """Return the package against which a module's relative imports are resolved."""
    return name if path_of(name).name == "__init__.py" else name.rpartition(".")[0]


def origin(node: ast.ImportFrom, package: str) -> str:
    """Return the full name of the module that a from-import names."""
    return resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module


_CLOSED = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip
"""What has names of its own."""


def _level(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes of some code, without looking into functions, classes and comprehensions in it."""
    queue = list(nodes)
    while queue:
        node = queue.pop()
        yield node
        if not isinstance(node, _CLOSED):
            queue.extend(ast.iter_child_nodes(node))


def _assigned(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that some code binds other than by an import, once for each time."""
    for node in _level(nodes):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif not isinstance(node, ast.alias) and isinstance(getattr(node, "name", None), str):
            yield node.name  # a function, a class, an exception, a pattern


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(path_of(module).read_text(encoding="utf-8"))


def _is_module(package: str, name: str, *, within: str = "") -> bool:
    """Return whether a name imported from a package is a module of it; the package's own code asks with `within`."""
    if not is_ours(f"{package}.{name}"):
        return False
    return package == within or bindings(package).get(name, ("", ())) in (("", ()), (f"{package}.{name}", ()))


@cache
def bindings(module: str) -> dict[str, Use | None]:
    """Return what a module binds: by name, where an imported name comes from, or None for what is its own."""
    tree = _tree(module)
    found: dict[str, Use | None] = dict.fromkeys(_assigned(tree.body))
    for node in _level(tree.body):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            if isinstance(node, ast.Import):
                use = (alias.name if alias.asname else name, ())
            else:
                base = origin(node, package_of(module))
                is_module = _is_module(base, alias.name, within=module)
                use = (f"{base}.{alias.name}", ()) if is_module else (base, (alias.name,))
            found[name] = None if name in found else use  # bound twice: by itself, then, and by what it imports
    return found


@cache
def passes_on(module: str) -> bool:
    """Return whether a module is a package that does nothing but import what it exports."""
    if path_of(module).name != "__init__.py":
        return False
    return all(
        isinstance(node, ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
        for node in _tree(module).body
    )


class _Uses(ast.NodeVisitor):
    """Collect the uses of a tree; names that a function or a comprehension binds for itself are its own."""

    def __init__(self, tree: ast.AST, package: str) -> None:
        self.found: set[Use] = set()
        self.modules: dict[str, set[str]] = {}  # by the name they have here
        self.own: list[set[str]] = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self._import(node)
            elif isinstance(node, ast.ImportFrom) and is_ours(base := origin(node, package)):
                self._import_from(node, base)
        self.visit(tree)
        used = {module for module, _ in self.found}
        for module in set().union(*self.modules.values()) - used:
            self.found.add((module, ()))  # imported for what the import does, or used where we do not see it

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            if is_ours(alias.name):
                self.found |= set() if alias.asname else {(alias.name, ())}
                self.modules.setdefault(alias.asname or "lsedu", set()).add(alias.name if alias.asname else "lsedu")

    def _import_from(self, node: ast.ImportFrom, base: str) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.found.add((base, ()))
            elif _is_module(base, alias.name):
                self.modules.setdefault(alias.asname or alias.name, set()).add(f"{base}.{alias.name}")
            else:
                self.found.add((base, (alias.name,)))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        chain, inner = [node.attr], node.value
        while isinstance(inner, ast.Attribute):
            chain.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            self._use(inner, tuple(reversed(chain)))
        else:
            self.visit(inner)

    def visit_Name(self, node: ast.Name) -> None:
        self._use(node, ())

    def _use(self, node: ast.Name, chain: tuple[str, ...]) -> None:
        if isinstance(node.ctx, ast.Load) and not any(node.id in own for own in self.own):
            self.found |= {(module, chain) for module in self.modules.get(node.id, ())}

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        parts = node.args
        given = [*parts.posonlyargs, *parts.args, *parts.kwonlyargs, parts.vararg, parts.kwarg]
        outside = [*parts.defaults, *parts.kw_defaults, *(one and one.annotation for one in given)]
        outside += [] if isinstance(node, ast.Lambda) else [*node.decorator_list, node.returns]
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        shared = {name for inner in _level(body) if isinstance(inner, ast.Global) for name in inner.names}
        for part in filter(None, outside):
            self.visit(part)
        self.own.append({one.arg for one in given if one}.union(_assigned(body)) - shared)
        for part in body:
            self.visit(part)
        self.own.pop()

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _function  # noqa: N815 (ast's own convention)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self.visit(node.generators[0].iter)  # the one part that is evaluated outside
        self.own.append(set(_assigned(part.target for part in node.generators)))
        self.generic_visit(node)
        self.own.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815


def uses(source: str, *, package: str = "") -> set[Use]:
    """Return what Python `source` makes use of in lsedu; relative imports are resolved against `package`."""
    return _Uses(ast.parse(source), package).found


class Closure:
    """All that some uses lead to: `modules` whose text counts, and `links`, the names that packages passed on."""

    def __init__(self, first: Iterable[Use]) -> None:
        self.modules: set[str] = set()
        self.links: set[str] = set()
        self._queue = list(first)
        seen: set[Use] = set()
        while self._queue:
            use = self._queue.pop()
            if use not in seen and is_ours(use[0]):
                seen.add(use)
                self._follow(*use)

    def _follow(self, module: str, names: tuple[str, ...]) -> None:
        name, rest = (names[0], names[1:]) if names else ("", ())
        at = bindings(module).get(name) if name else None
        if at and passes_on(module):
            self.links.add(f"{module}.{name}: {at[0]} {'.'.join(at[1])}")
            self._queue.append((at[0], (*at[1], *rest)))
        elif name and name not in bindings(module) and is_ours(f"{module}.{name}"):
            self._enter(module)
            self._queue.append((f"{module}.{name}", rest))
        else:
            self._take(module)

    def _enter(self, module: str) -> None:
        """Take the packages above a module, and itself, where they do more than pass names on."""
        parts = module.split(".")
        for above in (".".join(parts[: i + 1]) for i in range(len(parts))):
            if path_of(above).name == "__init__.py" and not passes_on(above):
                self._take(above)

    def _take(self, module: str) -> None:
        """Take all of a module, and what it makes use of."""
        if module not in self.modules:
            self.modules.add(module)
            self._enter(module)
            self._queue.extend(_module_uses(module))


@cache
def _module_uses(module: str) -> frozenset[Use]:
    return frozenset(_Uses(_tree(module), package_of(module)).found)
