"""What a check showed of a student's answer, as the last value of a cell displays it."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

NOT_YET = "not answered yet: put your code where the cell above says `raise NotImplementedError`"


@dataclass(frozen=True)
class Line:
    """What one case showed: its name, whether it passed, what to say if not, and a note that costs nothing."""

    case: str
    passed: bool
    message: str = ""
    note: str = ""


@dataclass(frozen=True)
class Result:
    """What a check showed; as the last value of a cell it is displayed.

    Parameters
    ----------
    question, title
        The question.
    lines
        One a case; empty if the question is not answered.
    status
        "open" (not answered), "wrong" or "right".
    note
        What the student should know of the whole answer, or an empty string.
    counted
        What is said of the lines that passed.
    open
        What is said of a question that is not answered.
    """

    question: str
    title: str
    lines: tuple[Line, ...]
    status: str
    note: str = ""
    counted: str = "public cases pass"
    open: str = NOT_YET

    @property
    def passed(self) -> int:
        """The number of public cases passed."""
        return sum(line.passed for line in self.lines)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the student should know, though it costs nothing."""
        return tuple(dict.fromkeys(note for note in (self.note, *(line.note for line in self.lines)) if note))

    def __repr__(self) -> str:
        if self.status == "open":
            return f"{self.title}: {self.open}"
        head = f"{self.title}: {self.passed} of {len(self.lines)} {self.counted}"
        lines = [f"  {'ok  ' if x.passed else 'no  '}{_sentence(x)}" for x in self.lines]
        return "\n".join([head, *lines, *(f"  Note: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        if self.status == "open":
            return f"<p>○ <b>{html.escape(self.title)}</b>: {html.escape(self.open)}</p>"
        colour = {"right": "#1a7f37", "wrong": "#b54708"}[self.status]
        rows = "".join(f"<li>{'✓' if x.passed else '✗'} {html.escape(_sentence(x))}</li>" for x in self.lines)
        rows += "".join(f"<li>Note: {html.escape(note)}</li>" for note in self.notes)
        head = f"<b>{html.escape(self.title)}</b>: {self.passed} of {len(self.lines)} {html.escape(self.counted)}"
        return (
            f'<div style="border-left: 4px solid {colour}; padding-left: 0.8em">{head}'
            f'<ul style="list-style: none; padding-left: 0.4em; margin: 0.2em 0">{rows}</ul></div>'
        )


def of_file(question: str, title: str, name: str, lines: Sequence[Line]) -> Result:
    """Return the result of a look at a file: a line for each array, or none while there is no file."""
    status = "open" if not lines else "right" if all(line.passed for line in lines) else "wrong"
    counted = f"arrays of {name} have the form asked for; what they hold is looked at when it is marked"
    absent = f"there is no {name} yet: run the cells that write it"
    return Result(question, title, tuple(lines), status, counted=counted, open=absent)


def _sentence(line: Line) -> str:
    return line.case if line.passed else f"{line.case}: {line.message}"
