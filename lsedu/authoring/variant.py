"""A lab's variants: what differs from student to student, drawn from the roster and always the same.

Only what stands outside graded code may vary (the seed of a training, a strength to compare): the questions, and so
the marks, are the same for all.
"""

import csv
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsedu.authoring.lab import Manifest

_PLACE = re.compile(r"\{variant:([\w-]+)\}")


def default(manifest: Manifest) -> dict[str, Any]:
    """Return the variant of the public release: the first value of each."""
    return {name: values[0] for name, values in manifest.variants.items()}


def of_student(manifest: Manifest, student: str) -> dict[str, Any]:
    """Return a student's variant: for each name a value that follows from lab, name and student alone.

    Examples
    --------
    >>> lab = Manifest("lab01", "A lab", variants={"seed": [0, 1, 2, 3]})
    >>> of_student(lab, "ada") == of_student(lab, "ada")
    True
    """
    drawn = {}
    for name, values in manifest.variants.items():
        text = "\0".join((manifest.lab, name, student))
        drawn[name] = values[int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % len(values)]
    return drawn


def places(text: str) -> set[str]:
    """Return the names that `text` asks for."""
    return set(_PLACE.findall(text))


def fill(text: str, values: Mapping[str, Any]) -> str:
    """Put the values in their places.

    Raises
    ------
    KeyError
        If a place asks for a name that has no value.

    Examples
    --------
    >>> fill("seed = {variant:seed}", {"seed": 3})
    'seed = 3'
    """
    return _PLACE.sub(lambda match: str(values[match[1]]), text)


def roster(path: Path | str) -> list[str]:
    """Return the students of a roster: the column `student` or `id` of a CSV file, in order.

    Raises
    ------
    ValueError
        If it is not in UTF-8, there is no such column, or an id is empty, occurs twice or cannot name a folder.
    """
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        try:
            columns = [name for name in ("student", "id") if name in (reader.fieldnames or ())]
            if not columns:
                raise ValueError(f"{path} needs a column `student` (or `id`), it has {reader.fieldnames}")
            students = [(row[columns[0]] or "").strip() for row in reader]
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is not in UTF-8: save it as CSV (UTF-8)") from error
    bad = [student for student in students if not re.fullmatch(r"[\w@+-][\w@+.-]*", student)]
    if bad:
        raise ValueError(f"{path}: {bad[0]!r} cannot name a folder; use letters, digits, and . _ - @ +")
    if len(set(students)) < len(students):
        raise ValueError(f"{path}: a student occurs twice")
    return students
