"""Mark one submission: a fresh locked child a question, calls with secret inputs, values back, compared here."""

import builtins
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lsedu.authoring.checkfile import usual
from lsedu.authoring.lab import Lab
from lsedu.authoring.source import LabError
from lsedu.grading import comparison
from lsedu.grading.child import wire
from lsedu.grading.matching import Answers
from lsedu.grading.zygotes import Child, LostError, Zygote
from lsedu.labs.evaluate import evaluate
from lsedu.labs.spec import Case, Question

_ERRORS = {name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)}
_ERRORS |= {"LinAlgError", "AxisError", "OutOfMemoryError"}
_GRACE = 2.0
_HANGS = 2
_SPENT = "not tried: loading the cells of this notebook took too long in all"


@dataclass(frozen=True)
class Prepared:
    """A question with the cases drawn for this class run, their expected outcomes and those of the usual mistakes."""

    question: Question
    cases: tuple[Case, ...]
    expected: tuple[Any, ...]
    usual: tuple[tuple[tuple[str, Any], ...], ...]


@dataclass
class Mark:
    """What a question earned, with one reason for every point lost, and notes on what costs nothing."""

    question: str
    points: float | None
    reasons: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def prepare(lab: Lab, seed: Sequence[int]) -> list[Prepared]:
    """Draw every question's cases from `seed` and work out what a right answer is.

    Raises
    ------
    LabError
        If a case holds something that cannot be sent into the sandbox.
    """
    prepared = []
    for question in lab.questions:
        cases = question.draw(seed) if question.kind == "function" else ()
        with np.errstate(all="ignore"):
            expected = tuple(evaluate(question.reference, question, item) for item in cases)
            mistakes = tuple(tuple(usual(question, item)) for item in cases)
        for item in cases:
            try:
                wire.pack("call", value=(tuple(item.args), dict(item.kwargs)), has_value=True)
            except wire.UnsendableError as error:
                raise LabError(f"question {question.id!r}: the case {item.name!r} cannot be sent: {error}") from error
        prepared.append(Prepared(question, cases, expected, mistakes))
    return prepared


