"""Expected outputs: the marked cells of each page, held by nbval to what was reviewed.

Cells with the tag ``check`` print numbers that must not change unseen. `refresh` writes them into
``tests/book/expected/PAGE.ipynb`` at the smoke profile; `compare` holds to them what a build has executed, and `check`
runs every page again under nbval.
"""

import hashlib
import os
import random
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

import nbformat

from lsedu import _light, _write
from lsedu._errors import CheckFailedError
from lsedu.book.execute import SIDE_BY_SIDE, Say
from lsedu.book.nursery import NAME, Nursery
from lsedu.book.pages import Book, BookError, read_notebook

PARAMETERS: dict[str, object] = {"profile": "smoke", "seed": 0, "device": "cpu"}
NBVAL_TAG = "nbval-check-output"
NOT_HELD = {"image/png", "image/jpeg", "application/vnd.jupyter.widget-view+json"}
"""What differs though no number does: pictures, byte by byte, and the names of widgets. nbval leaves the same out."""


OWN_KERNELS = 4
"""How many pages show under nbval that they run in a kernel that has imported nothing."""


class DifferentError(BookError, CheckFailedError):
    """An output is not the stored one, or the stored ones are not those of the present pages."""


def marked(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the cells whose outputs are held."""
    return [cell for cell in notebook.cells if "check" in cell.metadata.get("tags", ())]


def _bare(executed: nbformat.NotebookNode, source: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the expected notebook: the page's cells in order, outputs in marked cells only."""
    cells = [cell for cell in executed.cells if "injected-parameters" not in cell.metadata.get("tags", ())]
    kept = nbformat.v4.new_notebook(metadata={"kernelspec": source.metadata["kernelspec"]})
    for cell, original in zip(cells, source.cells, strict=True):
        tags = list(original.metadata.get("tags", ()))
        if cell.cell_type == "code":
            fresh = nbformat.v4.new_code_cell(cell.source)
            if "check" in tags:
                tags.append(NBVAL_TAG)
                # nbval compares the outputs of cells that were run, and takes the count for the sign of it
                fresh.execution_count = 1
                fresh.outputs = cell.outputs
                for output in fresh.outputs:
                    if "execution_count" in output:
                        output["execution_count"] = 1
        else:
            fresh = nbformat.v4.new_markdown_cell(cell.source)
        fresh["id"] = original["id"]
        if tags:
            fresh.metadata["tags"] = tags
        kept.cells.append(fresh)
    return kept


def refresh(book: Book, executed: dict[str, Path], *, say: Say = str) -> list[Path]:
    """Write the expected notebooks from executed ones (at the smoke profile); review the difference like code.

    Raises
    ------
    BookError
        If a page marks no cell, or a marked cell printed nothing.
    """
    written = []
    for page, path in executed.items():
        source = read_notebook(book.source / f"{page}.md")
        notebook = _bare(nbformat.read(path, as_version=4), source)
        _require_outputs(notebook, page)
        target = book.expected / f"{page}.ipynb"
        _write.write(target, nbformat.writes(notebook).encode() + b"\n")
        say(f"{target.relative_to(book.root)}: {len(marked(notebook))} marked cells")
        written.append(target)
    for stray in set(book.expected.rglob("*.ipynb")) - set(written):
        stray.unlink()
        say(f"{stray.relative_to(book.root)}: removed, it has no page")
    return written


def _require_outputs(notebook: nbformat.NotebookNode, page: str) -> None:
    if not marked(notebook):
        raise BookError(f"book/{page}.md marks no cell with the tag `check`: nothing would hold its numbers")
    for cell in marked(notebook):
        if not cell.outputs:
            raise BookError(f"book/{page}.md: a cell marked `check` has no output: {cell.source.splitlines()[0]!r}")


def check_stored(book: Book) -> list[Path]:
    """Return the expected notebooks, one a page, if each has outputs and is the page's present text.

    Raises
    ------
    DifferentError
        If one is missing, stale, left over, or without outputs (which nbval alone would pass).
    """
    pages = book.notebooks()
    wanted = {book.expected / f"{page}.ipynb": page for page in pages}
    advice = "run `make expected` and review the difference"
    for stray in set(book.expected.rglob("*.ipynb")) - set(wanted):
        raise DifferentError(f"{stray.relative_to(book.root)} has no page; {advice}")
    for path, page in wanted.items():
        if not path.is_file():
            raise DifferentError(f"book/{page}.md has no expected outputs; {advice}")
        stored = nbformat.read(path, as_version=4)
        _require_outputs(stored, page)
        present = [(cell.cell_type, cell.source) for cell in read_notebook(book.source / f"{page}.md").cells]
        if [(cell.cell_type, cell.source) for cell in stored.cells] != present:
            raise DifferentError(f"{path.relative_to(book.root)} is not the present text of book/{page}.md; {advice}")
    return list(wanted)


def shown(cell: nbformat.NotebookNode) -> list[object]:
    """Return what is held of a cell's outputs: each stream with its name, each value in every form but as a picture."""

    def held(output: nbformat.NotebookNode) -> dict[str, object]:
        if output.output_type == "stream":
            return {output.name: output.text}
        if output.output_type == "error":
            return {output.ename: output.evalue}
        return {form: value for form, value in output.data.items() if form not in NOT_HELD}

    return [held(output) for output in cell.outputs]


def compare(book: Book, executed: dict[str, Path]) -> None:
    """Compare the marked outputs of pages executed at the smoke profile with the stored ones, as nbval would.

    Raises
    ------
    DifferentError
        At the first output that differs; both are in the message.
    """
    for page, path in executed.items():
        stored = nbformat.read(book.expected / f"{page}.ipynb", as_version=4)
        for old, new in zip(marked(stored), marked(nbformat.read(path, as_version=4)), strict=True):
            before, now = shown(old), shown(new)
            if before != now:
                raise DifferentError(
                    f"book/{page}.md: the output of the cell that begins {old.source.splitlines()[0]!r} is not the "
                    f"stored one; if it is meant, run `make expected`.\nstored: {before}\nnow: {now}"
                )


def nbval(notebooks: list[Path], *, folder: Path, listed: Mapping[str, str] | None = None) -> CompletedProcess[str]:
    """Run notebooks under nbval in a folder and return how it ended.

    With the variables that `Nursery.listed` gives their kernels are forked there, else started as Jupyter does.
    """
    # no conftest: what tests of the library share imports torch
    command = _light.command("import pytest; sys.exit(pytest.main())")
    command += ["-p", "no:cacheprovider", "--noconftest", "--nbval-lax", "-q", *map(str, notebooks)]
    command += [f"--nbval-kernel-name={NAME}"] if listed else []
    environment = {**os.environ, **(listed or {})}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)


