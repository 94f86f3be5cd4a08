"""Questions answered by a file, at the gate: the solved release's earns all, what is made of it its mark."""

import io

import numpy as np
import pytest

from lsedu.authoring import LabError, by_file, load_lab
from lsedu.authoring.gate import SEEDS, examine
from lsedu.labs.arrays import ArtefactError, forms
from lsedu.labs.spec import ArraySpec

QUESTION = """
```{code-cell} ipython3
:nbgrader: {grade_id: the-table, grade: true}

checks.file("the-table")
```

```{code-cell} ipython3
:tags: [grader]

@artefact("the-table", title="A table", points=2, file="table.npz",
          arrays={"p": ArraySpec("f", (None, 3), 0, 1), "seed": ArraySpec("i", (), 0)})
def score(arrays, rng, variant):
    row = arrays["p"][rng.integers(len(arrays["p"]))]
    yield int(arrays["seed"]) == variant["seed"], "it was made with another seed"
    yield abs(row.sum() - 1) < 1e-6, "a row does not sum to one"
```

```{code-cell} ipython3
---
tags: [wrong]
points: 1
message: "a row does not sum to one"
---
def the_table(arrays):
    return arrays | {"p": arrays["p"] / 2}
```

```{code-cell} ipython3
---
tags: [wrong]
points: 0
message: "leaves the range [0, 1]"
---
def the_table(arrays):
    arrays["p"] -= 1
    return arrays
```

```{code-cell} ipython3
checks.report()
"""


@pytest.fixture
def source(toy, toy_text):
    """A toy lab that asks for a file, too; every student has a seed below 5000."""
    text = toy_text.replace("allow: [numpy]", "allow: [numpy]\n  variants: {seed: 5000}")
    toy.write_text(text.replace("```{code-cell} ipython3\nchecks.report()\n", QUESTION.lstrip("\n")))
    return toy


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


RIGHT = npz(p=np.full((4, 3), 1 / 3), seed=0)


def held(path, data, *, solved=True):
    files = {} if data is None else {"table.npz": data}
    return [
        (found.what, found.passed, found.said) for found in by_file.hold(load_lab(path), files, SEEDS, solved=solved)
    ]


def test_a_right_file_and_its_wrong_kin(source):
    assert [(what, passed) for what, passed, _ in held(source, RIGHT)] == [
        ("the-table: the file that the solved release writes has full marks", True),
        ("the-table-wrong: gets its mark (1) and its message", True),
        ("the-table-wrong-2: gets its mark (0) and its message", True),
    ]
    assert held(source, None, solved=False) == [("the-table: what the untouched release writes has 0", True, "")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "it writes no table.npz"),
        (npz(p=np.full((4, 3), 1 / 3), seed=1), "it was made with another seed"),
        (npz(p=np.full((4, 2), 0.5), seed=0), "array 'p' has shape (4, 2), asked for is ('any', 3)"),
    ],
)
def test_a_solution_whose_file_is_not_right_is_stopped(source, data, said):
    ((what, passed, told),) = held(source, data)
    assert not passed and "the solved release" in what and told == said


def test_a_file_that_earns_something_before_anything_is_answered_is_stopped(source):
    assert held(source, npz(p=np.ones((4, 3)), seed=0), solved=False)[0][1:] == (False, "1 points")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("points: 1\nmessage", "points: 2\nmessage", "1 points instead of 2: a row does not sum to one"),
        ('message: "a row does', 'message: "no row does', "the feedback lacks its message: a row does not"),
    ],
)
def test_a_wrong_file_with_another_mark_or_message_is_stopped(source, old, new, said):
    source.write_text(source.read_text().replace(old, new))
    _, (_, passed, told), _ = held(source, RIGHT)
    assert not passed and said in told


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (":nbgrader: {grade_id: the-table, grade: true}\n\n", "", "a check for every question"),
        ("points: 1\nmessage", "points: 1\nquestion: double\nmessage", ""),
    ],
)
def test_a_file_without_check_or_a_wrong_answer_of_no_function_is_stopped(source, old, new, what):
    source.write_text(source.read_text().replace(old, new))
    if what:
        assert [found.said for found in examine(source, run=False) if found.what == what] == ["the-table"]
    else:
        with pytest.raises(LabError, match="'double-wrong-3' does not define 'double'"):
            load_lab(source)


def test_a_file_without_declared_wrong_answers_is_stopped(source):
    text = source.read_text()
    begin, end = text.index("def the_table") - 90, text.index("```{code-cell} ipython3\nchecks.report()")
    source.write_text(text[: text.rindex("```{code-cell}", 0, begin + 60)] + text[end:])
    assert [found.said for found in examine(source, run=False) if found.what.startswith("a declared wrong")] == [
        "the-table"
    ]


def test_a_number_in_the_header_stands_for_as_many_variants(source):
    assert load_lab(source).manifest.variants == {"seed": range(5000)}
    source.write_text(source.read_text().replace("{seed: 5000}", "{seed: none}"))
    with pytest.raises(LabError, match="the variant 'seed' needs a list of values, or a number n"):
        load_lab(source)


def test_the_forms_of_all_arrays_are_told_at_once(tmp_path):
    specs = {"p": ArraySpec("f", (2,), 0, 1), "n": ArraySpec("i", ()), "m": ArraySpec("i", ())}
    (tmp_path / "a.npz").write_bytes(npz(p=np.array([0.5, 2.0]), n=3))
    assert forms(tmp_path / "a.npz", specs) == {
        "p": "array 'p' leaves the range [0, 1]",
        "n": "",
        "m": "there is no array 'm' in the file",
    }
    np.save(tmp_path / "b.npy", np.ones(2))
    assert forms(tmp_path / "b.npy", {"p": specs["p"]}) == {"p": ""}
    with pytest.raises(ArtefactError, match="3 are asked for in one"):
        forms(tmp_path / "b.npy", specs)
