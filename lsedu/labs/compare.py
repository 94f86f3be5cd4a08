"""Compare what a student's function returned with what it should return, and say in words what differs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from lsedu.labs.calling import Outcome
from lsedu.labs.spec import Case, Question

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


def _kind(value: Any) -> str:
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


def _values(got: np.ndarray, want: np.ndarray, rtol: float, atol: float, show: bool) -> str | None:
    """Compare two numeric arrays of equal shape."""
    if np.iscomplexobj(got):
        return "is complex, and must be real"
    finite = np.isfinite(want)
    if finite.all() and not np.isfinite(got).all():
        for word, bad in (("NaN", np.isnan(got)), ("infinity", np.isinf(got))):
            if bad.any():
                return f"holds {word} ({int(bad.sum())} of {got.size} values)" if got.ndim else f"is {word}"
    got64, want64 = got.astype(np.float64), want.astype(np.float64)
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
) -> str | None:
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
            return f"is {_kind(got)}, expected {_kind(expected)}"
        if got == expected:
            return None
        return f"is {str(got)!r}, expected {expected!r}" if show else "has the wrong value"
    if got is None:
        return "is None: is a `return` missing?"
    if isinstance(expected, Mapping):
        if not isinstance(got, Mapping):
            return f"is {_kind(got)}, expected a dict"
        if set(got) != set(expected):
            keys = (
                f"the keys {sorted(map(str, got))}, expected {sorted(map(str, expected))}" if show else "the wrong keys"
            )
            return f"has {keys}"
        pairs = [(f"at key {key!r} ", got[key], expected[key]) for key in expected]
        return _first(pairs, options)
    if isinstance(expected, (tuple, list)):
        if not isinstance(got, (tuple, list)):
            return f"is {_kind(got)}, expected a tuple of {len(expected)} values"
        if len(got) != len(expected):
            return f"has {len(got)} items, expected {len(expected)}"
        return _first([(f"at position {i} ", a, b) for i, (a, b) in enumerate(zip(got, expected))], options)
    if _is_scalar(expected):
        zero_d = (isinstance(got, np.ndarray) or is_tensor(got)) and tuple(got.shape) == ()
        if not (_is_scalar(got) or zero_d):
            shape = f" of shape {tuple(got.shape)}" if hasattr(got, "shape") else ""
            return f"is {_kind(got)}{shape}, expected {_kind(expected)}"
        if isinstance(expected, (bool, np.bool_)) != (_plain(got).dtype.kind == "b"):
            return f"is {_kind(got)}, expected {_kind(expected)}"
        return _values(_plain(got), np.asarray(expected), rtol, atol, show)
    if _kind(got) != _kind(expected):
        return f"is {_kind(got)}, expected {_kind(expected)}"
    if tuple(got.shape) != tuple(expected.shape):
        return f"has shape {tuple(got.shape)}, expected {tuple(expected.shape)}"
    if dtype == "exact" and got.dtype != expected.dtype:
        return f"has dtype {got.dtype}, expected {expected.dtype}"
    a, b = _plain(got), _plain(expected)
    if dtype == "kind" and _FAMILIES.get(a.dtype.kind) != _FAMILIES.get(b.dtype.kind):
        return f"has dtype {got.dtype}, expected {_FAMILIES.get(b.dtype.kind, b.dtype)}"
    if a.dtype.kind not in "fiubc":
        return f"has dtype {got.dtype}, expected {_FAMILIES.get(b.dtype.kind, b.dtype)}"
    reason = _values(a, b, rtol, atol, show)
    coarse = a.dtype.kind == b.dtype.kind == "f" and a.dtype.itemsize < b.dtype.itemsize
    if reason and show and coarse and np.allclose(a, b, rtol=1e-2):
        reason += f"; it is in {got.dtype}, and digits are lost: stay in {expected.dtype}"
    return reason


def _first(pairs: Iterable[tuple[str, Any, Any]], options: Mapping[str, Any]) -> str | None:
    for where, got, expected in pairs:
        if (reason := explain(got, expected, **options)) is not None:
            return where + reason
    return None


def judge(
    got: Any,
    expected: Any,
    question: Question,
    item: Case,
    *,
    usual: Iterable[tuple[str, Any]] = (),
    show: bool = False,
) -> str | None:
    """Return None if `got` answers the case, else the feedback for the student.

    Parameters
    ----------
    got, expected
        Outcomes of `lsedu.labs.evaluate`, the student's and the reference's.
    question, item
        The question and its case.
    usual
        Pairs (message, outcome) of the declared wrong answers on this case; the first whose outcome equals `got` gives
        the message. One that equals `expected` on this case says nothing and is passed over.
    show
        Whether the feedback may quote values.

    Examples
    --------
    >>> from lsedu.labs.spec import Question, case
    >>> question = Question("mean", "The mean", 1)
    >>> judge(6.0, 2.0, question, case("three numbers"), usual=[("this is the sum", 6.0)])
    'this is the sum'
    """
    options = {"rtol": question.rtol, "atol": question.atol, "dtype": question.dtype}
    reason = _outcome(got, expected, question, {**options, "show": show})
    if reason is None:
        return None
    for message, outcome in usual:
        told_apart = _outcome(outcome, expected, question, options) is not None
        if told_apart and _outcome(got, outcome, question, options) is None:
            return message
    # A hint is about values; it would mislead where nothing, or a thing of another kind, was returned.
    hint = item.hint and f"is {_kind(got)}" not in reason
    return f"the {reason} ({item.hint})" if hint else f"the {reason}"


def verdict(
    outcome: Outcome,
    expected: Any,
    question: Question,
    item: Case,
    *,
    usual: Iterable[tuple[str, Any]] = (),
    show: bool = False,
    names: Sequence[str] = (),
) -> tuple[str | None, str]:
    """Return the feedback on what a student's function did, None if it answers the case, and a note, or "".

    Parameters
    ----------
    outcome
        Of `lsedu.labs.evaluate.attempt`, or put together from what the sandbox said.
    expected, question, item, usual, show
        As in `judge`.
    names
        The names of the function's parameters, to say which argument was changed.

    Examples
    --------
    >>> from lsedu.labs.spec import Question, case
    >>> question = Question("mean", "The mean", 1, forbid=("statistics.mean",), arguments="keep")
    >>> verdict(Outcome(2.0, calls=("statistics.mean",)), 2.0, question, case("three numbers"))[0]
    'your function calls statistics.mean, which may not be used in this task: write it yourself'
    >>> verdict(Outcome(2.0, changed=(0,)), 2.0, question, case("three numbers"), names=["x"])[0]
    'your function changes its argument `x`: what it is given must stay as it was, so work on a copy'
    """
    if outcome.calls:
        called = outcome.calls[0] if show else f"{'one of ' * (len(question.forbid) > 1)}{', '.join(question.forbid)}"
        return f"your function calls {called}, which may not be used in this task: write it yourself", ""
    reason = judge(outcome.value, expected, question, item, usual=usual, show=show)
    if not outcome.changed or question.arguments == "free":
        return reason, ""
    place = outcome.changed[0]
    name = names[place] if isinstance(place, int) and place < len(names) else place
    which = f"its argument `{name}`" if isinstance(name, str) else "an argument"
    must = "must" if question.arguments == "keep" else "should"
    said = f"your function changes {which}: what it is given {must} stay as it was, so work on a copy"
    if question.arguments == "keep":
        return reason or said, ""
    return reason, said


def _outcome(got: Any, expected: Any, question: Question, options: Mapping[str, Any]) -> str | None:
    if not question.grad:
        reason = explain(got, expected, **options)
        return None if reason is None else f"result {reason}"
    if not (isinstance(got, Mapping) and {"value", "grad"} <= set(got)):
        return "result carries no gradient"
    if (reason := explain(got["value"], expected["value"], **options)) is not None:
        return f"result {reason}"
    reason = explain(got["grad"], expected["grad"], **options)
    return None if reason is None else f"gradient {reason}"
