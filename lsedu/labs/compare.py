"""Compare what a student's function returned with what it should return, and say in words what differs."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

_FAMILIES = {"f": "floating-point numbers", "i": "integers", "u": "integers", "b": "True or False"}


def is_tensor(value: Any) -> bool:
    """Whether `value` is a torch tensor; torch need not be imported to ask."""
    return any(kind.__module__ == "torch" and kind.__name__ == "Tensor" for kind in type(value).__mro__)


def _plain(value: Any) -> np.ndarray:
    """Return an array or tensor as a NumPy array; half-precision types that NumPy lacks become float32."""
    if is_tensor(value):
        value = value.detach().cpu()
        return value.float().numpy() if str(value.dtype) == "torch.bfloat16" else value.numpy()
    return np.asarray(value)


def kind_of(value: Any) -> str:
    """Return the family that a value belongs to, for messages."""
    if value is None:
        return "None"
    if isinstance(value, (bool, np.bool_)):
        return "True or False"
    if is_tensor(value):
        return "a torch.Tensor"
    if isinstance(value, np.ndarray):
        return "a NumPy array"
    if isinstance(value, (int, float, np.number)):
        return "a number"
    return {str: "a string", tuple: "a tuple", list: "a list"}.get(type(value), f"{type(value).__name__}")


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (bool, int, float, np.bool_, np.number))


class Difference(str):
    """What is wrong with a result, in words, to be read after "the result".

    Parameters
    ----------
    text
        The words.
    of_kind
        Whether its type, shape or structure is wrong, rather than its values.
    """

    of_kind: bool

    def __new__(cls, text: str, *, of_kind: bool) -> "Difference":
        found = super().__new__(cls, text)
        found.of_kind = of_kind
        return found


def _kind_differs(text: str) -> Difference:
    return Difference(text, of_kind=True)


def _values(got: np.ndarray, want: np.ndarray, rtol: float, atol: float, show: bool) -> Difference | None:
    """Compare two numeric arrays of equal shape."""
    if np.iscomplexobj(got):
        return _kind_differs("is complex, and must be real")
    said = _numbers(got, want, rtol, atol, show)
    return None if said is None else Difference(said, of_kind=False)


def _numbers(got: np.ndarray, want: np.ndarray, rtol: float, atol: float, show: bool) -> str | None:
    finite = np.isfinite(want)
    if finite.all() and not np.isfinite(got).all():
        for word, bad in (("NaN", np.isnan(got)), ("infinity", np.isinf(got))):
            if bad.any():
                return f"holds {word} ({int(bad.sum())} of {got.size} values)" if got.ndim else f"is {word}"
    got64, want64 = got.astype(np.float64), want.astype(np.float64)
    if finite.all():  # so is `got`, and what np.isclose does comes down to this
        wrong = ~(np.abs(got64 - want64) <= atol + rtol * np.abs(want64))
    else:
        wrong = ~np.isclose(got64, want64, rtol=rtol, atol=atol, equal_nan=True)
    if not wrong.any():
        return None
    if not got.ndim:
        return f"is {got64:.6g}, expected {want64:.6g}" if show else "has the wrong value"
    said = f"is wrong in {int(wrong.sum())} of {got.size} values"
    if show:
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        index = place[0] if len(place) == 1 else place
        said += f"; first at index {index}: got {got64[place]:.6g}, expected {want64[place]:.6g}"
    return said


def explain(
    got: Any,
    expected: Any,
    *,
    rtol: float = 1e-4,
    atol: float = 1e-6,
    dtype: str = "kind",
    show: bool = False,
) -> Difference | None:
    """Return None if `got` is as good as `expected`, else what is wrong with it, to be read after "the result".

    A 0-d array or tensor is as good as a number, a list as good as a tuple.

    Parameters
    ----------
    got, expected
        Values of the kinds that a `Case` may hold.
    rtol, atol
        Values may differ by ``atol + rtol * abs(expected)``; NaN equals NaN.
    dtype
        As in `Question`.
    show
        Whether to quote values; the grader does not, for its inputs are secret.

    Examples
    --------
    >>> explain(0.5, 0.5) is None
    True
    >>> explain(np.zeros(3), np.zeros((3, 1)))
    'has shape (3,), expected (3, 1)'
    >>> explain(np.array([1.0, np.nan]), np.ones(2))
    'holds NaN (1 of 2 values)'
    """
    options = {"rtol": rtol, "atol": atol, "dtype": dtype, "show": show}
    if expected is None or isinstance(expected, str):
        if not isinstance(got, type(expected)):  # np.str_, which np.where gives, is a string too
            return _kind_differs(f"is {kind_of(got)}, expected {kind_of(expected)}")
        if got == expected:
            return None
        said = f"is {str(got)!r}, expected {expected!r}" if show else "has the wrong value"
        return Difference(said, of_kind=False)
    if got is None:
        return _kind_differs("is None: is a `return` missing?")
    if isinstance(expected, Mapping):
        if not isinstance(got, Mapping):
            return _kind_differs(f"is {kind_of(got)}, expected a dict")
        if set(got) != set(expected):
            shown = f"the keys {sorted(map(str, got))}, expected {sorted(map(str, expected))}"
            return _kind_differs(f"has {shown if show else 'the wrong keys'}")
        pairs = [(f"at key {key!r} ", got[key], expected[key]) for key in expected]
        return _first(pairs, options)
    if isinstance(expected, (tuple, list)):
        if not isinstance(got, (tuple, list)):
            return _kind_differs(f"is {kind_of(got)}, expected a tuple of {len(expected)} values")
        if len(got) != len(expected):
            return _kind_differs(f"has {len(got)} items, expected {len(expected)}")
        return _first([(f"at position {i} ", a, b) for i, (a, b) in enumerate(zip(got, expected))], options)
    if _is_scalar(expected):
        zero_d = (isinstance(got, np.ndarray) or is_tensor(got)) and tuple(got.shape) == ()
        if not (_is_scalar(got) or zero_d):
            shape = f" of shape {tuple(got.shape)}" if hasattr(got, "shape") else ""
            return _kind_differs(f"is {kind_of(got)}{shape}, expected {kind_of(expected)}")
        if isinstance(expected, (bool, np.bool_)) != (_plain(got).dtype.kind == "b"):
            return _kind_differs(f"is {kind_of(got)}, expected {kind_of(expected)}")
        return _values(_plain(got), np.asarray(expected), rtol, atol, show)
    if kind_of(got) != kind_of(expected):
        return _kind_differs(f"is {kind_of(got)}, expected {kind_of(expected)}")
    if tuple(got.shape) != tuple(expected.shape):
        return _kind_differs(f"has shape {tuple(got.shape)}, expected {tuple(expected.shape)}")
    if dtype == "exact" and got.dtype != expected.dtype:
        return _kind_differs(f"has dtype {got.dtype}, expected {expected.dtype}")
    a, b = _plain(got), _plain(expected)
    other = dtype == "kind" and _FAMILIES.get(a.dtype.kind) != _FAMILIES.get(b.dtype.kind)
    if other or a.dtype.kind not in "fiubc":
        return _kind_differs(f"has dtype {got.dtype}, expected {_FAMILIES.get(b.dtype.kind, b.dtype)}")
    difference = _values(a, b, rtol, atol, show)
    coarse = a.dtype.kind == b.dtype.kind == "f" and a.dtype.itemsize < b.dtype.itemsize
    if difference and show and coarse and np.allclose(a, b, rtol=1e-2):
        said = f"{difference}; it is in {got.dtype}, and digits are lost: stay in {expected.dtype}"
        return Difference(said, of_kind=False)
    return difference


def _first(pairs: Iterable[tuple[str, Any, Any]], options: Mapping[str, Any]) -> Difference | None:
    for where, got, expected in pairs:
        if (reason := explain(got, expected, **options)) is not None:
            return Difference(where + reason, of_kind=reason.of_kind)
    return None
