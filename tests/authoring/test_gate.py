import pytest

from lsedu.authoring.gate import examine


def failures(path):
    return [(finding.what, finding.said) for finding in examine(path) if not finding.passed]


def test_the_toy_lab_passes(toy):
    assert failures(toy) == [] and len(examine(toy)) == 10


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
