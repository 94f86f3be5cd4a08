import io
import json
import os

import nbformat
import numpy as np
import pytest
from typer.testing import CliRunner

from lsedu.cli import app
from lsedu.authoring.release import release
from lsedu.labs import run
from lsedu.labs.submit import SubmitError, from_notebook, submit


@pytest.fixture
def notebook(toy, tmp_path):
    release(toy, out=tmp_path / "labs")
    path = tmp_path / "labs" / "toy.ipynb"
    return path


def answer(path, old, new):
    content = json.loads(path.read_text())
    for cell in content["cells"]:
        cell["source"] = "".join(cell["source"]).replace(old, new)
    path.write_text(json.dumps(content))


def outputs(path):
    cells = nbformat.read(path, as_version=4).cells
    return "\n".join(json.dumps(cell.get("outputs", [])) for cell in cells)


def test_an_untouched_lab_runs_to_its_end_in_this_python(notebook, tmp_path, monkeypatch):
    other = tmp_path / "kernels" / "python3" / "kernel.json"
    other.parent.mkdir(parents=True)
    other.write_text('{"argv": ["/bin/false"], "display_name": "Python 3", "language": "python"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    handed = submit(notebook, out=tmp_path / "submission")
    assert handed.path == tmp_path / "submission" / "toy.ipynb"
    assert handed.notes[1:] == ("Note: double is not answered yet.", "Note: why is not answered yet.")
    assert "Jupyter's kernel 'python3' is of /bin/false" in handed.notes[0]
    shown = outputs(handed.path)
    assert "not answered yet: put your code" in shown and "0 of 4 points on the public cases" in shown
    assert '"output_type": "error"' not in shown


def test_an_answered_lab(notebook, tmp_path):
    answer(notebook, "raise NotImplementedError  # replace this line by your answer", "return 2 * x")
    checks = notebook.with_name("toy.checks.json")
    content = json.loads(checks.read_text())
    assert content["cell_seconds"] == 20
    checks.write_text(json.dumps(content | {"cell_seconds": 1e-9}))  # every cell takes longer
    handed = submit(notebook, out=tmp_path / "submission")
    cells = nbformat.read(notebook, as_version=4).cells
    (own,) = (
        n for n, cell in enumerate(cells, start=1) if cell.metadata.get("nbgrader", {}).get("grade_id") == "double"
    )
    slow = f"Note: cell {own} took 0 s; when it is marked, it is stopped after 1e-09 s."
    assert handed.notes == (slow, "Note: why is not answered yet.")
    shown = outputs(handed.path)
    assert "3 of 3 public cases pass" in shown and "This run is the one that is handed in." in shown
    assert handed.report.endswith("4 of 4 points on the public cases") and repr(handed).startswith(handed.report)


@pytest.mark.parametrize(
    ("end", "solution", "limit", "said"),
    [
        ("25.5", True, 20, ["took 26 s; when it is marked, it is stopped after 20 s."]),
        ("20.0", True, 20, []),
        ("19.0", True, 20, []),
        ("02.6", True, 2.5, ["took 3 s; when it is marked, it is stopped after 2.5 s."]),
        ("25.5", False, 20, []),  # set-up cells may train for as long as they like
        ("25.5", True, None, []),  # the limit is not known
        (None, True, 20, []),  # the cell was not run to its end
    ],
)
def test_an_answer_that_is_too_slow_to_be_marked_is_told(end, solution, limit, said):
    cell = nbformat.v4.new_code_cell("1", metadata={"nbgrader": {"grade_id": "a", "solution": solution}})
    cell.metadata["execution"] = {"iopub.status.busy": "2026-03-01T10:00:00.000000Z"}
    if end is not None:
        cell.metadata["execution"]["iopub.status.idle"] = f"2026-03-01T10:00:{end}00000Z"
    assert run._about(cell, limit) == said


def test_a_failing_cell_and_a_dead_kernel_are_handed_in_with_a_note(notebook, tmp_path):
    answer(notebook, "FACTOR = 2", "FACTOR = 1 / 0")
    assert any("fails with ZeroDivisionError" in note for note in submit(notebook, out=tmp_path / "one").notes)
    answer(notebook, "FACTOR = 1 / 0", "import os; os._exit(1)")
    handed = submit(notebook, out=tmp_path / "two")
    assert any("the kernel died" in note for note in handed.notes) and handed.path.is_file()


def test_a_cell_that_prints_without_end_is_stopped_and_the_rest_is_run(notebook, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "STOPPED", 2**20)
    monkeypatch.setattr(run, "KEPT", 2**18)
    monkeypatch.setenv("HOME", str(notebook))  # a home that cannot be entered is no obstacle
    answer(notebook, "FACTOR = 2", 'FACTOR = 2\nwhile True: print("x" * 1000)')
    handed = submit(notebook, out=tmp_path / "s", timeout=60)
    assert "Note: cell 3 was stopped, for it printed without end." in handed.notes
    assert handed.size < 2**20 and "[what came here was left out]" in outputs(handed.path)
    assert handed.report.endswith("0 of 4 points on the public cases")
    assert os.environ["HOME"] == str(notebook)


def test_a_cell_that_hangs_is_cut_short(notebook, tmp_path):
    answer(notebook, "FACTOR = 2", "while True: pass")
    assert any("ran longer than 2 s" in note for note in submit(notebook, out=tmp_path / "s", timeout=2).notes)


@pytest.mark.parametrize("text", ["", "{", '{"cells": []}', "{}"])
def test_what_is_no_notebook_is_refused(tmp_path, text):
    path = tmp_path / "toy.ipynb"
    path.write_text(text)
    with pytest.raises(SubmitError):
        submit(path, out=tmp_path / "submission")


ARTEFACT = """
```{code-cell} ipython3
np.savez("logits.npz", q=np.ones((2, 3)))
```

```{code-cell} ipython3
:nbgrader: {grade_id: logits, grade: true}

checks.file("logits")
```

```{code-cell} ipython3
:tags: [grader]

@artefact("logits", title="Logits", points=1, file="logits.npz", arrays={"q": ArraySpec("f", (None, 3), 0, 1)})
def score(arrays):
    yield bool((arrays["q"] > 0).all()), "every value must be positive"
```

```{code-cell} ipython3
---
tags: [wrong]
points: 0
message: "every value must be positive"
---
def logits(arrays):
    return {"q": 0 * arrays["q"]}
```
"""


def test_files_go_with_the_notebook(toy, toy_text, tmp_path, monkeypatch):
    right = io.BytesIO()
    np.savez(right, q=np.ones((2, 3)))

    def rehearse(lab, *, solved, files):  # as if the cells had been run
        files |= {"logits.npz": right.getvalue()} if solved else {}
        return ""

    monkeypatch.setattr("lsedu.authoring.gate.rehearse", rehearse)
    toy.write_text(
        toy_text.replace(
            "```{code-cell} ipython3\nchecks.report()", ARTEFACT + "\n```{code-cell} ipython3\nchecks.report()"
        )
    )
    release(toy, out=tmp_path / "labs")
    path = tmp_path / "labs" / "toy.ipynb"
    handed = submit(path, out=tmp_path / "submission")
    assert [file.name for file in handed.files] == ["logits.npz"] and handed.files[0].parent == handed.path.parent
    assert "together with logits.npz" in repr(handed) and "logits.npz is there" in outputs(handed.path)
    assert "1 of 1 arrays of logits.npz have the form asked for" in outputs(handed.path)
    assert not any("logits.npz" in note for note in handed.notes)
    answer(path, "np.ones((2, 3))", "np.full((2, 3), 2.0)")
    handed = submit(path, out=tmp_path / "submission")
    assert "Note: logits.npz: array 'q' leaves the range [0, 1]." in handed.notes
    assert "logits.npz: array 'q' leaves the range [0, 1]" in handed.report
    answer(path, "np.savez(", "dict(file=")
    handed = submit(path, out=tmp_path / "submission")
    stale = "Note: this run has not written logits.npz: the one that is handed in is an earlier run's."
    assert stale in handed.notes and [file.name for file in handed.files] == ["logits.npz"]
    (tmp_path / "labs" / "logits.npz").unlink()
    handed = submit(path, out=tmp_path / "again")
    assert "Note: there is no logits.npz yet." in handed.notes and handed.files == ()


def test_from_within_the_notebook(notebook, monkeypatch):
    assert "Not handed in" in from_notebook("toy", ready=False)
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook))
    handed = from_notebook("toy", ready=True)
    assert handed.path == notebook.parent / "submission" / "toy.ipynb" and "Hand in this one file" in repr(handed)
    assert "LSEDU_SUBMITTING" not in os.environ


