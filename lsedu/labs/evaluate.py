"""Call a function on a case the way that checks, the reference and the grader all do."""

from collections.abc import Callable
from typing import Any

from lsedu._errors import LseduError
from lsedu.labs import calling
from lsedu.labs.spec import Case, Question

LACKS = {
    "none": "the result carries no gradient: a tensor was detached, or turned into a number or an array, on the way",
    "unused": "the result does not depend on an argument that it must depend on",
}


class NoGradientError(LseduError, ValueError):
    """The gradient was asked for and the result carries none; the message is meant for the student."""


def attempt(function: Callable, question: Question, item: Case) -> calling.Outcome:
    """Return what a student's function does on the arguments of `item`: its value, and what it should not have done.

    Raises
    ------
    Exception
        Whatever `function` raises; NoGradientError if a gradient is asked for and the value does not carry one.
    """
    forbid, grad = question.forbid, question.grad
    return _whole(calling.call(function, item.args, item.kwargs, grad=grad, forbid=forbid))


def evaluate(function: Callable, question: Question, item: Case) -> Any:
    """Return the value of a trusted `function` on a private copy of the arguments of `item`.

    Parameters
    ----------
    function
        The function that answers `question`.
    question
        Says with respect to which arguments the gradient is wanted.
    item
        The case.

    Returns
    -------
    Any
        What the function returns; where `question.grad` names arguments, a dict with the keys "value" and "grad",
        the latter a list of the gradients of the summed value, in the order of `question.grad`.

    Raises
    ------
    Exception
        Whatever `function` raises; NoGradientError if a gradient is asked for and the value does not carry one.

    Examples
    --------
    >>> from lsedu.labs.spec import case
    >>> evaluate(max, Question("largest", "Largest", 1), case("two numbers", 2, 3))
    3
    """
    return _whole(calling.call(function, item.args, item.kwargs, grad=question.grad)).value


def _whole(outcome: calling.Outcome) -> calling.Outcome:
    if outcome.lack:
        raise NoGradientError(LACKS[outcome.lack])
    return outcome
