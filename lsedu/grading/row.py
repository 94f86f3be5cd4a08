"""A student's row, as `results.jsonl` holds it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Row:
    """What marking one submission has given.

    Parameters
    ----------
    student
        The student's id.
    name
        The student's name by the roster, or an empty string.
    handed_in
        When it was handed in, in ISO 8601 and UTC, or an empty string; see `lsedu.grading.inbox.Submission`.
    total
        The points earned, without what is graded by hand.
    points
        Points by question; None where they are given by hand.
    reasons
        Why points were lost, by question.
    notes
        What a student should know though it costs nothing, by question.
    reason
        Why the submission as a whole earned nothing, or an empty string.
    flags
        What an instructor may want to look at.
    artefacts
        A digest of the arrays handed in, by question.
    examples
        The public seed on which a function fails alike, by question.
    level
        The isolation level that it ran at.
    seconds
        How long marking took.
    about
        What the notebook says of itself: lab, release, student it was made for, time by `lsedu submit`.
    digest
        sha256 of what was handed in.
    key
        What else the mark depends on: lab, secret, libraries and code.
    """

    student: str
    name: str = ""
    handed_in: str = ""
    total: float = 0.0
    points: Mapping[str, float | None] = field(default_factory=dict)
    reasons: Mapping[str, list[str]] = field(default_factory=dict)
    notes: Mapping[str, list[str]] = field(default_factory=dict)
    reason: str = ""
    flags: list[str] = field(default_factory=list)
    artefacts: Mapping[str, str] = field(default_factory=dict)
    examples: Mapping[str, int] = field(default_factory=dict)
    level: int = 0
    seconds: float = 0.0
    about: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""
    key: str = ""

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "Row":
        """Return the row that a line of `results.jsonl` holds; what it has beyond that is passed over.

        Raises
        ------
        TypeError
            If it names no student.
        """
        return cls(**{item.name: entry[item.name] for item in fields(cls) if item.name in entry})

    def to_json(self) -> dict[str, Any]:
        """Return what `json.dumps` writes as the student's line."""
        return asdict(self)
