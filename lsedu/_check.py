"""Checks at the library's boundary: each error names the value received and what was expected.

Types, dtypes and shapes are always checked; values of tensors where `lsedu._look` says that looking is free or asked
for.

torch is imported by the checks that ask for a tensor, never with this module: arrays are checked where only NumPy is.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from lsedu._look import looks_at, takes_for_good
from lsedu._look import trusted as trusted

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def real_in(
    name: str, value: Any, low: float, high: float, *, open_low: bool = False, open_high: bool = False
) -> float:
    """Return `value` as a float if it is a real number in the stated interval.

    Raises
    ------
    ValueError
        If `value` is not a number (text and bool are none), is NaN, or lies outside the interval.
    """
    try:
        if type(value) is not float and isinstance(value, str | bytes | bool | np.bool_):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        interval = _interval(low, high, open_low, open_high)
        raise ValueError(f"{name} must be a number in {interval}, got {value!r}") from None
    # of NaN all of these are false
    above = number > low if open_low else number >= low
    below = number < high if open_high else number <= high
    if not (above and below):
        raise ValueError(f"{name} must be in {_interval(low, high, open_low, open_high)}, got {value!r}")
    return number


def _interval(low: float, high: float, open_low: bool, open_high: bool) -> str:
    return f"{'(' if open_low else '['}{low:g}, {high:g}{')' if open_high else ']'}"


def whole(name: str, value: Any, *, low: int | None = None) -> int:
    """Return `value` as an int if it is an integer, no bool, of at least `low`; else raise ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{name} must be an integer, got {value!r}")
    if low is not None and value < low:
        raise ValueError(f"{name} must be at least {low}, got {value}")
    return int(value)


def floating(name: str, dtype: Any) -> torch.dtype:
    """Return `dtype` if it is a floating-point dtype of torch, else raise ValueError."""
    import torch

    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise ValueError(f"{name} must be a floating-point torch.dtype, got {dtype!r}")
    return dtype


def device(name: str, value: Any) -> torch.device:
    """Return `value` as a torch.device if it names one that this machine has, else raise ValueError."""
    import torch

    try:
        found = torch.device(value)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        why = str(error).partition("\n")[0]
        raise ValueError(f"{name} must be a device of this machine, such as 'cpu', got {value!r}: {why}") from None
    return found


def one_of(name: str, value: Any, options: tuple) -> Any:
    """Return `value` if it is one of `options`, else raise ValueError naming them."""
    if value not in options:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, options))}, got {value!r}")
    return value


def logits(name: str, value: Any, *, any_shape: bool = False) -> Tensor:
    """Return `value` if it is a floating-point tensor of shape (N, K) with K >= 1; or (K,) or (N, K, d1, ...).

    The latter only if `any_shape`.

    Raises
    ------
    ValueError
        For another type, dtype or shape.
    """
    from torch import Tensor

    if not isinstance(value, Tensor):
        raise ValueError(f"{name} must be a torch.Tensor of shape (N, K), got {type(value).__name__}")
    if not value.is_floating_point():
        raise ValueError(f"{name} must have a floating-point dtype, got {value.dtype}")
    if any_shape:
        if value.ndim == 0 or value.shape[min(1, value.ndim - 1)] == 0:
            want = "(K,), (N, K) or (N, K, d1, ...) with K >= 1"
            raise ValueError(f"{name} must have shape {want}, got {tuple(value.shape)}")
    elif value.ndim != 2 or value.shape[1] == 0:
        raise ValueError(f"{name} must have shape (N, K) with K >= 1, got {tuple(value.shape)}")
    return value


def labels(
    name: str,
    value: Any,
    num_classes: int,
    *,
    size: int | tuple[int, ...] | None = None,
    ignore_index: int | None = None,
) -> Tensor:
    """Return `value` if it is an integer tensor of shape (N,) with entries in [0, num_classes) or `ignore_index`.

    `size` is N, or another shape that is wanted.

    Raises
    ------
    ValueError
        For another type, dtype or shape, or a label out of range.
    """
    labels_inside(name, value, num_classes, size=size, ignore_index=ignore_index)
    return value


def labels_inside(
    name: str,
    value: Any,
    num_classes: int,
    *,
    size: int | tuple[int, ...] | None = None,
    ignore_index: int | None = None,
) -> bool:
    """Return whether all labels that `labels` accepts are known to lie in [0, num_classes); see there."""
    import torch

    if not isinstance(value, torch.Tensor):
        raise ValueError(f"{name} must be a torch.Tensor of shape (N,), got {type(value).__name__}")
    if value.is_floating_point() or value.is_complex() or value.dtype == torch.bool:
        raise ValueError(f"{name} must have an integer dtype, got {value.dtype}")
    # under a trace or an export a size is a symbol, no int
    shape = size if size is None or isinstance(size, tuple) else (size,)
    if value.ndim != 1 if shape is None else value.shape != shape:
        raise ValueError(f"{name} must have shape {'(N,)' if shape is None else shape}, got {tuple(value.shape)}")
    if value.numel() == 0:
        return True
    if not looks_at(value):
        return takes_for_good()
    # in a narrow dtype a comparison wraps: -100 is 156 to uint8
    value = value if value.dtype is torch.int64 else value.long()
    low, high = value.aminmax()
    if low.item() >= 0 and high.item() < num_classes:
        return True
    bad = (value < 0) | (value >= num_classes)
    if ignore_index is not None:
        bad &= value != ignore_index
    if bad.any():
        raise ValueError(
            f"{name} must be integers in [0, {num_classes})"
            + (f" or ignore_index={ignore_index}" if ignore_index is not None else "")
            + f", got {value[bad][0].item()}"
        )
    return False


