"""What every test shares: the same cases and draws each time, whatever ran before; a slow machine is no failure."""

import importlib.util
import multiprocessing
import multiprocessing.forkserver
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

from lsedu import _light

_light.begin()

settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

# tests import the counter of waits for a device by name: `from waits import Device`
_spec = importlib.util.spec_from_file_location("waits", Path(__file__).with_name("waits.py"))
sys.modules["waits"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules["waits"])


@pytest.fixture(autouse=True)
def same_draws():
    """What is drawn from the global generators is a matter of the test alone."""
    torch.default_generator.manual_seed(0)  # `torch.manual_seed` notes a trace of the stack for each accelerator, too
    np.random.seed(0)


@pytest.fixture(scope="session")
def chromium_path():
    """Where the browser is, under any of its names."""
    found = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
    assert found, "no Chromium on this machine: install it (on Debian, apt-get install chromium)"
    return found[0]


@pytest.fixture(scope="session")
def lab_8():
    """Lab 8, which is tested as its author runs it and as it is graded."""
    from lsedu.authoring import load_lab

    return load_lab(Path(__file__).parents[1] / "solutions/lab08.md")


@pytest.fixture(scope="session")
def space_8(lab_8):
    """What the preamble and the solutions of lab 8 define."""
    return lab_8.question("judge").reference.__globals__


@pytest.fixture(scope="session")
def trials_8(space_8):
    """Run a project of lab 8 at some scale with each of some seeds: both scores of each, shape (seeds, 2)."""
    from lsedu.data import load

    train, test = ((part.images, part.labels) for part in (load(), load(split="test")))

    def trials(project, scale, seeds):
        return np.array([space_8["trial"](project, seed, scale, train, test) for seed in seeds])

    return trials


@pytest.fixture(scope="session")
def dies():
    """Run a function in a process of its own, in which it must kill itself; the imports are made once for all.

    An optimiser imports torch._dynamo when it is first used.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "torch._dynamo", "lsedu.training", "lsedu.experiments.measuring"])

    def run(function, *args) -> None:
        process = context.Process(target=function, args=args)
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL

    yield run
    multiprocessing.forkserver._forkserver._stop()  # waits for it, so that its time counts as the tests'


@pytest.fixture(scope="session")
def without_torch():
    """Run a program in a Python whose every import of torch fails."""
    block = textwrap.dedent("""
        import sys

        class NoTorch:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] == "torch":
                    raise ImportError(f"no {name} here")

        sys.meta_path.insert(0, NoTorch())
    """)

    def run(program: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", block + textwrap.dedent(program)], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr

    return run


@pytest.fixture(scope="session")
def toy_text():
    """The source of a small lab in which every kind of cell occurs."""
    return (Path(__file__).parent / "authoring" / "toy.md").read_text()


@pytest.fixture
def toy(toy_text, tmp_path, monkeypatch):
    """The path of a copy of it, to be changed at will; the gate does not start kernels to run it."""
    monkeypatch.setattr("lsedu.authoring.gate.rehearse", lambda lab, *, solved, files: "")
    path = tmp_path / "toy.md"
    path.write_text(toy_text)
    return path
