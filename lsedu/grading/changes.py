"""What grading again has changed: points before and after, by student and question."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lsedu.authoring.lab import Lab
from lsedu.grading.row import Row


@dataclass(frozen=True)
class Change:
    """A student's points for a question before and after, and why points are lost now."""

    student: str
    question: str
    before: float
    after: float
    reason: str = ""


def between(before: Row, after: Row) -> list[Change]:
    """Return the questions whose points differ, in order.

    Examples
    --------
    >>> between(Row("ada", points={"a": 1.0, "b": 2.0}), Row("ada", points={"a": 1.0, "b": 1.5}))
    [Change(student='ada', question='b', before=2.0, after=1.5, reason='')]
    """
    found = []
    for question, points in after.points.items():
        old = before.points.get(question)
        if points is not None and old is not None and points != old:
            reason = "; ".join(after.reasons.get(question, ()))
            found.append(Change(after.student, question, old, points, reason))
    return found


def merge(before: Row, after: Row, question: str) -> Row:
    """Return the row before with one question's marks from the row after.

    Its key stays the one before: what else it holds was marked by that, and the next whole run marks it again.
    """

    def with_new(old: Mapping, new: Mapping) -> dict:
        return {name: value for name, value in old.items() if name != question} | (
            {question: new[question]} if question in new else {}
        )

    ours = f"{question}: "
    flags = [flag for flag in before.flags if not flag.startswith(ours)]
    flags += [flag for flag in after.flags if flag.startswith(ours)]
    points = {name: after.points[question] if name == question else value for name, value in before.points.items()}
    return replace(
        before,
        points=points,
        total=round(sum(value for value in points.values() if value is not None), 2),
        reasons=with_new(before.reasons, after.reasons),
        notes=with_new(before.notes, after.notes),
        examples=with_new(before.examples, after.examples),
        artefacts=with_new(before.artefacts, after.artefacts),
        flags=flags,
    )


def table(changes: Iterable[Change]) -> list[list]:
    """Return the rows of `changes.csv`, its header included."""
    rows = [[item.student, item.question, item.before, item.after, item.reason] for item in changes]
    return [["student", "question", "before", "after", "why not more"], *sorted(rows, key=lambda row: row[:2])]


def summary(changes: Sequence[Change], regraded: Mapping[str, Row], lab: Lab, *, question: str | None) -> list[str]:
    """Return sentences on what changed for whom: a line for each question whose points did, or that was asked for.

    Parameters
    ----------
    changes
        All changes.
    regraded
        The rows, as they are now, that replaced others.
    lab
        The lab.
    question
        The one question that was marked again, or None.
    """
    by_question: dict[str, list[Change]] = defaultdict(list, {question: []} if question else {})
    for item in changes:
        by_question[item.question].append(item)
    if not by_question:
        return [f"{len(regraded)} graded again, and no points changed"] if regraded else []
    said = []
    for name, items in by_question.items():
        after = sum(row.points.get(name) or 0.0 for row in regraded.values())
        before = after - sum(item.after - item.before for item in items)
        up = sum(item.after > item.before for item in items)
        mean = [f"{total / max(len(regraded), 1):.2f}" for total in (before, after)]
        said.append(
            f"{name}: mean {mean[0]} before, {mean[1]} after, of {lab.question(name).points:g}; "
            f"{len(items)} of {len(regraded)} changed, {up} up and {len(items) - up} down"
        )
    return said
