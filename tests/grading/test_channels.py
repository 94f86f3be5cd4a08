"""No submission tells another anything: not the one that is marked beside it, not the one that comes after it."""

import contextlib
import sys

import pytest

channels = sys.modules["channels"]
LEVELS = [4, pytest.param(3, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=LEVELS)
def zygote(request, sandbox):
    with sandbox.zygote_at(request.param, "numpy") as found:
        yield found


@pytest.mark.parametrize("name", channels.CHANNELS)
def test_two_that_are_marked_together_do_not_hear_each_other(zygote, sandbox, name):
    tell, listen = channels.CHANNELS[name]
    with zygote.child() as first, zygote.child() as second:
        sandbox.load(second, listen)
        with contextlib.suppress(AssertionError):  # it may be stopped on the way
            sandbox.load(first, tell)
        assert sandbox.ask(second, "hear") == 0


@pytest.mark.parametrize("name", channels.SIGHTS)
def test_nothing_is_seen_of_what_others_do(zygote, sandbox, name):
    with zygote.child() as other, zygote.child() as child:
        sandbox.load(other, "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n")
        sandbox.load(child, channels.SIGHTS[name])
        assert sandbox.ask(child, "hear") == 0


OPTIMISER = """
import torch
def used():
    weight = torch.ones(2, requires_grad=True)
    step = torch.optim.SGD([weight], lr=0.25)
    (weight**2).sum().backward()
    step.step()
    return weight.tolist()
def imported():
    found = []
    for name in ("sympy", "mpmath", "jinja2", "fsspec", "networkx"):
        try:
            found.append(__import__(name).__name__)
        except ImportError:
            pass
    return found
"""


@pytest.mark.slow
@pytest.mark.parametrize("level", [4, 3, 2])
def test_libraries_have_what_they_need_and_students_only_what_is_declared(sandbox, level):
    with sandbox.zygote_at(level, "torch") as zygote, zygote.child() as child:
        sandbox.load(child, OPTIMISER)
        assert sandbox.ask(child, "used") == [0.5, 0.5]
        assert sandbox.ask(child, "imported") == []
