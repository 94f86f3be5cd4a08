"""One submission from file to row: read, match, run, score, and say why points were lost, whatever the file holds."""

import contextlib
import os
import queue
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lsedu.authoring import variant
from lsedu.authoring.lab import Lab
from lsedu.grading import artefacts, examples, matching, notebooks, pages
from lsedu.grading.inbox import Submission
from lsedu.grading.isolation import Isolation
from lsedu.grading.marking import Mark, Marker, Prepared
from lsedu.grading.released import Released
from lsedu.grading.row import Row
from lsedu.grading.zygotes import LostError, SandboxError, Setting, Zygote

_RENEWALS = 3
_MOST_FLAGS, _MOST_LETTERS = 40, 240


@dataclass(frozen=True)
class ClassRun:
    """What all submissions of a class are marked by: lab, secret and public cases, released texts, seed, key, level.

    `code` is filled while they are marked: the code of the answers by student, for the table of resemblances.
    """

    lab: Lab
    prepared: list[Prepared]
    public: dict[str, Prepared]
    released: Released
    seed: list[int]
    key: str
    level: int
    code: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Marked:
    """A submission's row, its text answers by question, further files (suffix to text), and seconds by stage.

    `near` holds the text that was found elsewhere than in the answer's cell, see `lsedu.grading.words.Words`; `only`
    the question that alone was marked, or None.
    """

    row: Row
    written: Mapping[str, str]
    near: Mapping[str, tuple[str, str]]
    files: Mapping[str, str]
    seconds: Mapping[str, float]
    only: str | None = None


class Pool:
    """The zygote that the threads of a run share; one that is lost is replaced.

    Where there are enough processors, each of `jobs` submissions that are marked at the same time has its own, so that
    none can slow another down, or see from its own pace what the other does.
    """

    def __init__(self, place: Setting, isolation: Isolation, first: Zygote, *, jobs: int = 1) -> None:
        self.place, self.isolation, self.zygote = place, isolation, first
        self._lock = threading.Lock()
        self._parts: queue.SimpleQueue[frozenset[int]] = queue.SimpleQueue()
        for part in parts(os.sched_getaffinity(0), jobs):
            self._parts.put(part)

    @contextlib.contextmanager
    def processors(self) -> Iterator[frozenset[int]]:
        """Give the processors of one submission, which nobody else's code has meanwhile."""
        part = self._parts.get()
        try:
            yield part
        finally:
            self._parts.put(part)

    def renew(self, lost: Zygote) -> Zygote:
        """Return another zygote than the one that was lost, started by whoever asks first."""
        with self._lock:
            if self.zygote is lost:
                with lost:
                    self.zygote = Zygote(self.isolation, self.place)
            return self.zygote

    def close(self) -> None:
        """End the zygote and everything it started."""
        with self.zygote:
            pass


def parts(processors: Iterable[int], jobs: int) -> list[frozenset[int]]:
    """Share processors out among jobs; where there is one job, or fewer processors, all may use all of them.

    Examples
    --------
    >>> [sorted(part) for part in parts({0, 1, 2, 3, 4}, 2)]
    [[0, 2, 4], [1, 3]]
    """
    order = sorted(processors)
    alone = jobs < 2 or len(order) < jobs
    return [frozenset() if alone else frozenset(order[place::jobs]) for place in range(max(jobs, 1))]


