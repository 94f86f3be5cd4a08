"""The gate of a lab: full marks for the solution, nothing for the stub, its own mark for every wrong answer."""

import ast
import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lsedu import _modules
from lsedu.authoring import by_file
from lsedu.authoring.checkfile import usual
from lsedu.authoring.finding import Finding
from lsedu.authoring.lab import Lab
from lsedu.authoring.load import load_lab
from lsedu.authoring.notebook import build
from lsedu.authoring.rehearsal import rehearse
from lsedu.authoring.source import LabError
from lsedu.labs.calling import same
from lsedu.labs.evaluate import attempt, evaluate
from lsedu.labs.feedback import verdict
from lsedu.labs.spec import PUBLIC_SEED, Question

SEEDS = (PUBLIC_SEED, 1, 2, 3, 4)
_FEWEST_HINTS = 2


def grade(function: Callable, question: Question, seed: int) -> tuple[float, list[str]]:
    """Return the points and the feedback that a trusted function earns, in this process, on the cases of `seed`."""
    cases = question.draw(seed)
    passed, feedback = [], []
    for item in cases:
        expected = evaluate(question.reference, question, item)
        try:
            with np.errstate(all="ignore"):
                got = attempt(function, question, item)
        except Exception as error:  # a declared wrong answer or a stub may fail in any way
            passed.append(False)
            feedback.append(f"{item.name}: stops with {type(error).__name__}: {error}. {item.hint}")
            continue
        said, _ = verdict(got, expected, question, item, usual=usual(question, item))
        passed.append(said is None)
        feedback.extend([] if said is None else [f"{item.name}: {said}"])
    return question.mark(cases, passed), feedback


def examine(path: Path | str, *, run: bool = True) -> list[Finding]:
    """Hold a lab's source to the gate.

    Parameters
    ----------
    path
        The lab's source.
    run
        Whether to run the whole release too, untouched and solved, each in a fresh kernel.

    Returns
    -------
    list of Finding
        In order; the lab passes if all of them do.

    Raises
    ------
    LabError
        If the source cannot be loaded at all.
    """
    lab = load_lab(path)
    found = [_reach(lab), _allowed(lab), _notebook(lab), *_shape(lab)]
    for question in lab.questions:
        if question.kind == "function":
            found += [_draws(question), _solution(question), _stub(lab, question), *_wrong(question)]
    if run and all(finding.passed for finding in found):
        for solved in (False, True):
            files: dict[str, bytes] = {}
            said = rehearse(lab, solved=solved, files=files)
            what = "solved" if solved else "untouched"
            found.append(Finding(f"the {what} release runs from its first cell to its last", not said, said))
            if not said:
                found += by_file.hold(lab, files, SEEDS, solved=solved)
    return found


def refuse(path: Path | str, *, run: bool = True) -> None:
    """Raise if a lab does not pass the gate.

    Raises
    ------
    LabError
        With the first thing that is not as it must be, in one line.
    """
    wrong = [finding for finding in examine(path, run=run) if not finding.passed]
    if wrong:
        more = f" (and {len(wrong) - 1} more: `lsedu labs test` lists them)" if len(wrong) > 1 else ""
        said = " ".join(wrong[0].said.split())
        raise LabError(f"{Path(path).stem} is not released, it fails the gate: {wrong[0].what}: {said}{more}")


def _draws(question: Question) -> Finding:
    """Draw twice from the same seed: what differs does not come from `rng`."""
    what, said = f"{question.id}: a seed draws the same cases every time", ""
    for seed in SEEDS[:2]:
        first, again = question.draw(seed), question.draw(seed)
        if [item.name for item in first] != [item.name for item in again]:
            said = f"seed {seed} draws other cases the second time: take all randomness from `rng`"
        for one, other in zip(first, again):
            if not said and not same([*one.args, *one.kwargs.values()], [*other.args, *other.kwargs.values()]):
                said = f"the case {one.name!r} differs between two draws from one seed: take all randomness from `rng`"
    return Finding(what, not said, said)


