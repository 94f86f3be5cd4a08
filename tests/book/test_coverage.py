"""The tables of the textbook chapter and of both papers, item by item: each once, and what it points at exists."""

import re
from importlib import import_module

import pytest

from lsedu.book import claims
from lsedu.book.pages import Book

# How many items each heading of the chapter has, by our count of its equations, examples and claims.
ITEMS = {1: 8, 2: 11, 3: 5, 4: 6, 5: 9, 6: 10, 7: 1}
LATER = {"1.4": "part IV", "1.5": "part IV", "1.6": "part IV", "1.7": "part IV"}
# The same of the paper on the bottleneck, by section; its items have letters, as its sections have numbers already.
PAPER = {
    "1": 17, "2.1": 6, "2.2": 1, "3.1": 1, "3.2": 3, "3.3": 7, "3.3.1": 5, "4.1": 8, "4.2": 13, "4.3": 4, "5": 1,
    "5.1": 3, "5.2.1": 1, "5.2.2": 5, "5.3": 2, "5.3.1": 4, "5.3.2": 4, "6": 8, "A.4": 3,
}  # fmt: skip
# What has a number of its own in the paper, by the section where it stands.
NUMBERED = {
    "3.2": ["equation (1)", "equation (2)", "equation (3)"],
    "3.3": ["equation (4)"],
    "3.3.1": ["equation (5)", "equation (6)", "equation (7)", "equation (8)"],
    "4.1": ["equation (9)", "equation (10)", "equation (11)", "figure 2"],
    "4.2": [
        "figure 1", "assumption 4.1", "proposition 4.2", "proof A.1", "assumption 4.3", "equation (12)",
        "proposition 4.4", "proof A.2", "proposition 4.5", "proof A.3",
    ],
    "4.3": ["property 1", "property 2", "property 3"],
    "5.2.1": ["figure 3"],
    "5.2.2": ["figure 4"],
    "5.3.1": ["figure 6"],
    "5.3.2": ["figure 7"],
    "A.4": ["figure 8"],
}  # fmt: skip
# The same of the paper on learnable smoothing; its section 4 is all in those below it, and so is 5.
LEARNED = {
    "1": 10, "2": 14, "3.1": 5, "3.2": 5, "3.3": 7, "3.4": 5, "4.1": 7, "4.2": 7, "4.3": 8, "5.1": 7, "5.2": 8,
    "5.3": 8, "6": 2, "7": 4, "A": 3, "B": 19, "C": 2, "D": 8, "E": 5, "F": 4, "G": 4, "H": 3, "I": 7,
}  # fmt: skip
NUMBERED_IN_LEARNED = {
    "1": ["figure 1"],
    "3.1": ["equation (1)", "equation (2)", "equation (3)"],
    "3.2": ["equation (4)", "figure 2"],
    "3.3": ["equation (5)"],
    "4.2": ["table 1", "table 2", "table 3"],
    "4.3": ["figure 3", "figure 4"],
    "5.1": ["table 4"],
    "5.2": ["figure 5", "figure 6"],
    "5.3": ["equation (6)", "table 5"],
    "B": [f"equation ({number})" for number in range(7, 19)],
    "C": ["figure 7"],
    "D": ["table 6", "table 7"],
    "E": ["figure 8"],
    "F": ["table 8"],
    "G": ["table 9"],
    "H": ["figure 9"],
}  # fmt: skip
# By the letter of its rows: items a section, and what is numbered.
PAPERS = {"B": (PAPER, NUMBERED), "L": (LEARNED, NUMBERED_IN_LEARNED)}
# How a row of the ledger names a paper; of the second the sections, or the number, with it.
OF_BOTTLENECK = re.compile(r"Kudo \(2025\)|the bottleneck paper")
OF_LEARNED = re.compile(r"\bLLS, (?:section|sections|appendix|appendices) ((?:[A-Z]\b|[\d.]*\d|, | and )+)")
NUMBER_OF_LEARNED = re.compile(r"\bLLS, ((?:equation \(\d+\))|(?:figure \d+)|(?:table \d+))")
KINDS = ("announcement", "definition", "equation", "example", "claim")
ROW = re.compile(r"^\| (\d+\.\d+) \|(.*)\|$", re.MULTILINE)
# "B 3.3.1b", "B A.4a", "L 3.3a", "L B.a"
ROW_OF_PAPER = {
    letter: re.compile(rf"^\| ({letter} (?:[A-Z]\.)?[\d.]*[a-z]) \|(.*)\|$", re.MULTILINE) for letter in PAPERS
}
ANCHOR = re.compile(r"\{eq\}`([\w-]+)`|\[[^\]]*\]\(#([\w-]+)\)|\{ref\}`[^`]*<([\w-]+)>`")


