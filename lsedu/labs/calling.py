"""Call a student's function: the one way, in the notebook's checks, at the gate, and in the sandbox.

The sandbox holds a copy of this file, so it imports nothing of lsedu but what is beside it.
"""

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .watch import Watch, follow

__all__ = ["Outcome", "call", "follow", "same"]


@dataclass(frozen=True)
class Outcome:
    """What a call showed.

    Parameters
    ----------
    value
        What the function returned; where gradients are asked for, a dict with the keys "value" and "grad".
    calls
        The forbidden functions that it called, by their dotted names.
    changed
        The arguments, by position or keyword, that are not as they were handed in.
    lack
        Why there is no gradient, though one is asked for: "none" (the result carries none), "unused" (it does not
        depend on an argument), or "".
    """

    value: Any
    calls: tuple[str, ...] = ()
    changed: tuple[int | str, ...] = ()
    lack: str = ""


def call(
    function: Callable,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    grad: Iterable[int] = (),
    forbid: Iterable[str] = (),
) -> Outcome:
    """Call `function` on private copies of the arguments and look at what it does.

    Parameters
    ----------
    function
        The student's.
    args, kwargs
        As a `Case` holds them; they stay as they are.
    grad
        Positions of the tensors for which the gradient of the summed value is taken.
    forbid
        What may not be called: names of families and dotted names, as in `lsedu.labs.watch`.

    Raises
    ------
    Exception
        Whatever `function` raises.

    Examples
    --------
    >>> call(sorted, [[2, 1]], {}).value
    [1, 2]
    >>> call(list.append, [[], 1], {}).changed
    (0,)
    """
    given, named = copy.deepcopy((list(args), dict(kwargs)))
    grad = tuple(grad)
    for position in grad:
        given[position].requires_grad_(True)
    with Watch(forbid) as watch:
        value = function(*given, **named)
    changed = [i for i, item in enumerate(args) if not same(item, given[i])]
    changed += [name for name, item in kwargs.items() if not same(item, named[name])]
    lack, later = "", None
    if grad and not getattr(value, "requires_grad", False):
        lack = "none"
    elif grad:
        others = (name for name in watch.names if not name.startswith(("torch.autograd.", "torch._C.")))
        with Watch(others, operations=False) as later:
            value.sum().backward()  # what the function made can have a gradient of its own making
        grads = [given[position].grad for position in grad]
        value = {"value": value.detach(), "grad": grads}
        lack = "unused" if any(item is None for item in grads) else ""
    calls = dict.fromkeys([*watch.called, *(later.called if later is not None else ())])
    return Outcome(value, tuple(calls), tuple(changed), lack)


def same(before: Any, after: Any) -> bool:
    """Whether a value is as it was, to the last bit.

    Examples
    --------
    >>> same([1, np.array([np.nan])], [1, np.array([np.nan])]), same([1.0], [1])
    (True, False)
    """
    if before is after:
        return True
    if type(before) is not type(after):
        return False
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(map(same, before, after))
    if isinstance(before, dict):
        return list(before) == list(after) and all(same(before[key], after[key]) for key in before)
    if isinstance(before, float):
        return before == after or (math.isnan(before) and math.isnan(after))
    if hasattr(before, "dtype") and hasattr(before, "shape"):
        if before.dtype != after.dtype or before.shape != after.shape:
            return False
        return _bytes(before) == _bytes(after)
    return bool(before == after)


def _bytes(value: Any) -> bytes:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tobytes()
    import torch

    return value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
