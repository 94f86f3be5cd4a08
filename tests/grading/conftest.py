"""The tiny lab, its hostile suite, and a class graded once for all tests that look at the outcome."""

import contextlib
import importlib.util
import json
import os
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).resolve().parent
TINY = HERE / "fixtures" / "tiny.md"


def _load(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


hostile = _load("hostile")
_messy = _load("messy")
_load("channels")


@pytest.fixture(scope="session", autouse=True)
def state(tmp_path_factory):
    """Keep secrets of test runs out of the user's state folder, and plant one that no submission may see.

    Of the session's scope, or the class that is graded once for all tests would be graded before it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LSEDU_STATE", str(tmp_path_factory.getbasetemp() / "state"))
        patch.setenv("A_SECRET_TOKEN", "not for students")
        yield


@pytest.fixture(scope="session")
def messy():
    return _messy


@pytest.fixture(scope="session")
def tiny():
    from lsedu.authoring import load_lab

    return load_lab(TINY)


@pytest.fixture(scope="session")
def solved(tiny):
    from lsedu.authoring.release import build

    return build(tiny, solved=True)


@pytest.fixture
def classroom(tmp_path, solved):
    """Return a function that writes cases as a class and grades it."""
    from lsedu.grading import Options, grade

    def run(cases, *, out=None, lab=TINY, say=str, **options):
        root = tmp_path / "submitted"
        for case in cases:
            if not (root / case.name).exists():
                hostile.write(case, root, solved, {})
        out = out or tmp_path / "out"
        report = grade(lab, root, out, Options(**{"jobs": 1, **options}), say=say)
        lines = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
        return SimpleNamespace(report=report, out=out, root=root, lines={line["student"]: line for line in lines})

    return run


def grade_suite(folder, solved, cases, **options):
    """Grade the suite as one class, among things that no submission may reach; return lines and what was touched."""
    from lsedu.grading import Options, grade

    root, out, mark = folder / "submitted", folder / "out", folder / "mark"
    mark.mkdir()
    home = folder / "home"
    home.mkdir()
    (home / "diary").write_text("private")
    listener = socket.create_server(("127.0.0.1", 0))
    places = {
        "LAB": str(TINY),
        "OTHER": str(root / "right" / "tiny.ipynb"),
        "OUT": str(out),
        "MARK": str(mark),
        "HOME": str(home / "diary"),
        "PORT": str(listener.getsockname()[1]),
        "REPO": str(HERE.parents[1]),
        "SITE": str(Path(json.__file__).parent.parent / "site-packages"),
    }
    for case in cases:
        hostile.write(case, root, solved, places)
    before = processes()
    report = grade(TINY, root, out, Options(**{"jobs": 2, **options}))
    listener.settimeout(0)
    try:
        listener.accept()
        reached = True
    except BlockingIOError:
        reached = False
    listener.close()
    lines = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    return SimpleNamespace(
        report=report,
        out=out,
        root=root,
        lines={line["student"]: line for line in lines},
        rows=len(lines),
        written=sorted(path.name for path in mark.rglob("*")),
        left=processes() - before,
        reached=reached,
    )


def processes():
    """Return the ids of processes of a sandbox, or started by the suite, that are ours or that nobody waits for."""
    found, parents = set(), {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                words = Path(f"/proc/{name}/cmdline").read_bytes()
                parents[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if b"grading_child" in words or b"613" in words.split(b"\0"):
                found.add(int(name))
    return {pid for pid in found if is_ours(pid, parents)}


def is_ours(pid, parents):
    """Whether the first ancestor outside the sandbox is this process or the one that takes in orphans."""
    while pid in parents and pid != os.getpid():
        pid = parents[pid]
        if pid > 1 and pid != os.getpid() and b"grading_child" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return False
    return True


@contextlib.contextmanager
def zygote_at(level, *allow):
    """Give a zygote at one isolation level, from which children of several submissions are forked; or skip the test."""
    from lsedu.grading import zygotes
    from lsedu.grading.isolation import offered

    with zygotes.setting(list(allow), [], zygotes.Limits(memory_mb=1024)) as place:
        for isolation in offered():
            if isolation.level == level:
                try:
                    zygote = zygotes.Zygote(isolation, place)
                except zygotes.SandboxError:
                    continue
                with zygote:
                    yield zygote
                    return
        pytest.skip(f"no isolation of level {level} here")


def load(child, text):
    """Load a cell in a child."""
    from lsedu.grading.child import wire

    child.send(wire.pack("load", cells=[("answer", text)], seed=0), seconds=10)
    for kind in ("ready", "ran"):
        header, _ = child.receive(seconds=30)
        assert header["kind"] == kind and not header.get("error"), header


def ask(child, function, *args):
    """Return what a function that was loaded in a child answers."""
    from lsedu.grading.child import wire

    call = {"function": function, "grad": [], "forbid": [], "twice": False, "seed": 0, "most": list(wire.WHOLE)}
    child.send(wire.pack("call", value=(args, {}), has_value=True, **call), seconds=10)
    header, body = child.receive(seconds=60)
    assert header["kind"] == "value", header
    return wire.build(header["tree"], header["buffers"], body)[0]


@pytest.fixture(scope="session")
def sandbox():
    """Return the functions by which a test speaks to children of its own."""
    return SimpleNamespace(zygote_at=zygote_at, load=load, ask=ask)


@pytest.fixture(scope="session")
def suite_runner():
    return grade_suite


@pytest.fixture(scope="session")
def sandbox_processes():
    return processes
