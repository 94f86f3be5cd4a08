"""Answers in words are found wherever they stand, and a missing one is told."""

import copy
import json
from dataclasses import replace

import pytest

from lsedu.authoring.release import build
from lsedu.grading import notebooks, released, words

MARK = "Because doubling adds up."
BLANK = "*Write your answer here.*"


@pytest.fixture(scope="module")
def given(tiny):
    return released.of(tiny)


@pytest.fixture
def find(tiny, given, solved):
    def run(change, *, lab=tiny):
        notebook = copy.deepcopy(solved)
        cells = notebook["cells"]
        at = next(i for i, cell in enumerate(cells) if cell["id"] == "words")
        change(cells, at)
        return words.find(lab, notebooks.parse(json.dumps(notebook).encode()), given)

    return run


def new(text, kind="markdown", **more):
    return {"cell_type": kind, "id": "3f9a0c1d", "metadata": {}, "source": text} | more


def put(cells, at, text):
    cells[at]["source"] = text


def below(cells, at, kind="markdown"):
    put(cells, at, BLANK)
    cells.insert(at + 1, new(MARK, kind))


def split(cells, at):
    put(cells, at, MARK)
    cells.insert(at + 1, {**copy.deepcopy(cells[at]), "id": "5b", "source": "And so on."})


def duplicated(cells, at):
    put(cells, at, MARK)
    cells.insert(at + 1, {**copy.deepcopy(cells[at]), "id": "5b", "source": BLANK})


def after_a_blank(cells, at):
    put(cells, at, MARK)
    cells.insert(at, {**copy.deepcopy(cells[at]), "id": "5b", "source": BLANK})


OWN = {
    "in its cell": lambda cells, at: put(cells, at, MARK),
    "before a blank copy": duplicated,
    "after a blank copy": after_a_blank,
    "split": split,
    "in a code cell": lambda cells, at: cells[at].update(cell_type="code", source=MARK, outputs=[]),
    "in a raw cell": lambda cells, at: cells[at].update(cell_type="raw", source=MARK),
    "under the placeholder": lambda cells, at: put(cells, at, f"{BLANK}\n\n{MARK}"),
    "without the cell's id": lambda cells, at: cells[at].update(id="7") or put(cells, at, MARK),
    "without nbgrader's metadata": lambda cells, at: cells[at].update(metadata={}) or put(cells, at, MARK),
}


@pytest.mark.parametrize("how", OWN)
def test_an_answer_in_its_own_cell(find, how):
    found = find(OWN[how])
    assert MARK in found.own["words"] and found.near == {}
    assert found.own["words"].count(BLANK) == (how == "under the placeholder")
    assert [flag for flag in found.flags if "answered" in flag] == []


LONG = "Doubling twice is the same as doubling once by four, for both only scale."


def first(cells, text):
    cells.insert(0, new(text, "code"))


IN_CODE = {
    "comments in a new cell at the top": lambda cells: first(cells, "# Doubling twice\n# " + LONG),
    "a text in a new cell at the top": lambda cells: first(cells, f"answer = ''' {LONG} '''"),
    "printed": lambda cells: first(cells, f"print('{LONG}')"),
    "comments in the cell of another answer": lambda cells: put(cells, 3, cells[3]["source"] + f"\n# {LONG}"),
}


@pytest.mark.parametrize("how", IN_CODE)
def test_an_answer_in_code_is_shown_and_told(find, how):
    found = find(lambda cells, at: put(cells, at, BLANK) or IN_CODE[how](cells))
    where, text = found.near["words"]
    assert where == "in the code" and LONG in text
    assert found.flags == ("words: not answered in words; comments in the code are shown",)
    assert find(lambda cells, at: IN_CODE[how](cells)).near == {}  # there is an answer


