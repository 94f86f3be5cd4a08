"""Load a lab on the trusted side: run its solution and its declarations in one namespace."""

import re
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import CodeType
from typing import Any, get_args

import numpy as np

from lsedu.authoring.lab import Cell, Lab
from lsedu.authoring.source import LabError, LabSource, parse
from lsedu.labs.evaluate import evaluate
from lsedu.labs.spec import PUBLIC_SEED, Arguments, ArraySpec, Case, Question, Wrong, case
from lsedu.labs.watch import unwatchable


class _Declarations:
    """What the grader cells declare, in order: the decorators `question` and `artefact`."""

    def __init__(self) -> None:
        self.questions: list[Question] = []

    def question(self, id: str, *, title: str, points: float, function: str | None = None, **options: Any) -> Callable:
        """Declare a question by its cases; `options` are fields of `Question` (rtol, atol, dtype, grad, ...)."""

        def declare(cases: Callable[[np.random.Generator], Iterable[Case]]) -> Callable:
            name = function or id.replace("-", "_")
            self.questions.append(Question(id, title, points, function=name, cases=cases, **options))
            return cases

        return declare

    def artefact(self, id: str, *, title: str, points: float, file: str, arrays: dict[str, ArraySpec]) -> Callable:
        """Declare a question answered by a file of arrays; the decorated function scores them."""

        def declare(score: Callable[..., Iterable[tuple[bool, str]]]) -> Callable:
            self.questions.append(Question(id, title, points, kind="artefact", file=file, arrays=arrays, score=score))
            return score

        return declare


def load_lab(path: Path | str) -> Lab:
    """Load a lab from its source.

    The preamble, the solutions and the grader cells are run, in order, in one namespace; set-up cells, checks and
    pictures are not. Only for sources you trust.

    Parameters
    ----------
    path
        The lab's MyST text notebook.

    Returns
    -------
    Lab
        With every question's reference, cases and declared wrong answers in place.

    Raises
    ------
    LabError
        If the source is not a whole lab; the message says what is missing and where.
    """
    source = parse(path)
    declared = _Declarations()
    space: dict[str, Any] = {
        "__name__": f"lab:{source.manifest.lab}",
        "np": np,
        "question": declared.question,
        "artefact": declared.artefact,
        "ArraySpec": ArraySpec,
        "case": case,
    }
    texts = {cell.id: cell.solution for cell in source.cells} | {name: text for _, name, text, _ in source.trusted}
    for name in source.order:
        run(texts[name], space, name=name)
    questions = [_complete(item, source, space) for item in declared.questions] + _manual(source)
    place = {cell.question: i for i, cell in reversed(list(enumerate(source.cells))) if cell.role != "plain"}
    for item in questions:
        if item.id not in place and item.kind != "artefact":
            raise LabError(f"question {item.id!r} is declared, but no cell has `grade_id: {item.id}`")
        _try(item)
    asked = {item.id for item in questions}
    if missing := [cell.question for cell in source.cells if cell.role == "student" and cell.question not in asked]:
        raise LabError(f"no grader cell declares {missing[0]!r}: add one with @question({missing[0]!r}, ...)")
    ids = [item.id for item in questions]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise LabError(f"two questions have the id {twice[0]!r}: each question has its own")
    # cells that name no question belong to the one before: a slip in a check is told before what follows from it
    named = [(cell.id, cell.question) for cell in source.cells if cell.role == "check"]
    named += [(cell.id, cell.question) for cell in source.cells if "hint" in cell.metadata.get("tags", ())]
    named += [(item.id, item.metadata["question"]) for item in source.trusted if item.tag in ("wrong", "rubric")]
    if astray := [(name, question) for name, question in named if question not in asked]:
        raise LabError(f"cell {astray[0][0]!r} belongs to {astray[0][1]!r}, but there is no such question")
    questions.sort(key=lambda item: place.get(item.id, len(place)))
    return Lab(
        manifest=source.manifest,
        questions=tuple(questions),
        cells=tuple(_finish(cell, questions) for cell in source.cells),
        path=str(path),
        digest=source.digest,
    )


