"""Where the file of public checks is, which the checks in a student's notebook read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsedu.labs import arrays

_SHIPPED = Path(__file__).resolve().parent.parent / "_labs"
_CHECKOUT = Path(__file__).resolve().parents[2] / "labs"


def find(lab: str, *, folder: Path | str | None = None) -> Path:
    """Return the path of a lab's file of checks: in `folder`, in the installed package, or in the checkout.

    Raises
    ------
    FileNotFoundError
        If it is in none of them.
    """
    places = [Path(folder)] if folder is not None else [_SHIPPED, _CHECKOUT]
    for place in places:
        if (path := place / f"{lab}.checks.json").is_file():
            return path
    raise FileNotFoundError(
        f"no {lab}.checks.json in {' or '.join(map(str, places))}: "
        f"install a current lsedu, or run `lsedu labs release {lab}` in the course's repository"
    )


def read(path: Path | str) -> dict[str, Any]:
    """Read a file of checks, as `lsedu.authoring.checkfile.build` made it."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def forms(entry: Mapping[str, Any], path: Path) -> dict[str, str] | None:
    """Return what is wrong with each array of the file that answers a question, an entry of the file of checks.

    An empty text where nothing is; one text by the file's name where it cannot be read; None where there is no file.
    """
    specs = {name: arrays.decoded(spec) for name, spec in entry.get("arrays", {}).items()}
    try:
        return arrays.forms(path, specs)
    except FileNotFoundError:
        return None
    except (arrays.ArtefactError, OSError) as error:
        return {path.name: str(error)}


def about_file(entry: Mapping[str, Any], path: Path) -> str:
    """Return what is wrong with the file that answers a question in one line, or an empty text."""
    found = forms(entry, path)
    if found is None:
        return f"{path.name} is not there yet"
    return "; ".join(f"{path.name}: {said}" for said in found.values() if said)
