"""Executing pages with papermill, each at most once for the same text, code, records and parameters."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import papermill
from traitlets.config import Config

from lsedu import _write
from lsedu.book.pages import Book, BookError, page_key, read_notebook

Say = Callable[[str], None]


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


def execute_page(book: Book, page: str, parameters: dict[str, object], *, progress: bool = False) -> Path:
    """Execute one page and return the notebook with its outputs; the seconds it took are in its metadata.

    Raises
    ------
    BookError
        If a cell fails. The notebook with the error is kept and named.
    """
    work = book.build / "work"
    draft, output = work / f"{page}.ipynb", work / f"{page}.out.ipynb"
    draft.parent.mkdir(parents=True, exist_ok=True)
    notebook = read_notebook(book.source / f"{page}.md")
    nbformat.write(notebook, draft)
    start = time.perf_counter()
    try:
        papermill.execute_notebook(
            draft,
            output,
            parameters=parameters,
            kernel_name="python3",
            cwd=str((book.source / page).parent),
            progress_bar=progress,
            log_output=False,
            # a kernel's TCP ports can be read by everyone on the machine; its sockets by the owner alone
            config=Config(KernelManager={"transport": "ipc" if os.name == "posix" else "tcp"}),
        )
    except papermill.PapermillExecutionError as error:
        raise BookError(
            f"book/{page}.md: cell {error.exec_count} failed with {error.ename}: {error.evalue}; "
            f"the notebook as it stopped is {output}"
        ) from error
    done = nbformat.read(output, as_version=4)
    done.metadata["lsedu"] = {"seconds": round(time.perf_counter() - start, 1), "parameters": parameters}
    done.metadata.pop("papermill", None)
    for cell in done.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = merge_streams(cell.outputs)
    part = work / f"{page}.part.ipynb"
    nbformat.write(done, part)
    return part


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
    cache = book.build / "cache"
    done: dict[str, Path] = {}
    pages = book.notebooks()
    for i, page in enumerate(pages, start=1):
        kept = cache / f"{page.replace('/', '-')}-{page_key(book, page, parameters)}.ipynb"
        if kept.is_file():
            say(f"[{i}/{len(pages)}] {page}: unchanged")
        else:
            say(f"[{i}/{len(pages)}] {page}: executing")
            fresh = execute_page(book, page, parameters)
            for old in cache.glob(f"{page.replace('/', '-')}-{'?' * 24}.ipynb"):
                old.unlink()
            _write.write(kept, fresh.read_bytes())
            fresh.unlink()
        done[page] = kept
    return done
