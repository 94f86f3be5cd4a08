"""What a lab asks, as plain data: questions, cases, declared wrong answers.

Nothing here runs a student's code or needs torch.
"""

import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Kind = Literal["function", "artefact", "manual"]
Arguments = Literal["warn", "keep", "free"]

PUBLIC_SEED = 20200
"""The seed of the cases that students see; the grader draws its own from a secret."""


@dataclass(frozen=True)
class Case:
    """One call of the student's function.

    Parameters
    ----------
    name
        What the case tests, in words a student may read ("large logits").
    args, kwargs
        The arguments: NumPy arrays, torch tensors, int, float, bool, str, None, and lists, tuples, dicts of them.
    hint
        What to say when the case fails and no declared wrong answer matches. Must not contain the answer.
    weight
        Share of the question's points, relative to the other cases' weights.
    """

    name: str
    args: tuple = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    hint: str = ""
    weight: float = 1.0


def case(name: str, *args: Any, kwargs: Mapping[str, Any] | None = None, hint: str = "", weight: float = 1.0) -> Case:
    """Make a `Case`; the arguments of the student's function are the ones after `name`.

    Examples
    --------
    >>> case("two classes", [1.0, 2.0], kwargs={"bins": 3}).args
    ([1.0, 2.0],)
    """
    if not weight > 0:
        raise ValueError(f"weight must be positive, got {weight!r}")
    return Case(name=name, args=args, kwargs=dict(kwargs or {}), hint=hint, weight=weight)


@dataclass(frozen=True)
class Wrong:
    """A declared wrong answer: what it is, the mark it must get and what a student who gives it is told.

    Parameters
    ----------
    name
        The id of its cell.
    question
        The question it answers wrongly.
    function
        The wrong function itself; for an artefact, what makes a wrong file's arrays of the right file's.
    points
        The mark it must earn: partial credit by case.
    message
        What the student is told when an output equals this function's.
    source
        The code of its cell, which stands in for the student's cell when the lab is tested.
    """

    name: str
    question: str
    function: Callable
    points: float
    message: str
    source: str = ""


@dataclass(frozen=True)
class Question:
    """One graded question.

    Parameters
    ----------
    id
        The name that the student cell, the check, the marks and the feedback share.
    title
        For people.
    points
        The most it can earn.
    kind
        "function" (values of a function the student wrote), "artefact" (a file) or "manual" (graded by hand).
    function
        Name of the function that the student defines.
    cases
        Called with a NumPy generator; yields `Case` objects. All randomness comes from that generator.
    reference
        The solution's function; it lives in the trusted process only.
    rtol, atol
        Tolerances: abs(got - expected) <= atol + rtol * abs(expected).
    dtype
        "kind": floating point, integer or boolean must agree; "exact": the dtype itself; "any": not looked at.
    grad
        Positions of the tensor arguments with respect to which the gradient of the summed output is compared too.
    deterministic
        Whether two calls on equal arguments must return equal values.
    forbid
        What the function may not call: families ("softmax", "logsumexp", "cross_entropy", "autograd") and dotted
        names of functions ("numpy.linalg.inv"), whatever they are called by; see `lsedu.labs.watch`.
    arguments
        "warn": a function that changes its arguments is told so, and loses nothing; "keep": the cases in which it
        does are failed; "free": it may.
    seconds
        The longest that one case may take.
    wrong
        The declared wrong answers.
    file, arrays, score
        For "artefact": the file's name, its arrays (name to `ArraySpec`), and the scoring function, which runs in
        the trusted process: called with a dict of arrays, it yields pairs (passed, reason); see
        `lsedu.authoring.scoring.score`.
    rubric
        For "manual": what earns the points.
    """

    id: str
    title: str
    points: float
    kind: Kind = "function"
    function: str = ""
    cases: Callable[[np.random.Generator], Iterable[Case]] | None = None
    reference: Callable | None = None
    rtol: float = 1e-4
    atol: float = 1e-6
    dtype: Literal["kind", "exact", "any"] = "kind"
    grad: tuple[int, ...] = ()
    deterministic: bool = False
    forbid: tuple[str, ...] = ()
    arguments: Arguments = "warn"
    seconds: float = 10.0
    wrong: tuple[Wrong, ...] = ()
    file: str = ""
    arrays: Mapping[str, "ArraySpec"] = field(default_factory=dict)
    score: Callable[..., Iterable[tuple[bool, str]]] | None = None
    rubric: str = ""

    def draw(self, seed: int | Sequence[int]) -> tuple[Case, ...]:
        """Draw the cases from `seed`; the draw depends on the seed and the question's id, not on other questions.

        Raises
        ------
        ValueError
            If there are no cases, or two share a name.
        """
        entropy = [seed] if isinstance(seed, int) else list(seed)
        rng = np.random.default_rng([*entropy, zlib.crc32(self.id.encode())])
        drawn = tuple(self.cases(rng)) if self.cases is not None else ()
        names = [item.name for item in drawn]
        if self.kind == "function" and (not drawn or len(set(names)) < len(names)):
            raise ValueError(f"question {self.id!r} needs at least one case and one name a case, got {names}")
        return drawn

    def mark(self, cases: Sequence[Case], passed: Sequence[bool]) -> float:
        """Return the points for the cases passed, by weight, rounded to hundredths.

        Examples
        --------
        >>> q = Question("q", "A question", 3)
        >>> q.mark([case("a"), case("b", weight=2)], [True, False])
        1.0
        """
        total = math.fsum(item.weight for item in cases)
        earned = math.fsum(item.weight for item, ok in zip(cases, passed, strict=True) if ok)
        return round(self.points * earned / total, 2)


@dataclass(frozen=True)
class ArraySpec:
    """What an array of an artefact must be: dtype kind ("f", "i", "u", "b"), shape (None is any size), range."""

    kind: str
    shape: tuple[int | None, ...]
    low: float = -math.inf
    high: float = math.inf
