"""One submission from file to row: read, match, run, score, and say why points were lost, whatever the file holds."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from lsedu.authoring.lab import Lab
from lsedu.grading import artefacts, examples, matching, notebooks, pages
from lsedu.grading.inbox import Submission
from lsedu.grading.isolation import Isolation
from lsedu.grading.marking import Mark, Marker, Prepared
from lsedu.grading.row import Row
from lsedu.grading.zygotes import LostError, SandboxError, Setting, Zygote

_RENEWALS = 3


@dataclass(frozen=True)
class ClassRun:
    """What all submissions of a class are marked by: lab, cases, released texts, seed, key and isolation level."""

    lab: Lab
    prepared: list[Prepared]
    released: frozenset[str]
    seed: list[int]
    key: str
    level: int


@dataclass(frozen=True)
class Marked:
    """A submission's row, its text answers by question, further files (suffix to text), and seconds by stage."""

    row: Row
    written: Mapping[str, str]
    files: Mapping[str, str]
    seconds: Mapping[str, float]


class Pool:
    """The zygote that the threads of a run share; one that is lost is replaced."""

    def __init__(self, place: Setting, isolation: Isolation, first: Zygote) -> None:
        self.place, self.isolation, self.zygote = place, isolation, first
        self._lock = threading.Lock()

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


def mark(item: Submission, marks: ClassRun, pool: Pool, *, with_examples: bool = False) -> Marked:
    """Mark one submission; whatever it holds, there is a row for it."""
    begin = time.monotonic()
    lab = marks.lab
    flags, reason, written = list(item.flags), item.reason, {}
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
            written = answers.written
            extra[".notebook.ipynb"] = pages.safe_copy(notebook)
            spent["read"] = time.monotonic() - begin
            marked, marker = _questions(marks, answers, pool)
            earned |= marked
            flags += marker.flags
            if with_examples:
                shown, text = examples.search(lab, marker, marked)
                extra |= {".checks.json": text} if text else {}
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
                earned[question.id], digest = artefacts.mark(question, path, student=item.student, seed=marks.seed)
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
        total=total,
        points={name: mark.points for name, mark in earned.items()},
        reasons={name: mark.reasons for name, mark in earned.items() if mark.reasons},
        notes={name: mark.notes for name, mark in earned.items() if mark.notes},
        reason=reason,
        flags=list(dict.fromkeys(flags)),
        artefacts=made,
        examples=shown,
        level=marks.level,
        seconds=round(time.monotonic() - begin, 3),
        digest=item.digest(),
        key=marks.key,
    )
    return Marked(row, written, extra, spent)


def _questions(marks: ClassRun, answers: matching.Answers, pool: Pool) -> tuple[dict[str, Mark], Marker]:
    marker = Marker(marks.lab, answers, pool.zygote, seed=marks.seed[0])
    earned, lost = {}, 0
    for prepared in marks.prepared:
        while prepared.question.kind == "function" and prepared.question.id not in earned:
            try:
                earned[prepared.question.id] = marker.mark(prepared)
            except LostError as error:
                lost += 1
                if lost > _RENEWALS:
                    raise SandboxError(f"the sandbox was lost {lost} times in a row: {error}") from error
                marker.flags.append(f"the sandbox had to be started again ({error})")
                marker.zygote = pool.renew(marker.zygote)
    return earned, marker
