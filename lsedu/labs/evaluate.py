"""Call a function on a case the way that checks, the reference and the grader all do."""

import copy
from collections.abc import Callable
from typing import Any

from lsedu._errors import LseduError
from lsedu.labs.spec import Case, Question


class NoGradientError(LseduError, ValueError):
    """The gradient was asked for and the result carries none; the message is meant for the student."""


def evaluate(function: Callable, question: Question, item: Case) -> Any:
    """Return the value of `function` on a private copy of the arguments of `item`.

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
    args, kwargs = copy.deepcopy((list(item.args), dict(item.kwargs)))
    for position in question.grad:
        args[position].requires_grad_(True)
    value = function(*args, **kwargs)
    if not question.grad:
        return value
    if not getattr(value, "requires_grad", False):
        raise NoGradientError(
            "the result carries no gradient: a tensor was detached, or turned into a number or an array, on the way"
        )
    value.sum().backward()
    grads = [args[position].grad for position in question.grad]
    if any(grad is None for grad in grads):
        raise NoGradientError("the result does not depend on an argument that it must depend on")
    return {"value": value.detach(), "grad": grads}
