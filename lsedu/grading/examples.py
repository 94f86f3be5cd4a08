"""After release: a public seed on which a student's own function fails in the same way, as checks to run at home."""

from typing import Any

from lsedu.authoring import checkfile
from lsedu.authoring.lab import Lab
from lsedu.grading.marking import Mark, Marker, Prepared, prepare
from lsedu.labs.spec import PUBLIC_SEED

SEEDS = (PUBLIC_SEED, *range(1, 6))


def search(
    lab: Lab, marker: Marker, marked: dict[str, Mark], public: dict[str, Prepared]
) -> tuple[dict[str, int], str]:
    """Look for a public seed for every question that lost points.

    Parameters
    ----------
    lab
        The lab.
    marker
        The student's marker, with its zygote.
    marked
        What the student's functions earned on the secret inputs.
    public
        The public cases by question.

    Returns
    -------
    dict
        Question to the first public seed on which the same cases fail.
    str
        The text of a file of checks with those cases, for `lsedu.labs.Checks`; empty if there is none.
    """
    found: dict[str, int] = {}
    entries: dict[str, dict[str, Any]] = {}
    for seed in SEEDS:
        wanted = [name for name, mark in marked.items() if mark.failed and name not in found]
        if not wanted:
            break
        marker.begin_again()
        for prepared in prepare(lab, [seed]):
            question = prepared.question
            if question.id not in wanted:
                continue
            failed = set(marker.mark(prepared, public[question.id]).failed)
            if not set(marked[question.id].failed) <= failed:
                continue
            found[question.id] = seed
            usual = [list(prepared.usual(index)) for index in range(len(prepared.cases))]
            entries[question.id] = checkfile.entry(question, prepared.cases, prepared.expected, usual)
    return found, checkfile.dump(checkfile.content(lab, entries)) if found else ""
