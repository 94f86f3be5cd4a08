import json

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator

from lsedu import _project
from lsedu.authoring import checkfile, pictures
from lsedu.authoring.release import colab_guard, handout, release
from lsedu.authoring.source import parse
from lsedu.labs.checkfile import read
from lsedu.labs.codec import decode, encode


@pytest.fixture
def released(toy, tmp_path):
    release(toy, out=tmp_path / "labs")
    return tmp_path / "labs"


def test_releasing_again_leaves_no_diff(toy, released):
    before = {path.name: path.read_bytes() for path in released.iterdir()}
    assert sorted(before) == ["toy.checks.json", "toy.ipynb"]
    assert release(toy, out=released) == []
    for name in before:
        (released / name).unlink()
    release(toy, out=released)
    assert {path.name: path.read_bytes() for path in released.iterdir()} == before


def test_a_notebook_somebody_worked_in_is_kept_beside_and_one_that_nobody_did_is_replaced(toy, toy_text, released):
    path, said = released / "toy.ipynb", []
    toy.write_text(toy_text.replace("# Toy", "# A toy"))
    release(toy, out=released)
    assert sorted(file.name for file in released.iterdir()) == ["toy.checks.json", "toy.ipynb"]
    solved = path.read_text().replace("raise NotImplementedError", "return 2 * x")
    for number, work in enumerate((solved, path.read_text().replace('"outputs": []', '"outputs": [{}]'), "torn {"), 1):
        path.write_text(work)
        assert release(toy, out=released, say=said.append) == [path]
        assert (released / f"toy-kept-{number}.ipynb").read_text() == work
        assert said[-1] == f"{path} has been worked in: it is kept as {released}/toy-kept-{number}.ipynb"
        assert "NotImplementedError" in path.read_text()


def test_a_handout_keeps_the_work_of_whoever_began(toy, tmp_path):
    handout(toy, ["ada"], out=tmp_path / "out")
    path = tmp_path / "out" / "ada" / "toy.ipynb"
    work = path.read_text().replace("raise NotImplementedError", "return 2 * x")
    path.write_text(work)
    handout(toy, ["ada"], out=tmp_path / "out")
    assert path.with_name("toy-kept-1.ipynb").read_text() == work and "NotImplementedError" in path.read_text()


def test_check_writes_nothing_and_names_what_is_stale(toy, toy_text, released):
    toy.write_text(toy_text.replace("Return twice x", "Return x times two"))
    before = (released / "toy.ipynb").read_bytes()
    stale = release(toy, out=released, check=True)
    assert released / "toy.ipynb" in stale and (released / "toy.ipynb").read_bytes() == before


def test_a_hand_edited_release_is_noticed(toy, released):
    path = released / "toy.ipynb"
    path.write_text(path.read_text().replace("Return twice x", "Return three x"))
    assert release(toy, out=released, check=True) == [path]


def test_last_digits_of_another_processor_make_no_diff(toy, released):
    path = released / "toy.checks.json"
    content = read(path)
    stored = content["questions"]["double"]["cases"][0]
    value = decode(stored["expected"])
    stored["expected"] = encode(value * (1 + 1e-15))
    path.write_text(checkfile.dump(content))
    assert release(toy, out=released, check=True) == []
    stored["expected"] = encode(value * 1.001)
    path.write_text(checkfile.dump(content))
    assert release(toy, out=released, check=True) == [path]


def test_nbformat_and_nbgrader_accept_it(released):
    notebook = nbformat.read(released / "toy.ipynb", as_version=4)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    graded = {c.metadata.nbgrader.grade_id: c.metadata.nbgrader for c in notebook.cells if "nbgrader" in c.metadata}
    assert graded["double"].solution and not graded["double"].grade
    assert graded["double-check"].points == 4 and graded["double-check"].locked
    assert graded["why"].points == 1 and graded["why"].solution and graded["why"].grade


def test_nothing_of_the_answers_is_released(released):
    text = (released / "toy.ipynb").read_text()
    for secret in ("FACTOR * x", "secret model answer", "any reason", "x * x", "@question", "this is the square"):
        assert secret not in text
    assert "FACTOR" in text


def test_the_picture_is_embedded_with_its_words(released):
    notebook = json.loads((released / "toy.ipynb").read_text())
    (cell,) = [cell for cell in notebook["cells"] if cell["id"] == "double-picture"]
    assert cell["cell_type"] == "markdown" and "![A line](data:image/png;base64," in "".join(cell["source"])


