"""Compare an answer with the reference, in the trusted process: on secret inputs, one of a few verdicts and no more.

A student's function sees the secret inputs, and decides what it returns, which error it raises and where. Whatever is
told of that beyond these verdicts could carry an input out. What helps a student to find a mistake is told of the
public cases, which a submission is given before any secret one.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np

from lsedu.labs.calling import Outcome
from lsedu.labs.compare import explain
from lsedu.labs.feedback import difference
from lsedu.labs.spec import Case, Question


class Verdict(Enum):
    """What is told of a secret case; the value says it to the student."""

    RIGHT = "right"
    WRONG = "the value is wrong"
    KIND = "the result has the wrong shape or type"
    ERROR = "your function stops with an error, or ends the process"
    SLOW = "your function takes too long"


def judge(outcomes: Sequence[Outcome], expected: Any, question: Question) -> Verdict:
    """Return the verdict on an answer.

    Parameters
    ----------
    outcomes
        Of one call, or of two where the question asks for determinism.
    expected
        The reference's outcome.
    question
        What was asked.
    """
    options = {"rtol": question.rtol, "atol": question.atol, "dtype": question.dtype}
    try:
        with np.errstate(all="ignore"):
            found = difference(outcomes[0].value, expected, question, options)
            if found is not None:
                return Verdict.KIND if found[1].of_kind else Verdict.WRONG
            if any(_differ(outcomes[0].value, again.value) for again in outcomes[1:]):
                return Verdict.WRONG
    except Exception:  # what was sent is made by the student's code: whatever it does to the comparison is its answer
        return Verdict.KIND
    not_to_be = any(outcome.calls or (outcome.changed and question.arguments == "keep") for outcome in outcomes)
    return Verdict.WRONG if not_to_be else Verdict.RIGHT


def _differ(first: Any, second: Any) -> bool:
    return explain(first, second, rtol=0.0, atol=0.0, dtype="any") is not None


def words(verdict: Verdict, question: Question, item: Case) -> str:
    """Return what a student is told: the verdict, and what the lab's author says of the case or of what is forbidden.

    Examples
    --------
    >>> words(Verdict.WRONG, Question("q", "A question", 1), Case("large", hint="mind the overflow"))
    'the value is wrong (mind the overflow)'
    """
    said = verdict.value
    if verdict is Verdict.WRONG and question.forbid:
        said += ", or it was not come by as the task asks"
    return f"{said} ({item.hint})" if item.hint and verdict is Verdict.WRONG else said