def mark(
    item: Submission, marks: ClassRun, pool: Pool, *, with_examples: bool = False, only: str | None = None
) -> Marked:
    """Mark one submission, or one question of it; whatever it holds, there is a row for it."""
    begin = time.monotonic()
    lab = marks.lab
    flags, reason, written, near, about = list(item.flags), item.reason, {}, {}, {}
    earned = {q.id: Mark(q.id, None if q.kind == "manual" else 0.0) for q in lab.questions}
    extra: dict[str, str] = {}
    made: dict[str, str] = {}
    shown: dict[str, int] = {}
    spent = {"read": 0.0, "run": 0.0}
    try:
        if item.path is not None:
            notebook = notebooks.read(item.path)
            answers = matching.match(lab, notebook, marks.released)
            flags += [*notebook.flags, *answers.flags, *matching.suspicions(notebook, marks.released)]
            written, near, about = answers.written, answers.near, notebook.about
            marks.code[item.student] = answers.code
            odd, reason = matching.nature(lab, notebook, answers)
            flags += odd
            extra[".notebook.ipynb"] = pages.safe_copy(notebook)
            spent["read"] = time.monotonic() - begin
            with pool.processors() as own:
                marked, marker = _questions(marks, answers, pool, own, only)
                earned |= marked
                if with_examples:
                    shown, text = examples.search(lab, marker, marked, marks.public)
                    extra |= {".checks.json": text} if text else {}
            flags += marker.runner.flags
    except notebooks.UnreadableError as error:
        reason = str(error)
        flags.append("unreadable")
    except (LostError, SandboxError):
        raise
    except Exception as error:  # an error of the grader's own on one submission must not cost the class
        reason = f"the grader failed on this submission ({type(error).__name__}): please tell your instructor"
        flags.append(f"grader error: {type(error).__name__}: {str(error)[:200]}")
    for question in lab.questions:
        if question.kind == "artefact":
            try:
                path = item.files.get(question.file)
                values = variant.handed(lab.manifest, about.get("student", ""))
                options = {"student": item.student, "seed": marks.seed, "variant": values}
                earned[question.id], digest = artefacts.mark(question, path, **options)
                made |= {question.id: digest} if digest else {}
            except Exception as error:  # the lab's own scoring met arrays that it had not reckoned with
                earned[question.id].reasons = ["the arrays in the file could not be scored"]
                flags.append(f"{question.id}: scoring failed with {type(error).__name__}: {str(error)[:200]}")
    for mark in earned.values():
        flags += mark.flags
        if reason and mark.points == 0 and not mark.reasons:
            mark.reasons = [reason]
    spent["run"] = time.monotonic() - begin - spent["read"]
    total = round(sum(mark.points for mark in earned.values() if mark.points is not None), 2)
    row = Row(
        student=item.student,
        handed_in=item.handed_in,
        total=total,
        points={name: mark.points for name, mark in earned.items()},
        reasons={name: mark.reasons for name, mark in earned.items() if mark.reasons},
        notes={name: mark.notes for name, mark in earned.items() if mark.notes},
        reason=reason,
        flags=_few(flags),
        artefacts=made,
        examples=shown,
        level=marks.level,
        seconds=round(time.monotonic() - begin, 3),
        about={key: about[key] for key in ("lab", "release", "student", "handed_in") if key in about},
        digest=item.digest(),
        key=marks.key,
    )
    return Marked(row, written, near, extra, spent, only)


def _few(flags: Iterable[str]) -> list[str]:
    """Return the first flags, cut to a length that a table cell holds, and how many more there are.

    Examples
    --------
    >>> _few(["a", "b", "a"])
    ['a', 'b']
    """
    different = list(dict.fromkeys(flag[:_MOST_LETTERS] for flag in flags))
    more = len(different) - _MOST_FLAGS
    return [*different[:_MOST_FLAGS], *([f"and {more} more"] if more > 0 else [])]


def _questions(
    marks: ClassRun, answers: matching.Answers, pool: Pool, processors: frozenset[int], only: str | None
) -> tuple[dict[str, Mark], Marker]:
    marker = Marker(marks.lab, answers, pool.zygote, seed=marks.seed[0], processors=processors)
    earned, lost = {}, 0
    for prepared in marks.prepared:
        if only not in (None, prepared.question.id):
            continue
        while prepared.question.kind == "function" and prepared.question.id not in earned:
            try:
                earned[prepared.question.id] = marker.mark(prepared, marks.public[prepared.question.id])
            except LostError as error:
                lost += 1
                if lost > _RENEWALS:
                    raise SandboxError(f"the sandbox was lost {lost} times in a row: {error}") from error
                marker.runner.flags.append(f"the sandbox had to be started again ({error})")
                marker.runner.zygote = pool.renew(marker.runner.zygote)
    return earned, marker
