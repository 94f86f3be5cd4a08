"""Mark one submission: a fresh locked child a question, first the public cases, then the secret ones, compared here."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lsedu.authoring.checkfile import usual
from lsedu.authoring.lab import Lab
from lsedu.authoring.source import LabError
from lsedu.grading.child import wire
from lsedu.grading.comparison import Verdict, judge, words
from lsedu.grading.matching import Answers
from lsedu.grading.running import Cells, Reply, Runner
from lsedu.grading.zygotes import Child, Zygote
from lsedu.labs.evaluate import evaluate
from lsedu.labs.feedback import feedback
from lsedu.labs.spec import Case, Question

_HANGS = 2
_MOST_WORDS = 300


@dataclass(frozen=True)
class Prepared:
    """A question with the cases drawn from one seed, and what belongs to each.

    Parameters
    ----------
    question, cases
        What is asked.
    expected
        The outcomes of the reference.
    rooms
        How large an answer may be: some times as large as the right one.
    """

    question: Question
    cases: tuple[Case, ...]
    expected: tuple[Any, ...]
    rooms: tuple[wire.Room, ...] = ()
    _known: dict[int, list[tuple[str, Any]]] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def usual(self, index: int) -> Iterator[tuple[str, Any]]:
        """Give the messages and outcomes of the usual mistakes on a case, which are worked out when first asked for."""
        with self._lock:
            if index not in self._known:
                self._known[index] = usual(self.question, self.cases[index])
        yield from self._known[index]


@dataclass
class Mark:
    """What a question earned, with one reason for every point lost, and notes on what costs nothing."""

    question: str
    points: float | None
    reasons: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Trial:
    """What the public cases showed of some cells: the child in which they are loaded, and what it said."""

    cells: Cells
    child: Child | None
    passed: int = 0
    lacks: int = 0
    late: bool = False
    failed: str = ""
    said: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def worth(self) -> tuple[int, int]:
        """How good these cells are to the question: cases passed, then how few failed for want of a name."""
        return self.passed, -self.lacks

    def end(self) -> None:
        if self.child is not None:
            self.child.end()
            self.child = None


def prepare(lab: Lab, seed: int | Sequence[int]) -> list[Prepared]:
    """Draw every question's cases from `seed` and work out what a right answer is.

    Raises
    ------
    LabError
        If a case, or its answer, holds something that cannot be sent into the sandbox or out of it.
    """
    prepared = []
    for question in lab.questions:
        cases = question.draw(seed) if question.kind == "function" else ()
        with np.errstate(all="ignore"):
            expected = tuple(evaluate(question.reference, question, item) for item in cases)
        rooms = []
        for item, right in zip(cases, expected):
            try:
                wire.pack("call", value=(tuple(item.args), dict(item.kwargs)), has_value=True)
                rooms.append(_room(wire.pack("value", value=[right] * (1 + question.deterministic), has_value=True)))
            except wire.UnsendableError as error:
                raise LabError(f"question {question.id!r}: the case {item.name!r} cannot be sent: {error}") from error
        prepared.append(Prepared(question, cases, expected, tuple(rooms)))
    return prepared


def _room(right: bytes) -> wire.Room:
    """Return how large an answer may be: enough for any other way to write the right one, and for small mistakes."""
    return wire.Room(
        min(2**16 + 32 * len(right), wire.WHOLE.header),
        min(2**18 + 16 * len(right), wire.WHOLE.body),
    )


class Marker:
    """Marks the function questions of one submission.

    Parameters
    ----------
    lab
        The lab.
    answers
        The student's cells.
    zygote
        Where children come from; set `runner.zygote` when it is lost.
    seed
        Seeds the child's own generators, so that equal code gets equal marks.
    processors
        What children keep to; empty for any.
    """

    def __init__(
        self, lab: Lab, answers: Answers, zygote: Zygote, *, seed: int, processors: Iterable[int] = ()
    ) -> None:
        self.lab, self.answers = lab, answers
        self.runner = Runner(lab, zygote, seed=seed, processors=processors)

    def begin_again(self) -> None:
        """Give the code as much time as it had at first, to mark it on other cases."""
        self.runner.budget = self.runner.whole_budget()

    def mark(self, prepared: Prepared, public: Prepared) -> Mark:
        """Mark one question.

        A question is tried with its own cells first, so that no other answer can spoil it, then with more of the
        notebook, where what it needs may be. Which cells count is decided by the public cases, whose answers everybody
        knows: the secret ones are asked once. More tries would pay those who guess.
        """
        name = prepared.question.id
        if name in self.answers.untouched and name not in self.answers.elsewhere:
            said = "not answered: the cell is as it was handed out"
            return Mark(name, 0.0, [said], [item.name for item in prepared.cases])
        self.runner.budget.begin()
        best: _Trial | None = None
        try:
            for cells in self._ways(name):
                trial = self._try(public, cells)
                if best is None or trial.worth > best.worth:
                    best, trial = trial, best
                if trial is not None:
                    trial.end()
                if best.passed == len(public.cases) or best.late or self.runner.budget.left <= 0:
                    break
            return self._ask(prepared, public, best)
        finally:
            if best is not None:
                best.end()

    def _ways(self, name: str) -> list[Cells]:
        """Return the cells with which a question is tried, one after the other."""
        own, everything = self.answers.own.get(name, ()), self.answers.all_cells
        places = [place for place, cell in enumerate(everything) if cell in own]
        before = everything[: places[-1] + 1] if places else ()
        ways = (own, self.answers.cells, before, everything, self.answers.elsewhere.get(name, ()))
        return list(dict.fromkeys(tuple(cells) for cells in ways if cells))

    def _try(self, public: Prepared, cells: Cells) -> _Trial:
        """Load cells and ask the public cases."""
        loaded = self.runner.load(cells)
        if isinstance(loaded, str):
            return _Trial(cells, None, passed=-1, failed=loaded)
        trial = _Trial(cells, loaded)
        for index, item in enumerate(public.cases):
            reply = self.runner.call(trial.child, public.question, item, public.rooms[index])
            message, note = _told(reply, public, index)
            trial.passed += message is None
            trial.notes += [note] if note else []
            trial.lacks += _lacks_a_name(reply)
            if message is not None:
                trial.said[item.name] = self._explain(public.question, reply, message)[:_MOST_WORDS]
            if reply.broken:
                trial.child, trial.late = None, reply.kind == "late"
                break
        return trial

    def _ask(self, prepared: Prepared, public: Prepared, trial: _Trial) -> Mark:
        """Ask the secret cases in the child that has answered the public ones, and in another where that is lost."""
        question = prepared.question
        verdicts: dict[int, Verdict] = {}
        waiting, hangs = list(range(len(prepared.cases))), int(trial.late)
        while waiting and not trial.failed:
            if hangs >= _HANGS or self.runner.budget.left <= 0:
                verdicts |= dict.fromkeys(waiting, Verdict.SLOW)
                break
            if trial.child is None:
                loaded = self.runner.load(trial.cells)
                if isinstance(loaded, str):
                    verdicts |= dict.fromkeys(waiting, Verdict.SLOW if self.runner.budget.left <= 0 else Verdict.ERROR)
                    break
                trial.child = loaded
            index = waiting.pop(0)
            reply = self.runner.call(trial.child, question, prepared.cases[index], prepared.rooms[index])
            verdicts[index] = _verdict(reply, prepared.expected[index], question)
            if reply.broken:
                trial.child = None
                hangs += reply.kind == "late"
        passed = [verdicts.get(index) is Verdict.RIGHT for index in range(len(prepared.cases))]
        mark = Mark(question.id, question.mark(prepared.cases, passed), notes=list(dict.fromkeys(trial.notes)))
        mark.failed = [item.name for item, ok in zip(prepared.cases, passed) if not ok]
        lost = [(prepared.cases[i], verdict) for i, verdict in sorted(verdicts.items()) if verdict is not Verdict.RIGHT]
        mark.reasons = [trial.failed] if trial.failed else _reasons(question, lost, trial.said)
        if not mark.failed and trial.said:
            mark.flags.append(f"{question.id}: right on the secret cases, wrong on public ones")
        if mark.points and trial.cells not in (self.answers.own.get(question.id, ()), self.answers.cells):
            mark.flags.append(f"{question.id}: needs cells outside the answer")
        return mark

    def _explain(self, question: Question, reply: Reply, message: str) -> str:
        """Add what went wrong while the answer's own cell was loaded, which is the likelier cause."""
        if reply.kind == "missing" and question.id in self.answers.unread:
            return f"{message}: its cell was not read, {self.answers.unread[question.id]}"
        if reply.kind == "missing" and question.id in self.answers.missing:
            return f"no cell for this question was found, and {message}"
        if _lacks_a_name(reply):
            for cell in self.lab.student_cells(question.id):
                if cell.id in self.runner.excluded:
                    return f"{message}: its cell {self.runner.excluded[cell.id]}"
                if cell.id in self.runner.errors:
                    return f"{message}; while its cell ran: {self.runner.errors[cell.id]}"
        return message


