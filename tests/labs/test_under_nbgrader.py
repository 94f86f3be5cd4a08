"""Under nbgrader a check that is not passed fails its cell, for nbgrader takes any other cell for right."""

import io
from pathlib import Path

import nbformat
import pytest
from nbgrader.utils import determine_grade
from nbgrader.validator import Validator

from lsedu._errors import CheckFailedError
from lsedu.authoring import checkfile, load_lab
from lsedu.authoring.release import build
from lsedu.labs.checks import Checks

ROOT = Path(__file__).parents[2]


@pytest.fixture
def lab(toy, tmp_path):
    lab = load_lab(toy)
    (tmp_path / "toy.checks.json").write_text(checkfile.dump(checkfile.build(lab)))
    return lab


@pytest.mark.parametrize(("solved", "said"), [(False, "VALIDATION FAILED ON 1 CELL"), (True, "Success")])
def test_nbgrader_validate(lab, tmp_path, monkeypatch, solved, said):
    monkeypatch.chdir(tmp_path)
    nbformat.write(nbformat.from_dict(build(lab, solved=solved)), tmp_path / "toy.ipynb")
    validator = Validator()
    validator.stream = io.StringIO()
    executed = []
    preprocess = validator._preprocess
    validator._preprocess = lambda nb: executed.append(preprocess(nb)) or executed[-1]
    validator.validate_and_print(str(tmp_path / "toy.ipynb"))
    assert said in validator.stream.getvalue()
    (check,) = [
        cell for cell in executed[0].cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "double-check"
    ]
    assert determine_grade(check) == (4.0 if solved else 0.0, 4.0)


@pytest.mark.parametrize("variable", ["NBGRADER_EXECUTION", "NBGRADER_VALIDATING"])
def test_a_check_that_is_not_passed_raises_and_one_that_is_does_not(lab, tmp_path, monkeypatch, variable):
    checks = Checks("toy", folder=tmp_path)
    assert checks.check("double", lambda x: x).status == "wrong"
    monkeypatch.setenv(variable, "autograde")
    with pytest.raises(CheckFailedError, match="Doubling: 1 of 3 public cases pass"):
        checks.check("double", lambda x: x)
    assert checks.check("double", lambda x: 2 * x).status == "right"


def test_the_students_jupyterlab_has_no_buttons_of_nbgraders(monkeypatch):
    from jupyterlab_server.config import get_page_config

    # as the Makefile starts it
    recipe = (ROOT / "Makefile").read_text().partition("\nlab: ")[2].partition("\n\n")[0]
    assert "JUPYTER_CONFIG_PATH=$(CURDIR)/labs/jupyter" in recipe
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(ROOT / "labs/jupyter"))
    assert "@jupyter/nbgrader" in get_page_config([])["disabledExtensions"]