def rows(root, row=ROW):
    text = (root / "book" / "appendix" / "coverage.md").read_text(encoding="utf-8")
    found = []
    for number, rest in row.findall(text):
        said, place = (cell.strip() for cell in rest.split("|"))
        kind, statement = said.removeprefix("*").split("*: ", 1)
        anchors = ["".join(groups) for groups in ANCHOR.findall(place)]
        names = re.findall(r"`([^`]+)`", ANCHOR.sub("", place))
        name, *keys = names or [""]
        page = place if not anchors else ""
        found.append((number, kind, statement, page, anchors, name and f"lsedu.{name}", keys))
    return found


def every(root):
    return [*rows(root), *(found for row in ROW_OF_PAPER.values() for found in rows(root, row))]


def heading(letter, section):
    """Return what the rows of a section begin with: "B 3.3.1", "L B."."""
    return f"{letter} {section}" + ("." if section.isalpha() else "")


def in_order(section):
    """Return a key that puts the appendix last."""
    return [(part.isalpha(), part if part.isalpha() else int(part)) for part in section.split(".")]


def test_each_item_of_the_chapter_is_listed_once_and_in_order(root):
    assert [row[0] for row in rows(root)] == [f"{h}.{i}" for h, n in ITEMS.items() for i in range(1, n + 1)]


def test_each_item_has_a_kind_and_a_statement(root):
    for number, kind, statement, *_ in rows(root):
        assert kind in KINDS and len(statement) > 15, number


@pytest.mark.parametrize("letter", PAPERS)
def test_each_item_of_a_paper_is_listed_once_and_in_order(root, letter):
    sections = PAPERS[letter][0]
    expected = [f"{heading(letter, section)}{chr(ord('a') + i)}" for section, n in sections.items() for i in range(n)]
    assert [row[0] for row in rows(root, ROW_OF_PAPER[letter])] == expected
    assert [str(section) for section in sections] == sorted(sections, key=in_order)


@pytest.mark.parametrize("letter", PAPERS)
def test_what_is_numbered_in_a_paper_stands_in_its_section(root, letter):
    sections, numbered = PAPERS[letter]
    found = rows(root, ROW_OF_PAPER[letter])
    for section in sections:
        kinds = [kind for number, kind, *_ in found if number[:-1] == heading(letter, section)]
        assert [kind for kind in kinds if kind not in KINDS] == numbered.get(section, []), section
    for number, kind, statement, _, anchors, name, of_ledger in found:
        assert anchors and len(statement) > 15, number
        assert bool(name) == (kind != "announcement"), number
        if kind not in ("announcement", "definition"):
            assert of_ledger, number


def test_the_table_of_the_paper_is_whole(root):
    # its section 5.2 is all in those below it; of the appendix A.1 to A.3 are the proofs of section 4.2
    sections = "1 2.1 2.2 3.1 3.2 3.3 3.3.1 4.1 4.2 4.3 5 5.1 5.2.1 5.2.2 5.3 5.3.1 5.3.2 6 A.4"
    assert " ".join(PAPER) == sections
    kinds = [kind for _, kind, *_ in rows(root, ROW_OF_PAPER["B"])]
    for name, numbers in {
        "equation ({})": range(1, 13),
        "figure {}": (1, 2, 3, 4, 6, 7, 8),
        "proof A.{}": (1, 2, 3),
    }.items():
        assert [kinds.count(name.format(number)) for number in numbers] == [1] * len(numbers), name


def test_items_without_a_page_are_those_of_later_parts(root):
    assert {number: page for number, _, _, page, anchors, *_ in rows(root) if not anchors} == LATER
    for number, kind, *_, name, of_ledger in rows(root):
        assert bool(name) == (number not in LATER), number
        assert bool(of_ledger) == (kind != "announcement"), number


def test_every_page_named_exists_once(root):
    there = Book(root).labels()
    for number, _, _, _, anchors, *_ in every(root):
        for anchor in anchors:
            assert len(there.get(anchor, [])) == 1, f"{number}: {anchor} is in {there.get(anchor, 'no page')}"


def test_every_name_of_code_is_in_the_library(root):
    for number, *_, name, _ in every(root):
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
    for number, *_, of_ledger in every(root):
        assert set(of_ledger) <= keys, f"{number}: {of_ledger}"


def listed(root, letter):
    return {key for *_, of_ledger in rows(root, ROW_OF_PAPER[letter]) for key in of_ledger}


def sections_of_learned(source):
    """Return the sections of the paper on learnable smoothing that a row of the ledger names."""
    found = {section for named in OF_LEARNED.findall(source) for section in re.split(r", | and ", named.strip(", "))}
    numbers = NUMBER_OF_LEARNED.findall(source)
    return found | {at for at, of_it in NUMBERED_IN_LEARNED.items() for number in numbers if number in of_it}


