"""Find answers in words, wherever they stand: in their cell, in a copy of it, or near the question in another cell."""

import hashlib
import re
from dataclasses import dataclass

from lsedu.authoring.lab import Cell, Lab
from lsedu.authoring.source import BLANK
from lsedu.grading.notebooks import Item, Notebook
from lsedu.grading.released import Released, pattern, varies
from lsedu.labs.cells import defines, plain

_LONG = 40


@dataclass(frozen=True)
class Words:
    """Text answers by question; by question where else text was found, and that text; and what was odd."""

    own: dict[str, str]
    near: dict[str, tuple[str, str]]
    flags: tuple[str, ...]


def find(lab: Lab, notebook: Notebook, released: Released) -> Words:
    """Find the answers to the questions that are graded by hand.

    A cell that carries the question's id holds the answer, of whatever kind the cell is now and however often it
    occurs. Cells of text that the student added right above or below it, or where it was, are found near it; so is
    what was written into the text of the course. Where a question has no other text, code that stands there counts
    too, failing that text anywhere in the notebook, and failing that long comments and texts in the student's code:
    nothing in words is passed over.
    """
    questions = {q.id: number for number, q in enumerate(lab.questions, start=1) if q.kind == "manual"}
    place = {cell.question: index for index, cell in enumerate(lab.cells) if cell.role == "manual"}
    blank = {"", BLANK} | {plain(lab.cells[index].source) for index in place.values()}
    known = _places(lab, notebook, released)
    ours = notebook.about.get("lab", lab.name) == lab.name
    added = _added(lab, notebook, known, released) if ours else []  # another lab's text is not the student's
    own: dict[str, str] = {}
    near: dict[str, tuple[str, str]] = {}
    flags: list[str] = []
    for question, number in questions.items():
        at = place[question]
        cells = [item for item in notebook.items if question in (item.id, item.grade_id)]
        texts = list(dict.fromkeys(text for item in cells if (text := plain(item.text)) not in blank))
        own[question] = "\n\n".join(texts)
        if any(item.kind != "markdown" and plain(item.text) in texts for item in cells):
            flags.append(f"{question}: not in a text cell")
        if len(cells) > 1:
            flags.append(f"{question}: found {len(cells)} times")
        here = [(kind, text) for kind, text, before, after in added if at in (before, after) or before < at < after]
        found = [text for kind, text in here if kind != "code"] or [text for _, text in here if not texts]
        rest = [] if found or texts else [text for kind, text, _, _ in added if kind != "code"]
        if found or rest:
            where = f"near question {number}" if found else "elsewhere in the notebook"
            near[question] = where, "\n\n".join(found or rest)
            flags.append(f"{question}: {'' if texts else 'not answered in its place; '}text found {where}")
        elif not texts:
            flags.append(f"{question}: not answered in words")
            if said := _in_code(lab, notebook, released) if ours else "":
                near[question] = "in the code", said
                flags[-1] += "; comments in the code are shown"
        if re.search(r"!\[|attachment:|<img", "".join([own[question], *near.get(question, ())]), re.I):
            flags.append(f"{question}: has a picture, which is not shown")
    return Words(own, near, tuple(flags))


def _places(lab: Lab, notebook: Notebook, released: Released) -> list[int | None]:
    """Return for each cell of a notebook which cell of the lab it is, by id or by text; None where it is none."""
    by_id = {cell.id: index for index, cell in enumerate(lab.cells)}
    by_text: dict[str, list[int]] = {}
    for index, text in enumerate(released.given):
        by_text.setdefault(text, []).append(index)
    found: list[int | None] = []
    for item in notebook.items:
        place = by_id.get(item.id, by_id.get(item.grade_id))
        if place is None and (text := plain(item.text)) and len(same := by_text.get(text, ())) == 1:
            place = same[0]
        found.append(place)
    return found


def _added(
    lab: Lab, notebook: Notebook, known: list[int | None], released: Released
) -> list[tuple[str, str, int, int]]:
    """Return what a student wrote outside of cells for answers: kind, text, the lab's cells before and after it."""
    same_release = notebook.about.get("release", lab.digest[:16]) == lab.digest[:16]
    found = []
    for index, (item, place) in enumerate(zip(notebook.items, known)):
        text = plain(item.text)
        if text in released or _as_made(item):
            continue
        cell = lab.cells[place] if place is not None else None
        if cell is not None and cell.kind == "code" and item.kind != "code":  # text under the name of an answer
            if any(defines(text, question.function) for question in lab.questions if question.kind == "function"):
                continue
        elif cell is not None:
            if not same_release or cell.role != "plain" or cell.kind != "markdown" or item.kind == "code":
                continue
            text = _written_into(item, cell, released.given[place], lab)
        elif item.graded and not item.solution and item.kind == "code":
            continue
        if text in ("", BLANK):
            continue
        before = next((p for p in reversed(known[: index + 1]) if p is not None), -1)
        after = next((p for p in known[index + 1 :] if p is not None), len(lab.cells))
        found.append((item.kind, text, before, after))
    return found


def _as_made(item: Item) -> bool:
    """Whether a cell of the course, of whatever release, is as it was made: its id has a hash of its text."""
    return item.id == f"plain-{hashlib.sha256(item.text.encode()).hexdigest()[:8]}"


def _written_into(item: Item, cell: Cell, given: str, lab: Lab) -> str:
    """Return the lines in a cell of the course that are not the course's, in whatever variant."""
    if cell.metadata.get("lsedu"):  # a picture
        return ""
    lines = set(given.splitlines())
    variants = [pattern(line, lab) for line in plain(cell.source).splitlines() if varies(line)]
    new = plain(item.text).splitlines()
    return plain("\n".join(x for x in new if x not in lines and not any(p.fullmatch(x) for p in variants)))


def _in_code(lab: Lab, notebook: Notebook, released: Released) -> str:
    """Return the long comments and texts in code that are not the course's."""
    given = {line for text in (*released.given, *released.texts) for line in text.splitlines()}
    own = [plain(item.text) for item in notebook.items if item.kind == "code" and plain(item.text) not in released]
    lines = ["\n".join(line for line in text.splitlines() if line not in given) for text in own]
    return "\n\n".join(dict.fromkeys(said for text in lines for said in prose(text)))


def prose(code: str) -> list[str]:
    r"""Return the comments and texts in a program that are long enough to be an answer, judged by its lines alone.

    Examples
    --------
    >>> prose("x = 1  # one\n# Dividing all logits by one number\n# changes no argmax.\n")
    ['Dividing all logits by one number\nchanges no argmax.']
    """
    found = []
    for number, part in enumerate(re.split(r"\"\"\"|'''", code)):
        comments = re.findall(r"(?:^[ \t]*#[^\n]*\n?)+", part, re.M)
        texts = [part] if number % 2 else [re.sub(r"^[ \t]*#[ \t]?", "", text, flags=re.M) for text in comments]
        texts += [] if number % 2 else re.findall(r"[\"']([^\"'\n]*)[\"']", part)
        found += [plain(text) for text in texts if len(plain(text)) >= _LONG]
    return found
