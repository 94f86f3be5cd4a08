"""Grade a class: find the submissions, mark each in a sandbox, write a line and a page for each, survive a kill."""

import contextlib
import hashlib
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from lsedu.authoring import roster
from lsedu.authoring.lab import Lab
from lsedu.authoring.load import load_lab
from lsedu.authoring.roster import Person
from lsedu.grading import (
    across,
    basis,
    changes,
    isolation,
    pages,
    sandbox,
    secret,
    submission,
    surroundings,
    zygotes,
)
from lsedu.grading.closing import published, resemblance, together
from lsedu.grading.collect import ClassError, HandedIn, collect
from lsedu.grading.inbox import Submission
from lsedu.grading.marking import prepare
from lsedu.grading.results import Results, file_stem
from lsedu.labs.spec import PUBLIC_SEED


@dataclass(frozen=True)
class Options:
    """How to grade.

    Parameters
    ----------
    jobs
        Submissions marked at the same time; 0: one a core, four at most, and one alone below isolation level 4.
    only
        The one student to grade, or None.
    regrade
        Grade again what has been graded, with the same secret.
    unsandboxed
        Run code even where no sandbox can be had.
    at_most
        The highest isolation level to use, for tests.
    secret_file
        Where the secret is; by default in the user's state folder, one for each folder of submissions.
    examples
        After release: look for a public seed on which each failing function fails in the same way.
    roster
        The table of the class: names for the marks, and a row for whoever handed in nothing; or None.
    question
        The one question to mark again where a submission has been marked before, or None.
    """

    jobs: int = 0
    only: str | None = None
    regrade: bool = False
    unsandboxed: bool = False
    at_most: int = 4
    secret_file: Path | None = None
    examples: bool = False
    roster: Path | None = None
    question: str | None = None


@dataclass
class Summary:
    """What a run did: how many were graded now, how many stood already, isolation level, and seconds by stage.

    `again` holds who was graded that had been before.
    """

    graded: int = 0
    kept: int = 0
    level: str = ""
    again: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def grade(
    lab_path: Path | str,
    submissions: Path | str,
    out: Path | str,
    options: Options | None = None,
    *,
    say: Callable[[str], None] = str,
    progress: Callable[[int, int, str], None] | None = None,
) -> Summary:
    """Grade a folder of submissions.

    Parameters
    ----------
    lab_path
        The lab's source.
    submissions
        The folder of the submissions; see `inbox.find`.
    out
        Where grades, results and feedback go.
    options
        See `Options`.
    say
        Called with what is being done.
    progress
        Called with the number done, the number of all, and the student just done.

    Returns
    -------
    Summary
        What was done.

    Raises
    ------
    ClassError
        If there is nothing to grade.
    LabError
        If the lab cannot be loaded.
    OutputError
        If the output folder cannot be used; what was graded before is safe.
    SandboxError
        If no isolation of level 2 can be had.
    SecretError
        If the secret of an earlier run is missing.
    """
    options = options or Options()
    begin = time.monotonic()
    lab, submissions = load_lab(lab_path), Path(submissions)
    if options.question not in (None, *(question.id for question in lab.questions if question.kind != "manual")):
        raise ClassError(f"{lab.name} has no question {options.question!r} that is marked by code")
    people = roster.read(options.roster) if options.roster is not None else ()
    with tempfile.TemporaryDirectory(prefix="lsedu-inbox-") as scratch, basis.one_thread():
        handed_in = collect(submissions, lab, out=Path(out), scratch=Path(scratch), only=options.only)
        results = Results(Path(out), lab)
        try:
            return _grade(lab, submissions, handed_in, people, results, options, say, progress, begin)
        finally:
            results.close()