NEAR = {
    "under the name of another answer": lambda cells, at: (
        put(cells, at, BLANK)
        or cells.insert(at, new(MARK, metadata={"nbgrader": {"grade_id": "double", "solution": True, "grade": False}}))
    ),
    "as a graded cell of their own": lambda cells, at: (
        put(cells, at, BLANK)
        or cells.insert(at, new(MARK, metadata={"nbgrader": {"grade_id": "cell-1", "solution": False, "grade": True}}))
    ),
    "in a new cell below": below,
    "in a new cell above": lambda cells, at: put(cells, at, BLANK) or cells.insert(at, new(MARK)),
    "in a raw cell below": lambda cells, at: below(cells, at, "raw"),
    "in a code cell below": lambda cells, at: below(cells, at, "code"),
    "metadata and id lost": lambda cells, at: cells.__setitem__(at, new(MARK)),
    "the cell deleted, a new one instead": lambda cells, at: cells.pop(at) and cells.insert(at, new(MARK)),
    "an old front end without ids": lambda cells, at: [c.pop("id") for c in cells] and cells.__setitem__(at, new(MARK)),
}


@pytest.mark.parametrize("how", NEAR)
def test_an_answer_near_its_question(find, how):
    found = find(NEAR[how])
    assert found.own["words"] == "" and found.near["words"] == ("near question 5", MARK)
    assert "words: not answered in its place; text found near question 5" in found.flags


def test_an_answer_that_goes_on_below_is_shown_whole(find):
    found = find(lambda cells, at: cells.insert(at + 1, new("And so on.")))
    assert found.own["words"] == "Doubling is linear." and found.near["words"] == ("near question 5", "And so on.")
    assert find(lambda cells, at: cells.insert(at + 1, new("plt.plot(x)", "code"))).near == {}


def test_an_answer_written_into_the_text_of_the_course(find, tiny):
    title = next(cell for cell in tiny.cells if cell.role == "plain" and cell.kind == "markdown")

    def change(cells, at):
        put(cells, at, BLANK)
        cell = next(cell for cell in cells if cell["id"] == title.id)
        cell["source"] += f"\n\n{MARK}"

    assert find(change).near["words"] == ("elsewhere in the notebook", MARK)


def test_an_answer_at_the_very_top_is_found_elsewhere(find):
    found = find(lambda cells, at: put(cells, at, BLANK) or cells.insert(0, new(MARK)))
    assert found.near["words"] == ("elsewhere in the notebook", MARK)
    assert "words: not answered in its place; text found elsewhere in the notebook" in found.flags


@pytest.mark.parametrize("how", [lambda cells, at: put(cells, at, BLANK), lambda cells, at: cells.pop(at)])
def test_a_missing_answer_is_told(find, how):
    found = find(how)
    assert found.own["words"] == "" and found.near == {} and found.flags == ("words: not answered in words",)


def test_a_picture_is_told(find):
    found = find(lambda cells, at: put(cells, at, "See ![](attachment:a.png)"))
    assert "words: has a picture, which is not shown" in found.flags


def test_the_course_s_own_text_is_nobodys_answer_whatever_the_release_and_variant(tiny):
    given = released.of(tiny)
    for lab in (tiny, replace(tiny, digest="0" * 64)):
        for notebook in (build(lab), build(lab, student="ada")):
            content = notebooks.parse(json.dumps(notebook).encode())
            assert words.find(tiny, content, given).near == {}
            assert all(words.plain(item.text) in given for item in content.items if item.kind == "code")
    earlier = build(replace(tiny, digest="0" * 64))
    text = "A paragraph that this release no longer has."
    made = f"plain-{words.hashlib.sha256(text.encode()).hexdigest()[:8]}"
    earlier["cells"].insert(-1, {"cell_type": "markdown", "id": made, "metadata": {}, "source": text})
    assert words.find(tiny, notebooks.parse(json.dumps(earlier).encode()), given).near == {}


def test_what_half_of_a_class_with_another_release_has_in_common_was_handed_out(tiny, tmp_path):
    earlier = build(replace(tiny, digest="0" * 64))
    setup = new("import subprocess  # an earlier set-up cell", "code", outputs=[], execution_count=None)
    for name in ("ada", "ben", "cyd"):
        notebook = copy.deepcopy(earlier)
        notebook["cells"].insert(1, setup)
        notebook["cells"].append(new(f"x = '{name}'", "code", outputs=[], execution_count=None))
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(notebook))
    paths = sorted(tmp_path.iterdir())
    also = released.handed_out(paths, tiny)
    assert setup["source"] in also and not any(text.startswith("x = ") or "def double" in text for text in also)
    assert released.handed_out(paths[:1], tiny) == set()
