"""Without the grammars of RFC 3987, which jsonschema compiles for two seconds whenever something imports nbformat.

`rfc3987_syntax` comes along with Jupyter's server. It checks that a string is an address with letters of all scripts,
which no notebook's format asks for; jsonschema does without where it cannot be imported.
"""

import sys

_MODULE = "rfc3987_syntax"


def begin() -> None:
    """Leave it out of this process, unless it is there already."""
    sys.modules.setdefault(_MODULE, None)


def command(program: str) -> list[str]:
    """Return the beginning of a command that runs a program, which may name `sys`, without it."""
    return [sys.executable, "-P", "-c", f"import sys; sys.modules[{_MODULE!r}] = None; {program}"]