def drawn(path):
    """The texts of a notebook's pictures, by the id of the cell."""
    cells = json.loads(path.read_text())["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells if cell["metadata"].get("lsedu", {}).get("picture")}


def drawn_elsewhere(path, source):
    """Put another text into every picture of a notebook, as if another processor had drawn them from this source."""
    notebook, origin, text = json.loads(path.read_text()), pictures.origins(parse(source)), "drawn elsewhere"
    for cell in notebook["cells"]:
        if cell["id"] in origin:
            cell["source"] = text
            cell["metadata"]["lsedu"]["picture"] = pictures.mark(text, origin[cell["id"]])
    path.write_text(json.dumps(notebook))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('hint="twice"', 'hint="two times"'),
        ("this is the square", "this is x times x"),
        ("First hint", "A first hint"),
        ("# Toy", "# A toy"),
        ("any reason", "a reason"),
        ("checks.report()", "checks.report()  # at the end"),
    ],
)
def test_a_change_that_no_picture_depends_on_leaves_the_pictures_as_they_were_drawn(
    toy, toy_text, released, monkeypatch, before, after
):
    monkeypatch.setattr("lsedu.authoring.release.draw", lambda source: pytest.fail("pictures were drawn"))
    were = drawn(released / "toy.ipynb")
    assert toy_text.count(before) == 1
    toy.write_text(toy_text.replace(before, after))
    assert released / "toy.ipynb" in release(toy, out=released)
    assert drawn(released / "toy.ipynb") == were and "double-picture" in were


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FACTOR = 2", "FACTOR = 1 + 1"),
        ("return FACTOR * x", "return x * FACTOR"),
        ("figsize=(2, 2)", "figsize=(2, 3)"),
        ('alt: "A line"', 'alt: "Another line"'),
    ],
)
def test_a_picture_is_drawn_anew_when_what_is_run_for_it_changes(toy, toy_text, released, before, after):
    drawn_elsewhere(released / "toy.ipynb", toy)
    assert toy_text.count(before) == 1
    toy.write_text(toy_text.replace(before, after))
    release(toy, out=released)
    (text,) = drawn(released / "toy.ipynb").values()
    assert "data:image/png;base64," in text


def test_a_picture_before_the_change_stays_as_it_was_drawn(toy, toy_text, released):
    second = """
```{code-cell} ipython3
---
tags: [picture]
alt: "A second line"
---
figure, axes = plt.subplots(figsize=(2, 2))
```
"""
    place = '\n+++ {"nbgrader": {"grade_id": "why"'
    toy.write_text(toy_text.replace(place, second + place))
    release(toy, out=released)
    assert len(drawn(released / "toy.ipynb")) == 2
    drawn_elsewhere(released / "toy.ipynb", toy)
    toy.write_text(toy_text.replace(place, second.replace("figsize=(2, 2)", "figsize=(3, 2)") + place))
    release(toy, out=released)
    first, other = drawn(released / "toy.ipynb").values()
    assert first == "drawn elsewhere" and "data:image/png;base64," in other


def test_the_colab_cell_takes_slug_and_packages_from_the_metadata_and_leaves_torch():
    guard = colab_guard()
    compile(guard, "guard", "exec")
    assert f"git+{_project.link('Repository')}" in guard and "--no-deps" in guard
    listed = guard[guard.index("packages = [") :].partition("]\n")[0]
    assert "torch" not in listed and "numpy" in listed
    assert 'if absent("torch"):\n        packages.append' in guard


@pytest.mark.parametrize(("here", "packages"), [({"torch"}, False), (set(), True)])
def test_the_colab_cell_installs_torch_only_where_there_is_none(monkeypatch, here, packages):
    calls = []
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if name in here else None)
    monkeypatch.setattr("subprocess.check_call", calls.append)
    exec(compile(colab_guard(), "guard", "exec"), {})
    first, second, _ = calls
    assert any(item.startswith("torch") for item in first) == packages
    assert second[-2] == "--no-deps" and second[-1].startswith("lsedu @ git+https://")


@pytest.mark.parametrize("lacking", [[], ["nbclient"], ["ipykernel", "nbclient", "nbformat"]])
def test_the_colab_cell_brings_what_handing_in_needs_and_nothing_that_is_there(monkeypatch, lacking):
    calls = []
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in lacking else object())
    monkeypatch.setattr("subprocess.check_call", calls.append)
    exec(compile(colab_guard(), "guard", "exec"), {})
    assert [call[call.index("--quiet") + 1 :] for call in calls] == ([lacking] if lacking else [])
