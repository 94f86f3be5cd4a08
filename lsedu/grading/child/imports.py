"""What came along with a package is imported for that package, and not for a student's code.

PyTorch's optimisers, for example, need a library for symbolic algebra. It lies in a folder of its own that is not on
the module path; code of a library finds it, other code is told that there is no such module. This keeps to what the lab
declares; it is no lock: the libraries share a process with the student's code, which can look into them.
"""

import builtins
import importlib
import importlib.machinery
import sys
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any


class Guard:
    """Finds guarded packages for libraries, and refuses to import them for others.

    Parameters
    ----------
    guarded
        Names of top-level modules.
    place
        The folder in which they are.
    libraries
        Folders of the code that may import them.
    """

    def __init__(self, guarded: Iterable[str], place: str, libraries: Iterable[str]) -> None:
        self.guarded, self.place = frozenset(guarded), place
        self.libraries = tuple(folder + "/" for folder in libraries)
        self._import, self._import_module = builtins.__import__, importlib.import_module

    def install(self) -> None:
        """Watch over all imports of this process from now on."""
        sys.meta_path.append(self)
        builtins.__import__ = self._guarded_import
        importlib.import_module = self._guarded_import_module

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        """Return where a guarded top-level module is; part of the interface of finders."""
        if name not in self.guarded:
            return None
        return importlib.machinery.PathFinder.find_spec(name, [self.place], target)

    def _check(self, name: str, asking: str) -> None:
        top = name.partition(".")[0]
        if top in self.guarded and not asking.startswith((*self.libraries, "<frozen importlib")):
            raise ModuleNotFoundError(f"No module named {top!r}", name=top)

    def _guarded_import(
        self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> ModuleType:
        if level == 0 and type(name) is str:
            self._check(name, sys._getframe(1).f_code.co_filename)
        return self._import(name, globals, locals, fromlist, level)

    def _guarded_import_module(self, name: str, package: str | None = None) -> ModuleType:
        if type(name) is str:
            self._check(name, sys._getframe(1).f_code.co_filename)
        return self._import_module(name, package)
