"""A lab's variants: what differs from student to student, drawn from the roster and always the same.

Only what stands outside graded code may vary (the seed of a training, a strength to compare): the questions, and so
the marks, are the same for all.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsedu.authoring.lab import Manifest
from lsedu.authoring.names import normal
from lsedu.authoring.roster import read

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
        text = "\0".join((manifest.lab, name, normal(student)))
        drawn[name] = values[int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % len(values)]
    return drawn


def handed(manifest: Manifest, student: str) -> dict[str, Any]:
    """Return the variant of a notebook that was made for `student`, or of the public release if for nobody."""
    return of_student(manifest, student) if student else default(manifest)


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
    """Return the ids of a roster's students, in order; see `lsedu.authoring.roster.read`."""
    return [person.id for person in read(path)]
