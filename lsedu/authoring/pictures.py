"""The "you should see" pictures of a lab: drawn from the solution, embedded in the released notebook."""

import base64
import contextlib
import hashlib
import io
from collections.abc import Mapping
from typing import Any

from lsedu.authoring import variant
from lsedu.authoring.load import run
from lsedu.authoring.source import LabError, LabSource


def draw(source: LabSource) -> dict[str, str]:
    """Run the lab with its solutions and draw its pictures.

    The preamble, the cells tagged `setup` and the solutions are run in order; a cell tagged `picture` leaves a
    matplotlib figure in the name `figure`.

    Returns
    -------
    dict
        Markdown of an embedded PNG, by the id of the picture's cell.

    Raises
    ------
    LabError
        If a cell fails, or a picture has no `alt` text or leaves no figure.
    """
    import matplotlib

    matplotlib.use("Agg")
    drawings = {name: (text, metadata) for tag, name, text, metadata in source.trusted if tag == "picture"}
    space: dict[str, Any] = {"__name__": f"lab:{source.manifest.lab}"}
    pictures = {}
    for cell in source.cells:
        if cell.id in drawings:
            text, metadata = drawings[cell.id]
            if "alt" not in metadata:
                raise LabError(f"picture {cell.id!r} needs `alt` in its metadata: what it shows, in words")
            run(text, space, name=cell.id)
            if "figure" not in space:
                raise LabError(f"picture {cell.id!r} must leave its figure in the name `figure`")
            pictures[cell.id] = _embed(space.pop("figure"), metadata["alt"])
        elif cell.role in ("preamble", "student") or "setup" in cell.metadata.get("tags", ()):
            with contextlib.redirect_stderr(io.StringIO()):  # progress bars
                run(variant.fill(cell.solution, variant.default(source.manifest)), space, name=cell.id)
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


def mark(text: str) -> str:
    """Return what ties a released picture to its text: sixteen hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def kept(old: Mapping[str, Any]) -> dict[str, str]:
    """Return the pictures of an earlier release that are as they were drawn."""
    found = {}
    for cell in old.get("cells", ()):
        drawn = cell.get("metadata", {}).get("lsedu", {}).get("picture")
        text = "".join(cell["source"])
        if drawn is not None and mark(text) == drawn:
            found[cell["id"]] = text
    return found