def _reach(lab: Lab) -> Finding:
    """Look for a way from the allowed modules to one that holds an answer."""
    answers = set(_modules.reached(lab.manifest.answers))
    unknown = sorted(name for name in lab.manifest.answers if name not in answers)
    if unknown:
        return Finding("no allowed module reaches an answer", False, f"there is no module {', '.join(unknown)}")
    bad = [
        f"{name} reaches {answer}"
        for name in lab.manifest.allow
        for answer in _modules.reached([name])
        if any(answer == held or answer.startswith(held + ".") for held in lab.manifest.answers)
    ]
    return Finding("no allowed module reaches an answer", not bad, "; ".join(bad))


def _allowed(lab: Lab) -> Finding:
    """Read what the preamble and the solutions import: nothing but allowed modules."""
    names = set()
    for cell in lab.cells:
        if cell.role in ("preamble", "student"):
            for node in ast.walk(ast.parse(cell.solution)) if cell.kind == "code" else ():
                if isinstance(node, ast.Import):
                    names |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    names.add((node.module or "").partition(".")[0])
    extra = sorted(names - {name.partition(".")[0] for name in lab.manifest.allow})
    return Finding("preamble and solutions import allowed modules only", not extra, ", ".join(extra))


def _notebook(lab: Lab) -> Finding:
    what = "nbformat and nbgrader accept the released notebook, and it holds no solution"
    notebook = build(lab)
    try:
        from nbgrader.nbgraderformat import MetadataValidator
    except ImportError:
        return Finding(what, False, 'nbgrader is not installed: pip install "lsedu[grading]"')
    MetadataValidator().validate_nb(notebook)
    leaks = [cell["id"] for cell in notebook["cells"] if "SOLUTION" in cell["source"]]
    return Finding(what, not leaks, ", ".join(leaks))


def _shape(lab: Lab) -> list[Finding]:
    automatic = [question for question in lab.questions if question.kind != "manual"]
    bare = [question.id for question in automatic if not question.wrong]
    hints = {question.id: 0 for question in automatic if question.kind == "function"}
    checks = set()
    for cell in lab.cells:
        if "hint" in cell.metadata.get("tags", ()) and cell.question in hints:
            hints[cell.question] += 1
        if cell.role == "check":
            checks.add(cell.question)
    few = [name for name, count in hints.items() if count < _FEWEST_HINTS]
    unchecked = [question.id for question in automatic if question.id not in checks]
    return [
        Finding("a declared wrong answer for every question", not bare, ", ".join(bare)),
        Finding(f"at least {_FEWEST_HINTS} hints a question", not few, ", ".join(few)),
        Finding("a check for every question", not unchecked, ", ".join(unchecked)),
    ]


def _solution(question: Question) -> Finding:
    marks = [grade(question.reference, question, seed) for seed in SEEDS]
    low = [said for points, said in marks if points < question.points]
    return Finding(f"{question.id}: the solution has full marks", not low, "; ".join(low[0]) if low else "")


def _stub(lab: Lab, question: Question) -> Finding:
    what = f"{question.id}: the untouched stub has 0 and does not crash"
    space: dict[str, Any] = {"__name__": f"lab:{lab.name}"}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in lab.cells:
            if cell.role in ("preamble", "student") and cell.kind == "code":
                exec(compile(cell.source, f"<cell {cell.id}>", "exec"), space)
    function = space.get(question.function)
    if not callable(function):
        return Finding(what, False, f"the released cell does not define {question.function!r}")
    points, said = grade(function, question, PUBLIC_SEED)
    silent = [line for line in said if "NotImplementedError" not in line]
    return Finding(
        what, points == 0 and not silent, f"{points:g} points; {'; '.join(silent)}" if points or silent else ""
    )


def _wrong(question: Question) -> list[Finding]:
    found = []
    for wrong in question.wrong:
        said = ""
        for seed in SEEDS:
            points, feedback = grade(wrong.function, question, seed)
            if abs(points - wrong.points) > 0.005:
                said = f"seed {seed}: {points:g} points instead of {wrong.points:g}: {'; '.join(feedback)}"
            elif not any(wrong.message in line for line in feedback):
                said = f"seed {seed}: the feedback lacks its message: {'; '.join(feedback)}"
        found.append(Finding(f"{wrong.name}: gets its mark ({wrong.points:g}) and its message", not said, said))
    return found
