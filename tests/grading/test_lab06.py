"""The file of lab 6 in a class: a right one earns all, and every wrong one is told why, disguised copies too."""

import contextlib
import html
import io
import json
from pathlib import Path

import numpy as np
import pytest

from lsedu.authoring import load_lab, variant
from lsedu.authoring.release import build
from lsedu.grading import Options, grade

SOURCE = Path(__file__).resolve().parents[2] / "solutions/lab06.md"


@pytest.fixture(scope="module")
def lab():
    return load_lab(SOURCE)


@pytest.fixture(scope="module")
def right(lab, tmp_path_factory):
    """What the solved notebook of ada writes at the smallest scale: its cells, but for checks and words."""
    file = tmp_path_factory.mktemp("work") / "q.npz"
    values, space = variant.of_student(lab.manifest, "ada"), {}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in lab.cells:
            needed = cell.role in ("preamble", "student") or "setup" in cell.metadata.get("tags", ())
            if cell.kind == "code" and (needed or "np.savez" in cell.source):
                if "np.savez" in cell.source:
                    space["runs"] = space["run_all"](space["groups"], space["train"])
                text = variant.fill(cell.solution, values).replace('scale = "cpu"', 'scale = "smoke"')
                exec(text.replace('"q.npz"', repr(str(file))), space)
    with np.load(file) as arrays:
        return dict(arrays)


@pytest.mark.slow
def test_every_wrong_file_of_a_class_gets_its_reason(lab, right, tmp_path):
    seeds = {name: variant.of_student(lab.manifest, name)["seed"] for name in ("ada", "ben", "cyd")}
    swapped, other = right["q"].copy(), right["q"].copy()
    swapped[0, [2, 6]] = swapped[0, [6, 2]]
    other[0] = 0.9 * other[0] + 0.1 * other[2]
    cases = {  # whose notebook, what is in the file, points, what is said
        "ada": ("ada", right, 3, ""),
        "ben": ("ben", right, 0, f"made with seed {seeds['ada']}, your notebook's is {seeds['ben']}"),
        "cyd": ("cyd", right | {"seed": seeds["cyd"]}, 0, f"test pictures of seed {seeds['ada']}: it is another stu"),
        "dan": ("ada", right | {"q": swapped}, 2, "rows of lls's Q are in another order"),
        "eve": ("ada", right | {"q": other}, 2, "is not where this network's training came to rest"),
        "fay": ("ada", right | {"q": 2 * right["q"]}, 0, "array 'q' leaves the range [0, 1]"),
        "gil": ("ada", right | {"test": right["test"][:, :400]}, 0, "array 'test' has shape (5, 400, 10)"),
    }
    for student, (owner, arrays, _, _) in cases.items():
        folder = tmp_path / "submitted" / student
        folder.mkdir(parents=True)
        (folder / "lab06.ipynb").write_text(json.dumps(build(lab, student=owner)), encoding="utf-8")
        np.savez(folder / "q.npz", **arrays)
    grade(SOURCE, tmp_path / "submitted", tmp_path / "out", Options(jobs=1, secret_file=tmp_path / "secret"))
    rows = {row["student"]: row for row in map(json.loads, (tmp_path / "out/results.jsonl").open(encoding="utf-8"))}
    assert {name: row["points"]["learned"] for name, row in rows.items()} == {n: case[2] for n, case in cases.items()}
    for name, (_, _, _, said) in cases.items():
        reasons = "; ".join(rows[name]["reasons"].get("learned", ()))
        assert said in reasons if said else reasons == ""
        page = (tmp_path / f"out/feedback/{name}.html").read_text(encoding="utf-8")
        assert (said or "all that is asked of the file is met") in html.unescape(page)
    # a copy is told, whatever else in it was changed
    shared = "learned: same test and train as "
    assert {"ben", "cyd"} == {name for name in ["ben", "cyd", "dan", "eve"] if shared_whole(rows[name], "ada")}
    assert any(flag.startswith(shared) and "ada" in flag for flag in rows["dan"]["flags"])


def shared_whole(row, other):
    return any(flag.startswith("learned: same file as ") and other in flag for flag in row["flags"])
