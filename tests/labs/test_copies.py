"""Students work in copies of their own: made when missing, never overwritten, a newer release put beside."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lsedu.authoring.release import release
from lsedu.cli import app
from lsedu.labs.copies import CopyError, copy

ROOT = Path(__file__).parents[2]


def test_copies_are_made_when_missing_and_never_overwritten(toy, toy_text, tmp_path):
    labs, mine, said = tmp_path / "labs", tmp_path / "mine", []
    release(toy, out=labs)
    (labs / "toy-kept-1.ipynb").write_bytes((labs / "toy.ipynb").read_bytes())  # no lab of the course
    assert copy(labs, mine, say=said.append) == [mine / "toy.ipynb"]
    work = (mine / "toy.ipynb").read_text().replace("raise NotImplementedError", "return 2 * x")
    (mine / "toy.ipynb").write_text(work)
    assert copy(labs, mine, say=said.append) == [] and said == []
    toy.write_text(toy_text.replace("# Toy", "# A toy"))
    release(toy, out=labs)
    (beside,) = copy(labs, mine, say=said.append)
    assert beside.read_bytes() == (labs / "toy.ipynb").read_bytes()
    assert said == [f"toy.ipynb was released anew: yours stays as it is, the new one is {beside}"]
    assert json.loads(beside.read_text())["metadata"]["lsedu"]["release"].startswith(beside.stem.removeprefix("toy-"))
    assert copy(labs, mine, say=said.append) == [] and len(said) == 1
    assert (mine / "toy.ipynb").read_text() == work


def test_where_there_is_no_lab_it_is_said(tmp_path):
    with pytest.raises(CopyError, match="run this in the course's folder"):
        copy(tmp_path, tmp_path / "mine")
    assert CliRunner().invoke(app, ["labs", "copy", "--source", str(tmp_path)]).exit_code == 2


def test_make_lab_opens_copies_that_git_does_not_see():
    lines = (ROOT / "Makefile").read_text().split("\nlab: ")[1].split("\n\n")[0].splitlines()
    assert "lsedu labs copy" in lines[1] and "--notebook-dir my-labs" in lines[2]
    if shutil.which("git") and (ROOT / ".git").exists():
        seen = subprocess.run(["git", "check-ignore", "my-labs/lab01.ipynb"], cwd=ROOT, capture_output=True)
        assert seen.returncode == 0
