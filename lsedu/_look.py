"""When the values of tensors are looked at, decided once for the whole library.

Labels out of range, rows that are no distributions and negative weights are looked for where looking is free: in
ordinary memory, outside torch.compile, torch.func, forward-mode differentiation and tracing. On a GPU one look makes
the program wait until the queue is empty, and under a transform there is no value to look at, or one that a trace would
keep for all later inputs. So nothing is looked at there unless `looking` asks for it, and a label out of range ends as
with PyTorch's own losses, in a device-side assertion.

Reference: the rule of `torch.nn.functional.cross_entropy`, which checks dtypes and shapes everywhere.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

# None: where it is free; else everywhere, or nowhere
_LOOK: ContextVar[bool | None] = ContextVar("look", default=None)


@contextlib.contextmanager
def _set(look: bool) -> Iterator[None]:
    token = _LOOK.set(look)
    try:
        yield
    finally:
        _LOOK.reset(token)


def looking() -> contextlib.AbstractContextManager[None]:
    """Check values within the block wherever they lie, at a wait for each look.

    Examples
    --------
    >>> import torch
    >>> with looking():
    ...     looks_at(torch.zeros(1))
    True
    """
    return _set(True)


def trusted() -> contextlib.AbstractContextManager[None]:
    """Take values for good within the block, and all labels for classes: whoever opens it has checked them.

    Types and shapes are still checked.
    """
    return _set(False)


def takes_for_good() -> bool:
    """Return whether `trusted` is open, outside a transform."""
    return not transformed() and _LOOK.get() is False


def transformed() -> bool:
    """Return whether torch.compile, torch.func, forward-mode differentiation, torch.jit.trace or make_fx is at work."""
    import torch

    return (
        torch.compiler.is_compiling()
        or torch._C._are_functorch_transforms_active()
        or torch.autograd.forward_ad._current_level >= 0
        or torch._C._get_tracing_state() is not None
        or (torch._C._len_torch_dispatch_stack() > 0 and _recorded())
    )


def _recorded() -> bool:
    import torch

    return torch._C._get_dispatch_mode(torch._C._TorchDispatchModeKey.PROXY) is not None


def readable(value: Tensor) -> bool:
    """Return whether a tensor's values can be read without a wait: it is a plain one in ordinary memory."""
    return ordinary(value) and not transformed()


def looks_at(value: Tensor) -> bool:
    """Return whether the values of a tensor are to be checked."""
    if transformed():
        return False
    look = _LOOK.get()
    return ordinary(value) if look is None else look


def ordinary(value: Tensor) -> bool:
    """Return whether a tensor is a plain one in ordinary memory: `readable`, where nothing is known to transform it."""
    import torch

    return value.is_cpu and type(value) in (torch.Tensor, torch.nn.Parameter)