def run(text: str, space: dict[str, Any], *, name: str) -> None:
    """Run a cell's text in `space`.

    Raises
    ------
    LabError
        If it fails; the message names the cell, the cause is the error itself.
    """
    try:
        code: CodeType = compile(text, f"<cell {name}>", "exec", dont_inherit=True)
        exec(code, space)
    except Exception as error:
        raise LabError(f"cell {name!r} fails: {type(error).__name__}: {error}") from error


def _try(item: Question) -> None:
    """Draw a question's public cases and answer them by its solution: a slip there belongs to the lab's author."""
    if said := unwatchable(item.forbid):
        raise LabError(f"question {item.id!r} forbids what cannot be watched: {said}")
    if item.arguments not in get_args(Arguments):
        raise LabError(f"question {item.id!r}: `arguments` is one of {get_args(Arguments)}, got {item.arguments!r}")
    what = "drawing its cases"
    try:
        for drawn in item.draw(PUBLIC_SEED):
            what = f"its solution on the case {drawn.name!r}"
            evaluate(item.reference, item, drawn)
    except Exception as error:
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith("<cell ")]
        where = f" (line {own[-1].lineno} of {own[-1].filename[1:-1]})" if own else ""
        raise LabError(f"question {item.id!r}: {what} fails: {type(error).__name__}: {error}{where}") from error


def _complete(item: Question, source: LabSource, space: dict[str, Any]) -> Question:
    if item.kind == "manual":
        return item
    if item.kind == "function" and not callable(space.get(item.function)):
        raise LabError(f"question {item.id!r} asks for {item.function!r}, which no solution cell defines")
    name_of = item.function or item.id.replace("-", "_")
    wrong = []
    for tag, name, text, metadata in source.trusted:
        if tag == "wrong" and metadata["question"] == item.id:
            if missing := [key for key in ("points", "message") if key not in metadata]:
                raise LabError(f"wrong answer {name!r} needs {' and '.join(missing)} in its metadata")
            own = dict(space)
            run(text, own, name=name)
            if not callable(own.get(name_of)) or own[name_of] is space.get(name_of):
                raise LabError(f"wrong answer {name!r} does not define {name_of!r}")
            points, message = float(metadata["points"]), str(metadata["message"])
            wrong.append(Wrong(name, item.id, own[name_of], points, message, text))
    return replace(item, reference=space[name_of] if item.kind == "function" else None, wrong=tuple(wrong))


def _manual(source: LabSource) -> list[Question]:
    rubrics = {metadata["question"]: text for tag, _, text, metadata in source.trusted if tag == "rubric"}
    found = []
    for cell in source.cells:
        if cell.role == "manual":
            graded = cell.metadata["nbgrader"]
            if cell.question not in rubrics:
                raise LabError(f"question {cell.question!r} is graded by hand and needs a cell tagged `rubric`")
            title = graded.get("title", cell.question.replace("-", " ").capitalize())
            rubric = rubrics[cell.question]
            found.append(Question(cell.question, title, float(graded["points"]), kind="manual", rubric=rubric))
    return found


def _finish(cell: Cell, questions: list[Question]) -> Cell:
    """Fill in points and the nbgrader metadata in full."""
    points = {item.id: item.points for item in questions}

    def say(match: re.Match) -> str:
        if match[1] and match[1] not in points:
            raise LabError(f"the text speaks of {match[0]}, but there is no question {match[1]!r}")
        value = points[match[1]] if match[1] else sum(points.values())
        return f"{value:g} point{'' if value == 1 else 's'}"

    if cell.kind == "markdown":
        cell = replace(cell, source=re.sub(r"\{points(?::([\w-]+))?\}", say, cell.source))
    if cell.role == "plain":
        return cell
    graded = {"schema_version": 3, "task": False, "grade_id": cell.id}
    graded["grade"] = cell.role in ("check", "manual")
    graded["solution"] = cell.role in ("student", "manual")
    graded["locked"] = cell.role in ("preamble", "check")
    if graded["grade"]:
        graded["points"] = points[cell.question]
    metadata = {**cell.metadata, "nbgrader": graded}
    if graded["locked"] or graded["solution"]:
        metadata["deletable"] = False
    if graded["locked"]:
        metadata["editable"] = False
    return replace(cell, metadata=metadata)
