"""The suite of tests/grading/hostile.py, graded by `lsedu grade` and by nbgrader 0.9.6, side by side.

    python benchmarks/grading_peers.py [--family NAME ...] [--timeout 10] [--minutes 60]

nbgrader runs students' code with the instructor's rights, so here it runs inside bubblewrap: process and network
namespaces of its own, the machine read-only, one writable folder with the course. Submissions that exhaust memory,
disk, processes or time are left out on its side, since bubblewrap alone would not protect the machine from them. Its
assignment is the tiny lab with the same questions and hidden tests that compare on fixed inputs. It grades batches of
12; a submission that has no row after its batch is tried once more alone, so that one that stops the batch does not end
the comparison. With `--minutes` it stops early, having taken the families by turns.

Columns: submissions graded; with unearned points (more than deserved on any question); fair answers that lost points
(full marks deserved on a question, less given); without a row; with a file written outside. A mark by nbgrader is all
or nothing a question, so less than full where part was deserved is not counted against it.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from lsedu.authoring import load_lab
from lsedu.authoring.release import build
from lsedu.grading import Options, grade
from lsedu.grading.isolation import bwrap_path

ROOT = Path(__file__).resolve().parent.parent
LAB = ROOT / "tests" / "grading" / "fixtures" / "tiny.md"
BATCH = 12
TESTS = {
    "double": "import numpy as np\n### BEGIN HIDDEN TESTS\nexpected = np.array([2.0, 4.0, 7.0])\n"
    "assert np.allclose(double(np.array([1.0, 2.0, 3.5])), expected)\n"
    "assert np.allclose(double(-np.ones((2, 2))), -2 * np.ones((2, 2)))\n### END HIDDEN TESTS",
    "mean-square": "import torch\n### BEGIN HIDDEN TESTS\nx = torch.tensor([1.0, 2.0], requires_grad=True)\n"
    "value = mean_square(x)\nvalue.backward()\nassert abs(value.item() - 2.5) < 1e-6\n"
    "assert torch.allclose(x.grad, torch.tensor([1.0, 2.0]))\n### END HIDDEN TESTS",
    "count": "import numpy as np\n### BEGIN HIDDEN TESTS\n"
    "assert count(np.array([0.0, 0.2, 3.0]), 0.1) == 2 == count(np.array([0.0, 0.2, 3.0]), 0.1)\n"
    "### END HIDDEN TESTS",
}


def load_suite():
    spec = importlib.util.spec_from_file_location("hostile", ROOT / "tests" / "grading" / "hostile.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["hostile"] = module
    spec.loader.exec_module(module)
    return module


def places(folder: Path, other: Path, out: Path) -> dict[str, str]:
    (folder / "mark").mkdir()
    (folder / "home").mkdir()
    (folder / "home" / "diary").write_text("private")
    return {
        "LAB": str(LAB),
        "OTHER": str(other),
        "OUT": str(out),
        "MARK": str(folder / "mark"),
        "HOME": str(folder / "home" / "diary"),
        "PORT": "9",
        "REPO": str(ROOT),
        "SITE": str(Path(json.__file__).parent.parent / "site-packages"),
    }


def ours(suite, cases, solved: dict, folder: Path) -> dict[str, dict]:
    """Grade with `lsedu grade`; return points by student and question, and what was written outside."""
    root, out = folder / "submitted", folder / "out"
    where = places(folder, root / "right" / "tiny.ipynb", out)
    for case in cases:
        suite.write(case, root, solved, where)
    grade(LAB, root, out, Options(jobs=2))
    lines = map(json.loads, (out / "results.jsonl").read_text().splitlines())
    found = {line["student"]: {"points": line["points"], "written": False} for line in lines}
    if list((folder / "mark").iterdir()):
        raise SystemExit("a file was written outside the sandbox")
    return found


def course(folder: Path, solved: dict, timeout: int) -> dict:
    """Write an nbgrader course and return the notebook that students of it hand in."""
    source = json.loads(json.dumps(solved))
    kept = []
    for cell in source["cells"]:
        name = cell["id"].removesuffix("-check")
        if cell["cell_type"] == "code" and (name in TESTS or cell["id"].startswith("preamble")):
            if cell["id"].endswith("-check"):
                cell["source"] = TESTS[name]
            kept.append(cell)
    source["cells"] = kept
    place = folder / "source" / "tiny"
    place.mkdir(parents=True)
    (place / "tiny.ipynb").write_text(json.dumps(source))
    (folder / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.course_id = 'course'\nc.ExecutePreprocessor.timeout = {timeout}\n"
    )
    nbgrader(folder, "generate_assignment", "tiny", "--create", timeout=120)
    return json.loads((folder / "release" / "tiny" / "tiny.ipynb").read_text()) | {"solved": source["cells"]}


def nbgrader(folder: Path, *words: str, timeout: int) -> int:
    bin_ = Path(sys.executable).parent
    command = [bwrap_path(), "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev"]
    command += ["--proc", "/proc", "--tmpfs", "/tmp", "--bind", str(folder), str(folder), "--chdir", str(folder)]
    command += [str(bin_ / "nbgrader"), *words]
    environment = {**os.environ, "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    environment |= {"HOME": str(folder), "JUPYTER_PLATFORM_DIRS": "1", "A_SECRET_TOKEN": "not for students"}
    try:
        return subprocess.run(command, env=environment, capture_output=True, timeout=timeout).returncode
    except subprocess.TimeoutExpired:
        return 124


def theirs(suite, cases, solved: dict, folder: Path, timeout: int, minutes: float) -> dict[str, dict]:
    """Grade with nbgrader, a batch a call; one without a row is tried once more alone."""
    released = course(folder, solved, timeout)
    handed_in = {**released, "cells": released.pop("solved")}
    root = folder / "submitted"
    where = places(folder, root / "right" / "tiny" / "tiny.ipynb", folder / "out")
    found: dict[str, dict] = {}
    end = time.monotonic() + 60 * minutes
    for start in range(0, len(cases), BATCH):
        if time.monotonic() > end:
            break
        batch = cases[start : start + BATCH]
        for case in batch:
            place = suite.write(case, folder / "raw", handed_in, where)
            target = root / case.name / "tiny"
            target.parent.mkdir(parents=True)
            place.rename(target)
        before = set((folder / "mark").iterdir())
        nbgrader(folder, "autograde", "tiny", timeout=BATCH * (2 * timeout + 10))
        scores(folder, batch, found)
        for case in batch:
            if case.name not in found:
                nbgrader(folder, "autograde", "tiny", "--student", case.name, timeout=3 * timeout + 10)
        scores(folder, batch, found)
        for case in batch:
            if case.name not in found:
                # else the next batches would try it again
                (root / case.name).rename(folder / "raw" / f"without a row {len(list((folder / 'raw').iterdir()))}")
        written = set((folder / "mark").iterdir()) - before
        for case in batch:
            found.setdefault(case.name, {"points": None})["written"] = False
        if written:
            guilty = [case for case in batch if case.family == "leftovers" or "@MARK@" in "".join(case.cells.values())]
            for case in guilty[: len(written)]:
                found[case.name]["written"] = True
        print(f"\r{len(found)} of {len(cases)}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return found


def scores(folder: Path, cases, found: dict[str, dict]) -> None:
    """Read from nbgrader's database what it gave."""
    from nbgrader.api import Gradebook, MissingEntry

    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        for case in cases:
            try:
                submission = book.find_submission("tiny", case.name)
                grades = submission.notebooks[0].grades if submission.notebooks else []
            except MissingEntry:
                continue
            points = {item.cell.name.removesuffix("-check"): item.auto_score for item in grades}
            if points and any(value is not None for value in points.values()):
                found[case.name] = {"points": points}


