"""Lab 8's rules are those of the course, its plans can be followed, and its model report says what its runs give."""

from pathlib import Path

import numpy as np
import pytest

from lsedu.experiments import holm, interval, load_record, t_quantile, verdict
from lsedu.experiments.planning import power


def plan_of(space, **changes):
    """A plan that nobody has made, with changes."""
    pilot = np.random.default_rng(0).uniform(size=(space["PILOT"], 2)).round(4)
    asked = {"project": 2, "claimed": -1, "n": 7, "margin": 0.01, "effect": -0.03}
    return {"seed": 3, "scale": 1, "pilot": pilot} | asked | changes


def test_quantiles_are_the_courses(space_8):
    due = [t_quantile(0.95, n - 1) for n in range(2, space_8["MOST"] + 1)]
    assert space_8["T"][2:] == pytest.approx(due, abs=6e-5) and np.isinf(space_8["T"][:2]).all()


def test_the_verdict_is_that_of_the_courses_rule(space_8):
    rng, seen = np.random.default_rng(1), set()
    for _ in range(400):
        n, claimed = int(rng.integers(3, 20)), str(rng.choice(["positive", "negative", "none"]))
        plus, minus = rng.normal(rng.normal(scale=2), 1.0, size=n), np.zeros(n)
        margin = float(rng.choice([0.1, 1.0, 3.0]))
        low, high, word = space_8["judge"](plus, minus, claimed, margin, space_8["T"])
        found = interval(plus)
        assert (low, high) == pytest.approx((found.low, found.high), rel=1e-3, abs=1e-4)
        assert word == verdict(found, claimed=claimed, margin=margin)
        seen.add(word)
    assert seen == set(space_8["WORDS"])


def test_holm_is_that_of_the_course(space_8):
    p = np.random.default_rng(2).uniform(size=9) ** 3
    due = holm({str(i): float(value) for i, value in enumerate(p)})
    assert space_8["holm"](p).tolist() == pytest.approx([due[str(i)] for i in range(9)])


@pytest.mark.parametrize(("claimed", "effect"), [("positive", 0.02), ("negative", -0.02), ("none", 0.002)])
def test_simulated_power_is_that_of_the_formula(space_8, claimed, effect):
    for n in (4, 12, 40):
        got, _ = space_8["power"](space_8["worlds"]()[:, :n], effect, 0.015, 0.01, space_8["T"], claimed)
        assert got == pytest.approx(power(n, effect=abs(effect), sd=0.015, margin=0.01), abs=0.04)


def test_whatever_is_changed_in_a_plan_changes_its_seeds(space_8):
    seeds_of, plan = space_8["seeds_of"], plan_of(space_8)
    seeds, pilot = seeds_of(plan), plan["pilot"].copy()
    assert len(set(seeds)) == 7 and min(seeds) >= 10**8 > max(space_8["pilot_seeds"](9999))
    assert seeds_of(plan | {"n": np.array(7), "margin": np.float64(0.01)}) == seeds
    pilot[5, 1] += 0.0001
    changes = dict(seed=4, scale=0, project=3, claimed=0, n=8, margin=0.0101, effect=-0.02, pilot=pilot)
    for name, value in changes.items():
        assert not set(seeds_of(plan | {name: value})) & set(seeds), name


def test_unfit_plans_are_told_why(space_8):
    unfit = space_8["unfit"]
    assert unfit("positive", 0.01, 0.02) == unfit("negative", 0.01, -0.02) == unfit("none", 0.01, -0.002) == ""
    assert "lies within the margin" in unfit("none", 0.01, 0.01)
    assert "on that side" in unfit("positive", 0.01, 0.01) and "on that side" in unfit("negative", 0.01, 0.02)
    assert "is none for numbers between 0 and 1" in unfit("positive", 1.0, 2.0)


