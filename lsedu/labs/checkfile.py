"""The file of public checks: made at release from the reference, read by the checks in a student's notebook."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lsedu.labs.codec import decode, encode
from lsedu.labs.compare import explain
from lsedu.labs.evaluate import evaluate
from lsedu.labs.spec import PUBLIC_SEED, Lab, Question

_OPTIONS = ("title", "points", "kind", "function", "file", "rtol", "atol", "dtype", "deterministic")
_SHIPPED = Path(__file__).resolve().parent.parent / "_labs"
_CHECKOUT = Path(__file__).resolve().parents[2] / "labs"


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


def build(lab: Lab) -> dict[str, Any]:
    """Return the content of a lab's file of checks: public cases, expected outcomes and those of usual mistakes.

    Raises
    ------
    TypeError
        If a case or an outcome holds something that cannot be written without pickle.
    """
    questions = {}
    for question in lab.questions:
        entry = {key: getattr(question, key) for key in _OPTIONS} | {"grad": list(question.grad), "cases": []}
        for item in question.draw(PUBLIC_SEED) if question.kind == "function" else ():
            entry["cases"].append(
                {
                    "name": item.name,
                    "args": encode(tuple(item.args)),
                    "kwargs": encode(dict(item.kwargs)),
                    "hint": item.hint,
                    "weight": item.weight,
                    "expected": encode(evaluate(question.reference, question, item)),
                    "usual": [{"message": text, "outcome": encode(value)} for text, value in usual(question, item)],
                }
            )
        questions[question.id] = entry
    return {"lab": lab.name, "title": lab.title, "release": lab.digest[:16], "questions": questions}


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


def write(content: Mapping[str, Any]) -> str:
    """Return the text of the file, the same for the same content."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def find(lab: str, *, folder: Path | str | None = None) -> Path:
    """Return the path of a lab's file of checks: in `folder`, in the installed package, or in the checkout.

    Raises
    ------
    FileNotFoundError
        If it is in none of them.
    """
    places = [Path(folder)] if folder is not None else [_SHIPPED, _CHECKOUT]
    for place in places:
        if (path := place / f"{lab}.checks.json").is_file():
            return path
    raise FileNotFoundError(
        f"no {lab}.checks.json in {' or '.join(map(str, places))}: "
        f"install a current lsedu, or run `lsedu labs release {lab}` in the course's repository"
    )


def read(path: Path | str) -> dict[str, Any]:
    """Read a file of checks, as `build` made it."""
    return json.loads(Path(path).read_text(encoding="utf-8"))