def table(cases, graded: dict[str, dict]) -> dict[str, list[int]]:
    """Count by family: submissions, unearned, fair and lost, without a row, written outside."""
    full = {"double": 4.0, "mean-square": 3.0, "count": 2.0}
    rows: dict[str, list[int]] = defaultdict(lambda: [0] * 5)
    for case in cases:
        row, entry = rows[case.family], graded.get(case.name)
        row[0] += 1
        row[4] += bool(entry and entry["written"])
        if entry is None or entry["points"] is None:
            row[3] += 1
            continue
        got = {name: entry["points"].get(name) or 0.0 for name in full}
        row[1] += any(got[name] > case.marks[name] + 0.01 for name in full)
        row[2] += any(case.marks[name] == full[name] > got[name] for name in full)
    return rows


def spread(cases):
    """Order by turns, a case of each family, so that a run that is stopped early has seen all of them."""
    families = defaultdict(list)
    for case in cases:
        families[case.family].append(case)
    rounds = max(map(len, families.values()))
    return [group[i] for i in range(rounds) for group in families.values() if i < len(group)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", nargs="*")
    parser.add_argument("--timeout", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=60, help="stop nbgrader after that many")
    options = parser.parse_args()
    suite = load_suite()
    cases = [case for case in suite.SUITE if not options.family or case.family in options.family]
    cases = [case for case in suite.SUITE if case.name == "right" and case not in cases] + cases
    cases = spread(cases)
    solved = build(load_lab(LAB), solved=True)
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        os.environ["LSEDU_STATE"] = str(Path(a) / "state")
        mine = table(cases, ours(suite, cases, solved, Path(a)))
        bearable = [case for case in cases if case.family != "resources"]
        graded = theirs(suite, bearable, solved, Path(b), options.timeout, options.minutes)
        other = table([case for case in bearable if case.name in graded], graded)
    head = ["cases", "unearned", "fair lost", "no row", "written"]
    print(f"{'':16}" + "".join(f"{word:>11}" for word in head * 2))
    print(f"{'':16}{'lsedu':>33}{'':22}{'nbgrader':>33}")
    families = [*mine, "all"]
    mine["all"] = [sum(column) for column in zip(*mine.values())]
    other["all"] = [sum(column) for column in zip(*other.values())]
    for family in families:
        numbers = [*mine[family], *other.get(family, ["-"] * 5)]
        print(f"{family:16}" + "".join(f"{number:>11}" for number in numbers))


if __name__ == "__main__":
    main()