def slack(dtype: Any) -> float:
    """Return how far from 1 the sum of probabilities of a dtype, of torch or NumPy, may be: one rule for every check.

    A softmax in bfloat16 misses 1 by up to 4e-3, one in float32 by far less than 1e-4.
    """
    return 1e-2 if dtype.itemsize <= 2 else 1e-4


def distributions(name: str, value: Any) -> Tensor:
    """Return `value` if its last axis holds probability distributions: entries >= 0, each sum 1.

    Sums may be off by `slack`.

    Raises
    ------
    ValueError
        For a non-tensor, a negative or non-finite entry, or a row that does not sum to one.
    """
    import torch

    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        kind = value.dtype if isinstance(value, torch.Tensor) else type(value).__name__
        raise ValueError(f"{name} must be a floating-point torch.Tensor, got {kind}")
    if not looks_at(value):
        return value
    if not torch.isfinite(value).all():
        raise ValueError(f"{name} must be finite, got a NaN or an infinity")
    if (value < 0).any():
        raise ValueError(f"{name} must be >= 0, got {value.min().item():g}")
    sums = value.sum(-1, dtype=torch.promote_types(value.dtype, torch.float32))
    off = (sums - 1).abs() > slack(value.dtype)
    if off.any():
        raise ValueError(f"{name} must sum to 1 along its last axis, got a sum of {sums[off].flatten()[0].item():g}")
    return value


def dtype_of(name: str, value: Any) -> Any:
    """Return the dtype, of torch or NumPy, of a tensor or array-like; of a list of tensors the narrowest."""
    torch = sys.modules.get("torch")
    if torch is not None:
        parts = value if isinstance(value, list | tuple) else [value]
        found = [part.dtype for part in parts if isinstance(part, torch.Tensor)]
        if found:
            return min(found, key=lambda dtype: dtype.itemsize)
    return plain(name, value).dtype


def unit_of(dtype: Any) -> float:
    """Return the distance from 1 to the next number of a dtype, of torch or NumPy; 0 where it has no fractions."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(dtype, torch.dtype):
        return torch.finfo(dtype).eps if dtype.is_floating_point else 0.0
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0


def plain(name: str, value: Any) -> np.ndarray:
    """Return a tensor or array-like as a NumPy array, detached and on the CPU; else raise ValueError."""
    # no tensor exists before torch is imported
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        # NumPy has no bfloat16
        return (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    if torch is not None and isinstance(value, list | tuple) and any(isinstance(v, torch.Tensor) for v in value):
        value = [plain(name, v) for v in value]
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must have rows of one length, got a ragged {type(value).__name__}") from None


def array(name: str, value: Any, *, ndim: int, nan: bool = False) -> np.ndarray:
    """Return a tensor or array-like as a finite float64 array with `ndim` axes; NaN passes if `nan`.

    Raises
    ------
    ValueError
        If it has another number of axes, is not real numbers, or holds a NaN or an infinity.
    """
    given = plain(name, value)
    try:
        if given.dtype.kind in "cSU":
            raise TypeError
        result = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        kind = type(value).__name__ if given.dtype.kind != "c" else given.dtype
        raise ValueError(f"{name} must be numeric with {ndim} axes, got {kind}") from None
    if result.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, got shape {result.shape}")
    if nan and np.isinf(result).any():
        raise ValueError(f"{name} must be finite or NaN, got an infinity")
    if not nan and not np.isfinite(result).all():
        raise ValueError(f"{name} must be finite, got a NaN or an infinity")
    return result


def label_array(name: str, value: Any, num_classes: int, *, size: int | None = None) -> np.ndarray:
    """Return a tensor or array-like of integer labels in [0, num_classes) as an int64 array of shape (N,).

    Raises
    ------
    ValueError
        For another dtype or shape, or a label out of range.
    """
    result = plain(name, value)
    if result.size and not np.issubdtype(result.dtype, np.integer):
        raise ValueError(f"{name} must have an integer dtype, got {result.dtype}")
    if result.ndim != 1 or (size is not None and len(result) != size):
        want = "(N,)" if size is None else f"({size},)"
        raise ValueError(f"{name} must have shape {want}, got {result.shape}")
    bad = (result < 0) | (result >= num_classes)
    if bad.any():
        raise ValueError(f"{name} must be integers in [0, {num_classes}), got {result[bad][0]}")
    return result.astype(np.int64)
