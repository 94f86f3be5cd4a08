"""Code on the pages can be read where it stands: not cut at the edge, no longer than a screen, about the subject."""

import ast
from pathlib import Path

import pytest

from lsedu.book.expected import PARAMETERS
from lsedu.book.pages import Book, read_notebook
from lsedu.book.stage import assigned

ROOT = Path(__file__).resolve().parents[2]
COLUMNS, LINES = 78, 15
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}


def cells(page):
    notebook = read_notebook(ROOT / "book" / f"{page}.md")
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def only_shows(source):
    """Return whether a cell ends in a picture or in formatted text: a call of `plots`, or `Markdown`, or its result."""

    def draws(value):
        called = value.func if isinstance(value, ast.Call) else None
        named = called.value if isinstance(called, ast.Attribute) else called
        return isinstance(named, ast.Name) and named.id in ("plots", "Markdown")

    body = ast.parse(source).body
    drawn = {
        target.id
        for line in body
        if isinstance(line, ast.Assign) and draws(line.value)
        for target in line.targets
        if isinstance(target, ast.Name)
    }
    last = body[-1].value if isinstance(body[-1], ast.Expr) else None
    return draws(last) or (isinstance(last, ast.Name) and last.id in drawn)


@pytest.mark.parametrize(
    ("source", "shows"),
    [
        ("plots.curves(x, y)", True),
        ("figure = plots.curves(x, y)\nfigure.axes[0].set_ylim(0, 1)\nfigure", True),
        ('lines = []\nMarkdown("".join(lines))', True),
        ("print(1)", False),
        ("T = fit(z)", False),
        ("x = plots\nx.y", False),
    ],
)
def test_what_only_shows_is_told_from_what_computes(source, shows):
    assert only_shows(source) is shows


def test_a_puzzle_opens_without_its_code():
    answers = [
        cell for page in Book(ROOT).notebooks() for cell in cells(page) if "Show the answer" in str(cell.metadata)
    ]
    assert len(answers) >= 4
    for cell in answers:
        assert {"remove-input", "hide-output"} <= set(cell.metadata["tags"]), cell.source


@pytest.mark.parametrize("page", Book(ROOT).notebooks())
def test_cells_fit_the_column_and_what_only_shows_is_folded(page):
    for cell in cells(page):
        lines, tags = cell.source.splitlines(), set(cell.metadata.get("tags", ()))
        where = f"book/{page}.md, the cell that begins {lines[0]!r}"
        if not tags & {"remove-input", "remove-cell"}:
            wide = [line for line in lines if len(line) > COLUMNS]
            assert wide == [], f"{where}: more than {COLUMNS} columns"
        if not tags & FOLDED:
            assert len(lines) <= LINES, f"{where}: {len(lines)} lines, more than {LINES}"
            assert not only_shows(cell.source), f"{where} only draws or formats: tag it hide-input"


@pytest.mark.parametrize("page", Book(ROOT).notebooks())
def test_the_cell_of_parameters_has_what_every_page_has_and_so_is_shown_once(page):
    """One more value there differs from what papermill puts in, and both cells are shown."""
    given = [cell for cell in cells(page) if "parameters" in cell.metadata.get("tags", ())]
    assert [assigned(cell.source).keys() for cell in given] == [PARAMETERS.keys()]
