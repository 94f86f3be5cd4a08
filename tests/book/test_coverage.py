"""The table of the textbook chapter, item by item: each number once, and what it points at exists."""

import re
from importlib import import_module

from lsedu.book import claims
from lsedu.book.pages import Book

# How many items each heading of the chapter has, by our count of its equations, examples and claims.
ITEMS = {1: 8, 2: 11, 3: 5, 4: 6, 5: 9, 6: 10, 7: 1}
LATER = {"1.4": "part IV", "1.5": "part IV", "1.6": "part IV", "1.7": "part IV"}
ROW = re.compile(r"^\| (\d+\.\d+) \|(.*)\|$", re.MULTILINE)
ANCHOR = re.compile(r"\{eq\}`([\w-]+)`|\[[^\]]*\]\(#([\w-]+)\)|\{ref\}`[^`]*<([\w-]+)>`")


def rows(root):
    text = (root / "book" / "appendix" / "coverage.md").read_text(encoding="utf-8")
    found = []
    for number, rest in ROW.findall(text):
        said, place = (cell.strip() for cell in rest.split("|"))
        kind, statement = said.removeprefix("*").split("*: ", 1)
        anchors = ["".join(groups) for groups in ANCHOR.findall(place)]
        names = re.findall(r"`([^`]+)`", ANCHOR.sub("", place))
        name, key = (*names, "", "")[:2]
        page = place if not anchors else ""
        found.append((number, kind, statement, page, anchors, name and f"lsedu.{name}", key))
    return found


def test_each_item_of_the_chapter_is_listed_once_and_in_order(root):
    assert [row[0] for row in rows(root)] == [f"{h}.{i}" for h, n in ITEMS.items() for i in range(1, n + 1)]


def test_each_item_has_a_kind_and_a_statement(root):
    for number, kind, statement, *_ in rows(root):
        assert kind in ("announcement", "definition", "equation", "example", "claim") and len(statement) > 15, number


def test_items_without_a_page_are_those_of_later_parts(root):
    assert {number: page for number, _, _, page, anchors, *_ in rows(root) if not anchors} == LATER
    for number, kind, *_, name, key in rows(root):
        assert bool(name) == (number not in LATER), number
        assert bool(key) == (kind != "announcement"), number


def test_every_page_named_exists_once(root):
    there = Book(root).labels()
    for number, _, _, _, anchors, *_ in rows(root):
        for anchor in anchors:
            assert len(there.get(anchor, [])) == 1, f"{number}: {anchor} is in {there.get(anchor, 'no page')}"


def test_every_name_of_code_is_in_the_library(root):
    for number, *_, name, _ in rows(root):
        if not name:
            continue
        parts = name.split(".")
        assert parts[0] == "lsedu", number
        try:
            import_module(name)
        except ModuleNotFoundError:
            assert hasattr(import_module(".".join(parts[:-1])), parts[-1]), f"{number}: {name}"


def test_every_row_named_is_in_the_ledger(root):
    keys = {claim.key for claim in claims.load()}
    for number, *_, key in rows(root):
        assert not key or key in keys, f"{number}: {key}"


def test_a_row_is_read_as_it_is_written(tmp_path):
    page = tmp_path / "book" / "appendix" / "coverage.md"
    page.parent.mkdir(parents=True)
    lines = ["| no. | said |", "|---|---|", "| 2.1 | *claim*: It holds. | part IV |"]
    page.write_text("\n".join([*lines, "| 2.2 | *claim*: It does. | {eq}`eq-a`, [](#b), `c`, `d` |"]))
    assert rows(tmp_path) == [
        ("2.1", "claim", "It holds.", "part IV", [], "", ""),
        ("2.2", "claim", "It does.", "", ["eq-a", "b"], "lsedu.c", "d"),
    ]
