"""The site: jupyter-book on the staged copy, every warning an error."""

import os
import shutil
import subprocess
from pathlib import Path

from lsedu import _light, _write
from lsedu.book import expected
from lsedu.book.execute import Say, execute
from lsedu.book.pages import Book, BookError
from lsedu.book.stage import stage


def _forget_if_the_frame_changed(book: Book) -> None:
    """Remove the last build if the table of contents or the configuration changed: every page shows them."""
    stamp = book.build / "cache" / "frame.key"
    frame = b"".join((book.staged / name).read_bytes() for name in ("_toc.yml", "_config.yml"))
    if not stamp.is_file() or stamp.read_bytes() != frame:
        shutil.rmtree(book.build / "_build", ignore_errors=True)
        _write.write(stamp, frame)


def build(book: Book, *, parameters: dict[str, object], say: Say = str) -> Path:
    """Execute what changed, compare it with the stored outputs, stage it, build the site and return its first page.

    Raises
    ------
    BookError
        If a claim points at nothing, a page fails or prints other numbers, or Sphinx warns of anything.
    """
    book.claims()
    say("Executing the pages")
    executed = execute(book, parameters, say=say)
    if parameters == expected.PARAMETERS:
        say("Comparing the marked outputs with the stored ones")
        expected.compare(book, executed)
    say("Staging the copy that Sphinx reads")
    stage(book, executed)
    _forget_if_the_frame_changed(book)
    say("Building the site")
    command = _light.command("from jupyter_book.cli.main import main; main()")
    command += ["build", str(book.staged), "--path-output", str(book.build), "-n", "-W", "--keep-going"]
    environment = {**os.environ, "NO_COLOR": "1"}
    log = book.build / "sphinx.log"
    with open(log, "w", encoding="utf-8") as out:
        status = subprocess.run(command, env=environment, stdout=out, stderr=subprocess.STDOUT).returncode
    text = log.read_text(encoding="utf-8")
    warnings = [line for line in text.splitlines() if "WARNING" in line or "ERROR" in line]
    if status or warnings:
        shown = "\n".join(warnings[:20]) or text[-3000:]
        raise BookError(f"Sphinx is not content; its whole log is {log}\n{shown}")
    first = book.site / "index.html"
    if not first.is_file():
        raise BookError(f"no page was built; the log of Sphinx is {log}")
    return first
