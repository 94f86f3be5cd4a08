"""What is done when all of a class is marked: the rows beside each other, the changes, the table of resemblances."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lsedu import _modules
from lsedu.authoring import names
from lsedu.authoring.lab import Lab
from lsedu.authoring.roster import Person
from lsedu.grading import across, changes, matching, notebooks, similarity
from lsedu.grading.collect import HandedIn
from lsedu.grading.inbox import Submission
from lsedu.grading.released import Released
from lsedu.grading.results import Results, _csv, printable
from lsedu.grading.row import Row


def together(
    lab: Lab,
    handed_in: HandedIn,
    people: Sequence[Person],
    results: Results,
    before: Mapping[str, Row],
    again: Sequence[str],
    *,
    whole: bool,
    question: str | None,
) -> list[str]:
    """Complete the rows by what shows only across the class, write `changes.csv`, and return what is to be said.

    Parameters
    ----------
    lab, handed_in, people
        The lab, what was handed in, and the roster or nothing.
    results
        The rows, which are changed.
    before, again
        The rows before this run, and who of them was graded again.
    whole
        Whether all of the class was looked at, so that who is not there is absent.
    question
        The one question that was marked again, or None.
    """
    said = []
    if handed_in.strays:
        shown = ", ".join(map(printable, handed_in.strays[:20])) + (" ..." if len(handed_in.strays) > 20 else "")
        said.append(f"not looked at, for it is neither a folder nor a notebook: {shown}")
    named = {names.spelling(person.id): person.name for person in people}
    if people:
        absent = [name for name, row in results.rows.items() if row.reason == across.ABSENT]
        for name in absent:
            del results.rows[name]
        if whole:
            for row in across.absent(people, results.rows, handed_in.strays, lab):
                results.rows[row.student] = row
    seen = across.look(results.rows, lab, roster=[person.id for person in people])
    said += seen.said
    results.rows = {
        name: replace(row, flags=list(seen.flags[name]), name=named.get(names.spelling(name), row.name))
        for name, row in results.rows.items()
    }
    changed = {name: results.rows[name] for name in again}
    found = [change for name, row in changed.items() for change in changes.between(before[name], row)]
    if changed:
        said += changes.summary(found, changed, lab, question=question)
        results.write_text(results.out / "changes.csv", _csv(changes.table(found)))
    return said


def published(lab: Lab) -> dict[str, str]:
    """Return what could have been copied, by a name; its fingerprints are worked out here, for they take the time."""
    known = {"the published solution": "\n".join(cell.solution for cell in lab.student_cells())}
    for name in _modules.reached(lab.manifest.answers):
        if any(name.startswith(answer) for answer in lab.manifest.answers):
            known[name] = _modules.path_of(name).read_text(encoding="utf-8")
    for text in known.values():
        similarity.fingerprints(text)
    return known


def resemblance(
    lab: Lab,
    found: list[Submission],
    results: Results,
    given: Released,
    marked: Mapping[str, str],
    known: Mapping[str, str],
) -> None:
    """Write `similarity.csv`: pairs of students, and of a student and what is published, that resemble each other.

    `marked` holds the code of the answers of those who were marked just now, the others' is read; `known` is what
    `published` returns.
    """
    code = {}
    for item in found:
        with contextlib.suppress(notebooks.UnreadableError):
            if item.student in marked:
                code[item.student] = marked[item.student]
            elif item.path is not None:
                code[item.student] = matching.match(lab, notebooks.read(item.path), given).code
    alike = similarity.pairs(code, known, boilerplate=[*(cell.source for cell in lab.student_cells()), lab.preamble])
    rows = [["first", "second", "share", "fingerprints", "cluster"]]
    rows += [[pair.first, pair.second, round(pair.share, 2), pair.shared, pair.cluster or ""] for pair in alike]
    results.write_text(results.out / "similarity.csv", _csv(rows))
