import pytest

from lsedu.authoring import LabError, load_lab
from lsedu.authoring.source import parse, strip


def test_roles_and_ids(toy):
    cells = {cell.id: cell for cell in parse(toy).cells}
    assert {name: cell.role for name, cell in cells.items() if "-" not in name} == {
        "double": "student",
        "why": "manual",
    }
    assert cells["double-check"].role == "check"
    assert "<summary>Hint 2</summary>" in cells["double-hint-2"].source
    assert [cell.role for cell in cells.values()].count("preamble") == 1


def test_only_the_source_holds_solutions(toy):
    cells = {cell.id: cell for cell in parse(toy).cells}
    assert "FACTOR * x" in cells["double"].solution and "SOLUTION" not in cells["double"].solution
    assert "FACTOR * x" not in cells["double"].source
    assert "secret model answer" in cells["why"].solution and "secret" not in cells["why"].source


def test_inner_blocks_keep_their_indentation():
    text = "def f(x):\n    if x:\n        ### BEGIN SOLUTION\n        return 1\n        ### END SOLUTION\n    return 2"
    released = strip(text)
    assert "\n        raise NotImplementedError" in released and released.endswith("\n    return 2")
    compile(released, "cell", "exec")


@pytest.mark.parametrize("text", ["### BEGIN SOLUTION\n1", "1\n### END SOLUTION"])
def test_a_marker_without_partner_is_refused(text):
    with pytest.raises(LabError, match="no partner"):
        strip(text)


def test_loading(toy):
    lab = load_lab(toy)
    assert (lab.name, lab.points, [question.id for question in lab.questions]) == ("toy", 5, ["double", "why"])
    double = lab.question("double")
    assert double.reference(3) == 6 and [wrong.points for wrong in double.wrong] == [2, 3]
    assert double.wrong[0].function(3) == 9
    assert lab.question("why").rubric.strip() == "- 1 point: any reason."
    assert lab.preamble == "import numpy as np\nFACTOR = 2"
    assert "5 points in all, 4 points for the first." in lab.cells[0].source
    with pytest.raises(KeyError, match="it has double, why"):
        lab.question("triple")


def test_draws_depend_on_seed_and_question_only(toy):
    question = load_lab(toy).question("double")
    first, again, other = question.draw(7), question.draw(7), question.draw(8)
    assert (first[0].args[0] == again[0].args[0]).all() and (first[0].args[0] != other[0].args[0]).all()
    assert question.draw([7, 1])[0].args[0][0] != first[0].args[0][0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("lsedu:\n  lab: toy", "other:\n  lab: toy", "is not a lab"),
        ("lab: toy", "lab: game", "they must agree"),
        ("allow: [numpy]", "alow: [numpy]", "has no key alow"),
        ('@question("double"', '@question("triple"', "asks for 'triple'"),
        ("def double(x: np", "def dubble(x: np", "asks for 'double', which no solution cell defines"),
        ("return FACTOR * x", "return FACTOR *", "cell 'double' fails: SyntaxError"),
        ("FACTOR = 2", "FACTOR = missing", "cell 'preamble-.*' fails: NameError"),
        (
            "rng.normal(size=3) + 5",
            "rng.narmal()",
            r"'double': drawing its cases fails: AttributeError: .*\(line \d+ of cell",
        ),
        ("return FACTOR * x", "return FACTOR * y", "its solution on the case 'small' fails: NameError"),
        ("points: 2\n", "", "needs points"),
        ("def double(x):\n    return x * x", "def other(x):\n    return x * x", "does not define 'double'"),
        ('+++ {"tags": ["rubric"]}', '+++ {"tags": ["plain"]}', "needs a cell tagged `rubric`"),
        ("Second hint.", "Second hint.\n\n## Next", "runs on into a heading"),
        ("{points:double}", "{points:dubble}", "there is no question 'dubble'"),
        ("{grade_id: double, solution: true}", "{grade_id: double}", "must say"),
        ('"solution": true, "points": 1', '"solution": true', "a question in words needs"),
    ],
)
def test_a_faulty_source_is_refused_with_the_reason(toy, toy_text, old, new, said):
    assert old in toy_text
    toy.write_text(toy_text.replace(old, new, 1))
    with pytest.raises(LabError, match=said):
        load_lab(toy)


def test_an_undeclared_student_cell_is_refused(toy, toy_text):
    toy.write_text(toy_text + "\n```{code-cell} ipython3\n:nbgrader: {grade_id: lost, solution: true}\n\nx = 1\n```\n")
    with pytest.raises(LabError, match="no grader cell declares 'lost'"):
        load_lab(toy)
