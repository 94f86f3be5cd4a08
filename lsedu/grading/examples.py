"""After release: a public seed on which a student's own function fails in the same way, as checks to run at home."""

import json
from typing import Any

from lsedu.grading.marking import Mark, Marker, prepare
from lsedu.labs import checkfile
from lsedu.labs.codec import encode
from lsedu.labs.spec import PUBLIC_SEED, Lab

SEEDS = (PUBLIC_SEED, *range(1, 6))


def search(lab: Lab, marker: Marker, marked: dict[str, Mark]) -> tuple[dict[str, int], str]:
    """Look for a public seed for every question that lost points.

    Parameters
    ----------
    lab
        The lab.
    marker
        The student's marker, with its zygote.
    marked
        What the student's functions earned on the secret inputs.

    Returns
    -------
    dict
        Question to the first public seed on which the same cases fail.
    str
        The text of a file of checks with those cases, for `lsedu.labs.Checks`; empty if there is none.
    """
    found: dict[str, int] = {}
    content: dict[str, Any] = {"lab": lab.name, "title": lab.title, "release": lab.digest[:16], "questions": {}}
    for seed in SEEDS:
        wanted = [name for name, mark in marked.items() if mark.failed and name not in found]
        if not wanted:
            break
        for prepared in prepare(lab, [seed]):
            question = prepared.question
            if question.id not in wanted:
                continue
            failed = set(marker.mark(prepared).failed)
            if not set(marked[question.id].failed) <= failed:
                continue
            found[question.id] = seed
            entry = {key: getattr(question, key) for key in checkfile._OPTIONS} | {"grad": list(question.grad)}
            entry["cases"] = [
                {
                    "name": item.name,
                    "args": encode(tuple(item.args)),
                    "kwargs": encode(dict(item.kwargs)),
                    "hint": item.hint,
                    "weight": item.weight,
                    "expected": encode(expected),
                    "usual": [{"message": text, "outcome": encode(value)} for text, value in usual],
                }
                for item, expected, usual in zip(prepared.cases, prepared.expected, prepared.usual)
            ]
            content["questions"][question.id] = entry
    return found, json.dumps(content, indent=1) + "\n" if found else ""
