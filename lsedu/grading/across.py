"""What can be told of a submission only beside the others of its class, and who of the roster handed in nothing."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from lsedu.authoring import names, variant
from lsedu.authoring.lab import Lab
from lsedu.authoring.roster import Person
from lsedu.grading.row import Row

ABSENT = "nothing was handed in"
_OURS = re.compile(r"(\S+: )?same .* as |named like |of release |made for |not on the roster$")
_SHOWN = 200


@dataclass(frozen=True)
class Across:
    """Flags by student, and sentences on the class as a whole."""

    flags: Mapping[str, Sequence[str]]
    said: Sequence[str]


def look(rows: Mapping[str, Row], lab: Lab, *, roster: Collection[str] = ()) -> Across:
    """Compare the rows of a class.

    Parameters
    ----------
    rows
        The rows by student.
    lab
        The lab.
    roster
        The ids of the roster, or nothing.

    Returns
    -------
    Across
        For each student the row's flags with those of this comparison anew.
    """
    flags = {name: [flag for flag in row.flags if not _OURS.match(flag)] for name, row in rows.items()}
    present = {name: row for name, row in rows.items() if row.reason != ABSENT}
    said = [*_releases(present, lab, flags)]
    _same_files(present, lab, flags)
    _variants(present, flags, set(roster))
    known = {names.spelling(student) for student in roster}
    there = {names.spelling(name) for name in present}
    missing = [student for student in roster if names.spelling(student) not in there]
    for name, others in names.alike([*present, *missing]).items():
        for other in others[:3] if name in present else ():
            where = "the submission" if other in present else "on the roster"
            flags[name].append(f"named like {other!r} ({where}), but differs {names.difference(name, other)}")
    if roster:
        strangers = [name for name in present if names.spelling(name) not in known]
        for name in strangers:
            flags[name].append("not on the roster")
        absent = [name for name, row in rows.items() if row.reason == ABSENT]
        said.append(f"{len(absent)} of the roster handed in nothing{_listed(absent)}")
        if strangers:
            said.append(f"{len(strangers)} submissions are of nobody on the roster{_listed(strangers)}")
    return Across(flags, said)


def _listed(students: Sequence[str]) -> str:
    text = ", ".join(students)
    return f": {text[:_SHOWN]}{' ...' if len(text) > _SHOWN else ''}" if students else ""


def _same_files(rows: Mapping[str, Row], lab: Lab, flags: dict[str, list[str]]) -> None:
    """Flag artefacts that are the same for several students, whole or in one of their arrays.

    Where students were handed the same variant, equal code may give equal files: the flag says so.
    """
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, row in rows.items():
        for question, digests in row.artefacts.items():
            for digest in digests.split():
                owners[question, digest].append(name)
    shared: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for (question, digest), students in owners.items():
        for name in students:
            for other in students:
                if other != name:
                    shared[name, question, other].append(digest.partition("=")[0])
    said: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for (name, question, other), arrays in shared.items():
        whole = len(arrays) == len(rows[name].artefacts[question].split())
        what = "file" if whole else " and ".join(sorted(arrays))
        said[name, question, what].append(other)
    for (name, question, what), others in said.items():
        own = [variant.handed(lab.manifest, rows[who].about.get("student", "")) for who in (name, *others)]
        alike = bool(lab.manifest.variants) and all(values == own[0] for values in own)
        hint = " (they have the same variant, where equal work may give equal files)" if alike else ""
        flags[name].append(f"{question}: same {what} as {', '.join(sorted(others))[:_SHOWN]}{hint}")


def _releases(rows: Mapping[str, Row], lab: Lab, flags: dict[str, list[str]]) -> list[str]:
    """Flag notebooks of another release; where it is that of most of the class, say so once instead."""
    current = lab.digest[:16]
    rows = {name: row for name, row in rows.items() if row.about.get("lab", lab.name) == lab.name}
    counts = Counter(row.about["release"] for row in rows.values() if row.about.get("release"))
    usual = max(counts, key=lambda release: (counts[release], release == current), default=current)
    if counts[usual] * 2 <= counts.total() or counts[usual] < 2:
        usual = current
    for name, row in rows.items():
        if (release := row.about.get("release", current)) not in (usual, current):
            flags[name].append(f"of release {release}, not of {usual}")
    if usual == current:
        return []
    return [f"{counts[usual]} of {counts.total()} notebooks are of release {usual}; the lab's source is of {current}"]


def _variants(rows: Mapping[str, Row], flags: dict[str, list[str]], roster: set[str]) -> None:
    """Flag notebooks that were made for another student.

    Where most of a class bears other names here than at the hand-out, a name tells only if it is a student's here, or
    if two submissions share it.
    """
    made = {name: row.about["student"] for name, row in rows.items() if row.about.get("student")}
    foreign = [name for name, owner in made.items() if names.spelling(owner) != names.spelling(name)]
    sharing = Counter(names.spelling(owner) for owner in made.values())
    known = {names.spelling(name) for name in (*rows, *roster)}
    renamed = len(foreign) >= 3 and len(foreign) * 2 > len(made)
    for name in foreign:
        owner = made[name]
        if not renamed or names.spelling(owner) in known or sharing[names.spelling(owner)] > 1:
            flags[name].append(f"made for {owner[:60]}: the variant of another student")


def absent(roster: Sequence[Person], rows: Mapping[str, Row], strays: Sequence[str], lab: Lab) -> list[Row]:
    """Return rows for who is on the roster and has none, with what lies there under their name if anything does."""
    there = {names.spelling(name) for name in rows}
    zeros = {question.id: None if question.kind == "manual" else 0.0 for question in lab.questions}
    found = []
    for person in roster:
        if names.spelling(person.id) in there:
            continue
        own = [name for name in strays if names.spelling(name.partition(".")[0]) == names.spelling(person.id)]
        flag = f"{ABSENT} that can be read, but {', '.join(own)}" if own else ABSENT
        found.append(Row(person.id, name=person.name, points=zeros, reason=ABSENT, flags=[flag]))
    return found
