"""The text of a lab: one MyST notebook, read into cells with roles, solutions apart from what students see."""

import hashlib
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from lsedu._errors import LseduError
from lsedu.authoring import variant
from lsedu.authoring.lab import Cell, Manifest, Role

STUB = "raise NotImplementedError  # replace this line by your answer"
BLANK = "*Write your answer here.*"
TRUSTED_TAGS = ("grader", "wrong", "rubric", "picture")
"""Tags of the cells that only the source has."""

_SOLUTION = re.compile(
    r"^([ \t]*)### BEGIN SOLUTION[ \t]*\n.*?^[ \t]*### END SOLUTION[ \t]*$", re.MULTILINE | re.DOTALL
)


class LabError(LseduError, ValueError):
    """A lab's source is not as it should be; the message names the cell and says what to do."""


class Trusted(NamedTuple):
    """A cell that only the source has: the tag that says what it is for, its id, text and metadata."""

    tag: str
    id: str
    text: str
    metadata: dict


@dataclass
class LabSource:
    """A lab's source, read but not run.

    Parameters
    ----------
    manifest
        From the notebook's metadata, key `lsedu`.
    cells
        The cells that are released, in order. A picture holds its place by an empty cell whose metadata names it.
    trusted
        The cells that are not released, in order.
    order
        The ids of everything that is run when the lab is loaded, in order: preamble, student and grader cells.
    digest
        sha256 of the text.
    """

    manifest: Manifest
    cells: list[Cell] = field(default_factory=list)
    trusted: list[Trusted] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    digest: str = ""


def strip(text: str, *, kind: str = "code") -> str:
    r"""Return `text` with every solution block replaced by the stub, or in Markdown by a line to write on.

    Raises
    ------
    LabError
        If a marker has no partner.

    Examples
    --------
    >>> print(strip("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"))
    def f():
        raise NotImplementedError  # replace this line by your answer
    """
    released = _SOLUTION.sub(lambda match: match[1] + (STUB if kind == "code" else BLANK), text)
    if "### BEGIN SOLUTION" in released or "### END SOLUTION" in released:
        raise LabError(f"a solution marker has no partner in the cell that begins {_first_line(text)!r}")
    return released


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")[:80]


def unmark(text: str) -> str:
    """Return `text` without the marker lines of its solution."""
    return re.sub(r"^[ \t]*### (BEGIN|END) SOLUTION[ \t]*\n?", "", text, flags=re.MULTILINE).rstrip("\n")


def parse(path: Path | str) -> LabSource:
    """Read a lab's source without running any of it.

    Parameters
    ----------
    path
        A MyST text notebook (``.md``).

    Returns
    -------
    LabSource
        The manifest and the cells.

    Raises
    ------
    LabError
        If the file is no lab, or a cell lacks what its role needs.
    FileNotFoundError
        If there is no such file.
    """
    import jupytext

    path = Path(path)
    text = path.read_text(encoding="utf-8-sig")
    try:
        notebook = jupytext.reads(text, fmt="md:myst")
    except Exception as error:  # of jupytext, or of the YAML in a header or cell
        raise LabError(f"{path} cannot be read as a MyST notebook: {' '.join(str(error).split())[:300]}") from error
    source = LabSource(manifest=_manifest(path, notebook.metadata.get("lsedu")))
    source.digest = hashlib.sha256(text.encode()).hexdigest()
    used: dict[str, int] = {}
    hints: dict[str, int] = {}
    owned: set[tuple[str, str]] = set()
    question = ""
    for raw in notebook.cells:
        metadata = dict(raw.metadata)
        tags = list(metadata.pop("tags", ()))
        role, question = _role(raw, metadata, tags, question)
        trusted = next((tag for tag in TRUSTED_TAGS if tag in tags), None)
        name = _id(raw, role, question, tags, used, hints)
        if role in ("student", "check", "manual") and (role, question) in owned:
            what = {"student": "answer", "check": "check", "manual": "answer in words"}[role]
            raise LabError(
                f"two cells have the grade_id {question!r} and hold its {what}: each question has its own id"
            )
        owned.add((role, question))
        if trusted is not None:
            source.trusted.append(Trusted(trusted, name, raw.source, {"question": question, **metadata}))
            if trusted == "grader":
                source.order.append(name)
        if {"hint", "rubric"} & set(tags) and re.search(r"^#", raw.source, re.MULTILINE):
            raise LabError(f"cell {name!r} runs on into a heading: end a hint or rubric by a line `+++`")
        _varied(raw.source, name, source.manifest, graded=role in ("preamble", "student", "check") or bool(trusted))
        if trusted not in (None, "picture"):
            continue
        kind = "markdown" if trusted == "picture" else raw.cell_type
        body = "" if trusted == "picture" else raw.source
        if "hint" in tags:
            body = f"<details>\n<summary>Hint {hints[question]}</summary>\n\n{body}\n\n</details>"
        released = {key: value for key, value in metadata.items() if key not in ("nbgrader", "question", "alt")}
        if kept := [tag for tag in tags if tag not in TRUSTED_TAGS]:
            released["tags"] = kept
        if trusted == "picture":
            released["lsedu"] = {"picture": name}
        source.cells.append(
            Cell(
                id=name,
                kind=kind,
                role=role,
                # an answer in words that nobody has marked as one is an answer all the same
                source=BLANK if role == "manual" and "### BEGIN SOLUTION" not in body else strip(body, kind=kind),
                solution=unmark(body),
                question=question if role in ("student", "check", "manual") or "hint" in tags else "",
                metadata={**released, **({"nbgrader": metadata["nbgrader"]} if "nbgrader" in metadata else {})},
            )
        )
        if role in ("preamble", "student") and kind == "code":
            source.order.append(name)
    return source


