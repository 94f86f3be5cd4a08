"""See whether a student's function calls what its task asks to be written, by running it, whatever the call is named.

The sandbox holds a copy of this file, so it imports nothing of lsedu.
"""

import contextlib
import importlib
import inspect
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from types import BuiltinFunctionType, CodeType, FunctionType, MethodDescriptorType, ModuleType
from typing import Any

_F = "torch.nn.functional"
FAMILIES = {
    "softmax": (
        "torch.softmax",
        "torch.log_softmax",
        f"{_F}.scaled_dot_product_attention",
        "scipy.special.softmax",
        "scipy.special.log_softmax",
        "sklearn.utils.extmath.softmax",
    ),
    "logsumexp": (
        "torch.logsumexp",
        "torch.logcumsumexp",
        "torch.logaddexp",
        "numpy.logaddexp.reduce",
        "numpy.logaddexp.accumulate",
        "scipy.special.logsumexp",
    ),
    "cross_entropy": (
        f"{_F}.cross_entropy",
        f"{_F}.nll_loss",
        f"{_F}.kl_div",
        f"{_F}.linear_cross_entropy",
        "sklearn.metrics.log_loss",
    ),
    "autograd": (
        "torch.autograd.backward",
        "torch.autograd.grad",
        "torch.autograd.forward_ad.make_dual",
        "torch._C._EngineBase.run_backward",
    ),
}
"""Names for what belongs together, under which a lab may forbid it."""

# What PyTorch runs for a function in the end, where that is called otherwise.
_OPERATIONS = {
    "softmax": ("_softmax", "_safe_softmax", "_masked_softmax", "_sparse_softmax"),
    "log_softmax": ("_log_softmax", "_sparse_log_softmax"),
    "logcumsumexp": ("_logcumsumexp",),
    "cross_entropy": ("cross_entropy_loss",),
    "nll_loss": ("nll_loss_forward", "nll_loss2d_forward"),
}
_BACKWARD = "torch.autograd.backward"  # what the steps of a gradient are noted as, where they are asked for one by one
_UNSEEN = "sys.setprofile"  # what would end the watch
_PLACES = ("torch", "torch.Tensor", _F, "torch.special", "torch.linalg", "torch.fft")


def members(forbid: Iterable[str]) -> dict[str, str]:
    """Return the dotted names that `forbid` (of families and of functions) stands for, each to its entry.

    Examples
    --------
    >>> members(["logsumexp", "numpy.linalg.inv"])["torch.logcumsumexp"]
    'logsumexp'
    """
    return {name: entry for entry in forbid for name in FAMILIES.get(entry, (entry,))}


def unwatchable(forbid: Iterable[str]) -> str:
    """Return why one of the entries cannot be watched, or an empty string; imports what the entries name."""
    if not isinstance(forbid, (tuple, list)) or not all(isinstance(entry, str) for entry in forbid):
        return f"forbid must be a tuple of names, got {forbid!r}"
    for entry in forbid:
        if entry in FAMILIES:
            continue
        module = entry
        while "." in module and entry.partition(".")[0] not in ("", entry):
            with contextlib.suppress(ImportError):
                importlib.import_module(module)
                break
            module = module.rpartition(".")[0]
        found = _find(entry)
        if found is None:
            return f"there is no {entry!r}; families are {', '.join(FAMILIES)}"
        if not (_codes(found) or isinstance(found, (BuiltinFunctionType, MethodDescriptorType))):
            return f"calls of {entry!r}, of type {type(found).__name__}, cannot be seen"
    return ""


def _find(name: str) -> Any:
    """Return what a dotted name means among the modules that are loaded, or None."""
    module, rest = name, []
    while module not in sys.modules:
        module, _, last = module.rpartition(".")
        rest.insert(0, last)
        if not module:
            return None
    found: Any = sys.modules[module]
    for part in rest:
        found = getattr(found, part, None)
    return found


def _codes(found: Any) -> list[CodeType]:
    """Return the code that runs when a function or class of Python's is called."""
    if isinstance(found, type):
        own = [vars(found).get(name) for name in ("__new__", "__init__", "__call__", "forward")]
        return [code for item in own for code in _codes(item)]
    found = getattr(found, "_implementation", found)  # NumPy's, behind its dispatch
    with contextlib.suppress(ValueError):
        found = inspect.unwrap(found)
    return [found.__code__] if isinstance(found, FunctionType) else []


