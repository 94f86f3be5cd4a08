"""Small faults for the text of a function: every one that a fixed list of edits can put into it, one at a time.

What would be no fault whatever the function is left out: operands of sums and products exchanged, a last axis of
a table counted from the end, `float(...)` around a result.
"""

import ast
import builtins
import copy
from collections.abc import Iterator

_OTHERS = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div,),
    ast.Pow: (ast.Mult,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_NEIGHBOURS = (
    ("max", "min", "mean", "sum"),
    ("mean", "sum", "max", "min"),
    ("sum", "mean", "max", "prod"),
    ("min", "max", "mean"),
    ("argmax", "argmin"),
    ("argmin", "argmax"),
    ("maximum", "minimum"),
    ("minimum", "maximum"),
    ("std", "var", "mean"),
    ("var", "std"),
    ("exp", "expm1", "exp2", "log"),
    ("log", "log2", "log10", "log1p", "exp"),
    ("ceil", "floor", "round"),
    ("floor", "ceil", "round"),
    ("ones", "zeros"),
    ("zeros", "ones"),
    ("isin", "equal"),
    ("cumsum", "cumprod"),
    ("sort", "argsort"),
)
_TYPES = {"int": "float", "float": "int"}
NEIGHBOURS = {first: rest for first, *rest in _NEIGHBOURS}
"""Functions that are taken for each other."""


def faults(text: str) -> dict[str, str]:
    """Return the changed versions of a function, by what was changed: its lines before and after.

    Parameters
    ----------
    text
        Python source; every function in it is changed, decorators, annotations and docstrings are not.
    """
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns, node.args = None, _bare(node.args)
            if ast.get_docstring(node) is not None and len(node.body) > 1:
                node.body = node.body[1:]
    before = ast.unparse(tree)
    found: dict[str, str] = {}
    for changed in _changed(tree):
        after = ast.unparse(ast.fix_missing_locations(changed))
        if after != before and after not in found.values():
            found.setdefault(difference(before, after), after)
    return found


def difference(before: str, after: str) -> str:
    """Return the lines in which two texts differ, as "old -> new"."""
    old, new = before.splitlines(), after.splitlines()
    start = _alike(old, new)
    end = _alike(old[start:][::-1], new[start:][::-1])
    said = [" ; ".join(line.strip() for line in lines[start : len(lines) - end]) for lines in (old, new)]
    return f"{said[0]} -> {said[1]}"


def _alike(old: list[str], new: list[str]) -> int:
    return next((i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))


def _bare(arguments: ast.arguments) -> ast.arguments:
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        argument.annotation = None
    return arguments


def _changed(tree: ast.Module) -> Iterator[ast.Module]:
    nodes = list(ast.walk(tree))
    names = sorted(
        {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        | {argument.arg for node in nodes if isinstance(node, ast.arguments) for argument in node.args}
    )
    for parent_place, parent in enumerate(nodes):
        for field, value in ast.iter_fields(parent):
            if isinstance(parent, ast.arguments) or field in ("ctx", "func"):
                continue
            items = value if isinstance(value, list) else [value]
            for place, node in enumerate(items):
                for new in _edits(node, names):
                    if _is_no_fault(parent, new):
                        continue
                    whole = copy.deepcopy(tree)
                    target = list(ast.walk(whole))[parent_place]
                    if isinstance(value, list):
                        getattr(target, field)[place] = copy.deepcopy(new)
                    else:
                        setattr(target, field, copy.deepcopy(new))
                    yield whole


def _is_no_fault(parent: ast.AST, new: ast.AST) -> bool:
    if isinstance(parent, ast.keyword) and parent.arg in ("axis", "dim"):
        return isinstance(new, ast.Constant) and new.value == -1
    sized = isinstance(parent, ast.Attribute) and parent.attr == "shape"
    counted = isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id == "len"
    return (sized or counted) and isinstance(new, ast.BinOp)


def _edits(node: object, names: list[str]) -> Iterator[ast.AST]:
    """Give what a node can be replaced by."""
    if isinstance(node, ast.stmt):
        yield from _statements(node)
    elif isinstance(node, ast.Constant):
        yield from map(ast.Constant, _constants(node.value))
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        yield from (ast.Name(name, ast.Load()) for name in names if name != node.id)
        yield from (ast.BinOp(node, operator(), ast.Constant(1)) for operator in (ast.Add, ast.Sub))
    elif isinstance(node, ast.Name) and node.id in _TYPES:
        yield ast.Name(_TYPES[node.id], ast.Load())
    elif isinstance(node, ast.BinOp):
        yield from (node.left, node.right)
        if not isinstance(node.op, (ast.Add, ast.Mult)):
            yield ast.BinOp(node.right, node.op, node.left)
        yield from (ast.BinOp(node.left, other(), node.right) for other in _OTHERS.get(type(node.op), ()))
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in _OTHERS.get(type(node.ops[0]), ()):
            yield ast.Compare(node.left, [other()], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield from node.values
        yield ast.BoolOp(_OTHERS[type(node.op)][0](), node.values)
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse, ast.IfExp(node.test, node.orelse, node.body))
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield node.value
    elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        yield ast.Tuple(node.elts[:-1], ast.Load())
        for i in range(len(node.elts) - 1):
            swapped = [*node.elts[:i], node.elts[i + 1], node.elts[i], *node.elts[i + 2 :]]
            yield ast.Tuple(swapped, ast.Load())


def _statements(node: ast.stmt) -> Iterator[ast.stmt]:
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.For, ast.While, ast.Expr, ast.If)):
        yield ast.Pass()
    if isinstance(node, ast.AugAssign):
        yield from (ast.AugAssign(node.target, other(), node.value) for other in _OTHERS.get(type(node.op), ()))
        yield ast.Assign([node.target], node.value)
    if isinstance(node, ast.If):
        for test in (ast.Constant(True), ast.Constant(False), ast.UnaryOp(ast.Not(), node.test)):
            yield ast.If(test, node.body, node.orelse)


def _constants(value: object) -> tuple:
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return value + 1, value - 1, -value, 2 * value
    if isinstance(value, float):
        return value + 1, -value, 2 * value, value / 2, 0.0
    return ("",) if isinstance(value, str) else ()


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    function = node.func
    if isinstance(function, ast.Attribute):
        for other in NEIGHBOURS.get(function.attr, ()):
            yield ast.Call(ast.Attribute(function.value, other, ast.Load()), node.args, node.keywords)
        yield function.value
    if isinstance(function, ast.Name) and hasattr(builtins, function.id):
        for other in NEIGHBOURS.get(function.id, ()):
            yield ast.Call(ast.Name(other, ast.Load()), node.args, node.keywords)
    if not (isinstance(function, ast.Name) and function.id in ("float", "int")):
        yield from node.args
    if len(node.args) > 1:
        yield ast.Call(function, [node.args[1], node.args[0], *node.args[2:]], node.keywords)
        yield ast.Call(function, node.args[:-1], node.keywords)
    for i in range(len(node.keywords)):
        yield ast.Call(function, node.args, [*node.keywords[:i], *node.keywords[i + 1 :]])
