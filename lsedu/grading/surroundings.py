"""What the lab's own cells put into a student's notebook before the first question, and the sandbox as well.

A lab's set-up cells are not run when marks are given: they train and draw. Yet a student's function may use a name that
one of them imports or defines, as it does in the notebook, where its check is green.
"""

import ast

from lsedu.authoring import variant
from lsedu.authoring.lab import Lab


def preamble(lab: Lab) -> str:
    """Return the text that the zygote runs: the lab's preamble, and the definitions of its set-up cells."""
    return f"{lab.preamble}\n\n{definitions(lab)}"


def forbidden(lab: Lab) -> list[list[str]]:
    """Return the calls that each question forbids, of those that do."""
    return [list(names) for names in dict.fromkeys(tuple(question.forbid) for question in lab.questions) if names]


def definitions(lab: Lab) -> str:
    """Return the imports, functions, classes and plain constants of a lab's set-up cells, as the text of one cell.

    What cannot be imported in the sandbox is passed over there, one statement after the other.
    """
    kept: list[str] = []
    values = variant.default(lab.manifest)
    for cell in lab.cells:
        if cell.kind == "code" and cell.role == "plain":
            try:
                tree = ast.parse(variant.fill(cell.source, values))
            except (SyntaxError, KeyError):  # a cell with a magic, or one that the release fills
                continue
            kept += [ast.unparse(node) for node in tree.body if _defines(node)]
    return "\n".join(kept)


def _defines(node: ast.stmt) -> bool:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return not node.decorator_list
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return node.value is not None and _is_constant(node.value)
    return isinstance(node, (ast.Import, ast.ImportFrom))


def _is_constant(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