class Watch:
    """Notes which of the forbidden functions are called while it is entered.

    Three ways of seeing make names and detours not matter: Python's profiler sees calls of functions written in Python
    by their code, and direct calls of others; PyTorch's function mode sees every call of its interface, its dispatch
    mode every operation that is carried out in the end. The modes hold for one thread, so the profiler looks for
    operations too; who turns it off has called what is forbidden.

    Parameters
    ----------
    forbid
        Names of families and dotted names of functions.
    operations
        Whether to see what PyTorch carries out in the end: then its gradients go ways that spread a NaN further.

    Examples
    --------
    >>> import statistics
    >>> average = statistics.mean
    >>> with Watch(["statistics.mean"]) as watch:
    ...     half = average([1, 2]) / 3
    >>> watch.called
    ['statistics.mean']
    """

    def __init__(self, forbid: Iterable[str], *, operations: bool = True) -> None:
        self.names, self.operations = tuple(members(forbid)), operations
        self.called: list[str] = []
        self._stack = contextlib.ExitStack()
        self._loaded, self._over = -1, False
        self._known: dict[Any, str] = {}

    def __enter__(self) -> "Watch":
        if self.names:
            if any(name.startswith("torch.") for name in self.names):
                with contextlib.suppress(ImportError):  # where there is no PyTorch, nobody calls it
                    self._stack.enter_context(_torch_modes(self))
            self._stack.enter_context(_profile(self._seen))
            _entered.append(self)
            self._stack.callback(_entered.remove, self)
        return self

    def __exit__(self, *error: Any) -> None:
        self._over = True
        self._stack.close()

    def note(self, name: str) -> None:
        """Note a call of the function with this dotted name."""
        if name not in self.called:
            self.called.append(name)

    def note_operation(self, name: str) -> None:
        """Note that PyTorch carries out the operation of this name, if that is one of those forbidden."""
        found = _asked_and_done(self.names)[1].get(name)
        found = _BACKWARD if "_backward" in name and _BACKWARD in self.names else found
        if found is not None:
            self.note(found)

    def _seen(self, frame: Any, event: str, what: Any) -> None:
        if self._over:
            return
        if self._loaded != len(sys.modules):  # the student's function may have imported one
            self._loaded = len(sys.modules)
            self._known = _known(self.names, self._loaded)
        if event == "call":
            found = self._known.get(frame.f_code)
        elif event == "c_call":
            found = self._known.get(what)
            own = getattr(what, "__self__", None)
            if found is None and own is not None and not isinstance(own, ModuleType):
                found = self._known.get(getattr(type(own), what.__name__, None))
        else:
            return
        if found == _OPERATION:
            self.note_operation(frame.f_locals["self"].__name__.partition(".")[0])
        elif found is not None:
            self.note(found)


_entered: list[Watch] = []
_OPERATION = "an operation of PyTorch"


def follow() -> None:
    """Let threads that are started from now on be seen by watches that are entered later, not only within one."""
    threading.setprofile(_pass_on)


def _pass_on(frame: Any, event: str, what: Any) -> None:
    for watch in _entered:
        watch._seen(frame, event, what)


@lru_cache(maxsize=8)
def _known(names: tuple[str, ...], loaded: int) -> dict[Any, str]:
    """Return what the profiler shows of these functions, each to its name, while as many modules are loaded."""
    known = {key: name for name in reversed(names) for key in _keys(name)} | {sys.setprofile: _UNSEEN}
    if any(name.startswith("torch.") for name in names) and "torch._ops" in sys.modules:
        callers = (sys.modules["torch._ops"].OpOverload, sys.modules["torch._ops"].OpOverloadPacket)
        known |= {caller.__call__.__code__: _OPERATION for caller in callers}
    return known


def _keys(name: str) -> list[Any]:
    """Return what the profiler shows when the function of this dotted name is called."""
    if not name.startswith("torch."):
        found = [_find(name)]
    else:
        found = _spellings(name)
    return [key for item in found if callable(item) for key in _codes(item) or [item]]


def _spellings(name: str) -> list[Any]:
    """Return a function of PyTorch in all places where it is offered."""
    last = name.rpartition(".")[2]
    return [_find(name), *(_find(f"{place}.{last}{tail}") for place in _PLACES for tail in ("", "_"))]


def _operations(last: str) -> tuple[str, ...]:
    return _OPERATIONS.get(last, (last, last + "_"))


@contextlib.contextmanager
def _profile(seen: Any) -> Iterator[None]:
    before, elsewhere = sys.getprofile(), threading.getprofile()
    threading.setprofile(seen)
    sys.setprofile(seen)
    try:
        yield
    finally:
        sys.setprofile(before)
        threading.setprofile(elsewhere)


@contextlib.contextmanager
def _torch_modes(watch: Watch) -> Iterator[None]:
    """Enter PyTorch's two modes, in which it tells what it is asked and what it does."""
    functions, operations = _torch_modes_made()
    done = operations(watch.note_operation) if watch.operations else contextlib.nullcontext()
    with functions(_asked_and_done(watch.names)[0], watch.note), done:
        yield


@cache
def _asked_and_done(names: tuple[str, ...]) -> tuple[dict[Any, str], dict[str, str]]:
    """Return the functions of PyTorch and its operations that belong to these names."""
    own = [name for name in reversed(names) if name.startswith("torch.")]
    asked = {found: name for name in own for found in _spellings(name) if found is not None}
    return asked, {operation: name for name in own for operation in _operations(name.rpartition(".")[2])}


@cache
def _torch_modes_made() -> tuple[type, type]:
    """Return the classes of the modes, made when PyTorch is there."""
    from torch.overrides import TorchFunctionMode
    from torch.utils._python_dispatch import TorchDispatchMode

    class Functions(TorchFunctionMode):
        def __init__(self, wanted: dict[Any, str], note: Callable[[str], None]) -> None:
            super().__init__()
            self.wanted, self.note = wanted, note

        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if function in self.wanted:
                self.note(self.wanted[function])
            return function(*args, **(kwargs or {}))

    class Operations(TorchDispatchMode):
        @classmethod
        def _should_skip_dynamo(cls) -> bool:  # else the first operation imports PyTorch's compiler, for seconds
            return False

        def __init__(self, note: Callable[[str], None]) -> None:
            super().__init__()
            self.note = note

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            self.note(function.overloadpacket.__name__)
            return function(*args, **(kwargs or {}))

    return Functions, Operations
