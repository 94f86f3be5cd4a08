"""Twenty mixed submissions of each of the course's labs in one run: every student gets the marks declared."""

import csv
import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lsedu.authoring import load_lab
from lsedu.authoring.release import build
from lsedu.cli import app

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"
STUDENTS = 20


def with_answer(notebook, grade_id, source):
    """Put an answer in the place of a question's own."""
    for cell in notebook["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("solution") and about["grade_id"] == grade_id and cell["cell_type"] == "code":
            cell["source"] = source


def answers(notebook):
    """Return the text of each answer by its question."""
    about = [(cell["metadata"].get("nbgrader", {}), cell["source"]) for cell in notebook["cells"]]
    return {grading["grade_id"]: text for grading, text in about if grading.get("solution")}


def mixed(lab, student):
    """Return a notebook where each answer is right, a declared wrong one, missing or broken, and the marks due."""
    draw = random.Random(student)
    notebook, marks = build(lab, solved=True), {}
    right, empty = answers(notebook), answers(build(lab))
    for question in lab.questions:
        if question.kind != "function":
            continue
        kind = draw.choices(("right", "wrong", "missing", "broken"), (5, 4, 1, 1))[0]
        marks[question.id] = question.points if kind == "right" else 0
        if kind == "wrong":
            wrong = draw.choice(question.wrong)
            marks[question.id] = wrong.points
            # a wrong answer may be told as a change to the right one
            with_answer(notebook, question.id, right[question.id] + "\n\n" + wrong.source)
        elif kind == "missing":
            with_answer(notebook, question.id, empty[question.id])
        elif kind == "broken":
            with_answer(notebook, question.id, f"def {question.function}(x:\n")
    return notebook, marks


@pytest.mark.slow
@pytest.mark.parametrize("source", sorted(SOLUTIONS.glob("lab*.md")), ids=lambda path: path.stem)
def test_twenty_mixed_submissions(source, tmp_path):
    lab, due = load_lab(source), {}
    for student in range(STUDENTS):
        notebook, due[f"student{student:02d}"] = mixed(lab, student)
        folder = tmp_path / "submitted" / f"student{student:02d}"
        folder.mkdir(parents=True)
        (folder / f"{lab.name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    out = tmp_path / "out"
    command = ["grade", str(source), str(tmp_path / "submitted"), "--out", str(out)]
    done = CliRunner().invoke(app, [*command, "--secret-file", str(tmp_path / "secret")])
    assert done.exit_code == 0, done.output
    with (out / "grades.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    got = {student: {name: float(rows[student][name]) for name in marks} for student, marks in due.items()}
    assert got == {student: pytest.approx(marks) for student, marks in due.items()}
    assert len({row["total"] for row in rows.values()}) > 2, "the submissions should differ"
