"""A home folder for programs that need one, where the user has none that can be used.

A user without an entry in the list of users (a container that runs under any number), a home that is not set, that
cannot be entered or that is read-only: Jupyter's programs then end in an error of their own.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def usable() -> bool:
    """Return whether the user has a home folder that can be entered and written to."""
    try:
        home = Path.home()
    except RuntimeError:  # not set, and the list of users does not know this one
        return False
    return os.path.isdir(home) and os.access(home, os.W_OK | os.X_OK)


@contextmanager
def borrowed() -> Iterator[None]:
    """Lend this process, and what it starts, an empty home folder for the time being if it has none of its own."""
    if usable():
        yield
        return
    before = os.environ.get("HOME")
    with tempfile.TemporaryDirectory(prefix="lsedu-home-", ignore_cleanup_errors=True) as folder:
        os.environ["HOME"] = folder
        try:
            yield
        finally:
            os.environ.pop("HOME")
            if before is not None:
                os.environ["HOME"] = before
