"""Which notebook is handed in from within one, and that nobody's work is overwritten or left unsaved; no kernel runs."""

import json
from types import SimpleNamespace

import nbformat
import pytest

from lsedu.authoring import load_lab
from lsedu.authoring.release import build
from lsedu.labs import own, run
from lsedu.labs.submit import SubmitError, from_notebook, submit

ANSWER = "def double(x):\n    return 2 * x"


@pytest.fixture
def content(toy):
    return build(load_lab(toy), solved=True)


@pytest.fixture
def here(tmp_path, monkeypatch, content):
    """A working folder with a lab, in which nothing is run; what would be is noted."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "toy.ipynb").write_text(json.dumps(content))
    monkeypatch.chdir(folder)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    ran = []
    monkeypatch.setattr(run, "run", lambda content, **options: ran.append(content) or [])
    return SimpleNamespace(
        folder=folder, ran=ran, shell=lambda **said: monkeypatch.setattr(own, "_shell", kernel(said))
    )


def kernel(said):
    history = SimpleNamespace(input_hist_raw=["", *said.pop("ran", ())])
    return lambda: SimpleNamespace(user_ns=said, history_manager=history)


def with_answer(content, text):
    content = json.loads(json.dumps(content))
    next(cell for cell in content["cells"] if cell["id"] == "double")["source"] = text
    return json.dumps(content)


def test_vs_code_names_the_notebook_whatever_lies_beside_it(here, content):
    mine = here.folder / "toy-ada.ipynb"
    mine.write_text(with_answer(content, ANSWER))
    here.shell(__vsc_ipynb_file__=str(mine), ran=[ANSWER])
    handed = from_notebook("toy", ready=True, functions=["double"])
    assert ANSWER in nbformat.read(handed.path, as_version=4).cells[4].source


@pytest.mark.parametrize("name", ["toy-ada.ipynb", "toy-ada-jvsc-0fd3a9b2-11f4.ipynb"])
def test_a_session_names_the_notebook_also_where_vs_code_lengthens_the_name(here, content, name, monkeypatch):
    (here.folder / "toy-ada.ipynb").write_text(json.dumps(content))
    monkeypatch.setenv("JPY_SESSION_NAME", f"/elsewhere/{name}")
    assert own.path("toy").name == "toy-ada.ipynb"


def test_where_nobody_says_which_the_only_one_of_the_lab_is_taken_and_of_several_it_is_asked(here, content):
    (here.folder / "notes.ipynb").write_text('{"cells": [], "metadata": {}}')
    (here.folder / "toy.ipynb").rename(here.folder / "mine.ipynb")
    assert own.path("toy").name == "mine.ipynb"
    (here.folder / "toy.ipynb").write_text(json.dumps(content))
    with pytest.raises(SubmitError, match=r"which of mine.ipynb, toy.ipynb this is.*notebook="):
        own.path("toy")


def test_unsaved_work_is_told_before_anything_runs(here):
    here.shell(ran=["double = None", "# later\n" + ANSWER, "double(1)"])
    with pytest.raises(SubmitError, match=r"holds another double than you ran last. Save the notebook"):
        from_notebook("toy", ready=True, functions=["double"])
    assert here.ran == []
    assert from_notebook("toy", ready=True, functions=["double"], as_saved=True).path.is_file()


def test_colab_hands_in_what_it_holds_and_writes_over_no_file(here, content, monkeypatch):
    live = json.loads(with_answer(content, ANSWER))
    monkeypatch.setattr(own, "colab", lambda: live)
    before = (here.folder / "toy.ipynb").read_bytes()
    handed = from_notebook("toy", ready=True)
    assert any(cell.source == ANSWER for cell in nbformat.read(handed.path, as_version=4).cells)
    assert (here.folder / "toy.ipynb").read_bytes() == before


def test_a_folder_that_cannot_be_written_to_is_found_before_the_run(here):
    (here.folder / "file").write_text("")
    for out in ("file", "file/below"):
        with pytest.raises(SubmitError, match=r"cannot be written to .*--out"):
            submit("toy.ipynb", out=out)
    assert here.ran == []


def test_handing_in_replaces_what_was_handed_in_and_nothing_else(here, content):
    first = submit("toy.ipynb").path
    assert json.loads(first.read_text())["metadata"]["lsedu"]["handed_in"].endswith("+00:00")
    (here.folder / "toy.ipynb").write_text(with_answer(content, ANSWER))
    assert "2 * x" in submit("toy.ipynb").path.read_text()
    work = with_answer(json.loads(first.read_text()), "def double(x):\n    return x + x  # went on here")
    first.write_text(work)
    (here.folder / "other").mkdir()
    (here.folder / "other" / "toy.ipynb").write_text(json.dumps(content))
    for out in ("submission", "other", "."):
        with pytest.raises(SubmitError, match="would be overwritten"):
            submit("toy.ipynb", out=out)
    assert first.read_text() == work


def test_what_is_too_large_is_handed_in_without_its_largest_outputs(here, content, monkeypatch):
    def run_large(content, **options):
        for cell, size in zip((cell for cell in content.cells if cell.cell_type == "code"), (12, 11, 1)):
            cell.outputs = [nbformat.v4.new_output("stream", text="x" * size * 2**20)]
        return []

    monkeypatch.setattr(run, "run", run_large)
    handed = submit("toy.ipynb")
    assert handed.size < 20 * 2**20
    assert [note for note in handed.notes if "left out" in note] == [
        "Note: the output of cell 2 is left out, it is too large."
    ]


def test_another_kernel_of_the_same_name_is_noticed(tmp_path, monkeypatch):
    place = tmp_path / "kernels" / "python3"
    place.mkdir(parents=True)
    spec = {"argv": ["/bin/sh", "-c", "exit 1"], "display_name": "Python 3", "language": "python"}
    (place / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    notebook = nbformat.v4.new_notebook()
    (note,) = run._elsewhere(notebook)
    assert "Jupyter's kernel 'python3' is of /bin/sh; this was run with" in note
    notebook.metadata["kernelspec"] = {"name": "ir", "language": "R"}
    assert run._elsewhere(notebook) == ["Note: the notebook asks for a kernel of R; it was run with Python."]


def test_what_handing_in_lacks_is_named(here, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "nbformat", None)
    with pytest.raises(SubmitError, match=r'handing in needs nbformat, .*pip install "lsedu\[labs\]"'):
        submit("toy.ipynb")
