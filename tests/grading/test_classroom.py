"""The command, the examples to take home, artefacts in a class, and the limits of one zygote."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

hostile = sys.modules["hostile"]
TINY = Path(__file__).resolve().parent / "fixtures" / "tiny.md"


def named(*names):
    return [case for case in hostile.SUITE if case.name in names]


def test_the_command_names_what_is_wrong(tmp_path):
    from lsedu.cli import app

    run = CliRunner().invoke
    (tmp_path / "empty").mkdir()
    out = ["--out", str(tmp_path / "out")]
    for lab, submissions, said in (
        (str(tmp_path / "no.md"), str(tmp_path / "empty"), "there is no lab"),
        (str(TINY), str(tmp_path / "absent"), "is not a folder"),
        (str(TINY), str(tmp_path / "empty"), "there are no submissions"),
    ):
        result = run(app, ["grade", lab, submissions, *out])
        assert result.exit_code == 2
        assert said in result.output


@pytest.mark.slow
def test_the_command_grades_and_goes_on(tmp_path, solved, tiny):
    from lsedu.authoring.release import build
    from lsedu.cli import app

    hostile.write(*named("right"), tmp_path / "submitted", solved, {})
    (tmp_path / "submitted" / "untouched").mkdir()
    (tmp_path / "submitted" / "untouched" / "tiny.ipynb").write_text(json.dumps(build(tiny)))
    words = ["grade", str(TINY), str(tmp_path / "submitted"), "--out", str(tmp_path / "out"), "--jobs", "1"]
    first = CliRunner().invoke(app, words)
    assert first.exit_code == 0, first.output
    assert "2 graded, 0 already were" in first.output
    assert "level" in first.output
    assert "0 graded, 2 already were" in CliRunner().invoke(app, words).output
    table = (tmp_path / "out" / "grades.csv").read_text().splitlines()
    assert (
        table[0]
        == '"student","double","mean-square","predictions","count","words","total","out_of","handed_in","flags"'
    )
    page = (tmp_path / "out" / "feedback" / "untouched.html").read_text()
    assert "not answered: the cell is as it was handed out" in page and "NotImplementedError" not in page
    assert table[1].startswith('"right",4.0,3.0,0.0,2.0,"",9.0,10')


@pytest.mark.slow
def test_copied_artefacts_are_flagged_and_none_is_unpickled(tmp_path, classroom, solved):
    good = {"labels": np.arange(10), "probs": np.full((10, 3), 0.5)}

    def with_file(folder):
        np.savez(folder / "predictions.npz", **good)

    cases = [hostile.Case(name, "artefact", folder=with_file) for name in ("ada", "bob")]
    cases.append(hostile.Case("eve", "artefact", folder=lambda f: (f / "predictions.npz").write_bytes(b"\x80\x04.")))
    lines = classroom(cases).lines
    assert lines["ada"]["points"]["predictions"] == lines["bob"]["points"]["predictions"] == 1.0
    assert any("same file as bob" in flag for flag in lines["ada"]["flags"])
    assert lines["eve"]["points"]["predictions"] == 0 and lines["eve"]["reasons"]["predictions"]


@pytest.mark.slow
def test_scoring_that_fails_on_odd_arrays_costs_that_question_alone(tmp_path, solved):
    from lsedu.grading import Options, grade

    lab = tmp_path / "tiny.md"
    text = TINY.read_text().replace("(10, 3), 0.0", "(None, 3), 0.0")
    lab.write_text(text.replace("    half = rng", '    arrays["probs"][1]\n    half = rng'))
    short = {"labels": np.arange(10), "probs": np.zeros((1, 3))}
    case = hostile.Case("ada", "artefact", folder=lambda folder: np.savez(folder / "predictions.npz", **short))
    hostile.write(case, tmp_path / "submitted", solved, {})
    hostile.write(named("right")[0], tmp_path / "submitted", solved, {})
    out = tmp_path / "submitted" / "marks"
    for _ in range(2):  # the second time the folder of marks is there: it is no student
        grade(lab, tmp_path / "submitted", out, Options(jobs=1, regrade=True))
        lines = {line["student"]: line for line in map(json.loads, (out / "results.jsonl").open())}
        assert set(lines) == {"ada", "right"}
        assert lines["ada"]["total"] == lines["right"]["total"] == 9.0
        assert lines["ada"]["reasons"]["predictions"] and any("IndexError" in flag for flag in lines["ada"]["flags"])


@pytest.mark.slow
def test_examples_fail_at_home_in_the_same_way(classroom):
    from lsedu.labs.checkfile import read
    from lsedu.labs.codec import decode

    outcome = classroom(named("half-right", "right"), examples=True)
    line = outcome.lines["half-right"]
    assert list(line["examples"]) == ["double"]
    assert outcome.lines["right"]["examples"] == {}
    content = read(outcome.out / "feedback" / "half-right.checks.json")
    by_name = {entry["name"]: entry for entry in content["questions"]["double"]["cases"]}
    (x,), expected = decode(by_name["a table"]["args"]), decode(by_name["a table"]["expected"])
    assert np.allclose(expected, 2 * x) and not np.allclose(expected, x)
    page = (outcome.out / "feedback" / "half-right.html").read_text()
    assert "public seed" in page and "see half-right.checks.json beside this page" in page


def test_inputs_are_drawn_from_the_secret_alone(tiny):
    from lsedu.grading import secret
    from lsedu.grading.marking import prepare

    def first_inputs(key):
        return [
            np.asarray(item.args[0]) for part in prepare(tiny, secret.seed(key, "cases of tiny")) for item in part.cases
        ]

    one, same, other = first_inputs(b"a" * 32), first_inputs(b"a" * 32), first_inputs(b"b" * 32)
    assert all(np.array_equal(a, b) for a, b in zip(one, same))
    assert not any(a.shape == b.shape and np.array_equal(a, b) for a, b in zip(one, other))


def test_marks_are_kept_only_while_all_code_that_gives_them_is_the_same():
    from lsedu import _modules
    from lsedu.grading.basis import CODE

    files = sorted((_modules.ROOT / "grading").rglob("*.py"))
    names = [".".join(("lsedu", *file.relative_to(_modules.ROOT).with_suffix("").parts)) for file in files]
    needed = {name.removesuffix(".__init__") for name in names}
    needed |= {"lsedu.authoring.load", "lsedu.labs.compare", "lsedu.labs.evaluate"}
    assert needed <= set(_modules.reached(CODE))


def test_a_lab_that_allows_an_answer_is_refused(tmp_path, solved):
    from lsedu.grading import Options, grade
    from lsedu.grading.packages import NotAllowedError

    lab = tmp_path / "tiny.md"
    text = TINY.read_text()
    lab.write_text(text.replace("allow: [numpy, torch]", "allow: [numpy, torch, lsedu.information]"))
    hostile.write(named("right")[0], tmp_path / "submitted", solved, {})
    with pytest.raises(NotAllowedError, match="calls answers"):
        grade(lab, tmp_path / "submitted", tmp_path / "out", Options(jobs=1))


@pytest.mark.slow
def test_an_allowed_module_works_and_the_rest_of_lsedu_is_absent(tmp_path, solved):
    from lsedu.grading import Options, grade

    lab = tmp_path / "tiny.md"
    text = TINY.read_text().replace("allow: [numpy, torch]", "allow: [numpy, torch, lsedu.targets]")
    lab.write_text(text.replace("answers: [lsedu.information]", "answers: [lsedu.losses]"))
    code = """
import os
import lsedu
from lsedu.targets import one_hot
present = sorted(n for n in os.listdir(os.path.dirname(lsedu.__file__)) if not n.startswith("_"))
def double(x):
    return 2 * x if present in (["targets.py"], ["targets"]) and one_hot(torch.tensor([0]), 2).shape == (1, 2) else x
"""
    hostile.write(hostile.Case("ada", "view", {"double": code}), tmp_path / "submitted", solved, {})
    grade(lab, tmp_path / "submitted", tmp_path / "out", Options(jobs=1))
    line = json.loads((tmp_path / "out" / "results.jsonl").read_text())
    assert line["points"]["double"] == 4.0, line["reasons"]
