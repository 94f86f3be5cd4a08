import pytest
from typer.testing import CliRunner

from lsedu.authoring import LabError, load_lab, rehearsal
from lsedu.authoring.gate import examine
from lsedu.authoring.release import build, handout, release
from lsedu.cli import app


def failures(path):
    return [(finding.what, finding.said) for finding in examine(path) if not finding.passed]


def test_the_toy_lab_passes(toy):
    assert failures(toy) == [] and len(examine(toy)) == 13


def test_a_question_without_wrong_answers_is_stopped(toy, toy_text):
    toy.write_text(toy_text.replace("tags: [wrong]", "tags: [picture]\nalt: none"))
    assert failures(toy) == [("a declared wrong answer for every question", "double")]


@pytest.mark.parametrize(
    ("old", "new", "what", "said"),
    [
        (
            "allow: [numpy]",
            "allow: [numpy, lsedu.calibration]",
            "no allowed module reaches an answer",
            "lsedu.calibration",
        ),
        (
            "answers: [lsedu.calibration]",
            "answers: [lsedu.nothing]",
            "no allowed module reaches",
            "no module lsedu.nothing",
        ),
        ("FACTOR = 2", "FACTOR = 2\nimport torch", "import allowed modules only", "torch"),
        ("points: 2\n", "points: 1\n", "double-wrong: gets its mark (1)", "2 points instead of 1"),
        ("return x * x", "return 2 * x", "double-wrong: gets its mark (2)", "4 points instead of 2"),
        ("return x * x", "return 2 * abs(x)", "double-wrong: gets its mark (2)", "3 points instead of 2"),
        ("return abs(2 * x)", "return 2 * x + 1", "double-wrong-2: gets its mark (3)", "0 points instead of 3"),
        (":nbgrader: {grade_id: double, grade: true}\n\n", "", "a check for every question", "double"),
    ],
)
def test_what_the_gate_stops(toy, toy_text, old, new, what, said):
    assert old in toy_text
    toy.write_text(toy_text.replace(old, new, 1))
    assert any(what in name and said in reason for name, reason in failures(toy))


def test_a_message_that_another_wrong_answer_takes_is_stopped(toy, toy_text):
    toy.write_text(toy_text.replace("return abs(2 * x)", "return x * x").replace("points: 3", "points: 2"))
    assert any("double-wrong-2" in name and "lacks its message" in said for name, said in failures(toy))


def test_a_question_without_hints_is_stopped(toy, toy_text):
    toy.write_text(toy_text.replace('"tags": ["hint"]', '"tags": ["plain"]', 1))
    assert ("at least 2 hints a question", "double") in failures(toy)


def test_an_answer_left_outside_the_markers_is_stopped(toy, toy_text):
    text = toy_text.replace(
        "    ### BEGIN SOLUTION\n    return FACTOR * x\n    ### END SOLUTION", "    return FACTOR * x"
    )
    toy.write_text(text)
    assert any("untouched stub" in name and "4 points" in said for name, said in failures(toy))


def test_a_solution_that_is_not_deterministic_is_stopped(toy, toy_text):
    toy.write_text(toy_text.replace("return FACTOR * x", "return FACTOR * x + np.random.normal()"))
    assert any("the solution has full marks" in name for name, _ in failures(toy))


@pytest.mark.parametrize(
    ("old", "new", "case"),
    [
        ("rng.normal(size=3) + 5", "np.random.normal(size=3) + 5", "small"),
        ("rng.normal(size=3) + 5", "np.random.default_rng().normal(size=3) + 5", "small"),
        ("-rng.uniform(1, 2, size=(2, 2))", "-1.0 - np.random.rand(2, 2)", "negative"),
    ],
)
def test_draws_that_do_not_follow_from_the_seed_are_stopped(toy, toy_text, old, new, case):
    assert old in toy_text
    toy.write_text(toy_text.replace(old, new))
    (said,) = [said for what, said in failures(toy) if "a seed draws the same cases" in what]
    assert said == f"the case {case!r} differs between two draws from one seed: take all randomness from `rng`"