class Marker:
    """Marks the function questions of one submission.

    Parameters
    ----------
    lab
        The lab.
    answers
        The student's cells.
    zygote
        Where children come from; `renew` is called for another one when it is lost.
    seed
        Seeds the child's own generators, so that equal code gets equal marks.
    """

    def __init__(self, lab: Lab, answers: Answers, zygote: Zygote, *, seed: int) -> None:
        self.lab, self.answers, self.zygote, self.seed = lab, answers, zygote, seed
        self.excluded: dict[str, str] = {}
        self.flags: list[str] = []
        self.errors: dict[str, list[Any]] = {}
        self.left = 0.0

    def mark(self, prepared: Prepared) -> Mark:
        """Mark one question by its own cells, so that no other answer can spoil it; if that falls short, with more.

        What it may need is among the other answers, or in cells that the student added.
        """
        name, answers = prepared.question.id, self.answers
        # for loading, a question has the time that all of the lab's own cells may take, however many cells there are
        self.left = (self.lab.manifest.cell_seconds + _GRACE) * (1 + len(self.lab.student_cells()))
        own = answers.own.get(name, ())
        best = self._attempt(prepared, own or answers.cells)
        if own and name not in answers.untouched and _may_need_more(best) and len(answers.cells) > len(own):
            best = _better(best, self._attempt(prepared, answers.cells))
        lacking = any("NameError" in reason or "no function" in reason for reason in best.reasons)
        elsewhere = name in answers.elsewhere and _may_need_more(best)
        if (lacking or elsewhere) and len(answers.all_cells) > len(answers.cells):
            second = self._attempt(prepared, answers.all_cells)
            second.flags.append(f"{name}: needs cells outside the answer")
            best = _better(best, second)
        return best

    def _attempt(self, prepared: Prepared, cells: Sequence[tuple[str, str]]) -> Mark:
        question = prepared.question
        said: dict[int, str | None] = {}
        notes: list[str] = []
        waiting, hangs = list(range(len(prepared.cases))), 0
        while waiting:
            loaded = self._load(cells)
            if isinstance(loaded, str):
                said.update(dict.fromkeys(waiting, loaded))
                break
            with loaded as child:
                while waiting:
                    index = waiting.pop(0)
                    said[index], note, broken = self._case(child, prepared, index)
                    notes += [note] if note else []
                    if broken:
                        hangs += broken == "late"
                        break
            if hangs >= _HANGS and waiting:
                said.update(dict.fromkeys(waiting, "not tried: the question's time was used up by earlier cases"))
                break
        passed = [said[i] is None for i in range(len(prepared.cases))]
        reasons, failed = [], []
        for item, reason in zip(prepared.cases, (said[i] for i in range(len(prepared.cases)))):
            if reason is not None:
                failed.append(item.name)
                reasons.append(f"{item.name}: {self._explain(question, reason)}")
        earned = question.mark(prepared.cases, passed)
        return Mark(question.id, earned, reasons, failed, notes=list(dict.fromkeys(notes)))

    def _explain(self, question: Question, reason: str) -> str:
        """Add what went wrong while the answer's own cell was loaded, which is the likelier cause."""
        if question.id in self.answers.untouched and "NotImplementedError" in reason:
            return "not answered: the cell is as it was handed out"
        own = [cell.id for cell in self.lab.student_cells(question.id)]
        for name in own:
            if name in self.excluded and "no function" in reason:
                return f"{reason}: its cell {self.excluded[name]}"
            if name in self.errors and ("no function" in reason or "NameError" in reason):
                return f"{reason}; while its cell ran: {_error(self.errors[name])}"
        if question.id in self.answers.missing:
            return f"no cell for this question was found, and no function {question.function!r}"
        return reason

    def _load(self, cells: Sequence[tuple[str, str]]) -> Child | str:
        """Return a child in which the cells are loaded, or why there is none; cells that break it are left out."""
        preamble = ("preamble", self.lab.preamble)
        for _ in range(len(cells) + 1):
            if self.left <= 0:
                self.flags.append("its cells took too long to load")
                return _SPENT
            kept = [preamble, *(cell for cell in cells if cell[0] not in self.excluded)]
            child = self.zygote.child()
            current = step = 0
            try:
                child.send(wire.pack("load", cells=kept, seed=self.seed), seconds=_GRACE + 10)
                while True:
                    header = self._hear(child)
                    kind, number = header["kind"], header.get("cell")
                    if kind == "loaded":
                        return child
                    if kind == "unlocked" and step == 0:  # said before any of the student's code has run
                        child.end()
                        raise LostError(f"a child could not be locked in: {header.get('step')}")
                    if number != step // 2 or kind != ("cell", "ran")[step % 2] or number >= len(kept):
                        raise wire.WireError("an answer out of turn")
                    current, step = number, step + 1
                    if kind == "ran" and number and header.get("error"):
                        self.errors[kept[number][0]] = header["error"]
            except (wire.LateError, wire.ClosedError, wire.WireError, wire.UnsendableError) as error:
                status = child.end()
                if self.left <= 0:
                    continue
                why = self._broken(error, status, f"longer than {self.lab.manifest.cell_seconds:g} s")
                if current == 0:
                    return f"the notebook's code could not be loaded: it {why}"
                self.excluded[kept[current][0]] = why
                self.flags.append(f"{kept[current][0]}: left out, it {why}")
        return "the notebook's code could not be loaded"

    def _hear(self, child: Child) -> dict[str, Any]:
        """Return what a child says next about its cells, and take the time from what the question has left."""
        if self.left <= 0:
            raise wire.LateError("the time for loading is used up")
        limit, begin = self.lab.manifest.cell_seconds + _GRACE, time.monotonic()
        try:
            return child.receive(seconds=min(limit, self.left))[0]
        finally:  # a child that was kept waiting by others is not charged for that
            self.left -= min(time.monotonic() - begin, limit)

    def _broken(self, error: Exception, status: int | None, limit: str) -> str:
        """Say in words how a child was lost."""
        if isinstance(error, wire.LateError):
            return f"ran {limit} and was stopped"
        if isinstance(error, wire.WireError):
            self.flags.append("wrote into the grader's channel")
            return "disturbed the channel to the grader"
        if isinstance(error, wire.UnsendableError):
            return "is too long"
        if status is not None and status < 0:
            names = {-11: "crashed (segmentation fault)", -6: "aborted", -24: "used up its processor time"}
            return names.get(status, f"was ended by signal {-status} (memory, processor time, or its own doing)")
        return "ended the process without an answer"

    def _case(self, child: Child, prepared: Prepared, index: int) -> tuple[str | None, str, str]:
        """Return the reason why a case failed or None, a note or "", and how the child was lost if it was."""
        question, item = prepared.question, prepared.cases[index]
        call = {
            "function": question.function,
            "grad": list(question.grad),
            "forbid": list(question.forbid),
            "twice": question.deterministic,
            "seed": self.seed,
        }
        until = time.monotonic() + question.seconds * (2 if question.deterministic else 1) + _GRACE
        try:
            frame = wire.pack("call", value=(tuple(item.args), dict(item.kwargs)), has_value=True, **call)
            child.send(frame, seconds=until - time.monotonic())
            header, body = child.receive(seconds=until - time.monotonic())
            return *self._answer(header, body, prepared, index), ""
        except wire.LateError as error:
            child.end()
            return f"your function {self._broken(error, None, f'longer than {question.seconds:g} s')}", "", "late"
        except (wire.ClosedError, wire.WireError) as error:
            status = child.end()
            return f"your function {self._broken(error, status, '')}", "", "gone"

    def _answer(self, header: dict[str, Any], body: bytes, prepared: Prepared, index: int) -> tuple[str | None, str]:
        question, item = prepared.question, prepared.cases[index]
        kind = header["kind"]
        if kind == "value":
            try:
                values = wire.build(header.get("tree"), header.get("buffers"), body)
            except RecursionError as error:
                raise wire.WireError("a tree is too deep") from error
            if not isinstance(values, list) or len(values) != (2 if question.deterministic else 1):
                raise wire.WireError("not the number of values asked for")
            done = {key: header.get(key) is True for key in ("forbidden", "changed")}
            return comparison.compare(values, prepared.expected[index], question, item, prepared.usual[index], **done)
        if kind == "missing":
            return f"there is no function {question.function!r}", ""
        if kind == "error":
            return f"your function stops with {_error(header.get('error'))}", ""
        if kind == "unsendable":
            return "the result is not made of numbers, strings, arrays and tensors that can be compared", ""
        if kind == "gradient":
            unused = header.get("what") == "unused"
            lacks = "does not depend on an argument that it must depend on" if unused else "carries no gradient"
            return f"the result {lacks}", ""
        raise wire.WireError("an answer out of turn")


def _may_need_more(mark: Mark) -> bool:
    """Whether points were lost, other than by running out of time, which more code would not mend."""
    return bool(mark.failed) and not any("was stopped" in reason for reason in mark.reasons)


def _better(first: Mark, second: Mark) -> Mark:
    return second if (second.points or 0) > (first.points or 0) else first


def _error(error: Any) -> str:
    """Say an error in words: a type from a closed list and a line of the student's own cell."""
    name, line, _ = error if isinstance(error, list) and len(error) == 3 else ("", 0, "")
    known = isinstance(name, str) and name.isidentifier() and len(name) < 40 and name.isascii() and name in _ERRORS
    words = name if known else "an error of its own kind"
    if type(line) is int and 0 < line < 10_000:
        words += f" in line {line} of its cell"
    return words
