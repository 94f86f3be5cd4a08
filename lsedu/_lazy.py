"""Names of a package that load when first used, so that importing the package is light."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def loader(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a package's `__getattr__` (PEP 562) for names that live in the modules of `homes`.

    Examples
    --------
    >>> loader("lsedu.labs", {"PUBLIC_SEED": "lsedu.labs.spec"})("PUBLIC_SEED")
    20200
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return load
