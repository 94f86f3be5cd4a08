"""Claim: no submission earns a point that it does not deserve, at isolation levels 4, 3 and 2.

    python benchmarks/hostile.py [FAMILY ...] [--jobs 2] [--levels 4 3 2]

Grades the suite of `tests/grading/hostile.py` (fair, broken and hostile submissions, each with the marks it deserves)
as one class at each level, among things that no submission may reach, and prints one table: by family how many got what
they deserve, how many more, how many less, and how many lost points without a reason or lack the flag that is due;
below it seconds, the slowest submission, the peak memory of the grading process, and what was written, left running or
reached. At levels 3 and 2 there is no memory disk: the submission that writes a temporary file gets less there.
"""

import argparse
import importlib.util
import os
import resource
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

TESTS = Path(__file__).resolve().parent.parent / "tests" / "grading"


def module(name: str) -> ModuleType:
    """Load a file of the tests."""
    spec = importlib.util.spec_from_file_location(name, TESTS / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    sys.modules[name] = found
    spec.loader.exec_module(found)
    return found


def outcome(case: Any, line: dict[str, Any], full: dict[str, float]) -> str:
    """Return how a submission fared: "right", "more", "less" or "unsaid"."""
    got = {name: line["points"][name] for name in case.marks}
    if any(got[name] > case.marks[name] for name in got):
        return "more"
    if any(got[name] < case.marks[name] for name in got):
        return "less"
    silent = any(got[name] < full[name] and not line["reasons"].get(name) for name in got)
    return "unsaid" if silent or (case.flagged and not line["flags"]) else "right"


def main() -> None:
    """Grade and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("families", nargs="*", metavar="FAMILY")
    parser.add_argument("--levels", nargs="*", type=int, default=[4, 3, 2])
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    tests = module("conftest")
    hostile = sys.modules["hostile"]
    from lsedu.authoring import load_lab
    from lsedu.authoring.release import build

    cases = [case for case in hostile.SUITE if not options.families or case.family in options.families]
    solved = build(load_lab(tests.TINY), solved=True)
    counts: Counter[tuple[str, int, str]] = Counter()
    odd, foot = [], []
    for level in options.levels:
        with tempfile.TemporaryDirectory() as name:
            os.environ |= {"LSEDU_STATE": f"{name}/state", "A_SECRET_TOKEN": "not for students"}
            run = tests.grade_suite(Path(name), solved, cases, at_most=level, jobs=options.jobs)
            reached = {line["level"] for line in run.lines.values()}
            if reached != {level}:
                print(f"isolation level {level} cannot be had here, only {sorted(reached)}")
                continue
            slowest = max(run.lines.values(), key=lambda line: line["seconds"])
            for case in cases:
                how = outcome(case, run.lines[case.name], hostile.FULL)
                counts[case.family, level, how] += 1
                odd += [f"level {level}: {case.name!a} got {how}"] if how != "right" else []
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            foot.append(
                f"level {level}: {run.report.seconds['all']:.0f} s, slowest {slowest['student']} in "
                f"{slowest['seconds']:.1f} s, peak memory {peak:.0f} MiB, written {run.written or 'nothing'}, left "
                f"running {len(run.left)}, network {'reached' if run.reached else 'not reached'}"
            )
    print(
        f"{'':15}{'number':>8}"
        + "".join(f"{f'level {level}: as due':>20}{'more':>6}{'less':>6}" for level in options.levels)
    )
    for family in [*dict.fromkeys(case.family for case in cases), "all"]:
        mine = [case for case in cases if family in (case.family, "all")]
        names = {case.family for case in mine}
        row = f"{family:15}{len(mine):>8}"
        for level in options.levels:
            right, more, less = (
                sum(counts[name, level, how] for name in names for how in hows)
                for hows in (("right", "unsaid"), ("more",), ("less",))
            )
            row += f"{right:>20}{more:>6}{less:>6}"
        print(row)
    print("\n".join([*foot, *odd]))


if __name__ == "__main__":
    main()
