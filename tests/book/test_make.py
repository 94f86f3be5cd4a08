"""What `make` says when the environment cannot be set up, and what it asks pip for. A stand-in plays Python."""

import os
import subprocess

import pytest

STAND_IN = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in
  *{fails}*) exit 1 ;;
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
esac
"""


@pytest.fixture
def make(root, tmp_path):
    """Run `make` for an environment elsewhere; return the process and what Python was called with."""

    def run(*, fails, torch_index=""):
        python, calls = tmp_path / "python", tmp_path / "calls"
        python.write_text(STAND_IN.format(fails=fails))
        python.chmod(0o755)
        calls.write_text("")
        venv = tmp_path / "venv"
        command = ["make", f"{venv}/installed", f"VENV={venv}", f"PYTHON={python}", f"TORCH_INDEX={torch_index}"]
        done = subprocess.run(
            command, cwd=root, env={**os.environ, "CALLS": str(calls)}, capture_output=True, text=True
        )
        return done, calls.read_text().splitlines(), venv / "installed"

    return run


@pytest.mark.parametrize(
    ("fails", "advice"),
    [
        ("version_info", "make PYTHON=python3.11"),
        ("venv", "apt install python3-venv"),
        ("pip", "make clean"),
    ],
)
def test_a_failed_set_up_says_what_to_do_and_is_not_taken_for_done(make, fails, advice):
    done, _, stamp = make(fails=fails)
    assert done.returncode != 0
    assert advice in done.stdout
    assert not stamp.exists()


def test_torch_comes_from_its_own_index_first_and_in_the_pinned_version(make):
    done, calls, stamp = make(fails="nothing", torch_index="https://example.org/cpu")
    assert done.returncode == 0 and stamp.exists()
    torch, rest = (call for call in calls if "pip install" in call)
    assert torch == "-m pip install -c constraints.txt --no-deps --index-url https://example.org/cpu torch"
    assert rest == "-m pip install -c constraints.txt -e .[dev]"


def test_without_the_variable_pip_decides(make):
    _, calls, _ = make(fails="nothing")
    assert [call for call in calls if "pip install" in call] == ["-m pip install -c constraints.txt -e .[dev]"]
