"""Score the arrays of an artefact: the lab's own function says which demands they meet, and why not."""

import hashlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lsedu.labs.spec import Question


@dataclass(frozen=True)
class Score:
    """What an artefact earned, a reason for each demand that it does not meet, and flags for the instructor."""

    points: float
    reasons: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)


def score(
    question: Question,
    arrays: Mapping[str, np.ndarray],
    *,
    student: str,
    seed: int | Sequence[int],
    variant: Mapping[str, Any],
) -> Score:
    """Call the scoring function of a question.

    It is called with the arrays, and, if it has such parameters, with ``rng``, a generator drawn from the class's
    secret and the student's id, so that each student can be scored on a split of their own; and with ``variant``, the
    values of the header's variants in the notebook that the student was handed. It yields (passed, reason), or
    (passed, reason, flag) where a result is too good to be taken at its word.

    Parameters
    ----------
    question
        A question of kind "artefact".
    arrays
        What was handed in, of the form asked for.
    student
        The student's id.
    seed
        The class's secret seed.
    variant
        See `lsedu.authoring.variant`.
    """
    asked = inspect.signature(question.score).parameters
    options: dict[str, Any] = {}
    if "rng" in asked:
        own = int.from_bytes(hashlib.sha256(student.encode("utf-8", "surrogateescape")).digest()[:8], "big")
        entropy = [seed] if isinstance(seed, int) else list(seed)
        options["rng"] = np.random.default_rng([*entropy, own])
    if "variant" in asked:
        options["variant"] = dict(variant)
    parts = [tuple(part) for part in question.score(dict(arrays), **options)]
    reasons = [part[1] for part in parts if not part[0]] if parts else ["nothing in the file could be scored"]
    flags = [str(part[2]) for part in parts if len(part) > 2 and part[2]]
    points = round(question.points * sum(bool(part[0]) for part in parts) / max(len(parts), 1), 2)
    return Score(points, reasons, flags)
