"""The roster of a class: a table of students' ids, and of their names where it has them."""

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lsedu.authoring.names import normal, spelling

_IDS = ("student", "id", "student_id", "student id")
_NAMES = ("name", "full name", "full_name")
_PARTS = (("first_name", "last_name"), ("first name", "last name"), ("given name", "family name"))
_LONGEST = 200


@dataclass(frozen=True)
class Person:
    """A student: the id, which names a folder, and the name for people or an empty string."""

    id: str
    name: str = ""


def read(path: Path | str) -> tuple[Person, ...]:
    """Return the students of a roster, in order.

    The table is text as spreadsheets and learning platforms save it: separated by commas, semicolons or tabs, with or
    without a byte order mark, empty rows and empty columns at the end. The id is in the column `student` or `id`, the
    name in `name`, or in `first_name` and `last_name`. Ids are brought into one form (accents composed).

    Raises
    ------
    ValueError
        If it is not in UTF-8, there is no such column, or an id is missing, occurs twice or cannot name a folder.
    """
    text = _text(Path(path))
    first, _, rest = text.partition("\n")
    if re.fullmatch(r"sep=.\s*", first):
        text, first = rest, rest.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    header = [normal(cell).casefold() for cell in rows[0]] if rows else []
    column = next((header.index(name) for name in _IDS if name in header), None)
    if column is None:
        raise ValueError(f"{path} needs a column `student` (or `id`), it has {[cell for cell in header if cell]}")
    people: list[Person] = []
    where: dict[str, int] = {}
    for number, row in enumerate(rows[1:], start=2):
        cells = [normal(cell) for cell in row]
        if not any(cells):
            continue
        cells += [""] * (len(header) - len(cells))
        student = cells[column]
        if not _names_a_folder(student):
            raise ValueError(
                f"{path}, row {number}: {student!r} cannot name a folder; an id is up to {_LONGEST} bytes without "
                'line breaks and any of / \\ : * ? " < > |, and neither begins nor ends with a dot'
            )
        if (key := spelling(student)) in where:
            raise ValueError(f"{path}: {student!r} occurs twice, in the rows {where[key]} and {number}")
        where[key] = number
        people.append(Person(student, _name(header, cells)))
    return tuple(people)


def _text(path: Path) -> str:
    data = path.read_bytes()
    coding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(coding)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not in UTF-8: save it as CSV (UTF-8)") from error


def _name(header: Sequence[str], cells: Sequence[str]) -> str:
    for column in _NAMES:
        if column in header:
            return cells[header.index(column)]
    for parts in _PARTS:
        if set(parts) <= set(header):
            return " ".join(filter(None, (cells[header.index(part)] for part in parts)))
    return ""


def _names_a_folder(student: str) -> bool:
    """Whether an id is a file name on every system, and stays in its folder."""
    if not student or len(student.encode("utf-8", "replace")) > _LONGEST or student[0] == "." or student[-1] == ".":
        return False
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in student):
        return False
    return re.search(r'[/\\:*?"<>|]', student) is None
