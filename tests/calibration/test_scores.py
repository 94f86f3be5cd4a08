import math
import warnings

import numpy as np
import pytest
import sklearn.metrics
import torch

from lsedu.calibration import (
    accuracy,
    apply_temperature,
    brier,
    ece,
    error_auroc,
    fit_temperature,
    mean_confidence,
    nll,
    overconfidence,
    risk_coverage,
)


def sample(seed, n=300, k=4):
    rng = np.random.default_rng(seed)
    z = 2 * rng.normal(size=(n, k))
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True), rng.integers(0, k, n)


@pytest.mark.parametrize("seed", range(3))
def test_scores_agree_with_scikit_learn(seed):
    p, y = sample(seed)
    assert nll(p, y) == pytest.approx(sklearn.metrics.log_loss(y, p), abs=1e-12)
    assert accuracy(p, y) == pytest.approx(sklearn.metrics.accuracy_score(y, p.argmax(1)), abs=1e-15)
    parts = sum(sklearn.metrics.brier_score_loss(y == k, p[:, k]) for k in range(4))
    assert brier(p, y) == pytest.approx(parts, abs=1e-12)
    assert mean_confidence(p) == pytest.approx(p.max(1).mean(), abs=1e-15)
    assert overconfidence(p, y) == pytest.approx(mean_confidence(p) - accuracy(p, y), abs=1e-15)
    want = sklearn.metrics.roc_auc_score(p.argmax(1) == y, p.max(1))
    assert error_auroc(p, y) == pytest.approx(want, abs=1e-12)


def test_scores_at_the_corners():
    assert nll([[1.0, 0.0]], [0]) == 0.0
    assert math.copysign(1, nll([[1.0, 0.0]], [0])) == 1
    with warnings.catch_warnings(action="error"):
        assert nll([[1.0, 0.0]], [1]) == math.inf
    assert nll([[0.25, 0.75]], [0]) == pytest.approx(math.log(4), abs=1e-15)
    assert brier([[1.0, 0.0]], [1]) == 2.0
    assert brier([[0.5, 0.25, 0.25]], [1]) == pytest.approx(0.25 + 0.5625 + 0.0625, abs=1e-15)
    assert brier([[1.0]], [0]) == 0.0
    assert overconfidence([[0.9, 0.1]], [1]) == pytest.approx(0.9, abs=1e-15)


def test_a_tied_prediction_is_the_lower_class():
    assert accuracy([[0.5, 0.5]], [0]) == 1.0
    assert accuracy([[0.5, 0.5]], [1]) == 0.0


def test_the_given_arrays_are_left_alone():
    p, y = sample(0)
    before = p.copy()
    brier(p, y), nll(p, y), ece(p, y)
    assert (p == before).all()


def test_auroc_ties_count_half_and_one_sided_cases_are_nan():
    half = [[0.8, 0.2]] * 2
    assert error_auroc(half, [0, 1]) == 0.5
    assert error_auroc([[0.8, 0.2], [0.8, 0.2], [0.9, 0.1]], [0, 1, 0]) == 0.75
    assert error_auroc([[0.9, 0.1], [0.6, 0.4]], [1, 0]) == 0.0
    assert error_auroc([[0.9, 0.1], [0.6, 0.4]], [0, 1]) == 1.0
    assert math.isnan(error_auroc(half, [0, 0]))
    assert math.isnan(error_auroc(half, [1, 1]))
    rounded = np.random.default_rng(0).integers(5, 10, 200) / 10
    p, y = np.stack([rounded, 1 - rounded], 1), np.random.default_rng(1).integers(0, 2, 200)
    assert error_auroc(p, y) == pytest.approx(sklearn.metrics.roc_auc_score(p.argmax(1) == y, p.max(1)), abs=1e-12)


