"""The suite of fair, broken and hostile submissions: each gets the marks it deserves, and nothing else happens."""

import csv
import sys

import pytest

hostile = sys.modules["hostile"]

QUICK = {
    "right", "stub", "half-right", "prints-to-stderr", "equal-to-everything", "pickle-bomb", "patch-allclose",
    "reads-lab-source", "reads-other-student", "import-lsedu-answer", "forge-frames", "writes-outside", "daemon",
    "exit", "exit-at-load", "import-what-came-along", "progress-bar", "bom", "duplicated", "truncated",
    "symlinked-notebook", "=cmd|' C calc'!A0",
}  # fmt: skip


@pytest.fixture(scope="module")
def conftest():
    return sys.modules[[name for name in sys.modules if name.endswith("grading.conftest") or name == "conftest"][-1]]


def check(case, outcome):
    """A row, the marks deserved, a reason for every point lost, and a flag where one is due."""
    line = outcome.lines[case.name]
    got = {name: line["points"][name] for name in case.marks}
    assert got == case.marks, line["reasons"]
    for name, points in hostile.FULL.items():
        if got[name] < points:
            assert line["reasons"][name], f"{name} lost points without a reason"
    if case.flagged:
        assert line["flags"]


def undisturbed(outcome, cases):
    """Nothing outside was touched, nothing stayed behind, and there is a row for everyone."""
    assert outcome.rows == len(cases)
    assert outcome.written == []
    assert outcome.left == set()
    assert not outcome.reached
    with (outcome.out / "grades.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(cases)
    assert not [row["student"] for row in rows if row["student"].startswith(("=", "+", "-", "@"))]
    assert all("numpy" not in entry.name for entry in outcome.root.iterdir())


@pytest.fixture(scope="module")
def quick(tmp_path_factory, solved, suite_runner):
    cases = [case for case in hostile.SUITE if case.name in QUICK]
    return suite_runner(tmp_path_factory.mktemp("quick"), solved, cases), cases


@pytest.mark.parametrize("name", sorted(QUICK))
def test_quick_suite_is_marked_fairly(quick, name):
    outcome, cases = quick
    check(next(case for case in cases if case.name == name), outcome)


def test_quick_suite_leaves_nothing(quick):
    undisturbed(*quick)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, solved, suite_runner):
    return suite_runner(tmp_path_factory.mktemp("whole"), solved, hostile.SUITE)


@pytest.mark.slow
@pytest.mark.parametrize("case", hostile.SUITE, ids=lambda case: case.family + ":" + ascii(case.name))
def test_submission_gets_what_it_deserves(whole, case):
    check(case, whole)


@pytest.mark.slow
def test_whole_suite_leaves_nothing(whole):
    undisturbed(whole, hostile.SUITE)


@pytest.mark.slow
def test_reasons_are_the_same_for_all_secrets(tmp_path_factory, solved, suite_runner):
    tell = ("tells-inputs-by-line-and-error", "tells-inputs-by-sizes", "leaks-input-by-shape", "leaks-input-by-error")
    cases = [case for case in hostile.SUITE if case.name in tell]
    said = []
    for number in range(2):
        folder = tmp_path_factory.mktemp("secret")
        (folder / "secret").write_text(f"{number}{number}" * 32)
        outcome = suite_runner(folder, solved, cases, secret_file=folder / "secret")
        said.append({name: (line["reasons"], line["notes"]) for name, line in outcome.lines.items()})
    assert said[0] == said[1] and all(reasons["double"] for reasons, _ in said[0].values())


@pytest.mark.slow
def test_no_table_cell_is_longer_than_a_spreadsheet_takes(whole):
    with (whole.out / "grades.csv").open(newline="", encoding="utf-8") as file:
        assert max(len(cell) for row in csv.reader(file) for cell in row) < 2**15


@pytest.mark.slow
def test_level_2_gives_no_unearned_point(tmp_path_factory, solved, suite_runner):
    outcome = suite_runner(tmp_path_factory.mktemp("level2"), solved, hostile.SUITE, at_most=2)
    assert {line["level"] for line in outcome.lines.values()} == {2}
    unable = {"uses-tmp"}  # no file can be written at level 2
    for case in hostile.SUITE:
        if case.name not in unable:
            check(case, outcome)
    undisturbed(outcome, hostile.SUITE)
