"""Run a submission's cells in locked children: load them, call a function, take what comes back for a claim.

Whatever a child says is checked here, field by field, before anything is made of it. A child that says anything else
has been taken over: it is ended, and that is the student's answer.
"""

import builtins
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lsedu.authoring.lab import Lab
from lsedu.grading.budget import Budget
from lsedu.grading.child import wire
from lsedu.grading.zygotes import Child, LostError, Zygote
from lsedu.labs.calling import Outcome
from lsedu.labs.evaluate import LACKS
from lsedu.labs.limit import GRACE
from lsedu.labs.spec import Case, Question

_ERRORS = {name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)}
_ERRORS |= {"LinAlgError", "AxisError", "OutOfMemoryError"}
_MOST_LEFT_OUT, _MOST_HUNG = 8, 2
_SMALL = wire.Room(4096, 0)
_SIGNALS = {-11: "crashed (segmentation fault)", -6: "aborted", -24: "used up its processor time"}

Cells = Sequence[tuple[str, str]]
Kind = Literal["value", "missing", "error", "unsendable", "gradient", "late", "gone"]


@dataclass(frozen=True)
class Reply:
    """What came of a call: its outcomes if `kind` is "value", else words on why there is none.

    The words hold what the student's code chose, so they may be told of public inputs only.
    """

    kind: Kind
    words: str = ""
    outcomes: tuple[Outcome, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether the child is gone."""
        return self.kind in ("late", "gone")


class Runner:
    """Loads and calls the code of one submission.

    Parameters
    ----------
    lab
        The lab.
    zygote
        Where children come from; the owner puts another in its place when it is lost.
    seed
        Seeds the child's own generators, so that equal code gets equal marks.
    processors
        What children keep to; empty for any.

    Attributes
    ----------
    budget
        The time that is left.
    excluded
        Cells that broke the process, and how.
    errors
        Errors that cells raised while they were loaded, in words.
    flags
        What an instructor may want to look at.
    """

    def __init__(self, lab: Lab, zygote: Zygote, *, seed: int, processors: Iterable[int] = ()) -> None:
        self.lab, self.zygote, self.seed, self.processors = lab, zygote, seed, tuple(processors)
        self.budget = self.whole_budget()
        self.excluded: dict[str, str] = {}
        self.errors: dict[str, str] = {}
        self.flags: list[str] = []
        self._hung = 0

    def whole_budget(self) -> Budget:
        """Return the time that a submission has."""
        return Budget(self.lab.manifest.seconds, sum(question.kind == "function" for question in self.lab.questions))

    def load(self, cells: Cells) -> Child | str:
        """Return a child in which the cells are loaded, or why there is none; cells that break it are left out."""
        for _ in range(_MOST_LEFT_OUT + 1):
            if self.budget.left <= 0:
                return self._spent()
            kept = [cell for cell in cells if cell[0] not in self.excluded]
            current, why = self._load(kept)
            if isinstance(why, Child):
                return why
            if current is None:
                return f"the notebook's code could not be loaded: it {why}"
            if self.budget.left <= 0:
                return self._spent()
            self._hung += "was stopped" in why
            if len(self.excluded) >= _MOST_LEFT_OUT or self._hung > _MOST_HUNG:
                self.flags.append("further cells broke the process")
                return f"the notebook's code could not be loaded: one cell after the other {why}"
            self.excluded[kept[current][0]] = why
            self.flags.append(f"{kept[current][0]}: left out, it {why}")
        return "the notebook's code could not be loaded"

    def _load(self, kept: Cells) -> tuple[int | None, Child | str]:
        """Load cells in a fresh child; return it, or the place of the cell at which it was lost, if at one, and how."""
        child = self.zygote.child(processors=self.processors)
        current, limit = None, self.lab.manifest.cell_seconds
        try:
            child.send(wire.pack("load", cells=kept, seed=self.seed), seconds=GRACE + 10)
            for step in range(len(kept) + 1):
                seconds = min(limit + GRACE, self.budget.left)
                with self.budget.charged(child.waited):
                    header, _ = child.receive(seconds=seconds, room=_SMALL)
                if step == 0 and header["kind"] == "unlocked":  # said before any of the student's code has run
                    raise LostError(f"a child could not be locked in: {str(header.get('step'))[:200]}")
                if step == 0:
                    _expect(header["kind"] == "ready")
                else:
                    number = header.get("cell")
                    _expect(header["kind"] == "ran" and type(number) is int and number == step)
                    if header.get("error") is not None:
                        self.errors[kept[step - 1][0]] = _error(header["error"])
                current = step
            return current, child
        except (wire.LateError, wire.ClosedError, wire.WireError, wire.UnsendableError) as error:
            return current, self._how(error, child, limit)
        except BaseException:
            child.end()
            raise

    def _spent(self) -> str:
        self.flags.append("its code took too long in all")
        return f"not tried: the code of this notebook took more than {self.lab.manifest.seconds:g} s in all"

    def _how(self, error: Exception, child: Child, limit: float) -> str:
        """End a child that was lost, and say in words how."""
        status = child.end()
        if isinstance(error, wire.LateError):
            seconds = limit if self.budget.left > 0 else self.lab.manifest.seconds
            return f"ran longer than {seconds:g} s and was stopped"
        if isinstance(error, wire.WireError):
            self.flags.append("wrote into the grader's channel")
            return "disturbed the channel to the grader"
        if isinstance(error, wire.UnsendableError):
            return "is too long"
        if status is not None and status < 0:
            return _SIGNALS.get(status, f"was ended by signal {-status} (memory, processor time, or its own doing)")
        return "ended the process without an answer"

    def call(self, child: Child, question: Question, item: Case, room: wire.Room) -> Reply:
        """Call the question's function on a case; a child that answers in no known way is ended."""
        times = 2 if question.deterministic else 1
        fields: dict[str, Any] = {
            "function": question.function,
            "grad": list(question.grad),
            "forbid": list(question.forbid),
            "twice": question.deterministic,
            "seed": self.seed,
            "most": list(room),
        }
        seconds = min(question.seconds * times + GRACE, max(self.budget.left, 0.0))
        value = (tuple(item.args), dict(item.kwargs))
        try:
            frame = wire.pack("call", value=value, has_value=True, **fields)
            with self.budget.charged(child.waited):
                child.send(frame, seconds=seconds)
                header, body = child.receive(seconds=seconds, room=room)
            try:
                return _reply(header, body, times, question)
            except wire.WireError:
                raise
            except Exception as error:  # whatever was sent: to read it may not be an error of the grader's
                raise wire.WireError(f"what was sent cannot be read ({type(error).__name__})") from error
        except wire.LateError as error:
            return Reply("late", f"your function {self._how(error, child, question.seconds)}")
        except (wire.ClosedError, wire.WireError) as error:
            return Reply("gone", f"your function {self._how(error, child, question.seconds)}")
        except BaseException:
            child.end()
            raise


def _expect(condition: bool) -> None:
    if not condition:
        raise wire.WireError("an answer out of turn")


def _reply(header: Mapping[str, Any], body: bytes, times: int, question: Question) -> Reply:
    kind = header["kind"]
    _expect(kind == "value" or not body)
    if kind == "value":
        values = wire.build(header.get("tree"), header.get("buffers"), body)
        calls, changed = header.get("calls"), header.get("changed")
        _expect(all(type(part) is list and len(part) == times for part in (values, calls, changed)))
        outcomes = [
            Outcome(value, _names(called), _places(touched)) for value, called, touched in zip(values, calls, changed)
        ]
        return Reply("value", outcomes=tuple(outcomes))
    if kind == "missing":
        return Reply("missing", f"there is no function {question.function!r}")
    if kind == "error":
        return Reply("error", f"your function stops with {_error(header.get('error'))}")
    if kind == "unsendable":
        what = "is not made of numbers, texts, arrays and tensors that can be compared"
        return Reply("unsendable", f"the result {what}, or is much larger than a right one")
    if kind == "gradient":
        what = header.get("what")
        _expect(type(what) is str and what in LACKS)
        return Reply("gradient", LACKS[what])
    raise wire.WireError("an answer of no known kind")


def _names(called: Any) -> tuple[str, ...]:
    _expect(type(called) is list and all(type(name) is str and len(name) < 100 for name in called))
    return tuple(called[:10])


def _places(changed: Any) -> tuple[int | str, ...]:
    _expect(type(changed) is list and all(type(place) in (int, str) for place in changed))
    return tuple(place if type(place) is int else place[:40] for place in changed[:10])


def _error(error: Any) -> str:
    """Say an error in words: a type from a closed list and a line of the student's own cell."""
    _expect(type(error) is list and len(error) == 3)
    name, line, _ = error
    words = name if type(name) is str and name in _ERRORS else "an error of its own kind"
    return f"{words} in line {line} of its cell" if type(line) is int and 0 < line < 10_000 else words
