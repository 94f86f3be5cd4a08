"""Staging: the copy of the book that Sphinx reads, with executed notebooks, badges, figures' data and the API pages."""

import ast
import importlib
import io
import json
import os
import pkgutil
import re
import shutil
from importlib.resources import files
from pathlib import Path

import nbformat
from matplotlib import rc_context

import lsedu
from lsedu import _modules, _project, _reads
from lsedu._write import write
from lsedu.authoring.notebook import colab_guard
from lsedu.book import figures, labs
from lsedu.book.pages import API, Book
from lsedu.plots.colours import css

PUBLISHED = "_notebooks"
"""Folder of the site with the executed notebooks: what Colab opens, from the branch that Pages publishes."""

DRAWN = (".data.js", ".svg")
"""What is made of each moving figure, by ending."""

PAGES_BRANCH = "gh-pages"


def _refresh(path: Path, content: bytes) -> None:
    """Write a file only if its content differs: Sphinx reads again what has a new time stamp."""
    if not path.is_file() or path.read_bytes() != content:
        write(path, content)


def badges(page: str, *, seconds: float | None = None, device: str = "cpu") -> str:
    """Return the line of badges under a page's title, as MyST: Colab, Binder, device and measured time."""
    slug = _project.slug()
    colab = f"https://colab.research.google.com/github/{slug}/blob/{PAGES_BRANCH}/{PUBLISHED}/{page}.ipynb"
    binder = f"https://mybinder.org/v2/gh/{slug}/main?urlpath=lab/tree/book/{page}.md"
    parts = [f"[Open in Colab]({colab})", f"[Open in Binder]({binder})"]
    parts.append(f"runs on: {'a CPU' if device == 'cpu' else device}")
    if seconds is not None:
        parts.append(f"measured: {seconds:.0f} s" if seconds < 90 else f"measured: {seconds / 60:.0f} min")
    return ":::{div} page-badges\n" + " · ".join(parts) + "\n:::"


def assigned(source: str) -> dict[str, object]:
    """Return the constants that a cell of parameters assigns.

    Examples
    --------
    >>> assigned('profile = "smoke"  # seconds')
    {'profile': 'smoke'}
    """
    return {
        line.targets[0].id: ast.literal_eval(line.value)
        for line in ast.parse(source).body
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)
    }


def presented(notebook: nbformat.NotebookNode, page: str) -> nbformat.NotebookNode:
    """Return a copy of an executed notebook as it is shown: badges under its first heading, parameters once."""
    notebook = nbformat.from_dict(json.loads(json.dumps(notebook)))
    facts = notebook.metadata["lsedu"]
    for before, cell in zip(notebook.cells, notebook.cells[1:]):
        # The cell that papermill puts in repeats the page's own parameters, unless it was told others.
        if "injected-parameters" in cell.metadata.get("tags", ()) and assigned(cell.source) == assigned(before.source):
            cell.metadata["tags"] = [*cell.metadata["tags"], "remove-cell"]
    for cell in notebook.cells:
        lines = cell.source.splitlines()
        at = next((i for i, line in enumerate(lines) if line.startswith("# ")), None)
        if cell.cell_type == "markdown" and at is not None:
            line = badges(page, seconds=facts["seconds"], device=str(facts["parameters"]["device"]))
            cell.source = "\n".join([*lines[: at + 1], "", line, "", *lines[at + 1 :]])
            break
    return notebook


