"""Claim: on 2 cores `lsedu grade` marks at least 25 times as many correct torch submissions a minute as nbgrader does.

    python benchmarks/grading.py [--submissions 20] [--scale]

Both graders get the same class (the solved first lab: NumPy and torch, eight questions run by code), interleaved in
one run: a part by one, a part by the other, so that what else the machine does hits both. nbgrader autogrades the same
notebooks; its tests call each function on one public input, which is less than ours do. The time includes starting the
sandbox or the kernels. `--scale` grades 10, 100 and 1,000 copies with ours alone and prints seconds a submission and
the peak memory of the grading process.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lsedu.grading import Options, grade
from lsedu.labs import Lab, load_lab
from lsedu.labs.codec import encode
from lsedu.labs.release import build
from lsedu.labs.spec import PUBLIC_SEED

ROOT = Path(__file__).resolve().parent.parent
LAB = ROOT / "solutions" / "lab01.md"
PARTS = 4


def class_of(folder: Path, number: int, notebook: dict) -> Path:
    for i in range(number):
        place = folder / f"student{i:04d}"
        place.mkdir(parents=True)
        (place / f"{LAB.stem}.ipynb").write_text(json.dumps(notebook))
    return folder


def nbgrader_course(folder: Path, notebook: dict, checks: dict[str, str]) -> None:
    """Write an nbgrader course with one assignment whose test cells hold plain asserts."""
    source = json.loads(json.dumps(notebook))
    source["cells"] = [cell for cell in source["cells"] if keep(cell)]
    for cell in source["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "code" and about.get("grade"):
            question = cell["id"].removesuffix("-check")
            cell["source"] = checks[question]
    place = folder / "source" / "lab01"
    place.mkdir(parents=True)
    (place / "lab01.ipynb").write_text(json.dumps(source))
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'course'\n")
    nbgrader(folder, "generate_assignment", "lab01", "--create")


def keep(cell: dict) -> bool:
    """Leave out what neither grader needs: text, plots, training, the course's own checks object."""
    about = cell["metadata"].get("nbgrader", {})
    return cell["cell_type"] == "code" and bool(about.get("grade_id"))


def nbgrader(folder: Path, *words: str) -> None:
    bin_ = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([bin_ / "nbgrader", *words], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"nbgrader {' '.join(words)} failed:\n{done.stderr[-3000:]}")


def public_checks(lab: Lab) -> dict[str, str]:
    """Return nbgrader tests: each calls the function on the first public case and compares with the right value."""
    found = {}
    for question in lab.questions:
        if question.kind == "function":
            item = question.draw(PUBLIC_SEED)[0]
            # the reference is called without its gradient: a value is what a plain assert would compare
            expected = question.reference(*item.args, **item.kwargs)
            texts = [json.dumps(encode(value)) for value in (tuple(item.args), dict(item.kwargs), expected)]
            found[question.id] = (
                "import json\nfrom lsedu.labs import explain\nfrom lsedu.labs.codec import decode\n"
                f"args, kwargs, expected = [decode(json.loads(text)) for text in {texts!r}]\n"
                f"said = explain({question.function}(*args, **kwargs), expected)\nassert said is None, said"
            )
    return found


def compare(number: int) -> None:
    lab = load_lab(LAB)
    notebook = build(lab, solved=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["LSEDU_STATE"] = str(folder / "state")
        course = folder / "course"
        course.mkdir()
        nbgrader_course(course, notebook, public_checks(lab))
        released = json.loads((course / "source" / "lab01" / "lab01.ipynb").read_text())
        ours = theirs = 0.0
        stages: dict[str, float] = {}
        size = number // PARTS
        for part in range(PARTS):
            root = class_of(folder / f"class{part}", size, notebook)
            begin = time.perf_counter()
            report = grade(LAB, root, folder / f"out{part}", Options(jobs=2))
            ours += time.perf_counter() - begin
            for key, value in report.seconds.items():
                stages[key] = stages.get(key, 0.0) + value
            totals = [json.loads(line)["total"] for line in (folder / f"out{part}" / "results.jsonl").open()]
            assert len(totals) == size and len(set(totals)) == 1
            for i in range(part * size, (part + 1) * size):
                place = course / "submitted" / f"student{i:04d}" / "lab01"
                place.mkdir(parents=True)
                (place / "lab01.ipynb").write_text(json.dumps(released))
            begin = time.perf_counter()
            nbgrader(course, "autograde", "lab01")  # what has been graded before is passed over
            theirs += time.perf_counter() - begin
        print(f"{'':16}{'seconds':>10}{'a minute':>10}")
        print(f"{'lsedu grade':16}{ours:>10.1f}{60 * number / ours:>10.1f}")
        print(f"{'nbgrader':16}{theirs:>10.1f}{60 * number / theirs:>10.1f}")
        print(f"ratio {theirs / ours:.1f}")
        print("ours by stage (seconds, summed over threads):")
        for key, value in stages.items():
            print(f"  {key:10}{value:>8.2f}")
        print(f"peak memory of the grading process: {peak():.0f} MiB")


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def scale() -> None:
    notebook = build(load_lab(LAB), solved=True)
    print(f"{'submissions':>12}{'seconds':>10}{'each':>10}{'peak MiB':>10}")
    for number in (10, 100, 1000):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            os.environ["LSEDU_STATE"] = str(folder / "state")
            root = class_of(folder / "class", number, notebook)
            report = grade(LAB, root, folder / "out", Options(jobs=2))
            seconds = report.seconds["all"]
        print(f"{number:>12}{seconds:>10.1f}{seconds / number:>10.3f}{peak():>10.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submissions", type=int, default=20)
    parser.add_argument("--scale", action="store_true")
    options = parser.parse_args()
    if options.scale:
        scale()
    else:
        compare(options.submissions)


if __name__ == "__main__":
    main()