def _lacks_a_name(reply: Reply) -> bool:
    return reply.kind == "missing" or (reply.kind == "error" and "NameError" in reply.words)


def _told(reply: Reply, public: Prepared, index: int) -> tuple[str | None, str]:
    """Return what the notebook's check would say, and a note."""
    if reply.kind != "value":
        return reply.words, ""
    item = public.cases[index]
    try:
        with np.errstate(all="ignore"):
            return feedback(reply.outcomes, public.expected[index], public.question, item, usual=public.usual(index))
    except Exception:  # made by the student's code, and of no kind that can be compared
        return "the result cannot be compared with a right one", ""


def _verdict(reply: Reply, expected: Any, question: Question) -> Verdict:
    if reply.kind == "value":
        return judge(reply.outcomes, expected, question)
    known = {"late": Verdict.SLOW, "unsendable": Verdict.KIND, "gradient": Verdict.KIND}
    return known.get(reply.kind, Verdict.ERROR)


def _reasons(question: Question, lost: Sequence[tuple[Case, Verdict]], said: dict[str, str]) -> list[str]:
    """Return a reason for every case that was lost: its verdict, and what the public case of its name showed."""
    told = set(said.values())
    if len(told) == 1 and len(said) > 1 and {verdict for _, verdict in lost} == {Verdict.ERROR}:
        return [next(iter(told))]  # one cause, that there is no function, say, for all cases
    reasons, left = [], dict(said)
    for item, verdict in lost:
        example = left.pop(item.name, "")
        shown = f"; on the public case: {example}" if example else ""
        reasons.append(f"{item.name}: {words(verdict, question, item)}{shown}")
    more = [f"the public case {name!r}: {message}" for name, message in left.items()] if lost else []
    return [*reasons, *more]
