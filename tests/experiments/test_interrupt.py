"""Control-C in the middle of a run: it ends, says how to go on, and goes on from there."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_an_interrupted_run_ends_and_leaves_what_it_had(tmp_path):
    command = [Path(sys.executable).with_name("lsedu"), "run", "gaps", "--profile", "cpu", "--jobs", "2", "--no-save"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        # a shell that starts these tests in its background has them, and what they start, ignore the interrupt
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    # Both workers are at work: one that still starts is ended by the interrupt with a traceback of Python's own.
    while len({path.parent for path in tmp_path.rglob("work/*.pt")}) < 2:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
            break
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the command and its workers hear it
    said, _ = process.communicate(timeout=120)  # ends when nobody holds the pipe any more: the workers are gone
    assert process.returncode == 130 and "the same command goes on from what is finished" in said, said
    assert "Traceback" not in said
    assert list(tmp_path.rglob("work/*.pt")) and not list(tmp_path.rglob("done.json"))
