import numpy as np
import pytest
import torch

from lsedu.labs import Question, case, explain, judge

ONE = np.ones((2, 3))


@pytest.mark.parametrize(
    ("got", "expected", "said"),
    [
        (None, 1.0, "is None: is a `return` missing?"),
        (torch.ones(2, 3), ONE, "is a torch.Tensor, expected a NumPy array"),
        (ONE.tolist(), ONE, "is a list, expected a NumPy array"),
        (np.ones((3, 2)), ONE, "has shape (3, 2), expected (2, 3)"),
        (np.ones((2, 3), dtype=int), ONE, "has dtype int64, expected floating-point numbers"),
        (ONE > 0, ONE, "has dtype bool, expected floating-point numbers"),
        (np.array(["a", "b"]), np.ones(2), "has dtype <U1, expected floating-point numbers"),
        (ONE * 1j, ONE, "has dtype complex128, expected floating-point numbers"),
        (ONE * np.nan, ONE, "holds NaN (6 of 6 values)"),
        (ONE * np.inf, ONE, "holds infinity (6 of 6 values)"),
        (ONE * 1.01, ONE, "is wrong in 6 of 6 values"),
        (float("nan"), 1.0, "is NaN"),
        (0.5, 0.25, "has the wrong value"),
        (1, True, "is a number, expected True or False"),
        (np.ones(1), 1.0, "is a NumPy array of shape (1,), expected a number"),
        ("lower", "higher", "has the wrong value"),
        (1.0, (1.0, 2.0), "is a number, expected a tuple of 2 values"),
        ((1.0,), (1.0, 2.0), "has 1 items, expected 2"),
        ((1.0, 3.0), (1.0, 2.0), "at position 1 has the wrong value"),
        ({"a": 1}, {"b": 1}, "has the wrong keys"),
    ],
)
def test_what_differs_is_said(got, expected, said):
    assert explain(got, expected) == said


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (np.float32(0.1), 0.1),
        (np.array(0.1), 0.1),
        (torch.tensor(0.1), 0.1),
        (3, 3.0),
        ([1.0, "a"], (1.0, "a")),
        (ONE.astype(np.float32), ONE),
        (np.array([np.nan, np.inf]), np.array([np.nan, np.inf])),
        (np.True_, True),
        (torch.ones(2, dtype=torch.bfloat16), torch.ones(2)),
        (None, None),
    ],
)
def test_as_good_as(got, expected):
    assert explain(got, expected) is None


def test_tolerance_is_absolute_plus_relative():
    assert explain(100.0 + 0.9, 100.0, rtol=0.01, atol=0.0) is None
    assert explain(100.0 + 1.1, 100.0, rtol=0.01, atol=0.0) is not None
    assert explain(1e-3, 0.0, rtol=0.5, atol=1e-4) is not None


def test_exact_dtype():
    assert explain(ONE.astype(np.float32), ONE, dtype="exact") == "has dtype float32, expected float64"


def test_values_are_quoted_only_when_asked():
    got, expected = np.array([1.0, 2.0]), np.array([1.0, 2.5])
    assert "2.5" not in explain(got, expected)
    assert explain({"a": 1}, {"b": 1}, show=True) == "has the keys ['a'], expected ['b']"
    assert explain(got, expected, show=True) == "is wrong in 1 of 2 values; first at index 1: got 2, expected 2.5"


def test_a_string_of_numpy_is_a_string():
    assert explain(np.str_("higher"), "higher") is None
    assert explain(np.str_("Higher"), "higher", show=True) == "is 'Higher', expected 'higher'"


def test_lost_digits_are_named():
    got, expected = np.array([0.12345678], dtype=np.float32), np.array([0.12345678])
    assert explain(got, expected, rtol=1e-12, atol=0.0, show=True).endswith(
        "it is in float32, and digits are lost: stay in float64"
    )
    assert "digits" not in explain(got + 1, expected, show=True)


def test_a_usual_mistake_is_known_only_where_it_differs_from_the_answer():
    question, item = Question("q", "Q", 1), case("c", hint="think of the sign")
    assert judge(2.0, 1.0, question, item, usual=[("doubled", 2.0)]) == "doubled"
    assert judge(1.0, 1.0, question, item, usual=[("same here", 1.0)]) is None
    assert (
        judge(3.0, 1.0, question, item, usual=[("same here", 1.0)])
        == "the result has the wrong value (think of the sign)"
    )
    assert judge(None, 1.0, question, item) == "the result is None: is a `return` missing?"
    assert judge("one", 1.0, question, item) == "the result is a string, expected a number"
    assert judge(np.nan, 1.0, question, item, usual=[("overflow", np.nan)]) == "overflow"


def test_gradients_are_compared():
    question, item = Question("q", "Q", 1, grad=(0,)), case("c")
    want = {"value": torch.tensor(1.0), "grad": [torch.ones(3)]}
    assert judge({"value": torch.tensor(1.0), "grad": [torch.ones(3)]}, want, question, item) is None
    said = judge({"value": torch.tensor(1.0), "grad": [torch.zeros(3)]}, want, question, item)
    assert said == "the gradient at position 0 is wrong in 3 of 3 values"
    assert judge(torch.tensor(1.0), want, question, item) == "the result carries no gradient"
