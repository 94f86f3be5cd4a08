"""One `lsedu grade` run on the first lab: a correct, a partly right, an empty, a broken and a cheating submission."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lsedu import _modules
from lsedu.authoring import load_lab
from lsedu.authoring.release import build
from lsedu.cli import app

LAB = Path(__file__).resolve().parents[2] / "solutions" / "lab01.md"
WRONG_SOFTMAX = """\
def softmax(logits):
    weights = np.exp(logits)
    return weights / weights.sum(axis=1, keepdims=True)
"""
IMPORTED = {
    "softmax": "from lsedu.labs import load_lab\nsoftmax = load_lab('{lab}').questions[0].reference\n",
    "cross-entropy": "from lsedu.losses import cross_entropy\n",
    "overconfidence": "from lsedu.calibration import overconfidence\n",
}


def with_cells(notebook, texts):
    """Return a copy of a notebook with the answers in `texts` (grade id to code) in place of its own."""
    notebook = json.loads(json.dumps(notebook))
    for cell in notebook["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("solution") and not about.get("locked") and about["grade_id"] in texts:
            cell["source"] = texts[about["grade_id"]]
    return notebook


@pytest.fixture(scope="module")
def lab():
    return load_lab(LAB)


@pytest.fixture(scope="module")
def outcome(lab, tmp_path_factory):
    """Grade the five with the command itself; lines by student, rows of the table, and the folder."""
    folder = tmp_path_factory.mktemp("class")
    solved, stub = build(lab, solved=True), build(lab)
    cheating = {name: text.format(lab=LAB) for name, text in IMPORTED.items()}
    texts = {
        "correct": json.dumps(solved),
        "partly": json.dumps(with_cells(solved, {"softmax": WRONG_SOFTMAX, "paired": "def paired(a, b:\n"})),
        "empty": json.dumps(stub),
        "broken": json.dumps(solved)[:2000],
        "importing": json.dumps(with_cells(stub, cheating)),
    }
    for student, text in texts.items():
        (folder / "submitted" / student).mkdir(parents=True)
        (folder / "submitted" / student / "lab01.ipynb").write_text(text, encoding="utf-8")
    out = folder / "out"
    command = ["grade", str(LAB), str(folder / "submitted"), "--out", str(out), "--jobs", "2"]
    done = CliRunner().invoke(app, [*command, "--secret-file", str(folder / "secret")])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in (out / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    with (out / "grades.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    return {line["student"]: line for line in lines}, rows, out


def automatic(lab):
    return {question.id: question.points for question in lab.questions if question.kind == "function"}


def test_everyone_has_a_line_a_row_and_a_page(outcome):
    lines, rows, out = outcome
    assert set(lines) == set(rows) == {"correct", "partly", "empty", "broken", "importing"}
    assert len(list((out / "feedback").glob("*.html"))) == 5


def test_the_solution_has_full_marks_and_its_text_answer_waits_for_a_person(lab, outcome):
    line = outcome[0]["correct"]
    assert {name: line["points"][name] for name in automatic(lab)} == automatic(lab)
    assert line["points"]["conclusion"] is None
    assert float(outcome[1]["correct"]["total"]) == sum(automatic(lab).values())


def test_a_wrong_and_a_broken_cell_cost_their_own_questions_only(lab, outcome):
    line = outcome[0]["partly"]
    assert line["points"]["softmax"] == 1
    assert line["points"]["paired"] == 0
    assert any("no row maximum was subtracted" in reason for reason in line["reasons"]["softmax"])
    assert line["reasons"]["paired"]
    untouched = {"cross-entropy", "overconfidence", "reliability"}
    assert {name: line["points"][name] for name in untouched} == {name: automatic(lab)[name] for name in untouched}


@pytest.mark.parametrize("student", ["empty", "broken", "importing"])
def test_no_answer_earns_no_point_and_says_why(lab, outcome, student):
    line = outcome[0][student]
    assert line["total"] == 0
    assert all(line["reasons"][name] for name in automatic(lab))


def test_an_unreadable_file_is_flagged(outcome):
    assert "unreadable" in outcome[0]["broken"]["flags"]


def test_the_imports_would_succeed_outside_the_sandbox(lab):
    """The modules exist and hold the answers: their absence in the child is what gives 0, not a wrong name."""
    from lsedu.calibration import overconfidence
    from lsedu.losses import cross_entropy

    held = _modules.reached(lab.manifest.answers)
    assert {overconfidence.__module__, cross_entropy.__module__} <= set(held)
