import math

import pytest
import torch

from lsedu.labs import Case, Question, case
from lsedu.labs.evaluate import evaluate


def test_marks_are_shares_by_weight():
    question = Question("q", "Q", 3)
    cases = [case("a"), case("b"), case("c", weight=2)]
    assert [question.mark(cases, passed) for passed in ([True] * 3, [False] * 3, [True, False, False])] == [3, 0, 0.75]
    assert Question("q", "Q", 1).mark([case(str(i)) for i in range(3)], [True, False, False]) == 0.33
    with pytest.raises(ValueError, match="argument 2"):
        question.mark(cases, [True])


@pytest.mark.parametrize("weight", [0, -1, math.nan])
def test_a_weight_must_count(weight):
    with pytest.raises(ValueError, match="weight must be positive"):
        case("a", weight=weight)


@pytest.mark.parametrize("names", [[], ["same", "same"]])
def test_a_question_needs_cases_of_different_names(names):
    question = Question("q", "Q", 1, cases=lambda rng: [case(name) for name in names])
    with pytest.raises(ValueError, match="at least one case and one name a case"):
        question.draw(1)


def test_arguments_are_private_copies():
    data = [1, 2]

    def spoil(x, *, y):
        x.append(3)
        y.append(4)
        return len(x) + len(y)

    item = Case("c", (data,), {"y": [0]})
    assert evaluate(spoil, Question("q", "Q", 1), item) == 5 == evaluate(spoil, Question("q", "Q", 1), item)
    assert data == [1, 2]


def test_gradients():
    question, item = Question("q", "Q", 1, grad=(0,)), case("c", torch.tensor([1.0, 2.0]), 3.0)
    outcome = evaluate(lambda x, a: a * x**2, question, item)
    assert outcome["grad"][0].tolist() == [6.0, 12.0] and not outcome["value"].requires_grad
    with pytest.raises(ValueError, match="carries no gradient"):
        evaluate(lambda x, a: (a * x).detach(), question, item)
    two = Question("q", "Q", 1, grad=(0, 1))
    with pytest.raises(ValueError, match="does not depend on an argument"):
        evaluate(lambda x, y: x.sum(), two, case("c", torch.ones(2), torch.ones(2)))