def _grade(
    lab: Lab,
    submissions: Path,
    handed_in: HandedIn,
    people: Sequence[Person],
    results: Results,
    options: Options,
    say: Callable[[str], None],
    progress: Callable[[int, int, str], None] | None,
    begin: float,
) -> Summary:
    found = list(handed_in.found)
    path = Path(options.secret_file or results.run.secret_file or secret.default_path(lab.name, submissions)).absolute()
    there = os.path.exists(path)  # where the folder cannot be entered the secret says so, in a sentence
    known = secret.load_or_make(path, make=not results.run.secret)
    print_ = secret.fingerprint(known)
    if not results.run.secret:
        say(secret.told(path, lab.name, new=not there))
    if results.run.secret not in ("", print_):
        raise secret.SecretError(
            f"{results.out} was graded with the secret {results.run.secret}, but {path} is {print_}: equal code "
            "would get unequal marks. Give the first secret with --secret-file, or use another folder"
        )
    seed = secret.seed(known, f"cases of {lab.name}")
    key = basis.key(lab, print_)
    results.write_run(secret=print_, secret_file=str(path), lab_digest=lab.digest)
    report = Summary(seconds={"prepare": time.monotonic() - begin})
    before = dict(results.rows)
    again = options.regrade or options.question is not None
    todo = [item for item in found if again or _stale(item, results, key)]
    # in an order that nobody can foresee, and so cannot arrange to be marked beside, or after, somebody else
    todo.sort(key=lambda item: hashlib.sha256(known + item.student.encode("utf-8", "surrogateescape")).digest())
    report.kept = len(found) - len(todo)
    code: dict[str, str] = {}
    limits = zygotes.Limits(memory_mb=lab.manifest.memory_mb, cpu_seconds=int(lab.manifest.seconds) + 10)
    sources: Mapping[str, str] | None = None
    if todo:
        given = {"preamble": surroundings.preamble(lab), "forbidden": surroundings.forbidden(lab)}
        with (
            ThreadPoolExecutor(1) as beside,
            zygotes.setting(lab.manifest.allow, lab.manifest.answers, limits, **given) as place,
        ):
            # right answers, and what could have been copied, are worked out while the sandbox imports what it needs
            cases = beside.submit(lambda: (prepare(lab, seed), prepare(lab, PUBLIC_SEED)))
            others = beside.submit(published, lab)
            accept = 0 if options.unsandboxed else isolation.ACCEPTED
            seen, zygote = sandbox.probe(place, at_most=options.at_most, accept=accept)
            report.level = seen.describe()
            report.seconds["start"] = time.monotonic() - begin - report.seconds["prepare"]
            say(f"isolation {report.level}")
            if zygote.missing:
                say(f"could not be imported for the students: {'; '.join(zygote.missing)}")
            jobs = options.jobs or _jobs(len(todo), seen.level)
            with contextlib.closing(submission.Pool(place, seen.isolation, zygote, jobs=jobs)) as pool:
                prepared, public = cases.result()
                shown = {item.question.id: item for item in public}
                marks = submission.ClassRun(lab, prepared, shown, handed_in.released, seed, key, seen.level, code)
                _each(todo, marks, results, pool, jobs, options, report, progress, kept=report.kept)
            sources = others.result()
    whole, question = options.only is None, options.question
    said = together(lab, handed_in, people, results, before, report.again, whole=whole, question=question)
    results.finish(item.student for item in found)
    resemblance(lab, found, results, handed_in.released, code, sources or published(lab))
    for line in said:
        say(line)
    report.seconds["all"] = time.monotonic() - begin
    return report


def _stale(item: Submission, results: Results, key: str) -> bool:
    """Whether a submission is to be marked: it is new or changed, or the lab is, or its page is gone."""
    row, page = results.rows.get(item.student), results.pages / f"{file_stem(item.student)}.html"
    return row is None or row.digest != item.digest() or row.key != key or not page.is_file()


def _jobs(number: int, level: int) -> int:
    """Return how many submissions are marked at the same time.

    Below level 4 it is one: there they share a table of processes, and could see in it what others do.
    """
    return min(4, len(os.sched_getaffinity(0)), number) if level >= 4 else 1


def _each(
    todo: list[Submission],
    marks: submission.ClassRun,
    results: Results,
    pool: submission.Pool,
    jobs: int,
    options: Options,
    report: Summary,
    progress: Callable[[int, int, str], None] | None,
    *,
    kept: int,
) -> None:
    """Mark in threads, write from this one; at most a few submissions are in memory at any time."""
    waiting, running = iter(todo), set()
    executor = ThreadPoolExecutor(max_workers=jobs)
    stages: Counter[str] = Counter()
    try:
        for item in waiting:
            row = results.rows.get(item.student)
            known = row is not None and row.digest == item.digest() and row.reason != across.ABSENT
            question = options.question if known else None
            extra = {"with_examples": options.examples, "only": question}
            running.add(executor.submit(submission.mark, item, marks, pool, **extra))
            if len(running) >= 2 * jobs:
                running = _collect(running, marks, results, report, stages, progress, kept, len(todo))
        while running:
            running = _collect(running, marks, results, report, stages, progress, kept, len(todo))
    finally:
        executor.shutdown(cancel_futures=True)
        report.seconds.update(stages)


def _collect(
    running: set, marks: submission.ClassRun, results: Results, report: Summary, stages: Counter, progress, kept, total
) -> set:
    done, rest = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        marked = future.result()
        begin = time.monotonic()
        old = results.rows.get(marked.row.student)
        if old is not None and old.reason != across.ABSENT:
            report.again.append(old.student)
            marked = replace(marked, row=replace(marked.row, name=old.name))
            if marked.only is not None:
                marked = replace(marked, row=changes.merge(old, marked.row, marked.only))
        stem = file_stem(marked.row.student)
        for name, text in marked.files.items():
            results.write_text(results.pages / f"{stem}{name}", text)
        results.write_text(
            results.pages / f"{stem}.html", pages.page(marks.lab, marked.row, marked.written, marked.near)
        )
        results.add(marked.row)
        stages.update({**marked.seconds, "write": time.monotonic() - begin})
        report.graded += 1
        if progress is not None:
            progress(kept + report.graded, kept + total, marked.row.student)
    return rest
