"""The search for undeclared wrong answers: a sample of it, what it must find, and that its list is of now."""

import importlib
import random
import sys
from pathlib import Path

import pytest

from lsedu.authoring import load_lab

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "solutions").glob("lab*.md"))


@pytest.fixture(scope="module")
def tool():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        yield importlib.import_module("lab_mutants")
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_sample_of_the_mutants_earns_nothing_and_the_list_names_mutants_only(tool, source):
    lab, draw = load_lab(source), random.Random(1)
    known = tool.explained()
    answers = tool.Answers(lab)
    for question in tool.automatic(lab):
        equal = known.pop(f"{lab.name}/{question.id}", {})
        assert set(equal) <= {mutant.change for mutant in answers.mutants(question)}, question.id
        if question.id != "fit-temperature":  # whose search takes most of the time
            ((_, tried, survivors),) = tool.search(lab, [question], secrets=[7, 8], draw=draw, sample=12)
            assert len(tried) == 12
            assert {mutant.change for mutant in survivors} <= set(equal), question.id
    assert not [name for name in known if name.startswith(f"{lab.name}/")]


def test_a_case_too_few_is_found(tool, tmp_path):
    toy = (ROOT / "tests/authoring/toy.md").read_text()
    toy = toy.replace('    yield case("negative", -rng.uniform(1, 2, size=(2, 2)), hint="the sign stays")\n', "")
    (tmp_path / "toy.md").write_text(toy)
    lab = load_lab(tmp_path / "toy.md")
    ((_, tried, survivors),) = tool.search(lab, tool.automatic(lab), secrets=range(3))
    said = {mutant.change for mutant in survivors}
    # all its numbers are about 5 or 0: what goes wrong below 0 is seen by no case
    assert {"argument 0 without its sign", "result without its sign"} <= said and len(said) < len(tried) / 2


def test_a_parrot_lives_where_the_answer_follows_from_the_shape(tool, tmp_path):
    toy = (ROOT / "tests/authoring/toy.md").read_text()
    toy = toy.replace("rng.normal(size=3) + 5", "np.ones(3)").replace(
        "-rng.uniform(1, 2, size=(2, 2))", "-np.ones((2, 2))"
    )
    (tmp_path / "toy.md").write_text(toy)
    lab = load_lab(tmp_path / "toy.md")
    ((_, _, survivors),) = tool.search(lab, tool.automatic(lab), secrets=[1])
    assert "parrot of the public outcomes" in {mutant.change for mutant in survivors}


def test_faults_are_told_by_the_line_they_change(tool):
    found = tool.faults("def f(x, n):\n    y = x + 1\n    return y[:n]\n")
    assert found["y = x + 1 -> y = x - 1"] == "def f(x, n):\n    y = x - 1\n    return y[:n]"
    assert {"y = x + 1 -> y = x", "return y[:n] -> return y", "return y[:n] -> return y[:n + 1]"} <= set(found)
    assert "y = x + 1 -> y = 1 + x" not in found