def test_every_row_of_the_ledger_that_names_the_bottleneck_paper_stands_in_its_table(root):
    named = {claim.key for claim in claims.load() if OF_BOTTLENECK.search(claim.source)}
    assert len(named) > 50 and named - listed(root, "B") == set()


def test_every_row_of_the_ledger_that_names_a_section_of_learnable_smoothing_stands_in_its_table(root):
    named = {claim.key for claim in claims.load() if sections_of_learned(claim.source)}
    assert len(named) > 50 and named - listed(root, "L") == set()


@pytest.mark.parametrize(
    ("source", "sections"),
    [
        ("ours, beside LLS, section 3.4", {"3.4"}),
        ("Müller et al. (2019); LLS, section 5.2; textbook, Gradient Dynamics", {"5.2"}),
        ("LLS, appendices B and H", {"B", "H"}),
        ("LLS, sections 3.1, 3.2 and 4", {"3.1", "3.2", "4"}),
        ("LLS, section 4.1, with other digits", {"4.1"}),
        ("against LLS, equation (6)", {"5.3"}),
        ("LLS, figure 3", {"4.3"}),
        ("LLS, Introduction", set()),
        ("against it LLS, table 5", {"5.3"}),
    ],
)
def test_the_sections_that_a_source_names_are_read(source, sections):
    assert sections_of_learned(source) == sections


def test_the_table_of_learnable_smoothing_is_whole(root):
    sections = "1 2 3.1 3.2 3.3 3.4 4.1 4.2 4.3 5.1 5.2 5.3 6 7 A B C D E F G H I"
    assert " ".join(LEARNED) == sections
    kinds = [kind for _, kind, *_ in rows(root, ROW_OF_PAPER["L"])]
    for name, numbers in {"equation ({})": range(1, 19), "figure {}": range(1, 10), "table {}": range(1, 10)}.items():
        assert [kinds.count(name.format(number)) for number in numbers] == [1] * len(numbers), name


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("1.2", ["worse accuracy", "overconfident"]),
        ("1.3", ["target", "logits smaller"]),
        ("2.11", ["by heart"]),
        ("4.6", ["main way"]),
        ("5.8", ["weights smaller", "tighter"]),
        ("6.4", ["costs accuracy"]),
        ("6.9", ["Large networks", "labels wrong"]),
        ("7.1", ["calibration", "accuracy", "labels wrong"]),
    ],
)
def test_the_rows_of_an_item_are_about_what_it_says(root, number, words):
    text = {claim.key: claim.text for claim in claims.load()}
    (of_ledger,) = [row[-1] for row in rows(root) if row[0] == number]
    for word in words:
        assert any(word in text[key] for key in of_ledger), f"{number}: no row of {of_ledger} speaks of {word!r}"


def test_what_the_errata_say_of_the_chapter_goes_by_the_same_numbers_and_rows(root):
    text = (root / "book" / "appendix" / "errata.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\d+\.\d+) \|(.*)\|$", text.partition("## The textbook chapter")[2], re.MULTILINE)
    items = {row[0]: row for row in rows(root)}
    assert listed
    for number, rest in listed:
        named = re.findall(r"`([^`]+)`", re.sub(r"\{eq\}`[^`]+`", "", rest))
        assert set(items[number][-1]) & set(named), f"{number}: the errata name {named}, the list {items[number][-1]}"


def test_a_row_is_read_as_it_is_written(tmp_path):
    page = tmp_path / "book" / "appendix" / "coverage.md"
    page.parent.mkdir(parents=True)
    lines = ["| no. | said |", "|---|---|", "| 2.1 | *claim*: It holds. | part IV |"]
    lines.append("| B 3.3.1b | *equation (6)*: It is so, rebuilt. | {eq}`eq-a`, `c`, `d` |")
    lines.append("| L B.a | *claim*: It is small. | [](#b), `c`, `d` |")
    page.write_text("\n".join([*lines, "| 2.2 | *claim*: It does. | {eq}`eq-a`, [](#b), `c`, `d`, `e` |"]))
    assert rows(tmp_path, ROW_OF_PAPER["B"]) == [
        ("B 3.3.1b", "equation (6)", "It is so, rebuilt.", "", ["eq-a"], "lsedu.c", ["d"]),
    ]
    assert rows(tmp_path, ROW_OF_PAPER["L"]) == [("L B.a", "claim", "It is small.", "", ["b"], "lsedu.c", ["d"])]
    assert rows(tmp_path) == [
        ("2.1", "claim", "It holds.", "part IV", [], "", []),
        ("2.2", "claim", "It does.", "", ["eq-a", "b"], "lsedu.c", ["d", "e"]),
    ]
