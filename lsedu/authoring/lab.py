"""A whole lab, as plain data: its manifest, its questions and its cells; `lsedu.authoring.load` builds it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lsedu._errors import UnknownNameError
from lsedu.labs.spec import Question

Role = Literal["plain", "preamble", "student", "check", "manual"]


@dataclass(frozen=True)
class Cell:
    """One cell of the released notebook.

    Parameters
    ----------
    id
        Stable: the same source gives the same id.
    kind
        "markdown" or "code".
    role
        "plain"; "preamble" (imports and constants that the grader runs, in the lab's own text, before the student's
        cells); "student" (holds an answer); "check" (public check, never run for marks); "manual".
    source
        The released text.
    solution
        The text with the solution; equal to `source` where there is none.
    question
        The id of the question, for student, check and manual cells.
    metadata
        The released cell metadata, nbgrader's included.
    """

    id: str
    kind: Literal["markdown", "code"]
    role: Role
    source: str
    solution: str
    question: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """What the notebook's metadata says about the lab under the key `lsedu`.

    Parameters
    ----------
    lab
        The lab's name, which is its file's name.
    title
        For people.
    allow
        Names of modules that the graded child may import. lsedu modules are named one by one; what they import in
        turn comes with them.
    answers
        lsedu modules that answer a question; none may be reached from `allow`.
    cell_seconds
        The longest that one student cell may take to define what it defines.
    seconds
        The longest that all of a submission's code may take while marks are given.
    memory_mb
        The address space that a submission may take beyond the libraries', in MiB.
    minutes
        Time the core is meant to take a student.
    variants
        What may differ from student to student: name to the values to draw from; the first is the public release's.
        In the header a number n stands for 0 to n - 1.
    """

    lab: str
    title: str
    allow: tuple[str, ...] = ("numpy",)
    answers: tuple[str, ...] = ()
    cell_seconds: float = 20.0
    seconds: float = 60.0
    memory_mb: int = 2048
    minutes: int = 60
    variants: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Lab:
    """A whole lab: manifest, questions in order, cells in order, and the text it came from."""

    manifest: Manifest
    questions: tuple[Question, ...]
    cells: tuple[Cell, ...]
    path: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The lab's name."""
        return self.manifest.lab

    @property
    def title(self) -> str:
        """The lab's title."""
        return self.manifest.title

    @property
    def points(self) -> float:
        """The most that the lab can earn, hand-graded questions included."""
        return math.fsum(question.points for question in self.questions)

    @property
    def preamble(self) -> str:
        """The trusted text of the preamble cells: run before the student's cells."""
        return "\n\n".join(cell.source for cell in self.cells if cell.role == "preamble")

    def question(self, name: str) -> Question:
        """Return the question with id `name`.

        Raises
        ------
        KeyError
            If there is none.
        """
        for question in self.questions:
            if question.id == name:
                return question
        raise UnknownNameError(
            f"{self.name} has no question {name!r}; it has {', '.join(q.id for q in self.questions)}"
        )

    def student_cells(self, question: str | None = None) -> tuple[Cell, ...]:
        """Return the cells that hold answers, of one question or of all."""
        return tuple(
            cell for cell in self.cells if cell.role == "student" and (question is None or cell.question == question)
        )
