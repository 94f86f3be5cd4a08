"""Which files a program reads: opened, listed or looked for, below a folder, in this process or in one it starts."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from lsedu import _reads, data


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("in/a.json", "in/deep/b.npz", "c.txt"):
        (tmp_path / name).write_text("{}")
    np.savez(tmp_path / "in" / "deep" / "b.npz", x=np.zeros(1))
    return tmp_path


def test_whatever_opens_a_file_below_the_folder_is_noted_and_writing_is_not(folder):
    with _reads.watching(folder / "in") as found:
        json.loads((folder / "in" / "a.json").read_text())
        with np.load(folder / "in" / "deep" / "b.npz"):
            pass
        (folder / "c.txt").read_text()
        (folder / "in" / "new").write_text("x")
    (folder / "in" / "new").read_text()
    assert found == {folder / "in" / "a.json", folder / "in" / "deep" / "b.npz"}


def test_a_listed_folder_and_a_file_that_is_looked_for_are_noted(folder, monkeypatch):
    monkeypatch.setenv("LSEDU_DATA", str(folder / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    with _reads.watching(folder / "in") as found:
        list((folder / "in" / "deep").glob("*"))
        with pytest.raises(data.DataUnavailableError):
            data.load("cifar10", download=False)
    assert folder / "in" / "deep" in found
    assert folder / "data" / "cifar10" / "cifar-10-python.tar.gz" in found


def test_states_tell_content_names_and_absence(folder):
    paths = [folder / "c.txt", folder / "in", folder / "none"]
    before = _reads.states(paths, folder)
    assert before.keys() == {"c.txt", "in", "none"} and before["none"] == "absent" and before["in"] == "a.json deep"
    (folder / "c.txt").write_text("[]")
    (folder / "none").touch()
    after = _reads.states(paths, folder)
    assert after["c.txt"] != before["c.txt"] and after["in"] == before["in"] and after["none"] != "absent"


CHILD = """
import subprocess, sys
import lsedu
open("in/a.json").close()
if len(sys.argv) == 1:
    subprocess.run([sys.executable, "-c", {again!r}, "end"], check=True)
"""


def test_a_process_and_what_it_starts_note_what_they_read(folder):
    again = "import lsedu\nopen('in/deep/b.npz').close()"
    assert _reads.noted(folder / "reads") is None
    environment = {**os.environ, **_reads.environment(folder / "reads", folder / "in")}
    subprocess.run([sys.executable, "-c", CHILD.format(again=again)], cwd=folder, env=environment, check=True)
    assert _reads.noted(folder / "reads") == {folder / "in" / "a.json", folder / "in" / "deep" / "b.npz"}