def for_colab(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy of an executed notebook that sets itself up on Colab."""
    notebook = nbformat.from_dict(json.loads(json.dumps(notebook)))
    guard = nbformat.v4.new_code_cell(colab_guard())
    guard["id"] = "colab-guard"
    notebook.cells.insert(0, guard)
    return notebook


def scored(text: str, book: Book) -> str:
    """Return MyST whose score of predictions, if it has one, names each figure that a claim goes with and its page."""
    empty = "```{prediction-score}\n```"
    if empty not in text:
        return text
    asked, lines = book.asked(), []
    for claim in book.claims():
        if claim.figure:
            page = asked[claim.figure]
            lines.append(f"{claim.figure} {page} {claim.key} {book.title(page)}")
    return text.replace(empty, "\n".join(["```{prediction-score}", *lines, "```"]))


def _retarget(text: str, page: str, notebooks: set[str]) -> str:
    """Return MyST with its links to text notebooks (PAGE.md) turned to what Sphinx finds there (PAGE.ipynb)."""

    def turn(found: re.Match[str]) -> str:
        target = os.path.normpath(Path(page).parent / found[1])
        return f"]({found[1]}.ipynb{found[2] or ''})" if target in notebooks else found[0]

    return re.sub(r"\]\(([^()\s]+)\.md(#[^()\s]*)?\)", turn, text)


def _retarget_notebook(notebook: nbformat.NotebookNode, page: str, notebooks: set[str]) -> nbformat.NotebookNode:
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _retarget(cell.source, page, notebooks)
        for output in cell.get("outputs", ()):
            if "text/markdown" in output.get("data", {}):
                output["data"]["text/markdown"] = _retarget(output["data"]["text/markdown"], page, notebooks)
    return notebook


def _figures(book: Book) -> None:
    """Write data and static picture of each moving figure, unless its code and what it reads are the same as before."""
    folder = book.staged / "_static" / "figures"
    for name in figures.names():
        figure = figures.get(name)
        code = _modules.digest([figure.__name__])
        stamp = book.build / "cache" / f"figure-{name}.json"
        if all((folder / f"{name}{suffix}").is_file() for suffix in DRAWN) and stamp.is_file():
            kept = json.loads(stamp.read_text(encoding="utf-8"))
            if kept["code"] == code and _reads.unchanged(kept["reads"], book.root):
                continue
        with _reads.watching(book.source) as read:
            payload = json.dumps(figure.payload(), separators=(",", ":"))
            picture = figure.fallback()
        # a script: a page that is opened as a file may fetch nothing
        _refresh(folder / f"{name}.data.js", f"lsedu.data({json.dumps(name)}, {payload});\n".encode())
        drawn = io.BytesIO()
        with rc_context({"svg.hashsalt": name}):
            picture.savefig(drawn, format="svg", facecolor="white", metadata={"Date": None})
        _refresh(folder / f"{name}.svg", drawn.getvalue())
        write(stamp, json.dumps({"code": code, "reads": _reads.states(read, book.root)}).encode())


def public_modules() -> list[str]:
    """Return the modules of the library whose public names make up the API reference."""
    names = [
        module.name
        for module in pkgutil.iter_modules(lsedu.__path__)
        if not module.name.startswith("_") and module.name not in ("cli", "book")
    ]
    return [f"lsedu.{name}" for name in names]


def api_page() -> str:
    """Return the API reference as MyST, one section a module, made from the package itself."""
    lines = ["# API reference", "", "Every public function, with shapes, units, errors, equation and source.", ""]
    for name in public_modules():
        module = importlib.import_module(name)
        lines += [f"## `{name}`", "", "```{eval-rst}", f".. automodule:: {name}", "   :no-index:"]
        lines += ["", "```", ""]
        public = getattr(module, "__all__", None) or [
            key
            for key, value in vars(module).items()
            if not key.startswith("_") and getattr(value, "__module__", None) == name
        ]
        for key in sorted(public, key=str.lower):
            value = getattr(module, key)
            kind = "autoclass" if isinstance(value, type) else "autofunction" if callable(value) else "autodata"
            lines += ["```{eval-rst}", f".. {kind}:: {name}.{key}"]
            lines += ["   :no-value:"] if kind == "autodata" else []
            lines += ["", "```", ""]
    return "\n".join(lines)


def stage(book: Book, executed: dict[str, Path]) -> None:
    """Bring the staged copy up to date with the source and the executed notebooks."""
    wanted: set[Path] = set()
    for path in sorted(book.source.rglob("*")):
        relative = path.relative_to(book.source)
        if not path.is_file() or relative.parts[0] == "records" or "__pycache__" in relative.parts:
            continue
        page = relative.with_suffix("").as_posix()
        if page in executed:
            notebook = nbformat.read(executed[page], as_version=4)
            target = book.staged / f"{page}.ipynb"
            shown = _retarget_notebook(presented(notebook, page), page, set(executed))
            _refresh(target, nbformat.writes(shown).encode())
            extra = book.staged / "_extra" / PUBLISHED / f"{page}.ipynb"
            _refresh(extra, nbformat.writes(for_colab(notebook)).encode())
            wanted |= {target, extra}
            continue
        content = path.read_bytes()
        if relative.name == "_config.yml":
            content = content.replace(b"@REPOSITORY@", _project.link("Repository").encode())
            content = content.replace(b"@BOOK@", _project.link("Book").encode())
        if relative.suffix == ".md":
            text = content.decode()
            if "@LABS@" in text:
                text = text.replace("@LABS@", labs.cards(book.root / "labs"))
            content = _retarget(scored(text, book), page, set(executed)).encode()
        target = book.staged / relative
        _refresh(target, content)
        wanted.add(target)
    api = book.staged / f"{API}.md"
    _refresh(api, api_page().encode())
    for path in sorted((book.root / "labs").glob("*.ipynb")):
        target = book.staged / "labs" / path.name
        _refresh(target, path.read_bytes())
        wanted.add(target)
    plotly = book.staged / "_static" / "plotly.min.js"
    _refresh(plotly, (files("plotly") / "package_data" / "plotly.min.js").read_bytes())
    colours = book.staged / "_static" / "colours.css"
    _refresh(colours, css().encode())
    _figures(book)
    drawn = book.staged / "_static" / "figures"
    wanted |= {api, plotly, colours, *(drawn / f"{name}{suffix}" for name in figures.names() for suffix in DRAWN)}
    for path in book.staged.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()


def clean(book: Book) -> None:
    """Remove everything that was made."""
    shutil.rmtree(book.build, ignore_errors=True)
