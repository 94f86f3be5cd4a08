"""What is done once for a class is not done for each submission, and nothing is done that nobody asks for."""

import contextlib
import importlib.metadata
import os
import select
import socket
import threading
import traceback
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from lsedu.authoring import load_lab
from lsedu.grading import basis, classroom, closing, marking, packages, similarity, zygotes
from lsedu.grading.child import seccomp, wire, worker
from lsedu.grading.children import Child
from lsedu.grading.isolation import offered

TINY = Path(__file__).resolve().parent / "fixtures" / "tiny.md"
PREAMBLE = """
import os, time
WHEN, SEEN = time.monotonic_ns(), []
os.register_at_fork(after_in_child=lambda: SEEN.append("told of the fork"))
from nowhere import something
AFTER = 1
"""


@pytest.fixture(scope="module")
def zygote():
    limits = zygotes.Limits(memory_mb=1024)
    with zygotes.setting(["numpy"], [], limits, preamble=PREAMBLE, forbidden=[["numpy.mean"]]) as place:
        for isolation in offered():
            with contextlib.suppress(zygotes.SandboxError):
                found = zygotes.Zygote(isolation, place)
                break
        with found:
            yield found


@pytest.fixture
def child():
    """A child as the grader sees it: this very process, with a channel of its own, whose other end comes with it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        watch = os.pidfd_open(os.getpid())
        yield Child(watch, ours, lambda: None), theirs
        os.close(watch)


def test_the_preamble_is_run_once_and_shared_by_nobody(zygote, sandbox):
    with zygote.child() as first, zygote.child() as second:
        for process in (first, second):
            sandbox.load(process, "def f(x):\n    SEEN.append(x)\n    return [WHEN, AFTER, len(SEEN)]")
        assert sandbox.ask(first, "f", 1) == sandbox.ask(second, "f", 1)
        assert sandbox.ask(first, "f", 1)[1:] == [1, 2]


def test_what_is_imported_is_not_told_of_forks_but_a_childs_own_code_may_ask(zygote, sandbox):
    with zygote.child() as child:
        sandbox.load(child, "def f(x):\n    return [SEEN, os.register_at_fork.__module__]")
        assert sandbox.ask(child, "f", 1) == [[], "posix"]


def test_packages_are_found_without_a_path_for_each_of_their_files(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "packages_distributions", lambda: pytest.fail("all are looked through"))
    monkeypatch.setattr(importlib.metadata.Distribution, "files", property(lambda self: pytest.fail("each is a path")))
    open_, guarded = map(dict, map(lambda part: [pair[::-1] for pair in part], packages._packages(["numpy", "torch"])))
    assert {"numpy", "torch", "torchgen", "functorch"} <= set(open_) and "sympy" not in open_
    assert {"sympy", "mpmath", "typing_extensions.py"} <= set(guarded) and not {"jinja2", "networkx"} & set(guarded)
    assert Path(open_["torch"]) == Path(torch.__file__).parent


def test_what_submissions_may_read_is_read_while_the_zygote_imports(monkeypatch):
    started, order = threading.Event(), []
    monkeypatch.setattr(zygotes.warm, "up", lambda paths: (started.wait(30), order.append("read")))
    monkeypatch.setattr(zygotes.Zygote, "_launch", lambda self, theirs: started.set())
    monkeypatch.setattr(zygotes.Zygote, "_wait_ready", lambda self: {"missing": [], "seconds": 0.0})
    monkeypatch.setattr(zygotes.Zygote, "_address_space", lambda self: order.append("children may be made"))
    with zygotes.setting(["numpy"], [], zygotes.Limits()) as place:
        zygotes.Zygote(offered()[0], place).control.close()
    assert order == ["read", "children may be made"]


def test_a_child_is_seeded_without_a_look_at_who_asks(monkeypatch):
    torch.manual_seed(5)
    expected = torch.rand(3)
    monkeypatch.setattr(traceback, "format_stack", lambda *a, **k: pytest.fail("the sources of the callers are read"))
    worker._seed(5)
    assert torch.equal(torch.rand(3), expected)


def test_an_answer_that_comes_at_once_needs_no_look_at_the_process(child, monkeypatch):
    ours, theirs = child
    monkeypatch.setattr(Child, "_busy", lambda self: pytest.fail("the process was looked at"))
    wire.send(theirs, wire.pack("ready"), until=float("inf"))
    assert ours.receive(seconds=5)[0]["kind"] == "ready"


def test_time_that_is_over_is_not_for_ever(child, monkeypatch):
    monkeypatch.setattr(Child, "_busy", lambda self: ("S", 0.0))
    waits = []
    poll = select.poll

    class Poll:
        def __init__(self):
            self.own = poll()
            self.register = self.own.register

        def poll(self, milliseconds):
            waits.append(milliseconds)
            return self.own.poll(max(milliseconds, 0))

    monkeypatch.setattr(select, "poll", Poll)
    with pytest.raises(wire.LateError):
        child[0].receive(seconds=-1.0)
    assert waits and min(waits) >= 0


def test_how_long_a_process_waited_is_read_from_one_open_file(child, monkeypatch):
    ours, _ = child
    first = ours.waited()
    monkeypatch.setattr(os, "open", lambda *a, **k: pytest.fail("opened again"))
    assert 0.0 <= first <= ours.waited()


def test_how_a_process_ended_is_asked_only_where_it_ended_by_itself(zygote, sandbox, monkeypatch):
    monkeypatch.setattr(zygote, "status", lambda pid: pytest.fail("the zygote was asked"))
    with zygote.child() as process:
        sandbox.load(process, "x = 1")
    assert process.end() is None
    monkeypatch.undo()
    process = zygote.child()
    process.send(wire.pack("load", cells=[("a", "import os\nos._exit(3)")], seed=0), seconds=10)
    with pytest.raises(wire.ClosedError):
        for _ in range(3):
            process.receive(seconds=30)
    assert process.end() == 3


def test_the_filter_of_calls_names_its_process_and_is_made_once():
    try:
        one = seccomp.program(1)
    except OSError:
        pytest.skip("the calls of this machine are not known")
    assert seccomp.program(1) is one and seccomp.program(7) != one


def test_usual_mistakes_are_worked_out_when_a_result_is_wrong(monkeypatch):
    asked = []
    monkeypatch.setattr(marking, "usual", lambda question, item: asked.append(item.name) or [("looks like", 1.0)])
    prepared = marking.prepare(load_lab(TINY), 3)[0]
    assert asked == []
    for _ in range(2):
        assert list(prepared.usual(1)) == [("looks like", 1.0)]
    assert asked == [prepared.cases[1].name]


def test_right_answers_are_worked_out_by_one_thread(tmp_path, monkeypatch):
    seen, before = [], torch.get_num_threads()
    monkeypatch.setattr(classroom, "_grade", lambda *words: seen.append(torch.get_num_threads()))
    (tmp_path / "submitted" / "ana").mkdir(parents=True)
    torch.set_num_threads(3)
    try:
        classroom.grade(TINY, tmp_path / "submitted", tmp_path / "out")
        assert seen == [1] and torch.get_num_threads() == 3
        with contextlib.suppress(KeyError), basis.one_thread():
            raise KeyError
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_what_was_marked_just_now_is_not_read_again_for_resemblances(tmp_path, monkeypatch):
    written, tokens = {}, similarity.tokens
    monkeypatch.setattr(closing.notebooks, "read", lambda path: pytest.fail("it was read again"))
    lab = load_lab(TINY)
    sources = closing.published(lab)
    monkeypatch.setattr(similarity, "tokens", lambda code: tokens(code) if code in ours else pytest.fail("read again"))
    results = SimpleNamespace(out=tmp_path, write_text=lambda path, text: written.update({path.name: text}))
    people = [SimpleNamespace(student=name, path=tmp_path) for name in ("ana", "bo")]
    code = "def spread(values, low, high):\n" + "\n".join(
        f"    if values[{i}] * {i} + low < high ** {i}: return sorted(values[:{i}])[-1]" for i in range(4)
    )
    ours = [code, *(cell.source for cell in lab.student_cells()), lab.preamble]
    closing.resemblance(lab, people, results, None, dict.fromkeys(("ana", "bo"), code), sources)
    assert written["similarity.csv"].splitlines()[1].startswith('"ana","bo",1.0,')
