import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lsedu.authoring import LabError, Manifest, load_lab
from lsedu.authoring.release import handout, release
from lsedu.authoring.variant import default, of_student, roster
from lsedu.cli import app
from lsedu.labs import Checks

MANIFEST = Manifest("lab", "A lab", variants={"seed": list(range(10)), "strength": [0.1, 0.2]})


def test_a_variant_depends_on_the_student_alone():
    assert default(MANIFEST) == {"seed": 0, "strength": 0.1}
    drawn = [of_student(MANIFEST, f"student{i}") for i in range(200)]
    assert drawn == [of_student(MANIFEST, f"student{i}") for i in range(200)]
    assert {one["seed"] for one in drawn} == set(range(10)) and {one["strength"] for one in drawn} == {0.1, 0.2}


@pytest.fixture
def varied(toy, toy_text):
    text = toy_text.replace("allow: [numpy]", "allow: [numpy]\n  variants: {seed: [0, 1, 2, 3, 4, 5, 6, 7]}")
    toy.write_text(text.replace("{points} in all", "Your seed is {variant:seed}. {points} in all"))
    return toy


def test_every_student_of_the_roster_gets_a_notebook(varied, tmp_path):
    (tmp_path / "roster.csv").write_text("name,student\nAda,ada\nBen,ben\nCy,cy\n", encoding="utf-8-sig")
    out = tmp_path / "handout"
    done = CliRunner().invoke(app, ["labs", "handout", str(varied), str(tmp_path / "roster.csv"), "--out", str(out)])
    assert done.exit_code == 0, done.output
    manifest = load_lab(varied).manifest
    table = (out / "toy.variants.csv").read_text().splitlines()
    assert table == ["student,seed", *(f"{name},{of_student(manifest, name)['seed']}" for name in ("ada", "ben", "cy"))]
    for name in ("ada", "ben", "cy"):
        notebook = json.loads((out / name / "toy.ipynb").read_text())
        assert notebook["metadata"]["lsedu"]["student"] == name
        assert f"Your seed is {of_student(manifest, name)['seed']}." in "".join(notebook["cells"][0]["source"])
        assert Checks("toy", release=load_lab(varied).digest[:16], folder=out / name).notice == ""


def test_a_lab_whose_checks_come_with_lsedu_is_handed_out_as_one_file(toy, tmp_path, monkeypatch):
    shipped = tmp_path / "shipped" / "toy.checks.json"
    monkeypatch.setattr("lsedu.labs.checkfile._SHIPPED", shipped.parent)
    release(toy, out=shipped.parent)
    handout(toy, ["ada"], out=tmp_path)
    assert [path.name for path in (tmp_path / "ada").iterdir()] == ["toy.ipynb"]
    shipped.write_text(shipped.read_text().replace("A toy", "Another toy"))
    handout(toy, ["ben"], out=tmp_path)
    assert sorted(path.name for path in (tmp_path / "ben").iterdir()) == ["toy.checks.json", "toy.ipynb"]


def test_the_public_release_has_the_first_values(varied, tmp_path):
    release(varied, out=tmp_path / "labs")
    text = (tmp_path / "labs" / "toy.ipynb").read_text()
    assert "Your seed is 0." in text and "{variant" not in text and '"student"' not in text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "Your seed is {variant:seed}",
            "Your seed is {variant:sed}",
            "the variant 'sed', which the header does not list",
        ),
        ("FACTOR = 2", "FACTOR = {variant:seed}", "must be the same for all students"),
        ("return FACTOR * x", "return {variant:seed} * x", "must be the same for all students"),
        ("np.zeros(2), weight", "np.zeros({variant:seed}), weight", "must be the same for all students"),
    ],
)
def test_graded_code_cannot_vary(varied, old, new, said):
    text = varied.read_text()
    assert old in text
    varied.write_text(text.replace(old, new))
    with pytest.raises(LabError, match=said):
        load_lab(varied)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name\nAda\n", "needs a column `student`"),
        ("student\nada\n../ben\n", "cannot name a folder"),
        ("student\n..\n", "cannot name a folder"),
        ("id,name\n,Ada\n", "cannot name a folder"),
        ("student\nada\nada\n", "occurs twice"),
    ],
)
def test_a_faulty_roster_is_refused(tmp_path, text, said):
    (tmp_path / "roster.csv").write_text(text)
    with pytest.raises(ValueError, match=said):
        roster(tmp_path / "roster.csv")


def test_a_roster_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "roster.csv").write_bytes("student,name\nada,Zoë\n".encode("latin-1"))
    with pytest.raises(ValueError, match="save it as CSV \\(UTF-8\\)"):
        roster(tmp_path / "roster.csv")


@pytest.mark.parametrize(
    "words", [("roster.csv", "--out", "taken"), ("folder", "--out", "out"), ("no.csv", "--out", "out")]
)
def test_what_cannot_be_read_or_written_is_one_message(varied, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    Path("roster.csv").write_text("student\nada\n")
    Path("taken").write_text("a file")
    Path("folder").mkdir()
    done = CliRunner().invoke(app, ["labs", "handout", str(varied), *words])
    assert done.exit_code in (1, 2) and "Errno" in done.stderr and isinstance(done.exception, SystemExit)
