"""Claim: on 2 cores `lsedu grade` marks at least 25 times as many correct torch submissions a minute as nbgrader does.

    python benchmarks/grading.py [--submissions 20] [--bare]
    python benchmarks/grading.py --scale

Both graders get the same class: the solved first lab (NumPy and torch, eight questions run by code) as a student hands
it in, with `scale = "smoke"`. They take turns in one run: nbgrader a third of the class, ours all of it, nbgrader a
third, ours all of it again, nbgrader the rest, so that what else the machine does hits both; ours is the mean of two.
nbgrader runs whole notebooks, training and plots too, by design, and its tests here call each function on one public
input; ours runs the answers only, each on several secret inputs. `--bare` takes everything but answers and tests out of
nbgrader's notebooks. The time includes starting the sandbox and the kernels. `--scale` grades 10, 100 and 1,000 copies
with ours alone and prints seconds a submission and the peak memory of the grading process, run by run in one process.
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

from lsedu.authoring import Lab, load_lab
from lsedu.authoring.release import build
from lsedu.grading import Options, grade
from lsedu.labs.codec import encode
from lsedu.labs.spec import PUBLIC_SEED

ROOT = Path(__file__).resolve().parent.parent
LAB = ROOT / "solutions" / "lab01.md"


def class_of(folder: Path, number: int, notebook: dict) -> Path:
    for i in range(number):
        place = folder / f"student{i:04d}"
        place.mkdir(parents=True)
        (place / f"{LAB.stem}.ipynb").write_text(json.dumps(notebook))
    return folder


def nbgrader_course(folder: Path, notebook: dict, checks: dict[str, str], *, bare: bool) -> None:
    """Write an nbgrader course with one assignment whose test cells hold plain asserts."""
    source = json.loads(json.dumps(notebook))
    if bare:
        source["cells"] = [cell for cell in source["cells"] if keep(cell)]
    for cell in source["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "code" and about.get("grade"):
            cell["source"] = checks[cell["id"].removesuffix("-check")]
    place = folder / "source" / LAB.stem
    place.mkdir(parents=True)
    (place / f"{LAB.stem}.ipynb").write_text(json.dumps(source))
    config = "c = get_config()\nc.CourseDirectory.course_id = 'course'\nc.ExecutePreprocessor.timeout = 600\n"
    (folder / "nbgrader_config.py").write_text(config)
    nbgrader(folder, "generate_assignment", LAB.stem, "--create")


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


def compare(number: int, *, bare: bool) -> None:
    lab = load_lab(LAB)
    notebook = build(lab, solved=True)
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].replace('scale = "cpu"', 'scale = "smoke"')
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["LSEDU_STATE"] = str(folder / "state")
        course = folder / "course"
        course.mkdir()
        nbgrader_course(course, notebook, public_checks(lab), bare=bare)
        handed_in = (course / "source" / LAB.stem / f"{LAB.stem}.ipynb").read_text()
        root = class_of(folder / "class", number, notebook)
        ours: list[float] = []
        theirs, done = 0.0, 0
        cut = [number // 3, 2 * number // 3, number]
        for turn, end in enumerate(cut):
            for i in range(done, end):
                place = course / "submitted" / f"student{i:04d}" / LAB.stem
                place.mkdir(parents=True)
                (place / f"{LAB.stem}.ipynb").write_text(handed_in)
            begin = time.perf_counter()
            nbgrader(course, "autograde", LAB.stem)  # what has been graded before is passed over
            theirs += time.perf_counter() - begin
            done = end
            if turn < 2:
                begin = time.perf_counter()
                report = grade(LAB, root, folder / f"out{turn}", Options(jobs=2))
                ours.append(time.perf_counter() - begin)
                lines = (folder / f"out{turn}" / "results.jsonl").read_text().splitlines()
                totals = {json.loads(line)["total"] for line in lines}
                full = sum(question.points for question in lab.questions if question.kind == "function")
                assert len(lines) == number and totals == {full}, totals
        mean = sum(ours) / len(ours)
        print(f"{'':16}{'seconds':>10}{'a minute':>10}")
        print(f"{'lsedu grade':16}{mean:>10.1f}{60 * number / mean:>10.1f}    runs: {ours[0]:.1f} s, {ours[1]:.1f} s")
        print(f"{'nbgrader':16}{theirs:>10.1f}{60 * number / theirs:>10.1f}")
        print(f"ratio {theirs / mean:.1f}")
        print("ours by stage, last run (seconds; read, run and write are summed over threads):")
        for key, value in report.seconds.items():
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
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args()
    if options.scale:
        scale()
    else:
        compare(options.submissions, bare=options.bare)


if __name__ == "__main__":
    main()
