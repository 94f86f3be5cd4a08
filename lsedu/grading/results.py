"""The marks on disk: one JSON line a student, appended and synced, so that a grader killed at any moment can go on."""

import contextlib
import csv
import errno
import fcntl
import hashlib
import io
import json
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lsedu import _write
from lsedu._errors import LseduError
from lsedu.authoring.lab import Lab
from lsedu.grading.row import Row


class OutputError(LseduError, RuntimeError):
    """The output folder cannot be used; the message says what to do. What was written before is whole."""


def file_stem(student: str) -> str:
    """Return a file name for a student, different for different ids and harmless on any system.

    Examples
    --------
    >>> file_stem("../ada")
    '%2E%2E%2Fada'
    """
    name = quote(student.encode("utf-8", "surrogateescape"), safe="@+")
    name = name.replace(".", "%2E") if ".." in name or name.startswith(".") else name
    if len(name) > 120:
        name = name[:80] + "-" + hashlib.sha256(name.encode()).hexdigest()[:24]
    return name or "%00"


def printable(text: str) -> str:
    r"""Return a name with what cannot be printed written as escapes.

    Examples
    --------
    >>> printable("a\nb")
    'a\\x0ab'
    """
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def csv_cell(value: Any) -> Any:
    """Return a value that no spreadsheet takes for a formula.

    Examples
    --------
    >>> csv_cell("=1+1")
    "'=1+1"
    """
    text = printable(str(value))
    if isinstance(value, str) and re.match(r"\s*[=+\-@|%\uff1d\uff0b\uff0d\uff20]|[\t\r\n]", value):
        return "'" + text
    return text if isinstance(value, str) else value


@dataclass(frozen=True)
class Run:
    """What identifies a class run, as `run.json` holds it: lab, run, the secret's fingerprint and file, lab digest."""

    lab: str
    run: str
    secret: str = ""
    secret_file: str = ""
    lab_digest: str = ""


class Results:
    """The output folder of a class run.

    Parameters
    ----------
    out
        The folder; made if need be.
    lab
        The lab.

    Raises
    ------
    OutputError
        If it cannot be written to, belongs to another lab, or another grader is at work there.
    """

    def __init__(self, out: Path, lab: Lab) -> None:
        self.out, self.lab = out, lab
        self.rows_path = out / "results.jsonl"
        self.pages = out / "feedback"
        try:
            self.pages.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(out / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
            self._file = os.open(self.rows_path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise OutputError(_why(error, out)) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutputError(f"another grader is at work in {out}; wait for it or use another folder") from error
        self.run = self._run()
        self.rows = self._read()

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._file)
        os.close(self._lock)

    def _run(self) -> Run:
        """Return what identifies this class run, made at its first start."""
        path = self.out / "run.json"
        with contextlib.suppress(FileNotFoundError, ValueError):
            found = json.loads(path.read_text(encoding="utf-8"))
            run = Run(**{item.name: found[item.name] for item in fields(Run) if item.name in found})
            if run.lab != self.lab.name:
                raise OutputError(
                    f"{self.out} holds marks of {run.lab!r}, not of {self.lab.name!r}: use another folder"
                )
            return run
        return Run(self.lab.name, f"{self.lab.name}-{secrets.token_hex(8)}")

    def write_run(self, **changes: str) -> None:
        """Record what the run depends on."""
        self.run = replace(self.run, **changes)
        self.write_text(self.out / "run.json", json.dumps(asdict(self.run), indent=1) + "\n")

    def _read(self) -> dict[str, Row]:
        """Read the rows there are; a torn last line, left by a kill, is cut off."""
        data = self.rows_path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.ftruncate(self._file, whole)
        found: dict[str, Row] = {}
        for line in data[:whole].splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                row = Row.from_json(json.loads(line))
                found[row.student] = row
        return found

    def add(self, row: Row) -> None:
        """Append a student's row; it is on disk when this returns, or not there at all.

        Raises
        ------
        OutputError
            If the disk is full or not writable any more.
        """
        line = (json.dumps(row.to_json(), ensure_ascii=True, allow_nan=False) + "\n").encode()
        before = os.fstat(self._file).st_size
        try:
            written = 0
            while written < len(line):
                written += os.write(self._file, line[written:])
            os.fsync(self._file)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, before)
            raise OutputError(_why(error, self.out)) from error
        self.rows[row.student] = row

    def write_text(self, path: Path, text: str) -> None:
        """Write a file whole or not at all.

        Raises
        ------
        OutputError
            If that is not possible; an older file stays as it was.
        """
        try:
            _write.write(path, text.encode())
        except OSError as error:
            raise OutputError(_why(error, self.out)) from error

    def finish(self, present: Iterable[str]) -> None:
        """Write `grades.csv`, and `results.jsonl` anew with one line a student, sorted.

        Students who are not `present` any more (their folder was removed) are kept: marks are never dropped.
        """
        names = sorted({*self.rows, *(name for name in present if name in self.rows)})
        text = "".join(json.dumps(self.rows[name].to_json(), ensure_ascii=True) + "\n" for name in names)
        self.write_text(self.out / "grades.csv", self.table(names))
        self.write_text(self.rows_path, text)
        os.close(self._file)
        self._file = os.open(self.rows_path, os.O_RDWR | os.O_APPEND)

    def table(self, names: Iterable[str]) -> str:
        """Return `grades.csv`: student, name if there is a roster, points by question (empty: by hand), and the rest.

        The rest is total, most points given by code, time of handing in, and flags.
        """
        names = list(names)
        named = ["name"] if any(self.rows[name].name for name in names) else []
        asked = [question.id for question in self.lab.questions]
        table = [["student", *named, *asked, "total", "out_of", "handed_in", "flags"]]
        automatic = sum(question.points for question in self.lab.questions if question.kind != "manual")
        for name in names:
            row = self.rows[name]
            points = [row.points.get(question.id) for question in self.lab.questions]
            cells = ["" if value is None else value for value in points]
            who = [name, row.name] if named else [name]
            table.append([*who, *cells, row.total, automatic, row.handed_in, "; ".join(row.flags)])
        return _csv(table)


def _csv(rows: Iterable[Iterable[Any]]) -> str:
    file = io.StringIO()
    # quoted throughout: a spreadsheet that splits at semicolons must not find a formula inside a name
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    for row in rows:
        writer.writerow([csv_cell(value) for value in row])
    return file.getvalue()


def _why(error: OSError, out: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: {out}. Marks given so far are safe; make room and run the same command again"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"{out} cannot be written to ({error.strerror}): give another folder with --out, or change its rights"
    return f"{out} cannot be used: {error.strerror}"
