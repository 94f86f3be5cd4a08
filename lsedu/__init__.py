"""lsedu: the library behind the open course on label smoothing.

Importing it is light: nothing heavy (torch, Jupyter) is loaded until a submodule needs it.
"""

from importlib.metadata import PackageNotFoundError, version

from lsedu import _reads
from lsedu._errors import LseduError

_reads.start()

try:
    __version__ = version("lsedu")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0+unknown"

__all__ = ["LseduError", "__version__"]
