"""Intervals, the rule, Holm's test, flags, and the one list of words."""

import json
import math
from dataclasses import replace
from operator import itemgetter

import numpy as np
import pytest
import scipy.stats
from typer.testing import CliRunner

from lsedu import experiments
from lsedu.cli import app
from lsedu.experiments import Choice, Contrast, Verdict, interval
from lsedu.experiments.concluding import conclude
from lsedu.experiments.crossed import crossed, resampled
from lsedu.experiments.flags import flags
from lsedu.experiments.interval import Interval
from lsedu.experiments.restating import reason
from lsedu.experiments.verdict import together, verdict
from lsedu.studies.principles.speed import best_rate, missed


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10, 29, 100])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_t_quantiles_are_scipys(degrees, confidence):
    assert experiments.t_quantile(confidence, degrees) == pytest.approx(
        scipy.stats.t.ppf((1 + confidence) / 2, degrees), rel=1e-9
    )


def test_the_interval_and_its_p_values_are_scipys():
    x = [0.3, -0.1, 0.25, 0.4, 0.05]
    found = interval(x)
    low, high = scipy.stats.t.interval(0.95, 4, loc=np.mean(x), scale=scipy.stats.sem(x))
    assert (found.low, found.high) == pytest.approx((low, high))
    for value in (0.0, 0.1, -0.3, 0.9):
        assert found.p(value) == pytest.approx(scipy.stats.ttest_1samp(x, value).pvalue)
    assert found.p(low) == pytest.approx(0.05)
    one = interval([0.3])
    assert (one.low, one.high, one.p()) == (-math.inf, math.inf, 1.0)
    same = interval([0.5, 0.5])
    assert (same.low, same.high, same.p(0.5), same.p(0.4)) == (0.5, 0.5, 1.0, 0.0)
    for bad in ([], [math.nan], [[1.0]]):
        with pytest.raises(ValueError, match="one a seed"):
            interval(bad)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 9, 10, 99, 500])
def test_p_values_keep_their_digits_in_the_tails(degrees):
    for t in (1e-6, 0.5, 1.0, 3.0, 12.0, 100.0, 1e5):
        found = Interval(-t, 0.0, 0.0, 1.0, degrees + 1, 1.0, degrees).p()
        assert found == pytest.approx(2.0 * scipy.stats.t.sf(t, degrees), rel=1e-10, abs=1e-300) and found >= 0.0


@pytest.mark.parametrize(("value", "n"), [(0.1, 3), (0.1, 7), (0.3, 10), (-0.7, 6)])
def test_equal_values_have_no_spread(value, n):
    every = np.full(n, value)
    drawn = resampled(lambda weights: np.tile(every, (len(weights), 1)), 5, draws=10)
    for found in (interval(every), crossed(np.full((n, 7), value)), drawn):
        assert (found.mean, found.low, found.high, found.sd, found.se, found.degrees) == (value,) * 3 + (0, 0, n - 1)
        assert found.p(value) == 1.0 and found.p() == 0.0
        assert verdict(found, claimed="positive", margin=abs(value)) is Verdict.NEGLIGIBLE


def test_a_claim_or_a_margin_that_the_rule_does_not_know_is_refused():
    found = interval([0.1, 0.2, 0.15])
    with pytest.raises(ValueError, match=r"^claimed must be one of 'positive', 'negative', 'none', got 'zero'$"):
        verdict(found, claimed="zero", margin=0.1)
    for bad in (-0.1, math.nan, math.inf, "0.1"):
        with pytest.raises(ValueError, match=f"^margin must be .*, got {bad!r}$"):
            verdict(found, claimed="none", margin=bad)


def at(low, high):
    """An interval with these ends, over five seeds."""
    mean, se = (low + high) / 2, (high - low) / 2 / experiments.t_quantile(0.95, 4)
    return Interval(mean, low, high, se * 5**0.5, 5, se, 4)


RULE = [  # ends in margins, the verdict on a positive effect, and on none
    (-1.0, 1.0, "negligible", "shown"),
    (0.2, 0.9, "negligible", "shown"),
    (-0.9, -0.2, "negligible", "shown"),
    (1.1, 1.2, "shown", "refuted"),
    (0.1, 1.2, "shown, size unclear", "inconclusive"),
    (1.0, 1.2, "shown, size unclear", "inconclusive"),
    (-1.2, -1.1, "reversed", "refuted"),
    (-1.2, -0.1, "reversed, size unclear", "inconclusive"),
    (-0.1, 1.2, "inconclusive", "inconclusive"),
    (-1.2, 1.2, "inconclusive", "inconclusive"),
    (0.0, 1.2, "inconclusive", "inconclusive"),
]