def test_risk_coverage_by_hand():
    p = [[0.6, 0.4], [0.9, 0.1], [0.8, 0.2], [0.8, 0.2]]
    curve = risk_coverage(p, [1, 0, 0, 1])
    assert curve.coverage.tolist() == [0.25, 0.75, 1.0]
    assert curve.risk == pytest.approx([0, 1 / 3, 0.5], abs=1e-15)
    assert curve.area == pytest.approx((0 + 1 / 3 + 1 / 3 + 0.5) / 4, abs=1e-15)
    assert risk_coverage(p, [0, 0, 0, 0]).area == 0.0
    assert risk_coverage(p, [1, 1, 1, 1]).area == 1.0
    assert isinstance(curve.area, float)


@pytest.mark.parametrize("measure", [accuracy, overconfidence, nll, brier, error_auroc, risk_coverage])
def test_bad_input_is_named(measure):
    with pytest.raises(ValueError, match="rows of probs must sum to 1, got a sum of 3"):
        measure([[1.0, 1.0, 1.0]], [0])
    with pytest.raises(ValueError, match=r"labels must be integers in \[0, 2\), got 5"):
        measure([[0.5, 0.5]], [5])
    with pytest.raises(ValueError, match="at least one sample"):
        measure(np.zeros((0, 2)), [])


def test_mean_confidence_checks_its_rows():
    with pytest.raises(ValueError, match="rows of probs must sum to 1"):
        mean_confidence([[1.0, 1.0]])
    with pytest.raises(ValueError, match="at least one sample"):
        mean_confidence(np.zeros((0, 2)))
    for bad in ([0.5, 0.5], 0.5):
        with pytest.raises(ValueError, match="probs must have 2 axes"):
            mean_confidence(bad)
    with pytest.raises(ValueError, match=r"^probs must have rows of one length, got a ragged list$"):
        mean_confidence([[1.0], [0.5, 0.5]])
    assert mean_confidence(torch.tensor([[0.25, 0.75]])) == 0.75


# --- temperature


def test_softening_by_hand():
    q = apply_temperature([[math.log(4.0), 0.0]], 2.0)
    assert q == pytest.approx(np.array([[2 / 3, 1 / 3]]), abs=1e-15)
    assert q.dtype == np.float64
    assert apply_temperature([[1e4, 0.0]], 1.0).tolist() == [[1.0, 0.0]]
    assert apply_temperature([[-1e4, -1e4]], 0.01).tolist() == [[0.5, 0.5]]
    assert apply_temperature(np.zeros((0, 3)), 1.0).shape == (0, 3)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("t", [5e-324, 1e-300, 1e300])
