"""Grade a class: find the submissions, mark each in a sandbox, write a line and a page for each, survive a kill."""

import contextlib
import hashlib
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lsedu import _modules
from lsedu._errors import LseduError
from lsedu.authoring.lab import Lab
from lsedu.authoring.load import load_lab
from lsedu.grading import inbox, isolation, matching, notebooks, pages, sandbox, secret, similarity, submission, zygotes
from lsedu.grading.inbox import Submission
from lsedu.grading.marking import prepare
from lsedu.grading.results import Results, _csv, file_stem
from lsedu.labs.spec import PUBLIC_SEED

_CODE = ("lsedu.grading.classroom", "lsedu.grading.child.launch", "lsedu.grading.child.zygote")
"""The modules from which all code that a mark depends on is reached; the child's are started, not imported."""


class ClassError(LseduError, RuntimeError):
    """A class cannot be graded as asked; the message says what to do."""


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
    """

    jobs: int = 0
    only: str | None = None
    regrade: bool = False
    unsandboxed: bool = False
    at_most: int = 4
    secret_file: Path | None = None
    examples: bool = False


@dataclass
class Summary:
    """What a run did: how many were graded now, how many stood already, isolation level, and seconds by stage."""

    graded: int = 0
    kept: int = 0
    level: str = ""
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
    if not submissions.is_dir():
        raise ClassError(f"{submissions} is not a folder; it must hold a folder a student")
    wanted = tuple(question.file for question in lab.questions if question.kind == "artefact")
    here = os.path.realpath(out)
    handed_in = inbox.find(submissions, lab.name, artefacts=wanted)
    try:
        found = [item for item in handed_in if os.path.realpath(item.folder) != here]
    except OSError as error:
        raise ClassError(f"{submissions} cannot be read: {error.strerror}") from error
    if options.only is not None:
        found = [item for item in found if item.student == options.only]
    if not found:
        what = f"is no submission of {options.only!r}" if options.only is not None else "are no submissions"
        raise ClassError(f"there {what} in {submissions}")
    results = Results(Path(out), lab)
    try:
        return _grade(lab, submissions, found, results, options, say, progress, begin)
    finally:
        results.close()


def _grade(
    lab: Lab,
    submissions: Path,
    found: list[Submission],
    results: Results,
    options: Options,
    say: Callable[[str], None],
    progress: Callable[[int, int, str], None] | None,
    begin: float,
) -> Summary:
    path = Path(options.secret_file or results.run.secret_file or secret.default_path(lab.name, submissions)).absolute()
    there = path.exists()
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
    prepared = prepare(lab, seed)
    public = {item.question.id: item for item in prepare(lab, PUBLIC_SEED)}
    marks = submission.ClassRun(lab, prepared, public, matching.released_texts(lab), seed, _key(lab, print_), 0)
    results.write_run(secret=print_, secret_file=str(path), lab_digest=lab.digest)
    report = Summary(seconds={"prepare": time.monotonic() - begin})
    todo = [item for item in found if options.regrade or _stale(item, results, marks)]
    # in an order that nobody can foresee, and so cannot arrange to be marked beside, or after, somebody else
    todo.sort(key=lambda item: hashlib.sha256(known + item.student.encode("utf-8", "surrogateescape")).digest())
    report.kept = len(found) - len(todo)
    limits = zygotes.Limits(memory_mb=lab.manifest.memory_mb, cpu_seconds=int(lab.manifest.seconds) + 10)
    if todo:
        with zygotes.setting(lab.manifest.allow, lab.manifest.answers, limits) as place:
            accept = 0 if options.unsandboxed else isolation.ACCEPTED
            seen, zygote = sandbox.probe(place, at_most=options.at_most, accept=accept)
            report.level = seen.describe()
            report.seconds["start"] = time.monotonic() - begin - report.seconds["prepare"]
            say(f"isolation {report.level}")
            if zygote.missing:
                say(f"could not be imported for the students: {'; '.join(zygote.missing)}")
            marks = replace(marks, level=seen.level)
            jobs = options.jobs or _jobs(len(todo), seen.level)
            with contextlib.closing(submission.Pool(place, seen.isolation, zygote, jobs=jobs)) as pool:
                _each(todo, marks, results, pool, jobs, options, report, progress, kept=report.kept)
    _across(results, lab)
    results.finish(item.student for item in found)
    _resemblance(lab, found, results, marks.released)
    report.seconds["all"] = time.monotonic() - begin
    return report


def _key(lab: Lab, print_: str) -> str:
    """Return what a mark depends on besides the submission: the lab, the secret, and the libraries."""
    versions = []
    for name in ("numpy", "torch"):
        with contextlib.suppress(PackageNotFoundError):
            versions.append(f"{name} {version(name)}")
    text = "\n".join([lab.digest, print_, *versions, _modules.digest(_modules.reached(_CODE))])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _stale(item: Submission, results: Results, marks: submission.ClassRun) -> bool:
    """Whether a submission is to be marked: it is new or changed, or the lab is, or its page is gone."""
    row, page = results.rows.get(item.student), results.pages / f"{file_stem(item.student)}.html"
    return row is None or row.digest != item.digest() or row.key != marks.key or not page.is_file()


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
            running.add(executor.submit(submission.mark, item, marks, pool, with_examples=options.examples))
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
        stem = file_stem(marked.row.student)
        for name, text in marked.files.items():
            results.write_text(results.pages / f"{stem}{name}", text)
        results.write_text(results.pages / f"{stem}.html", pages.page(marks.lab, marked.row, marked.written))
        results.add(marked.row)
        stages.update({**marked.seconds, "write": time.monotonic() - begin})
        report.graded += 1
        if progress is not None:
            progress(kept + report.graded, kept + total, marked.row.student)
    return rest


def _across(results: Results, lab: Lab) -> None:
    """Flag artefacts that are the same for several students."""
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    flags: dict[str, list[str]] = {}
    for name, row in results.rows.items():
        for question, digest in row.artefacts.items():
            owners[question, digest].append(name)
        flags[name] = [flag for flag in row.flags if "same file as" not in flag]
    for (question, _), names in owners.items():
        for name in names if len(names) > 1 else ():
            others = ", ".join(other for other in sorted(names) if other != name)
            flags[name].append(f"{question}: same file as {others[:200]}")
    results.rows = {name: replace(row, flags=flags[name]) for name, row in results.rows.items()}


def _resemblance(lab: Lab, found: list[Submission], results: Results, released: frozenset[str]) -> None:
    """Write `similarity.csv`: pairs of students, and of a student and what is published, that resemble each other."""
    code = {}
    for item in found:
        with contextlib.suppress(notebooks.UnreadableError):
            if item.path is not None:
                answers = matching.match(lab, notebooks.read(item.path), released)
                code[item.student] = "\n".join(text for _, text in answers.cells)
    known = {"the published solution": "\n".join(cell.solution for cell in lab.student_cells())}
    for name in _modules.reached(lab.manifest.answers):
        path = _modules.path_of(name)
        if any(name.startswith(answer) for answer in lab.manifest.answers):
            known[name] = path.read_text(encoding="utf-8")
    alike = similarity.pairs(code, known, boilerplate=[*(cell.source for cell in lab.student_cells()), lab.preamble])
    rows = [["first", "second", "share", "fingerprints"]]
    rows += [[pair.first, pair.second, round(pair.share, 2), pair.shared] for pair in alike]
    results.write_text(results.out / "similarity.csv", _csv(rows))
