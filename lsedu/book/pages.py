"""The pages of the book: which there are, what each depends on, and the key under which its execution is kept."""

import hashlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
import yaml

from lsedu import _modules
from lsedu._errors import LseduError
from lsedu.book import claims, placing

API = "appendix/api"


class BookError(LseduError, RuntimeError):
    """The book cannot be built or checked; the message says where and what to do."""


@dataclass(frozen=True)
class Book:
    """Where things lie.

    Attributes
    ----------
    root : Path
        The checkout.
    """

    root: Path

    @property
    def source(self) -> Path:
        """The folder with the pages."""
        return self.root / "book"

    @property
    def build(self) -> Path:
        """The folder for everything that is made."""
        return self.root / "build" / "book"

    @property
    def staged(self) -> Path:
        """The copy of the source that Sphinx reads, with executed notebooks."""
        return self.build / "source"

    @property
    def site(self) -> Path:
        """The finished site."""
        return self.build / "_build" / "html"

    @property
    def expected(self) -> Path:
        """The notebooks with the marked outputs."""
        return self.root / "tests" / "book" / "expected"

    def pages(self) -> list[str]:
        """Return the pages of the table of contents, in order, without suffix.

        Raises
        ------
        BookError
            If there is no table of contents, or it names a page that does not exist.
        """
        if not (self.source / "_toc.yml").is_file():
            raise BookError(f"there is no book in {self.root}: run this in a checkout, or name one by --root")
        toc = yaml.safe_load((self.source / "_toc.yml").read_text(encoding="utf-8"))
        found: list[str] = []

        def walk(node: object) -> None:
            if isinstance(node, dict):
                for key in ("root", "file"):
                    if key in node:
                        found.append(node[key].removesuffix(".md"))
                for value in node.values():
                    walk(value)
            elif isinstance(node, list):
                for value in node:
                    walk(value)

        walk(toc)
        for page in found:
            if not self.is_generated(page) and not (self.source / f"{page}.md").is_file():
                raise BookError(f"_toc.yml names {page}, but book/{page}.md does not exist")
        return found

    def labels(self) -> dict[str, list[str]]:
        """Return the pages of each label: that of a section, an equation, a figure or an exercise."""
        found: dict[str, list[str]] = {}
        for page in self.pages():
            if not self.is_generated(page):
                text = (self.source / f"{page}.md").read_text(encoding="utf-8")
                for section, option in re.findall(r"^\(([\w-]+)\)=$|^:label: ([\w-]+)$", text, re.MULTILINE):
                    found.setdefault(section or option, []).append(page)
        return found

    def places(self) -> list[placing.Place]:
        """Return where the pages place moving figures, in the order of the table of contents.

        Raises
        ------
        BookError
            If a page says of a figure something else than whether it asks.
        """
        found: list[placing.Place] = []
        for page in self.notebooks():
            try:
                found += placing.places(page, (self.source / f"{page}.md").read_text(encoding="utf-8"))
            except ValueError as error:
                raise BookError(f"book/{page}.md: {error}") from error
        return found

    def figures(self) -> dict[str, list[str]]:
        """Return the pages that place each moving figure, in the order of the table of contents."""
        found: dict[str, list[str]] = {}
        for place in self.places():
            found.setdefault(place.figure, []).append(place.page)
        return found

    def asked(self) -> dict[str, str]:
        """Return the page on which each figure that asks for a prediction does.

        Raises
        ------
        BookError
            If one asks on two pages, as on the second its question is spent, or a page asks two questions.
        """
        found: dict[str, str] = {}
        asking: dict[str, str] = {}
        for place in self.places():
            if place.asks and found.setdefault(place.figure, place.page) != place.page:
                raise BookError(
                    f"the figure {place.figure!r} asks on two pages, {found[place.figure]} and {place.page}: where it "
                    "is not to ask, its place says `:asks: no`"
                )
            if place.asks and asking.setdefault(place.page, place.figure) != place.figure:
                raise BookError(
                    f"book/{place.page}.md asks two questions, of {asking[place.page]!r} and of {place.figure!r}: a "
                    "page asks one"
                )
        return found

    def claims(self) -> tuple[claims.Claim, ...]:
        """Return the claims, each held to the labels and figures of the pages.

        Raises
        ------
        BookError
            If a claim points at what does not exist, or a figure that asks goes with no claim or with several.
        """
        try:
            found = claims.load(self.source, anchors=self.labels())
        except claims.ClaimError as error:
            raise BookError(f"book/{error}") from error
        counted = [claim.figure for claim in found if claim.figure]
        placed, asked = self.figures(), self.asked()
        for name in counted:
            if name not in placed:
                raise BookError(
                    f"a claim names the figure {name!r}, which no page places; there are {', '.join(placed)}"
                )
            if name not in asked:
                raise BookError(f"a claim names the figure {name!r}, which asks on no page: there is nothing to score")
        for name in asked:
            if counted.count(name) != 1:
                raise BookError(
                    f"the figure {name!r} must go with one claim (`figure: {name}` in a claims.yml), for the score of "
                    f"its prediction; it goes with {counted.count(name)}"
                )
        return found

    def title(self, page: str) -> str:
        """Return a page's first heading."""
        return re.search(r"^# (.+)$", (self.source / f"{page}.md").read_text(encoding="utf-8"), re.MULTILINE)[1]

    def is_generated(self, page: str) -> bool:
        """Return whether a page has no text of its own: the API reference, and the labs as students get them."""
        return page == API or (self.root / f"{page}.ipynb").is_file()

    def notebooks(self) -> list[str]:
        """Return the pages that are text notebooks."""
        return [
            page
            for page in self.pages()
            if not self.is_generated(page) and is_notebook((self.source / f"{page}.md").read_text(encoding="utf-8"))
        ]


def is_notebook(text: str) -> bool:
    """Return whether a page is a text notebook: its front matter names a kernel."""
    front = re.match(r"---\n(.*?)\n---\n", text, re.S)
    return bool(front and "kernelspec" in (yaml.safe_load(front[1]) or {}))


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Return the notebook of a text page, with cell ids that depend on place and text only."""
    notebook = jupytext.read(path, fmt="md:myst")
    for i, cell in enumerate(notebook.cells):
        cell["id"] = hashlib.sha256(f"{i}\0{cell.source}".encode()).hexdigest()[:12]
    return notebook


def code(notebook: nbformat.NotebookNode) -> str:
    """Return the Python of a notebook as one text, IPython's own lines left out."""
    lines = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code").splitlines()
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)


def page_key(book: Book, page: str, parameters: dict[str, object]) -> str:
    """Return the cache key of a page's execution.

    It covers the page's text, the text of the lsedu modules that its code makes use of, the constraints, the parameters
    and the version of Python. What a page reads is known only once it has run: see `lsedu.book.execute.is_current`.

    Raises
    ------
    BookError
        If a code cell is not Python.
    """
    path = book.source / f"{page}.md"
    try:
        modules = _modules.digest(source=code(read_notebook(path)))
    except SyntaxError as error:
        raise BookError(f"{path}: a code cell is not Python: {error}") from error
    sha = hashlib.sha256(path.read_bytes())
    sha.update(modules.encode())
    sha.update((book.root / "constraints.txt").read_bytes())
    sha.update(json.dumps([parameters, sys.version_info[:3]], sort_keys=True).encode())
    return sha.hexdigest()[:24]
