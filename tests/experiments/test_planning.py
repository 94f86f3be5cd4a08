"""Planned seeds: against the noncentral t distribution and against simulation."""

import math

import numpy as np
import pytest
import scipy.stats
from typer.testing import CliRunner

from lsedu import experiments
from lsedu.cli import app
from lsedu.experiments.planning import planned, power


@pytest.mark.parametrize("n", [2, 3, 5, 10, 40])
@pytest.mark.parametrize(("effect", "margin"), [(1.0, 0.0), (0.9, 0.3), (0.35, 0.3)])
def test_beyond_the_margin_it_is_the_noncentral_t(n, effect, margin):
    sd = 0.7
    away = (effect - margin) / sd * math.sqrt(n)
    wanted = scipy.stats.nct.sf(scipy.stats.t.ppf(0.975, n - 1), n - 1, away)
    assert power(n, effect=effect, sd=sd, margin=margin) == pytest.approx(wanted, abs=2e-4)


@pytest.mark.parametrize(("n", "effect", "margin"), [(5, 0.0, 1.0), (12, 0.2, 0.8), (30, -0.1, 0.4)])
def test_within_the_margin_it_is_what_simulation_gives(n, effect, margin):
    drawn = np.random.default_rng(0).normal(effect, 0.7, size=(20_000, n))
    half = scipy.stats.t.ppf(0.975, n - 1) * drawn.std(1, ddof=1) / math.sqrt(n)
    within = (drawn.mean(1) - half >= -margin) & (drawn.mean(1) + half <= margin)
    assert power(n, effect=effect, sd=0.7, margin=margin) == pytest.approx(within.mean(), abs=0.012)


def test_the_plan_is_the_least_that_suffices():
    n = planned(effect=1.0, sd=1.0, margin=0.0)
    assert n == 10 and power(n - 1, effect=1.0, sd=1.0, margin=0.0) < 0.8  # Cohen's table: 10 pairs at d = 1
    assert planned(effect=0.31, sd=1.0, margin=0.3) is None


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("n", [1, 2.5, True]),
        ("effect", [math.nan, math.inf]),
        ("sd", [0.0, math.inf, math.nan]),
        ("margin", [-1.0, math.inf, math.nan]),
        ("chance", [0.0, 1.0, 80, math.nan]),
    ],
)
def test_what_cannot_be_planned_with_is_refused_by_name(option, values):
    for bad in values:
        chosen = {"n": 5, "effect": 1.0, "sd": 1.0, "margin": 0.1, option: bad}
        if option == "chance":
            del chosen["n"]
        with pytest.raises(ValueError, match=f"^{option} must be .*{bad!r}$"):
            (planned if option == "chance" else power)(**chosen)


def test_next_to_no_spread_needs_two_seeds():
    assert power(2, effect=1.0, sd=5e-324, margin=0.5) == power(2, effect=0.0, sd=5e-324, margin=0.5) == 1.0


def test_the_command_plans_each_contrast_of_a_record():
    done = CliRunner().invoke(app, ["run", "smoothing", "--plan"])
    lines = {line.split(":")[0]: line for line in done.stdout.splitlines()}
    assert done.exit_code == 0 and lines.keys() == experiments.load_record("smoothing").contrasts.keys()
    sd = experiments.load_record("smoothing").effect("accuracy").sd
    assert f"n = {planned(effect=0.006, sd=sd, margin=0.003)} " in lines["accuracy"] and "twice" in lines["accuracy"]
