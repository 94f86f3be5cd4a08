"""The zygote forks with one thread, at a point where it holds no lock: nothing is to be mended in a child.

Imported before what asks to be told of forks (logging, threading, PyTorch), it lets them ask in vain. To be told, each
child would look at every logger that PyTorch makes, and copy the pages on which they are: a tenth of all its time.
"""

import os

_register = os.register_at_fork
os.register_at_fork = lambda **_: None


def end() -> None:
    """Take requests again, of a child's own code."""
    os.register_at_fork = _register