WHOLE = "    ### BEGIN SOLUTION\n    return FACTOR * x\n    ### END SOLUTION"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (WHOLE, "    return FACTOR * x", "the untouched stub has 0"),
        ("rng.normal(size=3)", "np.random.normal(size=3)", "take all randomness from `rng`"),
        ("points: 2\n", "points: 1\n", "2 points instead of 1"),
    ],
)
def test_what_the_gate_refuses_is_not_released_in_one_line(toy, toy_text, tmp_path, old, new, said):
    assert old in toy_text
    toy.write_text(toy_text.replace(old, new, 1))
    for write in (release, lambda path, out: handout(path, ["ada"], out=out)):
        with pytest.raises(LabError, match="toy is not released, it fails the gate") as caught:
            write(toy, out=tmp_path / "out")
        assert said in str(caught.value) and "\n" not in str(caught.value)
    done = CliRunner().invoke(app, ["labs", "release", str(toy), "--out", str(tmp_path / "out")])
    assert done.exit_code and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("grade_id: double, grade: true", "grade_id: duoble, grade: true", "'duoble-check' belongs to 'duoble'"),
        ('@question("double"', '@question("duoble", function="double"', "no cell has `grade_id: duoble`"),
        ("tags: [wrong]\n", "tags: [wrong]\nquestion: duoble\n", "belongs to 'duoble', but there is no such question"),
        ('"grade_id": "why"', '"grade_id": "double"', "two questions have the id 'double'"),
        ('@question("double", title="Doubling", points=4)', "", "no grader cell declares 'double'"),
        ("    ### END SOLUTION", "", "a solution marker has no partner in the cell that begins 'def double"),
        ("{grade_id: double, solution: true}", "{solution: true}", "nbgrader metadata without a grade_id"),
        ("points: 2\nmessage", "points: [2\nmessage", "cannot be read as a MyST notebook"),
    ],
)
def test_a_slip_in_the_source_is_told_in_one_line(toy, toy_text, old, new, said):
    assert old in toy_text
    toy.write_text(toy_text.replace(old, new, 1))
    with pytest.raises(LabError) as caught:
        load_lab(toy)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_two_answers_of_one_id_are_refused(toy, toy_text):
    begin, end = toy_text.index("```{code-cell} ipython3\n:nbgrader: {grade_id: double, solution"), "```\n\n"
    cell = toy_text[begin : toy_text.index(end, begin) + len(end)]
    toy.write_text(toy_text.replace(cell, cell + cell))
    with pytest.raises(LabError, match="two cells have the grade_id 'double' and hold its answer"):
        load_lab(toy)


def test_an_answer_in_words_is_not_released_though_nothing_marks_it(toy, toy_text):
    toy.write_text(toy_text.replace("### BEGIN SOLUTION\nBecause", "Because").replace("so.\n### END SOLUTION", "so."))
    assert failures(toy) == []
    (cell,) = [cell for cell in build(load_lab(toy))["cells"] if cell["id"] == "why"]
    assert cell["source"] == "*Write your answer here.*"
    (cell,) = [cell for cell in build(load_lab(toy), solved=True)["cells"] if cell["id"] == "why"]
    assert cell["source"] == "Because the secret model answer says so."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "solved", "said"),
    [
        ("", "", False, ""),
        ("", "", True, ""),
        ('checks.check("double", double)', 'checks.check("duoble", double)', True, "no automatic check for 'duoble'"),
        ('checks.check("double", double)', "double(np.ones(2))", False, "must ask `checks.ready(...)` first"),
        ('checks.check("double", double)', "1 + 1", True, "no check of 'double' was run"),
        ("checks.report()", 'checks.ready("duoble")', True, "toy has no question 'duoble'; it has double, why"),
        (', folder=".")', ")", False, 'write Checks(..., folder=".")'),
        ("checks.report()", "open('nowhere/data.csv')", True, "FileNotFoundError"),
    ],
)
def test_the_gate_runs_the_release(toy, toy_text, old, new, solved, said):
    toy.write_text(toy_text.replace(old, new, 1) if old else toy_text)
    got = rehearsal.rehearse(load_lab(toy), solved=solved)
    assert (said in got if said else got == "") and "\n" not in got


@pytest.mark.slow
def test_a_release_that_does_not_run_is_refused(toy, toy_text, tmp_path, monkeypatch):
    monkeypatch.setattr("lsedu.authoring.gate.rehearse", rehearsal.rehearse)
    toy.write_text(toy_text.replace("checks.report()", 'checks.ready("duoble")'))
    with pytest.raises(LabError, match="the untouched release runs from its first cell to its last: cell 'plain-"):
        release(toy, out=tmp_path / "out")