def test_scores_by_hand(space_8):
    assert space_8["ranked"](np.array([0.9, 0.5]), np.array([0.5, 0.1])) == 0.875
    p = np.array([[0.8, 0.2], [0.8, 0.2], [0.4, 0.6]])
    assert space_8["ece"](p, np.array([True, False, True])) == pytest.approx((abs(1.6 - 1) + 0.4) / 3)
    q = space_8["torch"].eye(10, dtype=space_8["torch"].float64) * 0.1 + 0.09
    q[2, 5] += 0.1
    moved = space_8["shuffled"](np.random.default_rng(0), q)
    assert (moved.diagonal() == q.diagonal()).all() and (moved[2].sort().values == q[2].sort().values).all()
    labels = space_8["torch"].tensor([2])
    assert space_8["smoothed"](labels, 0.1).sum().item() == pytest.approx(1)
    assert space_8["smoothed"](labels, 0.1, q)[0, 5].item() == pytest.approx(0.1 * q[2, 5].item())


def test_every_project_runs_and_comes_out_the_same_again(space_8):
    rng = np.random.default_rng(3)
    train, test = ((rng.integers(256, size=(n, 28, 28), dtype=np.uint8), np.arange(n) % 10) for n in (700, 500))
    for project in space_8["PROJECTS"]:
        first = space_8["trial"](project, 5, "smoke", train, test)
        assert first == space_8["trial"](project, 5, "smoke", train, test)
        assert all(0 <= value <= 1 for value in first)
        if project != "minority":  # of pictures that are noise no network tells shirts
            assert first != space_8["trial"](project, 6, "smoke", train, test)


def test_the_projects_are_those_of_the_table(lab_8, space_8):
    text = Path(lab_8.path).read_text(encoding="utf-8")
    assert all(f"\n| `{project}` | " in text for project in space_8["PROJECTS"])


@pytest.mark.slow
def test_the_model_report_says_what_its_plan_gives(lab_8, space_8, trials_8):
    wanted, seed = space_8["my_plan"](), 0
    pilot = trials_8(wanted["project"], "cpu", space_8["pilot_seeds"](seed))
    sd = (pilot[:, 0] - pilot[:, 1]).std(ddof=1)
    due = (wanted["effect"], space_8["CAUTION"] * sd, wanted["margin"], wanted["claimed"])
    plan = plan_of(space_8, seed=seed, project=0, n=space_8["planned"](space_8["power"], *due), pilot=pilot)
    plan |= {"margin": wanted["margin"], "effect": wanted["effect"]}
    found = trials_8(wanted["project"], "cpu", space_8["seeds_of"](plan))
    d = found[:, 0] - found[:, 1]
    low, high, word = space_8["judge"](found[:, 0], found[:, 1], wanted["claimed"], wanted["margin"], space_8["T"])
    record = load_record("smoothing")
    theirs = np.array(record.question("ece-0.1").values(record.results))
    difference, se, degrees = space_8["agree"](d, theirs)
    half = t_quantile(0.95, int(degrees)) * se
    code = space_8["code_of"](plan)
    (report,) = [cell.solution for cell in lab_8.cells if cell.role == "manual"]
    report = " ".join(report.split())
    for said in (
        f"Margin {wanted['margin']:g}",
        f"vary by {sd:.4f}; 1.35 times that asks for {plan['n']} seeds",
        "Code " + "-".join(code[i : i + 4] for i in range(0, 16, 4)),
        f"{d.mean():.4f}, interval {low:.4f} to {high:.4f}, {plan['n']} seeds: {word}.",
        f"falls from {found[:, 1].mean():.3f} to {found[:, 0].mean():.3f}",
        f"clears the margin by {-wanted['margin'] - high:.4f} only",
        f"has {theirs.mean():+.4f} from {len(theirs)} seeds, {record.verdict('ece-0.1')}",
        f"{difference:.4f}, has an interval from {difference - half:.4f} to {difference + half:.4f}",
        f"{record.mean('0.1/before/ece'):.3f} there and {found[:, 0].mean():.3f} here",
        f"{record.mean('0.0/before/ece'):.3f} there, {found[:, 1].mean():.3f} here",
    ):
        assert said in report, said
    assert (d > 0).sum() == 1 and "in one of them it rose" in report
