"""Executing pages with papermill, each at most once for the same text, code, parameters and files that it reads."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import papermill

from lsedu import _reads, _write
from lsedu.book.nursery import Nursery
from lsedu.book.pages import Book, BookError, page_key, read_notebook

Say = Callable[[str], None]

SIDE_BY_SIDE = 2
"""So many pages are executed at a time; more need more memory, and the time that a page says it takes would grow."""


def merge_streams(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Return outputs with consecutive pieces of one stream joined: where a kernel cuts its output is chance."""
    merged: list[nbformat.NotebookNode] = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def unpictured(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the names of the figures whose cell shows no picture: a page would have their caption nowhere.

    Examples
    --------
    >>> figure = {"mystnb": {"figure": {"name": "fig-plane"}}}
    >>> cell = nbformat.v4.new_code_cell("draw()", metadata=figure)
    >>> unpictured(nbformat.v4.new_notebook(cells=[cell]))
    ['fig-plane']
    """
    found = []
    for cell in notebook.cells:
        figure = cell.metadata.get("mystnb", {}).get("figure")
        shown = (kind for output in cell.get("outputs", ()) for kind in output.get("data", ()))
        if figure and not any(kind.startswith("image/") for kind in shown):
            found.append(figure.get("name", "without a name"))
    return found


def _begin_kernels_with(path: Path) -> dict[str, str]:
    """Return the environment in which a kernel notes what it reads before the first cell runs."""
    _write.write(path, b"import lsedu\ndel lsedu\n")
    return {"PYTHONSTARTUP": str(path)}


def execute_page(book: Book, page: str, parameters: dict[str, object], *, nursery: Nursery) -> Path:
    """Execute one page, in a kernel from the nursery, and return the notebook with its outputs.

    In its metadata are the seconds it took, and the files of the book that it read, with what they held.

    Raises
    ------
    BookError
        If a cell fails, or the cell of a figure shows no picture. The notebook is kept and named.
    """
    work = book.build / "work"
    draft, output = work / f"{page}.ipynb", work / f"{page}.out.ipynb"
    draft.parent.mkdir(parents=True, exist_ok=True)
    notebook = read_notebook(book.source / f"{page}.md")
    nbformat.write(notebook, draft)
    manifest = work / f"{page}.reads"
    manifest.unlink(missing_ok=True)
    watched = {**_reads.environment(manifest, book.source), **_begin_kernels_with(work / f"{page}.startup.py")}
    start = time.perf_counter()
    try:
        papermill.execute_notebook(
            draft,
            output,
            parameters=parameters,
            kernel_name="python3",
            progress_bar=False,
            log_output=False,
            kernel_manager_class=nursery.manager(watched),
            # the kernel's folder; papermill's `cwd` is that of this whole process, also of the page beside this one
            resources={"metadata": {"path": str((book.source / page).parent)}},
        )
    except papermill.PapermillExecutionError as error:
        raise BookError(
            f"book/{page}.md: cell {error.exec_count} failed with {error.ename}: {error.evalue}; "
            f"the notebook as it stopped is {output}"
        ) from error
    done = nbformat.read(output, as_version=4)
    if missing := unpictured(done):
        raise BookError(f"book/{page}.md: no picture from the cell of figure {', '.join(missing)}; see {output}")
    seconds = round(time.perf_counter() - start, 1)
    reads = _reads.states(read_by(book, _reads.noted(manifest)), book.root)
    done.metadata["lsedu"] = {"seconds": seconds, "parameters": parameters, "reads": reads}
    done.metadata.pop("papermill", None)
    for cell in done.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = merge_streams(cell.outputs)
    part = work / f"{page}.part.ipynb"
    nbformat.write(done, part)
    return part


def read_by(book: Book, noted: set[Path] | None) -> set[Path]:
    """Return what a page is taken to have read: what it noted; the whole of records and claims if it noted nothing."""
    return {*book.source.glob("records/*"), *book.source.glob("*/claims.yml")} if noted is None else noted


def is_current(book: Book, kept: Path) -> bool:
    """Return whether an executed notebook is there, and all that it read is as it was."""
    if not kept.is_file():
        return False
    reads = nbformat.read(kept, as_version=4).metadata.get("lsedu", {}).get("reads")
    return reads is not None and _reads.unchanged(reads, book.root)


def execute(book: Book, parameters: dict[str, object], *, say: Say = str) -> dict[str, Path]:
    """Execute all pages that changed and return the executed notebook of each.

    Parameters
    ----------
    book : Book
    parameters : dict
        What papermill sets: profile, seed, device.
    say : callable
        Told of each page in a line.

    Returns
    -------
    dict of str to Path
        By page, the executed notebook in the cache.

    Raises
    ------
    BookError
        If a page fails.
    """
    cache, pages = book.build / "cache", book.notebooks()
    names = {page: page.replace("/", "-") for page in pages}
    kept = {page: cache / f"{name}-{page_key(book, page, parameters)}.ipynb" for page, name in names.items()}
    due = [page for page in pages if not is_current(book, kept[page])]

    def bring(page: str) -> None:
        line = f"[{pages.index(page) + 1}/{len(pages)}] {page}"
        if page not in due:
            return say(f"{line}: unchanged")
        say(f"{line}: executing")
        fresh = execute_page(book, page, parameters, nursery=nursery)
        for old in cache.glob(f"{names[page]}-{'?' * 24}.ipynb"):
            old.unlink()
        _write.write(kept[page], fresh.read_bytes())
        fresh.unlink()

    with Nursery(len(due)) as nursery, ThreadPoolExecutor(SIDE_BY_SIDE) as beside:
        try:
            list(beside.map(bring, pages))
        except BaseException:
            beside.shutdown(wait=False, cancel_futures=True)
            raise
    return kept
