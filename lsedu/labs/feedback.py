"""Say what a student's function did on a case: in the notebook, at the gate, and in the grader's public part."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lsedu.labs.calling import Outcome
from lsedu.labs.compare import Difference, explain, kind_of
from lsedu.labs.spec import Case, Question


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
    hint = item.hint and f"is {kind_of(got)}" not in reason
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


def feedback(
    outcomes: Sequence[Outcome],
    expected: Any,
    question: Question,
    item: Case,
    *,
    usual: Iterable[tuple[str, Any]] = (),
    names: Sequence[str] = (),
) -> tuple[str | None, str]:
    """Return what a student is told about a public case, None if it is answered, and a note, or "".

    The check in the notebook and the grader both ask here.

    Parameters
    ----------
    outcomes
        Of one call, or of two where the question asks for determinism.
    expected, question, item, usual, names
        As in `verdict`.
    """
    message, note = verdict(outcomes[0], expected, question, item, usual=usual, show=True, names=names)
    if message is None and any(judge(again.value, outcomes[0].value, question, item) for again in outcomes[1:]):
        message = "two calls on the same input return different values"
    return message, note


def _outcome(got: Any, expected: Any, question: Question, options: Mapping[str, Any]) -> str | None:
    found = difference(got, expected, question, options)
    return None if found is None else f"{found[0]} {found[1]}"


def difference(
    got: Any, expected: Any, question: Question, options: Mapping[str, Any]
) -> tuple[str, Difference] | None:
    """Return None if `got` answers the question, else of what it differs ("result" or "gradient"), and how.

    `options` are those of `explain`.
    """
    if not question.grad:
        reason = explain(got, expected, **options)
        return None if reason is None else ("result", reason)
    if not (isinstance(got, Mapping) and {"value", "grad"} <= set(got)):
        return "result", Difference("carries no gradient", of_kind=True)
    if (reason := explain(got["value"], expected["value"], **options)) is not None:
        return "result", reason
    reason = explain(got["grad"], expected["grad"], **options)
    return None if reason is None else ("gradient", reason)
