"""The file of public checks: made at release from the reference; `lsedu.labs.checkfile` reads it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lsedu.authoring.lab import Lab
from lsedu.labs.arrays import encoded
from lsedu.labs.codec import decode, encode
from lsedu.labs.compare import explain
from lsedu.labs.evaluate import evaluate
from lsedu.labs.spec import PUBLIC_SEED, Case, Question

_OPTIONS = (
    "title",
    "points",
    "kind",
    "function",
    "file",
    "rtol",
    "atol",
    "dtype",
    "deterministic",
    "arguments",
    "seconds",
)


def usual(question: Question, item: Any) -> list[tuple[str, Any]]:
    """Return pairs (message, outcome) of the declared wrong answers on a case; those that raise are left out."""
    pairs = []
    for wrong in question.wrong:
        try:
            with np.errstate(all="ignore"):
                pairs.append((wrong.message, evaluate(wrong.function, question, item)))
        except Exception:  # a wrong answer may fail in any way; then no value can be known again
            continue
    return pairs


def entry(
    question: Question, cases: Sequence[Case], expected: Sequence[Any], mistakes: Sequence[Sequence[tuple[str, Any]]]
) -> dict[str, Any]:
    """Return what the file holds of a question: its cases, what is expected of them and what usual mistakes give.

    Raises
    ------
    TypeError
        If a case or an outcome holds something that cannot be written without pickle.
    """
    stored = [
        {
            "name": item.name,
            "args": encode(tuple(item.args)),
            "kwargs": encode(dict(item.kwargs)),
            "hint": item.hint,
            "weight": item.weight,
            "expected": encode(outcome),
            "usual": [{"message": text, "outcome": encode(value)} for text, value in known],
        }
        for item, outcome, known in zip(cases, expected, mistakes, strict=True)
    ]
    lists = {"grad": list(question.grad), "forbid": list(question.forbid)}
    form = {"arrays": {name: encoded(spec) for name, spec in question.arrays.items()}} if question.arrays else {}
    return {key: getattr(question, key) for key in _OPTIONS} | lists | form | {"cases": stored}


def content(lab: Lab, questions: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a file's content from the entries of its questions."""
    about = {"lab": lab.name, "title": lab.title, "release": lab.digest[:16]}
    limits = {"allow": list(lab.manifest.allow), "cell_seconds": lab.manifest.cell_seconds}
    return {**about, **limits, "questions": dict(questions)}


def build(lab: Lab) -> dict[str, Any]:
    """Return the content of a lab's file of checks: public cases, expected outcomes and those of usual mistakes.

    Raises
    ------
    TypeError
        If a case or an outcome holds something that cannot be written without pickle.
    """
    questions = {}
    for question in lab.questions:
        cases = question.draw(PUBLIC_SEED) if question.kind == "function" else ()
        expected = [evaluate(question.reference, question, item) for item in cases]
        questions[question.id] = entry(question, cases, expected, [usual(question, item) for item in cases])
    return content(lab, questions)


def agree(old: Mapping[str, Any], new: Mapping[str, Any], *, tolerance: float = 1e-6) -> bool:
    """Whether two files of checks say the same, up to the last digits in which processors differ."""

    def same(a: Any, b: Any) -> bool:
        if isinstance(a, dict) and isinstance(b, dict) and ("array" in a or "tensor" in a) and set(a) == set(b):
            return explain(decode(a), decode(b), rtol=tolerance, atol=tolerance, dtype="exact") is None
        if isinstance(a, dict) and isinstance(b, dict):
            return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
        if isinstance(a, list) and isinstance(b, list):
            return len(a) == len(b) and all(map(same, a, b))
        if isinstance(a, float) and isinstance(b, float):
            return explain(a, b, rtol=tolerance, atol=tolerance) is None
        return type(a) is type(b) and a == b

    return same(dict(old), dict(new))


def dump(content: Mapping[str, Any]) -> str:
    """Return the text of the file, the same for the same content."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
