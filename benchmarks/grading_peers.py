"""Claim: of a suite of fair, broken and hostile submissions `lsedu grade` gives no point unearned; nbgrader does.

    python benchmarks/grading_peers.py [--family patching] [--each 3]

Both get the same notebooks and the same three questions. nbgrader's tests are written in its usual way: hidden cells
that assert closeness, run by its own kernel after the student's cells, one invocation a submission so that none can
stop the next. It runs in bubblewrap, without network and with only its course folder writable, to protect this machine
and not its marks. Submissions that exhaust memory, disk or processes are left out on its side: nothing would stop them.

`unearned` counts points above what a submission deserves, `lost` points below it, `stopped` runs without a mark.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from lsedu.grading import Options, grade
from lsedu.grading.shapes import bwrap_path
from lsedu.labs import Lab, load_lab
from lsedu.labs.codec import encode
from lsedu.labs.release import build
from lsedu.labs.spec import PUBLIC_SEED

TESTS = Path(__file__).resolve().parent.parent / "tests" / "grading"
TINY = TESTS / "fixtures" / "tiny.md"
LEFT_OUT = {"resources", "network", "folders"}
SECONDS = 60


def load_suite():
    spec = importlib.util.spec_from_file_location("hostile", TESTS / "hostile.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["hostile"] = module
    spec.loader.exec_module(module)
    return module


def hidden_tests(lab: Lab) -> dict[str, str]:
    """Return a test cell a question: all public cases, each asserted close to the reference's value."""
    found = {}
    for question in lab.questions:
        if question.kind != "function":
            continue
        lines = ["### BEGIN HIDDEN TESTS", "import json", "from lsedu.labs.codec import decode"]
        for item in question.draw(PUBLIC_SEED):
            texts = [json.dumps(encode(v)) for v in (tuple(item.args), question.reference(*item.args))]
            lines.append(f"args, expected = [decode(json.loads(text)) for text in {texts!r}]")
            lines.append(f"got = {question.function}(*args)")
            lines.append("got = got.detach().numpy() if hasattr(got, 'detach') else got")
            lines.append("assert np.allclose(got, expected)")
        found[question.id] = "\n".join([*lines, "### END HIDDEN TESTS"])
    return found


def course_notebook(notebook: dict, checks: dict[str, str]) -> dict:
    copy = json.loads(json.dumps(notebook))
    for cell in copy["cells"]:
        if (
            cell["cell_type"] == "code"
            and cell["id"].removesuffix("-check") in checks
            and cell["id"].endswith("-check")
        ):
            cell["source"] = checks[cell["id"].removesuffix("-check")]
    copy["cells"] = [cell for cell in copy["cells"] if "Checks(" not in cell["source"]]
    return copy


def nbgrader(course: Path, *words: str) -> int:
    """Run nbgrader in bubblewrap, and return its status; 124 when it was stopped for time."""
    bin_ = Path(sys.executable).parent
    box = [
        bwrap_path(),
        "--unshare-all",
        "--die-with-parent",
        "--ro-bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
    ]
    box += [
        "--tmpfs",
        "/tmp",
        "--bind",
        str(course),
        str(course),
        "--chdir",
        str(course),
        "--setenv",
        "HOME",
        str(course),
    ]
    environment = {**os.environ, "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    command = [*box, sys.executable, str(bin_ / "nbgrader"), *words]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return 124
    if words[0] != "autograde" and done.returncode:
        raise SystemExit(f"nbgrader {words[0]} failed:\n{done.stderr[-2000:]}")
    return done.returncode


def nbgrader_points(course: Path, student: str) -> dict[str, float] | None:
    """Return the points by question in nbgrader's gradebook, None if it has none for the student."""
    from nbgrader.api import Gradebook, MissingEntry

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        try:
            grades = book.find_submission("tiny", student).notebooks[0].grades
        except (MissingEntry, IndexError):
            return None
        return {grade.name.removesuffix("-check"): float(grade.auto_score or 0.0) for grade in grades}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", action="append", help="only these families")
    parser.add_argument("--each", type=int, help="at most so many submissions a family")
    options = parser.parse_args()
    suite, lab = load_suite(), load_lab(TINY)
    solved, checks = build(lab, solved=True), hidden_tests(lab)
    families = defaultdict(list)
    for case in suite.SUITE:
        if case.family not in LEFT_OUT and (not options.family or case.family in options.family):
            families[case.family].append(case)
    cases = [case for found in families.values() for case in found[: options.each]]
    with tempfile.TemporaryDirectory(dir=Path.home(), prefix=".peers-") as name:
        folder = Path(name)
        os.environ["LSEDU_STATE"] = str(folder / "state")
        course = folder / "course"
        mark = course / "mark"
        mark.mkdir(parents=True)
        (course / "source" / "tiny").mkdir(parents=True)
        (course / "source" / "tiny" / "tiny.ipynb").write_text(json.dumps(course_notebook(solved, checks)))
        (course / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'course'\n")
        nbgrader(course, "generate_assignment", "tiny", "--create")
        right = course / "submitted" / "somebody" / "tiny" / "tiny.ipynb"
        right.parent.mkdir(parents=True)
        released = course_notebook(solved, checks)
        right.write_text(json.dumps(released))
        places = {"LAB": str(TINY), "OTHER": str(right), "OUT": str(course), "MARK": str(mark), "PORT": "1"}
        places |= {"HOME": str(course / "nbgrader_config.py"), "REPO": str(TESTS.parents[1]), "SITE": str(mark)}
        for case in cases:
            suite.write(case, folder / "submitted", solved, places)
        grade(TINY, folder / "submitted", folder / "out", Options(jobs=2))
        lines = [json.loads(line) for line in (folder / "out" / "results.jsonl").open()]
        ours = {line["student"]: line["points"] for line in lines}
        counts = defaultdict(lambda: defaultdict(int))
        for number, case in enumerate(cases):
            student = f"s{number:03d}"
            written = suite.write(case, folder / "raw", released, places)
            target = course / "submitted" / student
            target.mkdir()
            written.rename(target / "tiny")
            status = nbgrader(course, "autograde", "tiny", "--student", student)
            theirs = nbgrader_points(course, student) if status == 0 else None
            row = counts[case.family]
            row["submissions"] += 1
            row["stopped"] += theirs is None
            for who, points in (("ours", ours.get(case.name)), ("theirs", theirs)):
                above = sum(max(0.0, (points or {}).get(q, 0.0) - p) for q, p in case.marks.items())
                below = sum(max(0.0, p - (points or {}).get(q, 0.0)) for q, p in case.marks.items())
                row[f"{who} unearned"] += above > 0
                row[f"{who} lost"] += below > 0
            print(f"{case.family}: {case.name!r}: ours {ours.get(case.name)}, nbgrader {theirs}", flush=True)
    columns = ["submissions", "ours unearned", "theirs unearned", "ours lost", "theirs lost", "stopped"]
    print(f"\n{'submissions with':16}" + "".join(f"{column:>17}" for column in columns))
    for family, row in counts.items():
        print(f"{family:16}" + "".join(f"{row[column]:>17}" for column in columns))
    print(f"{'all':16}" + "".join(f"{sum(row[column] for row in counts.values()):>17}" for column in columns))


if __name__ == "__main__":
    main()
