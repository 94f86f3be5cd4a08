"""Compare an answer with the reference, in the trusted process, and say what differs without giving inputs away."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from lsedu.labs.calling import Outcome
from lsedu.labs.compare import explain, verdict
from lsedu.labs.spec import Case, Question

_REDACTED = (
    (re.compile(r"has shape \(([^)]*)\), expected \(([^)]*)\)"), lambda match: _shapes(match[1], match[2])),
    (re.compile(r"holds (NaN|infinity) \(\d+ of \d+ values\)"), r"holds \1"),
    (
        re.compile(r"is wrong in (\d+) of (\d+) values"),
        lambda m: f"is wrong in {'all' if m[1] == m[2] else 'some'} values",
    ),
    (
        re.compile(r"has (\d+) items, expected (\d+)"),
        lambda m: f"has too {'few' if int(m[1]) < int(m[2]) else 'many'} items",
    ),
    (re.compile(r" of shape \([^)]*\)"), ""),
)


def _shapes(got: str, expected: str) -> str:
    """Say how two shapes differ by the number of axes only: their sizes could carry inputs out."""
    axes = [len([size for size in shape.split(",") if size.strip()]) for shape in (got, expected)]
    if axes[0] == axes[1]:
        return "has the wrong shape, though the right number of axes"
    return f"has {min(axes[0], 9)} {'axis' if axes[0] == 1 else 'axes'}, expected {axes[1]}"


def redact(reason: str) -> str:
    """Return a reason without numbers that a student's code could have chosen to tell what it saw.

    Examples
    --------
    >>> redact("the result has shape (271,), expected (5,)")
    'the result has the wrong shape, though the right number of axes'
    """
    for pattern, replacement in _REDACTED:
        reason = pattern.sub(replacement, reason)
    return reason


def compare(
    values: Sequence[Any],
    expected: Any,
    question: Question,
    item: Case,
    usual: Sequence[tuple[str, Any]],
    *,
    forbidden: bool = False,
    changed: bool = False,
) -> tuple[str | None, str]:
    """Return the reason why an answer is wrong, None if it is right, and a note, or "".

    Parameters
    ----------
    values
        The outcomes of one call, or of two where the question asks for determinism.
    expected, usual
        The reference's outcome, and pairs (message, outcome) of the declared wrong answers.
    question, item
        What was asked.
    forbidden, changed
        Whether the sandbox saw a call of what the question forbids, or an argument that was not as it was sent.
    """
    outcome = Outcome(values[0], question.forbid if forbidden else (), (0,) if changed else ())
    try:
        with np.errstate(all="ignore"):
            if question.deterministic and len(values) == 2 and _differ(values[0], values[1], question):
                return "the result differs between two calls on equal arguments", ""
            said, note = verdict(outcome, expected, question, item, usual=usual)
    except (TypeError, ValueError, OverflowError, RuntimeError, AttributeError, RecursionError) as error:
        return f"the result cannot be compared with a right one ({type(error).__name__})", ""
    return None if said is None else redact(said), note


def _differ(first: Any, second: Any, question: Question) -> bool:
    return explain(first, second, rtol=0.0, atol=0.0, dtype="any") is not None
