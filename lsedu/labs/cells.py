"""What can be said of cells by their text alone."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any


def plain(text: str) -> str:
    r"""Return a cell's text without what editors change: trailing blanks and empty lines at the ends.

    Examples
    --------
    >>> plain("\nx = 1  \ny = 2\n\n")
    'x = 1\ny = 2'
    """
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def defines(text: str, function: str) -> bool:
    r"""Whether a cell's text defines or assigns the name `function` at its top level, judged by its lines alone.

    Examples
    --------
    >>> defines("x = 1\ndef f(a):\n    pass", "f")
    True
    >>> defines("print(f(1))", "f")
    False
    """
    name = re.escape(function)
    return (
        re.search(rf"^(?:async[ \t]+)?(?:def|class)[ \t]+{name}\b|^{name}[ \t]*(?::[^=\n]*)?=[^=]", text, re.M)
        is not None
    )


def fingerprint(notebook: Mapping[str, Any]) -> str:
    """Return a hash of the texts of a notebook's cells, whatever their outputs and metadata.

    Examples
    --------
    >>> one = {"cells": [{"cell_type": "code", "source": "x = 1", "outputs": []}]}
    >>> fingerprint(one) == fingerprint({"cells": [{"cell_type": "code", "source": ["x = 1\\n"]}]})
    True
    """
    texts = [(cell["cell_type"], plain("".join(cell["source"]))) for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps([pair for pair in texts if pair[1]]).encode()).hexdigest()[:16]


def untouched(notebook: Mapping[str, Any]) -> bool:
    """Whether the cells of a notebook that lsedu wrote are as they were written, by its metadata."""
    return notebook["metadata"].get("lsedu", {}).get("sources") == fingerprint(notebook)