@pytest.mark.parametrize(("low", "high", "positive", "none"), RULE)
def test_the_first_that_fits_counts(low, high, positive, none):
    margin = 0.004
    found = at(low * margin, high * margin)
    mirrored = at(-high * margin, -low * margin)
    assert experiments.verdict(found, claimed="positive", margin=margin) == positive
    assert experiments.verdict(mirrored, claimed="negative", margin=margin) == positive
    assert experiments.verdict(found, claimed="none", margin=margin) == none
    assert experiments.verdict(mirrored, claimed="none", margin=margin) == none


def test_what_was_not_run_and_what_ran_once():
    assert experiments.verdict(None, claimed="positive", margin=0.1) is Verdict.NOT_YET_RUN
    assert experiments.verdict(interval([0.4]), claimed="positive", margin=0.1) is Verdict.INCONCLUSIVE


def test_holms_p_values_by_hand():
    # Holm (1979): times 4, 3, 2, 1 in order of size, never below the one before
    p = {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}
    assert experiments.holm(p) == pytest.approx({"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06})
    assert experiments.holm({"a": 0.7, "b": 0.6}) == {"b": 1.0, "a": 1.0}
    assert experiments.holm({}) == {}


def test_primary_contrasts_have_to_pass_holm_and_exploratory_ones_have_not():
    weak, strong = at(0.001, 0.2), at(0.5, 0.6)  # p against 0 just below 0.05, and tiny
    found = {name: (weak, "positive", 0.01) for name in ("one", "two", "other")} | {"far": (strong, "positive", 0.01)}
    judged = together(found, ("one", "two", "far"))
    assert [judged[name] for name in ("one", "two")] == ["inconclusive"] * 2  # 2 x p > 0.05
    assert judged["other"] == "shown, size unclear" and judged["far"] == "shown"
    assert together(found, ("one", "far"))["one"] == "shown, size unclear"  # p is the largest: times 1
    just = {"one": (at(0.0101, 0.2), "positive", 0.01), "two": (at(0.0101, 0.2), "positive", 0.01)}
    assert together(just, ("one",)) == {"one": "shown", "two": "shown"}
    assert together(just, ("one", "two"))["one"] in ("inconclusive", "shown, size unclear")
    equal = {name: (at(-0.001, 0.001), "none", 0.01) for name in "abcdef"}
    assert set(together(equal, tuple("abcdef")).values()) == {"shown"}  # a claim of equality has its own test


def test_holm_holds_the_chance_of_any_false_verdict():
    rng = np.random.default_rng(0)
    false = 0
    for _ in range(300):
        found = {str(i): (interval(x), "positive", 1e-9) for i, x in enumerate(rng.normal(size=(6, 5)))}
        false += any(v not in ("inconclusive", "negligible") for v in together(found, tuple(found)).values())
    assert false / 300 < 0.09  # 0.05 in the mean; unadjusted it would be 0.26


def test_an_interaction_takes_off_the_effect_of_the_plain_case():
    more = Contrast("more", "", "n/s/acc", "n/0/acc", plain=("c/s/acc", "c/0/acc"))
    row = {"n/s/acc": 0.6, "n/0/acc": 0.5, "c/s/acc": 0.83, "c/0/acc": 0.8}
    assert more.effect(row) == pytest.approx(0.1 - 0.03)
    assert more.keys == ("n/s/acc", "n/0/acc", "c/s/acc", "c/0/acc")
    assert Contrast("c", "", "n/0/acc", 1 / 9).effect(row) == pytest.approx(0.5 - 1 / 9)
    noise = experiments.load_record("noise")
    gains = [noise.values(f"{rate}/0.6/accuracy") - noise.values(f"{rate}/0.0/accuracy") for rate in (0.4, 0.0)]
    assert noise.effect("noise-gains-more").mean == pytest.approx(float((gains[0] - gains[1]).mean()))


def told(contrast, rows, configs=None, **study):
    return flags(contrast.keys, configs or {}, {str(i): row for i, row in enumerate(rows)}, **study)


def test_a_choice_at_the_edge_of_its_grid_is_told():
    chosen = Contrast("c", "", "chosen/acc", "plain/acc")
    choice = Choice("chosen/", "grid", itemgetter("chosen/value"), limits=(0.0,))
    rows = [{"chosen/acc": 0.5, "plain/acc": 0.4, "chosen/value": value} for value in (0.8, 0.4, 0.8, 0.0)]
    configs = {"grid": [0.0, 0.4, 0.8]}
    said = ["`chosen` chosen at the edge of its grid (0.8) in 2 of 4 seeds"]
    assert told(chosen, rows, configs, choices=(choice,)) == said
    assert told(Contrast("c", "", "plain/acc"), rows, configs, choices=(choice,)) == []
    assert told(chosen, rows[1:2], configs, choices=(choice,)) == []
    open_below = replace(choice, limits=())
    assert told(chosen, rows[3:], configs, choices=(open_below,)) == [
        "`chosen` chosen at the edge of its grid (0) in 1 of 1 seeds"
    ]


def test_no_room_to_differ_is_told():
    contrast = Contrast("c", "", "a/acc", "b/acc")
    rows = [{"a/acc": 1.0, "b/acc": b} for b in (1.0, 1.0, 0.999)]
    assert told(contrast, rows) == ["no room to differ: all sides are 1 in 2 of 3 seeds"]
    assert told(contrast, rows[1:]) and not told(contrast, rows[2:])
    assert not told(Contrast("c", "", "a/acc", 1.0), rows)


def test_passes_that_were_cut_off_are_told():
    row = {
        "0.1/0.02/lower": 3.0, "0.1/0.02/lower_reached": 1.0, "0.1/0.08/lower": 2.5, "0.1/0.08/lower_reached": 1.0,
        "0.1/0.02/upper": 20.0, "0.1/0.02/upper_reached": 0.0, "0.1/0.08/upper": 20.0, "0.1/0.08/upper_reached": 0.0,
        "0.1/lower": 2.5, "0.1/upper": 20.0, "0.1/pass-0/log_variance": 1.0,
    }  # fmt: skip
    cut = {key for key in row if missed(row, key)}
    assert cut == {"0.1/0.02/upper", "0.1/0.08/upper", "0.1/upper"}
    assert best_rate(row, 0.1, "lower") == 0.08 and best_rate(row, 0.1, "upper") == 0.02
    upper = Contrast("c", "", "0.1/upper", claimed="negative")
    assert told(upper, [row, row], missed=missed) == ["cut off: in 2 of 2 cases the true value is larger"]


def test_the_records_tell_what_was_found_in_them():
    said = {name: experiments.load_record(name) for name in ("noise", "alternatives", "separable", "speed")}
    # strengths, exponents and multipliers were chosen at the edge before their grids were widened
    assert said["noise"].contrasts["chosen"]["flags"] == []
    assert all(
        said["alternatives"].contrasts[f"{name}-ece"]["flags"] == [] for name in ("smoothing", "focal", "penalty")
    )
    assert "all sides are 1 in 5 of 5 seeds" in said["separable"].contrasts["accuracy-0.4"]["flags"][0]
    # runs missed the upper level at some rates; each method's best rate, within the grid, reached it
    assert 0 < said["speed"].mean("0.0/0.08/upper_reached") < 1
    assert said["speed"].contrasts["passes-upper"]["flags"] == []


def test_restating_changes_the_verdicts_alone_and_says_why(tmp_path):
    record = experiments.load_record("gaps")
    record.contrasts["smoothed-stops"]["verdict"] = "reversed"
    experiments.save_record(record, record.arrays(), folder=tmp_path)
    (row,) = experiments.restate("gaps", folder=tmp_path)
    assert "| reversed | shown |" in row and "within the margin" in row and "gaps: `smoothed-stops`" in row
    assert experiments.restate("gaps", folder=tmp_path) == []
    old, new = (json.loads((folder / "gaps.json").read_text()) for folder in (experiments.records_dir(), tmp_path))
    assert old == new


def test_the_reason_names_holm_where_it_decided():
    record = experiments.load_record("smoothing")
    assert "alone shown, and fails Holm's test" in reason(record.contrasts["accuracy"])
    again = conclude(replace(experiments.get("smoothing"), primary=()), record.configs, record.results)
    assert again["accuracy"]["verdict"] == "shown"


def test_the_command_concludes_for_one_and_for_all(monkeypatch):
    monkeypatch.setattr(experiments, "restate", lambda name: [f"| {name} |"] if name == "gaps" else [])
    one = CliRunner().invoke(app, ["run", "gaps", "--conclude"])
    assert one.exit_code == 0 and one.stdout.splitlines()[0].startswith("| contrast | claim | was | is | why |")
    assert one.stdout.splitlines()[2:] == ["| gaps |"]
    every = CliRunner().invoke(app, ["run", "all", "--conclude"])
    recorded = list(experiments.records_dir().glob("*.json"))
    assert "| gaps |" in every.stdout and f"all: {len(recorded)} of" in every.stdout


def test_with_fewer_seeds_than_planned_each_verdict_is_interim():
    record, study = experiments.load_record("variance"), experiments.get("variance")
    few = {seed: record.results[seed] for seed in list(record.results)[:5]}
    early = conclude(study, record.configs, few, planned=8)
    assert all(one["flags"][0] == "interim: 5 of the 8 seeds planned" for one in early.values())
    assert all(one["flags"] == [] for one in conclude(study, record.configs, few, planned=5).values())