def test_no_temperature_is_too_small_or_too_large(t):
    q = apply_temperature([[1e10, 1e10, -5.0], [1.0, 0.0, 0.0], [1.7e308, -1.7e308, -1.7e308]], t)
    cold = [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    warm = [[1 / 3] * 3, [1 / 3] * 3, [1.0, 0.0, 0.0]]
    assert q == pytest.approx(np.array(warm if t > 1 else cold), abs=1e-8)


def test_bad_logits_are_named():
    with pytest.raises(ValueError, match=r"^logits must have 2 axes, got shape \(2,\)$"):
        apply_temperature([0.0, 1.0], 1.0)
    with pytest.raises(ValueError, match=r"^logits must be finite"):
        apply_temperature([[0.0, math.nan]], 1.0)
    with pytest.raises(ValueError, match=r"^logits must have shape \(N, K\) with K >= 1, got \(2, 0\)$"):
        apply_temperature(np.zeros((2, 0)), 1.0)


@pytest.mark.parametrize("t", [0.0, -1.0, math.inf, math.nan, "warm"])
def test_bad_temperature_is_named(t):
    with pytest.raises(ValueError, match=r"temperature must be .*\(0, inf\)"):
        apply_temperature([[0.0, 1.0]], t)


def test_the_optimum_in_closed_form():
    """Three of four right at a gap of 2: sigma(2 / T) = 3 / 4, so T = 2 / ln 3."""
    z = [[2.0, 0.0]] * 3 + [[0.0, 2.0]]
    assert fit_temperature(z, [0, 0, 0, 0]) == pytest.approx(2 / math.log(3), rel=1e-11)
    assert fit_temperature(np.array(z) + 500.0, [0, 0, 0, 0]) == pytest.approx(2 / math.log(3), rel=1e-11)
    assert fit_temperature(0.01 * np.array(z) + 50.0, [0, 0, 0, 0]) == pytest.approx(0.02 / math.log(3), rel=1e-9)
    apart = np.array(z) + np.array([[0.0], [1e4], [-1e4], [3e3]])
    assert fit_temperature(apart, [0, 0, 0, 0]) == pytest.approx(2 / math.log(3), rel=1e-9)
    assert fit_temperature(z, [0, 0, 0, 0], low=1.5, high=2.0) == pytest.approx(2 / math.log(3), rel=1e-11)
    huge = fit_temperature(np.array(z) * 1e250, [0, 0, 0, 0], high=1e260)
    assert huge == pytest.approx(2e250 / math.log(3), rel=1e-11)
    assert fit_temperature(np.array(z) * 1e3, [0, 0, 0, 0], high=1e5) == pytest.approx(2e3 / math.log(3), rel=1e-11)


@pytest.mark.parametrize("planted", [0.3, 1.0, 2.5, 7.0])
def test_a_planted_temperature_is_recovered(planted):
    rng = np.random.default_rng(0)
    z = 2 * rng.normal(size=(40_000, 3))
    q = apply_temperature(z, 1.0)
    y = (rng.random((len(z), 1)) > q.cumsum(1)[:, :2]).sum(1)
    got = fit_temperature(torch.from_numpy(z * planted), torch.from_numpy(y))
    assert isinstance(got, float)
    assert got == pytest.approx(planted, rel=0.03)
    # rescaling the logits rescales the answer, exactly
    assert got == pytest.approx(planted * fit_temperature(z, y), rel=1e-11)


@pytest.mark.parametrize("seed", range(3))
def test_no_other_temperature_is_better(seed):
    rng = np.random.default_rng(seed)
    z, y = 3 * rng.normal(size=(50, 4)), rng.integers(0, 4, 50)
    y[:25] = z[:25].argmax(1)
    best = fit_temperature(z, y)
    at = nll(apply_temperature(z, best), y)
    assert all(at <= nll(apply_temperature(z, best * f), y) for f in (0.5, 0.99, 0.9999, 1.0001, 1.01, 2.0))


SURE, WRONG = [[3.0, 0.0], [0.0, 2.0]], [[0.0, 3.0], [2.0, 0.0]]
THREE_OF_FOUR = [[2.0, 0.0]] * 3 + [[0.0, 2.0]]  # the optimum is 2 / ln 3 = 1.82


@pytest.mark.parametrize(
    ("z", "y", "options", "want", "why"),
    [
        (THREE_OF_FOUR, [0] * 4, {"low": 1.9}, 1.9, "the likelihood wants T = 1.82$"),
        (THREE_OF_FOUR, [0] * 4, {"high": 1.5}, 1.5, "the likelihood wants T = 1.82$"),
        (1e3 * np.array(THREE_OF_FOUR), [0] * 4, {}, 100.0, "the likelihood wants T = 1820$"),
        (1e-3 * np.array(THREE_OF_FOUR), [0] * 4, {}, 0.01, "the likelihood wants T = 0.00182$"),
        (1e200 * np.array(THREE_OF_FOUR), [0] * 4, {}, 100.0, r"the likelihood wants T = 1.82e\+200$"),
        (SURE, [0, 1], {}, 0.01, "the likelihood wants T = 0, as every label has the largest logit$"),
        (SURE, [0, 1], {"low": 0.5}, 0.5, "wants T = 0,"),
        # so sure and so right that the slope underflows at every temperature
        (1e6 * np.array(SURE), [0, 1], {}, 0.01, "wants T = 0,"),
        ([[1e6, 1e6, 0.0]], [1], {}, 0.01, "wants T = 0,"),
        (WRONG, [0, 1], {}, 100.0, "the likelihood wants T = inf, as the logits do no better than chance$"),
        (WRONG, [0, 1], {"high": 3}, 3.0, "wants T = inf,"),
        (1e6 * np.array(WRONG), [0, 1], {}, 100.0, "wants T = inf,"),
        ([[1.0, 1.0]], [0], {}, 100.0, "every T is as likely, as no logit differs from another$"),
        ([[5.0]], [0], {}, 100.0, "every T is as likely"),
    ],
)
def test_without_an_optimum_inside_the_end_is_returned_and_the_optimum_named(z, y, options, want, why):
    with pytest.warns(
        UserWarning, match=f"^fit_temperature stops at T = {want:g}, an end of its interval: .*{why}"
    ) as w:
        assert fit_temperature(z, y, **options) == want
    assert w[0].filename == __file__


@pytest.mark.filterwarnings("error")
def test_an_optimum_inside_comes_without_a_warning():
    assert fit_temperature(THREE_OF_FOUR, [0] * 4) == pytest.approx(2 / math.log(3), rel=1e-11)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_of_a_logistic_regression_needs_no_temperature(seed):
    """Its likelihood is largest among all scales of its own logits: 1 / T = 1 on the data that it was fitted to."""
    rng = np.random.default_rng(seed)
    x = np.c_[rng.normal(size=(120, 2)), np.ones(120)]
    y = (x[:, 0] + 0.5 * x[:, 1] + rng.logistic(size=120) > 0).astype(int)
    w = np.zeros(3)
    for _ in range(30):
        q = 1 / (1 + np.exp(-x @ w))
        w -= np.linalg.solve((x * (q * (1 - q))[:, None]).T @ x, x.T @ (q - y))
    logits = np.stack([np.zeros(120), x @ w], 1)
    assert 1 / fit_temperature(logits, y) == pytest.approx(1.0, abs=1e-11)
    assert fit_temperature(7 * logits, y) == pytest.approx(7.0, rel=1e-11)


@pytest.mark.parametrize(
    ("z", "y", "options", "message"),
    [
        (np.zeros((0, 2)), [], {}, r"logits must hold at least one sample, got shape \(0, 2\)"),
        ([[1.0, 0.0]], [2], {}, r"labels must be integers in \[0, 2\), got 2"),
        ([[1.0, 0.0]], [0, 1], {}, r"labels must have shape \(1,\)"),
        ([1.0, 0.0], [0], {}, "logits must have 2 axes"),
        ([[1.0, math.inf]], [0], {}, "logits must be finite"),
        ([[1.0, 0.0]], [0], {"low": None}, "0 < low < high, got low=None, high=100.0"),
        ([[1.0, 0.0]], [0], {"high": "5"}, "0 < low < high, got low=0.01, high='5'"),
        ([[1.0, 0.0]], [0], {"low": 0.0}, "0 < low < high, got low=0.0"),
        ([[1.0, 0.0]], [0], {"low": 2.0, "high": 2.0}, "0 < low < high, got low=2.0, high=2.0"),
        ([[1.0, 0.0]], [0], {"high": math.inf}, "0 < low < high, got low=0.01, high=inf"),
        ([[1.0, 0.0]], [0], {"low": 1e-310}, r"must lie in \[1e-300, 1e\+300\], got low=1e-310, high=100.0"),
        ([[1.0, 0.0]], [0], {"high": 1e305}, r"must lie in \[1e-300, 1e\+300\], got low=0.01, high=1e\+305"),
    ],
)
def test_bad_fits_are_named(z, y, options, message):
    with pytest.raises(ValueError, match=message):
        fit_temperature(z, y, **options)


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_a_list_of_rows_in_half_precision_is_half_precision(half):
    z = 3 * torch.randn(100, 50, generator=torch.Generator().manual_seed(0))
    p, labels = z.softmax(1).to(half), [0] * 100
    assert (p.double().sum(1) - 1).abs().max() > 1e-4
    for score in (brier, nll, ece):
        assert score(list(p), labels) == score(p, labels)
    with pytest.raises(ValueError, match="rows of probs must sum to 1"):
        brier(list(p.float()), labels)
