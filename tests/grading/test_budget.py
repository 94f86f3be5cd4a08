"""The time of a submission: no question uses up what the others need, and waiting for a processor is not charged."""

import sys
from pathlib import Path

import pytest

from lsedu.grading import budget
from lsedu.grading.submission import parts

hostile = sys.modules["hostile"]
TINY = Path(__file__).resolve().parent / "fixtures" / "tiny.md"


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    now = [0.0]
    monkeypatch.setattr(budget.time, "monotonic", lambda: now[0])
    return now


def test_a_greedy_question_leaves_the_others_their_share(clock):
    time = budget.Budget(60.0, 4)
    left = []
    for _ in range(4):
        time.begin()
        left.append(time.left)
        with time.charged(lambda: 0.0):
            clock[0] += time.left
    assert left == [54.0, 2.0, 2.0, 2.0] and time.left == 0.0


@pytest.mark.parametrize(("waited", "charged"), [(0.0, 8.0), (5.0, 3.0), (8.0, 2.0), (100.0, 2.0)])
def test_time_without_a_processor_is_charged_a_quarter_at_most(clock, waited, charged):
    time, seen = budget.Budget(60.0, 1), iter([1.0, 1.0 + waited])
    with time.charged(lambda: next(seen)):
        clock[0] += 8.0
    assert time.spent == charged


def test_a_process_that_is_gone_has_waited_for_nothing(clock):
    time, seen = budget.Budget(60.0, 1), iter([3.0, 0.0])
    with time.charged(lambda: next(seen)):
        clock[0] += 8.0
    assert time.spent == 8.0


@pytest.mark.parametrize("jobs", [1, 2, 3, 5])
def test_processors_are_shared_out_whole(jobs):
    shares = parts({2, 3, 5, 7}, jobs)
    assert len(shares) == jobs
    if 1 < jobs <= 4:
        assert sorted(number for part in shares for number in part) == [2, 3, 5, 7]
    else:
        assert not any(shares)


@pytest.mark.slow
def test_sleeping_under_every_limit_costs_the_question_that_sleeps(classroom, tmp_path):
    text = TINY.read_text().replace("cell_seconds: 2", "cell_seconds: 2\n  seconds: 4")
    (tmp_path / "tiny.md").write_text(text)
    code = "import time\ndef double(x):\n    time.sleep(1.5)\n    return 2 * x"
    run = classroom([hostile.Case("sleeps", "resources", {"double": code})], lab=tmp_path / "tiny.md")
    line = run.lines["sleeps"]
    assert {name: line["points"][name] for name in hostile.FULL} == {**hostile.FULL, "double": 0.0}
    assert all("takes too long" in reason for reason in line["reasons"]["double"][:2])