def test_the_notebook_is_looked_for_in_the_working_folder(notebook, monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.chdir(notebook.parent)
    assert from_notebook("toy", ready=True).path.is_file()
    notebook.unlink()
    with pytest.raises(SubmitError, match="give its path"):
        from_notebook("toy", ready=True)


def test_commands(toy, toy_text, tmp_path, notebook):
    run = CliRunner().invoke
    assert "Doubling (2 wrong answers known)" in run(app, ["labs", "list", str(toy)]).output
    out = tmp_path / "new"
    assert run(app, ["labs", "release", str(toy), "--out", str(out), "--check"]).exit_code == 1
    assert run(app, ["labs", "release", str(toy), "--out", str(out)]).exit_code == 0
    assert run(app, ["labs", "release", str(toy), "--out", str(out), "--check"]).exit_code == 0
    assert run(app, ["labs", "test", str(toy)]).exit_code == 0
    toy.write_text(toy_text.replace("points: 2", "points: 1"))
    tested = run(app, ["labs", "test", str(toy)])
    assert tested.exit_code == 1 and "FAIL double-wrong: gets its mark (1)" in tested.output
    toy.write_text(toy_text.replace("FACTOR = 2", "FACTOR = missing"))
    for command in ("list", "release", "test"):
        done = run(app, ["labs", command, str(toy)])
        assert done.exit_code == 2 and "fails: NameError: name 'missing' is not defined" in done.output
    handed = run(app, ["submit", str(notebook), "--out", str(tmp_path / "s")])
    assert handed.exit_code == 0 and "Written:" in handed.output
    assert run(app, ["submit", str(tmp_path / "none.ipynb")]).exit_code == 2
    assert run(app, ["labs", "test", "no-such-lab"]).exit_code == 2
