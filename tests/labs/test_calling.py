"""What calling a function shows besides its value, in the check and at the gate: forbidden calls, changed arguments."""

import numpy as np
import pytest
import torch
from torch import log_softmax as l

from lsedu.authoring import LabError, checkfile, load_lab
from lsedu.authoring.gate import grade
from lsedu.labs.calling import call, same
from lsedu.labs.checks import Checks
from lsedu.labs.spec import PUBLIC_SEED


@pytest.fixture
def demanding(toy, toy_text, tmp_path):
    """Return a function that writes the toy lab with further demands, and gives its question and its checks."""

    def make(demands):
        toy.write_text(toy_text.replace('title="Doubling"', f'title="Doubling", {demands}'))
        lab = load_lab(toy)
        (tmp_path / "toy.checks.json").write_text(checkfile.dump(checkfile.build(lab)))
        return lab.questions[0], Checks("toy", folder=tmp_path)

    return make


def by_torch(x):
    l(torch.from_numpy(x), 0)
    return 2 * x


def in_place(x):
    x *= 2
    return x


def test_check_and_gate_refuse_the_same_forbidden_call(demanding):
    question, checks = demanding('forbid=("softmax", "logsumexp")')
    result = checks.check("double", by_torch)
    assert result.status == "wrong" and result.passed == 0
    assert "calls torch.log_softmax, which may not be used in this task" in result.lines[0].message
    points, said = grade(by_torch, question, PUBLIC_SEED)
    assert points == 0 and "calls one of softmax, logsumexp, which may not be used in this task" in said[0]
    assert checks.check("double", lambda x: x + x).status == "right" and grade(lambda x: x + x, question, 1)[0] == 4


def test_a_forbidden_call_whose_error_is_swallowed_is_seen(demanding):
    _, checks = demanding('forbid=("numpy.linalg.inv",)')

    def double(x):
        try:
            np.linalg.inv(x)
        except Exception:
            pass
        return 2 * x

    assert checks.check("double", double).passed == 0


def test_changed_arguments_are_told_by_default_and_cost_nothing(demanding):
    question, checks = demanding("rtol=1e-4")
    result = checks.check("double", in_place)
    assert result.status == "right" and result.notes == (
        "your function changes its argument `x`: what it is given should stay as it was, so work on a copy",
    )
    assert result.notes[0] in repr(result) and "its argument <" not in result._repr_html_()
    assert "changes its argument" in result._repr_html_() and grade(in_place, question, PUBLIC_SEED)[0] == 4
    assert checks.check("double", lambda x: 2 * x).notes == ()


def test_a_lab_can_demand_that_arguments_stay_or_allow_that_they_change(demanding):
    question, checks = demanding('arguments="keep"')
    result = checks.check("double", in_place)
    assert [line.passed for line in result.lines] == [False, False, True]  # zeros stay zeros
    assert "must stay as it was" in result.lines[0].message and result.notes == ()
    assert grade(in_place, question, PUBLIC_SEED)[0] == 2
    _, checks = demanding('arguments="free"')
    assert checks.check("double", in_place).notes == ()


@pytest.mark.parametrize(
    ("demands", "said"),
    [
        ('forbid=("numpy.exp",)', "forbids what cannot be watched: calls of 'numpy.exp'"),
        ('forbid=("sotfmax",)', "there is no 'sotfmax'"),
        ('forbid="softmax"', "forbid must be a tuple of names, got 'softmax'"),
        ('arguments="stay"', "`arguments` is one of"),
    ],
)
def test_a_demand_that_cannot_be_made_is_refused(demanding, demands, said):
    with pytest.raises(LabError, match=said.replace("(", r"\(")):
        demanding(demands)


@pytest.mark.parametrize(
    ("change", "at"),
    [
        (lambda a: a.__setitem__(0, 5.0), np.zeros(2)),
        (lambda a: a.sort(), np.array([2.0, 1.0])),
        (lambda a: a.add_(1), torch.zeros(2)),
        (lambda a: a.add_(1), torch.zeros(2, dtype=torch.bfloat16)),
        (lambda a: a["x"].pop(), {"x": [1, 2]}),
        (lambda a: a[0].fill(np.nan), (np.zeros(1), "text")),
    ],
)
def test_a_change_of_any_kind_of_argument_is_seen(change, at):
    assert call(change, [at], {}).changed == (0,) and call(lambda a: None, [at], {}).changed == ()
    assert call(lambda *, key: change(key), [], {"key": at}).changed == ("key",)


def test_a_gradient_that_is_asked_for_is_no_change_and_no_forbidden_call():
    x = torch.ones(3)
    done = call(lambda x: (x**2).sum(), [x], {}, grad=(0,), forbid=["autograd"])
    assert done.changed == () and done.calls == () and torch.equal(done.value["grad"][0], 2 * x)
    assert not x.requires_grad


def test_same_is_exact():
    assert same(np.array([np.nan, -0.0]), np.array([np.nan, -0.0])) and not same(np.zeros(1), -np.zeros(1))
    assert not same(np.zeros(2), np.zeros((2, 1))) and not same(np.zeros(1), np.zeros(1, np.float32))


def test_a_gradient_of_the_students_own_making_is_watched_too():
    class Loss(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            context.save_for_backward(x)
            return (x - x.max()).exp().sum().log() + x.max()

        @staticmethod
        def backward(context, grad):
            return grad * torch.softmax(context.saved_tensors[0], 0)

    done = call(Loss.apply, [torch.arange(3.0)], {}, grad=(0,), forbid=["softmax", "autograd"])
    assert done.calls == ("torch.softmax",) and done.lack == ""


def test_a_gradient_is_the_same_watched_or_not():
    def loss(x):  # the second row's logarithm of 0 leaves its gradient without a value, and that row alone
        shifted = x - x.max()
        return (shifted.exp().sum(1).log() - shifted[:, 0]).sum()

    x = torch.tensor([[0.5, 2000.0], [-2000.0, -2001.0]])
    plain = x.clone().requires_grad_()
    loss(plain).backward()
    watched = call(loss, [x], {}, grad=(0,), forbid=["softmax"]).value["grad"][0]
    assert plain.grad.isnan().any() and plain.grad.isfinite().any()
    torch.testing.assert_close(watched, plain.grad, equal_nan=True, rtol=0, atol=0)
