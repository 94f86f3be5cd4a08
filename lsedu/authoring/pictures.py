"""The "you should see" pictures of a lab: drawn from the solution, embedded in the released notebook."""

import base64
import contextlib
import hashlib
import io
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lsedu.authoring import variant
from lsedu.authoring.load import run
from lsedu.authoring.source import LabError, LabSource


class Picture(NamedTuple):
    """A released picture: its Markdown, and the mark that ties this to what it was drawn from (`mark`)."""

    text: str = ""
    mark: str = ""


class _Step(NamedTuple):
    """A cell that is run when a lab is drawn: its id and text, and the words for what is seen if it is a picture."""

    id: str
    text: str
    alt: str | None = None


def _steps(source: LabSource) -> Iterator[_Step]:
    """Return the cells that pictures need, in order: the preamble, those tagged `setup`, solutions, and pictures."""
    drawings = {name: (text, metadata) for tag, name, text, metadata in source.trusted if tag == "picture"}
    for cell in source.cells:
        if cell.id in drawings:
            text, metadata = drawings[cell.id]
            if "alt" not in metadata:
                raise LabError(f"picture {cell.id!r} needs `alt` in its metadata: what it shows, in words")
            yield _Step(cell.id, text, metadata["alt"])
        elif cell.role in ("preamble", "student") or "setup" in cell.metadata.get("tags", ()):
            yield _Step(cell.id, variant.fill(cell.solution, variant.default(source.manifest)))


def origins(source: LabSource) -> dict[str, str]:
    """Return a digest of what each picture is drawn from, by the id of its cell: the texts of all that is run up to it.

    Raises
    ------
    LabError
        If a picture has no `alt` text.
    """
    digest, found = hashlib.sha256(), {}
    for step in _steps(source):
        digest.update(repr((step.text, step.alt)).encode())
        if step.alt is not None:
            found[step.id] = digest.hexdigest()
    return found


def draw(source: LabSource) -> dict[str, Picture]:
    """Run the lab with its solutions and draw its pictures.

    The preamble, the cells tagged `setup` and the solutions are run in order; a cell tagged `picture` leaves a
    matplotlib figure in the name `figure`.

    Returns
    -------
    dict
        By the id of the picture's cell; the text is Markdown of an embedded PNG.

    Raises
    ------
    LabError
        If a cell fails, or a picture has no `alt` text or leaves no figure.
    """
    import matplotlib

    matplotlib.use("Agg")
    space: dict[str, Any] = {"__name__": f"lab:{source.manifest.lab}"}
    origin, pictures = origins(source), {}
    for step in _steps(source):
        with contextlib.redirect_stderr(io.StringIO()):  # progress bars
            run(step.text, space, name=step.id)
        if step.alt is not None:
            if "figure" not in space:
                raise LabError(f"picture {step.id!r} must leave its figure in the name `figure`")
            text = _embed(space.pop("figure"), step.alt)
            pictures[step.id] = Picture(text, mark(text, origin[step.id]))
    return pictures


def _embed(figure: Any, alt: str) -> str:
    from matplotlib import pyplot
    from PIL import Image

    raw, small = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", dpi=80, bbox_inches="tight", metadata={"Software": None})
    pyplot.close(figure)
    Image.open(raw).convert("RGB").quantize(48).save(small, format="PNG", optimize=True)
    text = base64.b64encode(small.getvalue()).decode("ascii")
    return f"**You should see** something like this.\n\n![{alt}](data:image/png;base64,{text})"


def mark(text: str, origin: str) -> str:
    """Return what ties a picture's text to what it was drawn from (`origins`): sixteen hex digits."""
    return hashlib.sha256((origin + text).encode()).hexdigest()[:16]


def kept(old: Mapping[str, Any], origin: Mapping[str, str]) -> dict[str, Picture]:
    """Return the pictures of an earlier release that are as they were drawn, from what they would be drawn from now."""
    found = {}
    for cell in old["cells"]:
        text, drawn = "".join(cell["source"]), cell["metadata"].get("lsedu", {}).get("picture")
        if cell["id"] in origin and mark(text, origin[cell["id"]]) == drawn:
            found[cell["id"]] = Picture(text, drawn)
    return found