def check(book: Book, *, notebooks: list[Path] | None = None) -> None:
    """Run the pages again under nbval, and compare the marked outputs.

    A few, drawn by what is stored, get a kernel as Jupyter starts it, which imports everything itself. The others get
    one forked from a process with the libraries: as fresh, for less.

    Raises
    ------
    DifferentError
        If the stored notebooks are not fit to compare with, or an output differs; the comparison is in the message.
    """
    paths = check_stored(book) if notebooks is None else notebooks
    if not paths:
        raise BookError("there is no notebook to check")
    drawn = random.Random(hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest())
    alone = drawn.sample(paths, min(OWN_KERNELS, len(paths)))
    forked = [path for path in paths if path not in alone]
    with Nursery(len(forked)) as nursery, nursery.listed() as listed, ThreadPoolExecutor(SIDE_BY_SIDE) as beside:
        if listed is None:
            alone, forked = paths, []
        # every other page, as those beside each other cost alike
        starts = range(SIDE_BY_SIDE)
        shares = [
            (share, listed if group is forked else None)
            for group in (alone, forked)
            for at in starts
            if (share := group[at::SIDE_BY_SIDE])
        ]
        ended = beside.map(lambda share: nbval(share[0], folder=book.root, listed=share[1]), shares)
        said = [done.stdout[-6000:] for done in ended if done.returncode]
    if said:
        raise DifferentError("\n".join(["nbval found a difference; if it is meant, run `make expected`", *said]))
