"""Checks in a student's notebook: public cases with feedback that knows the usual mistakes."""

import inspect
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsedu._errors import CheckFailedError, UnknownNameError
from lsedu.labs import checkfile
from lsedu.labs.codec import decode
from lsedu.labs.evaluate import NoGradientError, attempt
from lsedu.labs.feedback import feedback
from lsedu.labs.imports import missing
from lsedu.labs.limit import GRACE, TooSlowError, within
from lsedu.labs.report import Report, ReportRow, stamp
from lsedu.labs.result import Line, Result, of_file
from lsedu.labs.spec import Case, Question

HANGS = 2
"""After so many cases that took too long the rest is not tried, as in marking."""
_PACKAGE = Path(__file__).resolve().parents[1]
_NBGRADER = {"NBGRADER_EXECUTION", "NBGRADER_VALIDATING"}


class Checks:
    """The public checks of one lab.

    Parameters
    ----------
    lab
        The lab's name.
    release
        The release that the notebook was made for; `notice` says so if the installed checks are of another.
    folder
        Where the file of checks is, if neither in the package nor in the checkout.

    Raises
    ------
    FileNotFoundError
        If there are no checks of that lab.
    """

    def __init__(self, lab: str, *, release: str | None = None, folder: Path | str | None = None) -> None:
        self._content = checkfile.read(checkfile.find(lab, folder=folder))
        self.lab = lab
        self.results: dict[str, Result] = {}
        self._asked = release

    @property
    def notice(self) -> str:
        """What is wrong with the set-up, or an empty string."""
        made = self._content["release"]
        if self._asked in (None, made):
            return ""
        return (
            f"this notebook is of release {self._asked}, the installed checks of {made}: update lsedu or the notebook"
        )

    def __repr__(self) -> str:
        entries = self._content["questions"].values()
        points = sum(entry["points"] for entry in entries)
        ready = f"{self._content['title']}: {len(entries)} questions, {points:g} points. The checks are ready."
        return f"{ready}\nNote: {self.notice}" if self.notice else ready

    def check(self, question: str, function: Callable) -> Result:
        """Run `function` on the public cases of `question`.

        Parameters
        ----------
        question
            The question's id.
        function
            The student's function.

        Returns
        -------
        Result
            Shown by the notebook when it is the cell's last value; it is also kept for `report`.

        Raises
        ------
        KeyError
            If the lab has no such question, or one without cases.
        CheckFailedError
            Where nbgrader runs the notebook, if not all cases pass: nbgrader takes a cell that does not fail for right.
        """
        entry = self._content["questions"].get(question)
        if entry is None or not entry["cases"]:
            by_file = entry is not None and entry["kind"] == "artefact"
            hint = f": it is answered by a file, look at it with checks.file({question!r})" if by_file else ""
            raise UnknownNameError(f"{self.lab} has no automatic check for {question!r}{hint}")
        spec = _question(question, entry)
        lines: list[Line] = []
        status, late = "right", 0
        for stored in entry["cases"]:
            item = Case(stored["name"], decode(stored["args"]), decode(stored["kwargs"]), stored["hint"])
            if late >= HANGS:
                lines.append(Line(item.name, False, "not tried: two cases before it took too long"))
                continue
            calls = 1 + spec.deterministic
            try:
                with within(spec.seconds * calls + GRACE):
                    outcomes = [attempt(function, spec, item) for _ in range(calls)]
            except TooSlowError as error:
                late += 1
                lines.append(Line(item.name, False, str(error)))
                continue
            except Exception as error:  # whatever the student's code raises is feedback for the student
                if type(error) is NotImplementedError and not error.args:  # the stub's; torch's own ones say something
                    status, lines = "open", []
                    break
                lines.append(Line(item.name, False, _failure(error, function)))
                continue
            known = [(wrong["message"], decode(wrong["outcome"])) for wrong in stored["usual"]]
            expected, names = decode(stored["expected"]), _parameters(function)
            try:
                message, note = feedback(outcomes, expected, spec, item, usual=known, names=names)
            except Exception as error:  # a result may be anything: a sparse tensor, an object that cannot be compared
                message = f"the result cannot be compared with a right one ({type(error).__name__}: {error})"
                note = ""
            lines.append(Line(item.name, message is None, message or "", note))
        if any(not line.passed for line in lines):
            status = "wrong"
        note = self._absent(function) if lines else ""
        result = self.results[question] = Result(question, spec.title, tuple(lines), status, note)
        if status != "right" and _NBGRADER & os.environ.keys():
            raise CheckFailedError(repr(result))
        return result

    def file(self, question: str) -> Result:
        """Look whether the file that answers `question` has the form asked for; what is in it counts when it is marked.

        Parameters
        ----------
        question
            The question's id.

        Returns
        -------
        Result
            With a line for each array; "open" while there is no file.

        Raises
        ------
        KeyError
            If the lab has no such question, or one that is not answered by a file.
        CheckFailedError
            Where nbgrader runs the notebook, if the file does not have that form.
        """
        entry = self._content["questions"].get(question)
        if entry is None or entry["kind"] != "artefact":
            raise UnknownNameError(f"{self.lab} has no question {question!r} that is answered by a file")
        name = entry["file"]
        found = checkfile.forms(entry, Path(name)) or {}
        lines = [Line(array, not said, said) for array, said in found.items()]
        result = self.results[question] = of_file(question, entry["title"], name, lines)
        if result.status != "right" and _NBGRADER & os.environ.keys():
            raise CheckFailedError(repr(result))
        return result

    def _absent(self, function: Callable) -> str:
        """Say which modules will be missing when the function is marked, where the file of checks tells."""
        allow = self._content.get("allow")
        names = missing(function, allow) if allow is not None else []
        if not names:
            return ""
        return (
            f"not there when this is marked, so that what needs it fails then: {', '.join(names)}; "
            f"there are {', '.join(allow)} and Python's own modules"
        )

    def ready(self, *questions: str) -> bool:
        """Whether the checks of all these questions have passed, so that the next cell can use their functions.

        Raises
        ------
        KeyError
            If the lab has no such question.
        """
        if unknown := [name for name in questions if name not in self._content["questions"]]:
            raise UnknownNameError(
                f"{self.lab} has no question {unknown[0]!r}; it has {', '.join(self._content['questions'])}"
            )
        return all(name in self.results and self.results[name].status == "right" for name in questions)

    def report(self) -> Report:
        """Return the score table on the public cases, the environment and the file to hand in."""
        rows = []
        for name, entry in self._content["questions"].items():
            result = self.results.get(name)
            if entry["kind"] == "manual":
                state, earned = "graded by hand", None
            elif entry["kind"] == "artefact":
                said = checkfile.about_file(entry, Path(entry["file"]))
                state, earned = said or f"{entry['file']} is there", None
            elif result is None:
                state, earned = "check not run", 0.0
            else:
                state = "not answered" if result.status == "open" else f"{result.passed} of {len(result.lines)} cases"
                spec = _question(name, entry)
                cases = [Case(stored["name"], weight=stored["weight"]) for stored in entry["cases"]]
                earned = spec.mark(cases, [line.passed for line in result.lines]) if result.lines else 0.0
            rows.append(ReportRow(entry["title"], state, earned, float(entry["points"])))
        return Report(self._content["title"], tuple(rows), stamp(self.lab, self._content["release"]))

    def submit(
        self,
        *,
        ready: bool,
        notebook: Path | str | None = None,
        out: Path | str | None = None,
        as_saved: bool = False,
    ) -> Any:
        """Run the saved notebook from the start, check it and write the file to hand in; see `lsedu.labs.submit`."""
        from lsedu.labs.submit import from_notebook

        functions = [entry["function"] for entry in self._content["questions"].values() if entry["function"]]
        options = {"notebook": notebook, "out": out, "as_saved": as_saved}
        return from_notebook(self.lab, ready=ready, functions=functions, **options)


def _question(name: str, entry: dict[str, Any]) -> Question:
    options = {key: entry[key] for key in ("rtol", "atol", "dtype", "deterministic", "kind", "function")}
    options |= {"arguments": entry.get("arguments", "warn"), "seconds": entry.get("seconds", 10.0)}
    lists = {key: tuple(entry.get(key, ())) for key in ("grad", "forbid")}
    return Question(name, entry["title"], entry["points"], **lists, **options)


def _parameters(function: Any) -> tuple[str, ...]:
    """Return the names of a function's parameters, as far as they are to be had."""
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()


def _failure(error: Exception, function: Any) -> str:
    """Say what was raised and on which line of the student's cell."""
    if not callable(function):
        kind = type(function).__name__
        return f"this name belongs to a value of type {kind} now, not to a function: run the cell that defines it again"
    if isinstance(error, NoGradientError):
        return str(error)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not Path(f.filename).is_relative_to(_PACKAGE)]
    own = [f for f in frames if "site-packages" not in f.filename and not f.filename.startswith("<frozen")]
    where = f", on line {own[-1].lineno} of your cell: `{own[-1].line}`" if own and own[-1].line else ""
    return f"your function stops with {type(error).__name__}: {error}{where}"
