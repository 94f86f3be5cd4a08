"""One base class under all our errors; what users catch today is still what they catch."""

import ast
from importlib import import_module

import pytest

import lsedu
from lsedu import _modules
from lsedu._errors import UnknownNameError


def own_errors():
    """The names (module, class) of all error classes in the package but the sandbox's, which runs without lsedu."""
    found = []
    for path in sorted(_modules.ROOT.rglob("*.py")):
        parts = path.relative_to(_modules.ROOT.parent).with_suffix("").parts
        if "child" not in parts:
            module = ".".join(parts).removesuffix(".__init__")
            classes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
            found += [(module, node.name) for node in classes if node.name.endswith("Error")]
    return found


@pytest.mark.parametrize("module, name", own_errors())
def test_every_error_of_ours_has_the_one_base(module, name):
    assert issubclass(getattr(import_module(module), name), lsedu.LseduError)


def test_an_unknown_name_is_a_key_error_that_reads_as_a_sentence():
    with pytest.raises(KeyError) as caught:
        raise UnknownNameError("no lab is called 'lab9'")
    assert str(caught.value) == "no lab is called 'lab9'"