def _manifest(path: Path, given: Any) -> Manifest:
    if not isinstance(given, dict) or "lab" not in given:
        raise LabError(f"{path} is not a lab: its header needs `lsedu:` with at least `lab:` and `title:`")
    known = {item.name for item in fields(Manifest)}
    if unknown := sorted(set(given) - known):
        raise LabError(
            f"{path}: the header's `lsedu:` has no key {', '.join(unknown)}; it has {', '.join(sorted(known))}"
        )
    if given["lab"] != path.stem:
        raise LabError(f"{path}: the lab is called {given['lab']!r}, but its file {path.stem!r}; they must agree")
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    if isinstance(given.get("variants"), dict):  # a number n stands for 0 to n - 1
        given["variants"] = {
            key: range(value) if type(value) is int else value for key, value in given["variants"].items()
        }
        if wrong := [
            key for key, value in given["variants"].items() if not isinstance(value, list | range) or not value
        ]:
            raise LabError(f"{path}: the variant {wrong[0]!r} needs a list of values, or a number n for 0 to n - 1")
    return Manifest(**given)


def _varied(text: str, name: str, manifest: Manifest, *, graded: bool) -> None:
    """Refuse a variant that does not exist, or that graded code would depend on."""
    if unknown := sorted(variant.places(text) - set(manifest.variants)):
        raise LabError(f"cell {name!r} asks for the variant {unknown[0]!r}, which the header does not list")
    if graded and variant.places(text):
        raise LabError(f"cell {name!r} is graded or declares what is: it must be the same for all students")


def _role(raw: Any, metadata: dict, tags: list[str], question: str) -> tuple[Role, str]:
    """Return the role of a cell and the question it belongs to (by default the latest answered)."""
    graded = metadata.get("nbgrader", {})
    question = metadata.get("question", graded.get("grade_id", question))
    if graded and "grade_id" not in graded:
        raise LabError(f"the cell that begins {_first_line(raw.source)!r} has nbgrader metadata without a grade_id")
    if "preamble" in tags:
        return "preamble", question
    if not graded:
        return "plain", question
    if raw.cell_type == "markdown":
        if not (graded.get("grade") and graded.get("solution") and "points" in graded):
            raise LabError(f"{question}: a question in words needs `grade: true, solution: true, points: ...`")
        return "manual", question
    if graded.get("solution"):
        return "student", question
    if graded.get("grade"):
        return "check", question
    raise LabError(f"{question}: nbgrader metadata must say `solution: true` or `grade: true`")


def _id(raw: Any, role: Role, question: str, tags: list[str], used: dict[str, int], hints: dict[str, int]) -> str:
    if "hint" in tags:
        hints[question] = hints.get(question, 0) + 1
        return f"{question}-hint-{hints[question]}"
    tag = next((tag for tag in TRUSTED_TAGS if tag in tags), None)
    if tag is not None:
        stem = f"{question}-{tag}"
    else:
        short = hashlib.sha256(raw.source.encode()).hexdigest()[:8]
        stem = {"student": question, "manual": question, "check": f"{question}-check"}.get(role, f"{role}-{short}")
    used[stem] = used.get(stem, 0) + 1
    return stem if used[stem] == 1 else f"{stem}-{used[stem]}"
