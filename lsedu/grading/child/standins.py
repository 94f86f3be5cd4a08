"""Stand-ins for what draws and shows: any use of them succeeds and has no effect, so that plots cost no points."""

import importlib.util
import opcode
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

_SHOWING = ("matplotlib", "matplotlib.pyplot", "seaborn", "plotly", "plotly.express", "IPython", "IPython.display")
_SOME = 16  # how many items a loop over a stand-in sees
_UNPACK, _UNPACK_MORE = opcode.opmap["UNPACK_SEQUENCE"], opcode.opmap["UNPACK_EX"]


class Inert:
    """Stands in for IPython's shell, for a library that draws, and for whatever they return."""

    used = 0
    """How often stand-ins were used in this process: an error in a statement that uses one may be due to them."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        Inert.used += 1
        return _axes if name == "subplots" else Inert()

    def __call__(self, *words: Any, **options: Any) -> Any:
        """Do nothing."""
        Inert.used += 1
        return Inert()

    def __iter__(self) -> Iterator[Any]:
        """Give as many items as are asked for: `n, bins, bars = plt.hist(x)` takes three."""
        Inert.used += 1
        asking = sys._getframe(1)
        return iter([Inert() for _ in range(_wanted(asking.f_code.co_code, asking.f_lasti))])

    def __setitem__(self, key: Any, value: Any) -> None:
        Inert.used += 1

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return _SOME

    def __contains__(self, item: Any) -> bool:
        return False

    def __float__(self) -> float:
        Inert.used += 1
        return 0.0

    def __index__(self) -> int:
        Inert.used += 1
        return 0


def _other(self: Inert, *others: Any) -> Inert:
    Inert.used += 1
    return Inert()


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"):
    setattr(Inert, f"__{_name}__", _other)
    setattr(Inert, f"__r{_name}__", _other)
for _name in ("getitem", "lt", "le", "gt", "ge", "neg", "pos", "abs"):
    setattr(Inert, f"__{_name}__", _other)


class _Module(Inert):
    """A library that draws, where `subplots` gives a figure and its axes."""

    def __getattr__(self, name: str) -> Any:
        return _figure_and_axes if name == "subplots" else super().__getattr__(name)


def _axes(nrows: int = 1, ncols: int = 1, *, squeeze: bool = True, **options: Any) -> Any:
    """Return axes as Matplotlib does: an array of them, or one where there is one."""
    Inert.used += 1
    found = np.empty((nrows, ncols), dtype=object)
    found[...] = [[Inert() for _ in range(ncols)] for _ in range(nrows)]
    if not squeeze:
        return found
    return found.squeeze() if found.size > 1 else found.item()


def _figure_and_axes(*words: Any, **options: Any) -> tuple[Inert, Any]:
    return Inert(), _axes(*words, **options)


def _wanted(code: bytes, place: int) -> int:
    """Return how many items the instruction at `place` unpacks; for any other, some."""
    operation, count = code[place], code[place + 1]
    if operation == _UNPACK:
        return count
    if operation == _UNPACK_MORE:
        more = code[place - 1] if code[place - 2] == opcode.EXTENDED_ARG else 0
        return count + more + 1
    return _SOME


def install() -> None:
    """Put stand-ins in the place of the libraries that draw, where they are absent."""
    for name in _SHOWING:
        parent, _, last = name.rpartition(".")
        if parent and isinstance(sys.modules.get(parent), Inert):
            sys.modules[name] = _Module()
            setattr(sys.modules[parent], last, sys.modules[name])
        elif not parent and importlib.util.find_spec(name) is None:
            sys.modules[name] = _Module()
