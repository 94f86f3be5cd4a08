import numpy as np
import pytest
import torch
from embo import InformationBottleneck
from hypothesis import given, settings
from hypothesis import strategies as st

from lsedu.bottleneck import adam, blahut_arimoto, constrained, curve, lagrangian_gradient
from lsedu.information import mutual_information, plane_point, smoothed_point

TABLE = np.random.default_rng(0).dirichlet(np.full(4, 0.4), size=30)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(1.01, 30.0), st.booleans())
def test_the_bound_never_rises_and_meets_the_lagrangian(seed, beta, accelerate):
    rng = np.random.default_rng(seed)
    y, p = rng.dirichlet(np.full(3, 0.5), size=8), rng.dirichlet(np.ones(8))
    found = blahut_arimoto(y, beta=beta, p_x=p, accelerate=accelerate, max_iterations=200, unit="nats")
    assert np.diff(found.history).max(initial=0) <= 1e-12
    assert found.history[-1] >= found.objective - 1e-12
    if found.converged:
        assert found.history[-1] == pytest.approx(found.objective, abs=1e-7)
    assert found.encoder.min() >= 0
    np.testing.assert_allclose(found.encoder.sum(1), 1, atol=1e-12)
    assert found.point.i_y <= min(found.point.i_x, mutual_information(y * p[:, None], unit="nats")) + 1e-12


@pytest.mark.parametrize("beta", [1.5, 3.0, 20.0])
def test_acceleration_changes_the_way_and_not_the_end(beta):
    options = {"beta": beta, "tolerance": 1e-11, "max_iterations": 50_000, "unit": "nats"}
    fast, slow = blahut_arimoto(TABLE, **options), blahut_arimoto(TABLE, accelerate=False, **options)
    assert fast.converged and slow.converged
    assert fast.objective == pytest.approx(slow.objective, abs=1e-9)
    assert len(fast.history) <= len(slow.history)
    assert np.abs(lagrangian_gradient(fast.encoder, TABLE, beta=beta, unit="nats")).max() < 1e-8


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_up_to_beta_1_nothing_is_best(beta):
    found = blahut_arimoto(TABLE, beta=beta, unit="bits")
    assert (found.point.i_x, found.point.i_y) == pytest.approx((0, 0), abs=1e-14)
    assert found.converged
    assert found.history == pytest.approx([0.0], abs=1e-12)


def test_the_binary_symmetric_case_in_closed_form():
    # X uniform on two values, Y a flip of X: by symmetry p(z|x) is a flip too, found here by scanning it
    flip, beta = 0.1, 3.0
    y = np.array([[1 - flip, flip], [flip, 1 - flip]])
    scan = np.linspace(0, 0.5, 20_001)

    def h(a):
        a = np.clip(a, 1e-300, 1)
        b = np.clip(1 - a, 1e-300, 1)
        return -a * np.log2(a) - b * np.log2(b)

    values = (1 - h(scan)) - beta * (1 - h(scan * (1 - flip) + (1 - scan) * flip))
    found = blahut_arimoto(y, beta=beta, tolerance=1e-12, unit="bits")
    assert found.objective == pytest.approx(values.min(), abs=1e-7)


def test_equal_rows_share_a_code_and_weights_count():
    y = np.array([[0.9, 0.1], [0.2, 0.8], [0.9, 0.1]])
    merged = blahut_arimoto(y[:2], beta=4.0, p_x=[2 / 3, 1 / 3], unit="nats")
    whole = blahut_arimoto(y, beta=4.0, unit="nats")
    np.testing.assert_allclose(whole.encoder[0], whole.encoder[2], atol=0)
    assert whole.objective == pytest.approx(merged.objective, abs=1e-12)


def test_embo_agrees_once_its_beta_is_taken_in_bits():
    """embo multiplies a divergence in bits inside a natural exponential: its beta is ours times ln 2."""
    few = TABLE[:10]
    beta, p = 4.0, np.full(10, 1 / 10)
    np.random.seed(0)
    at = {}
    for name, label in (("labelled", beta), ("converted", beta * np.log(2))):
        i_x, i_y, _, _ = InformationBottleneck.beta_iter(1, label, p, p @ few, few.T, 4, 5, 1500, rtol=0, atol=1e-14)
        at[name] = i_x - beta * i_y
    ours = blahut_arimoto(few, beta=beta, tolerance=1e-12, unit="bits").objective
    assert at["converted"] == pytest.approx(ours, abs=1e-4)
    assert at["labelled"] - ours > 1e-3


def test_the_curve_rises_and_is_concave_and_keeps_the_order_given():
    betas = [30.0, 1.5, 4.0, 1.0, 2.0, 8.0]
    found = curve(TABLE, betas=betas, unit="bits")
    assert found.betas.tolist() == betas
    order = np.argsort(betas)
    i_x, i_y = found.i_x[order], found.i_y[order]
    assert (np.diff(i_x) >= -1e-9).all() and (np.diff(i_y) >= -1e-9).all()
    for i, beta in enumerate(betas):
        assert found.solutions[i].objective <= (found.i_x - beta * found.i_y).min() + 1e-9
    assert found.unit == "bits"


def test_every_point_of_the_curve_beats_label_smoothing():
    found = curve(TABLE, betas=np.geomspace(1.1, 50, 6), unit="nats")
    for alpha in (0.0, 0.1, 0.3, 0.6):
        point = smoothed_point(TABLE, alpha=alpha, unit="nats")
        for solution in found.solutions:
            assert solution.objective <= point.i_x - solution.beta * point.i_y + 1e-9


@pytest.mark.parametrize("codes", [1, 2, 6, 13])
def test_more_codes_never_hurt(codes):
    found = blahut_arimoto(TABLE, beta=5.0, codes=codes, tolerance=1e-10, max_iterations=20_000, unit="nats")
    assert found.encoder.shape == (30, codes)
    base = blahut_arimoto(TABLE, beta=5.0, tolerance=1e-10, unit="nats").objective
    assert found.objective <= base + 1e-7 if codes >= 4 else found.objective >= base - 1e-9


def test_a_start_is_used():
    z = np.full((30, 3), 1 / 3)
    stuck = blahut_arimoto(TABLE, beta=5.0, start=z, unit="nats")
    assert stuck.point.i_x == pytest.approx(0, abs=1e-12)
    again = blahut_arimoto(TABLE, beta=5.0, start=blahut_arimoto(TABLE, beta=5.0, unit="nats").encoder, unit="nats")
    assert len(again.history) <= 3


def test_one_class_and_one_input():
    assert blahut_arimoto([[1.0], [1.0]], beta=3.0, unit="nats").point.i_x == pytest.approx(0, abs=1e-12)
    assert blahut_arimoto([[0.3, 0.7]], beta=3.0, unit="nats").point.i_x == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.6, 0.95])
def test_the_constrained_problem_meets_its_rate(share):
    top = plane_point(TABLE, TABLE, unit="bits").i_x
    rate = share * top
    found = constrained(TABLE, rate=rate, unit="bits")
    assert found.point.i_x == pytest.approx(rate, abs=1e-6)
    np.testing.assert_allclose(found.encoder.sum(1), 1, atol=1e-12)
    low, high = found.betas
    assert low <= high
    if share > 0:
        # no encoder lies above the tangent of slope 1 / beta
        best = blahut_arimoto(TABLE, beta=high, unit="bits")
        assert found.point.i_x - high * found.point.i_y == pytest.approx(best.objective, abs=1e-4)


def test_the_constrained_problem_on_the_straight_line_and_past_its_end():
    y = np.eye(3)
    half = constrained(y, rate=0.5, unit="bits")
    assert (half.point.i_x, half.point.i_y) == pytest.approx((0.5, 0.5), abs=1e-5)
    past = constrained(y, rate=5.0, unit="bits")
    assert past.point.i_y == pytest.approx(np.log2(3), abs=1e-6)
    with pytest.raises(ValueError, match="rate must be in"):
        constrained(y, rate=-1.0, unit="bits")
    with pytest.raises(ValueError, match="largest must be in"):
        constrained(y, rate=1.0, largest=1.0, unit="bits")


def test_adam_from_the_labels_finds_what_blahut_arimoto_finds():
    best = blahut_arimoto(TABLE, beta=3.0, unit="bits")
    found = adam(TABLE, beta=3.0, steps=700, unit="bits")
    assert found.objective == pytest.approx(best.objective, abs=1e-4)
    assert found.history[-1] == pytest.approx(found.objective, abs=1e-6)
    whole = adam(TABLE, beta=3.0, steps=700, merge=False, unit="bits")
    assert whole.objective == pytest.approx(best.objective, abs=1e-4)
    assert whole.encoder.shape == TABLE.shape


def test_adam_draws_its_random_start_from_the_generator():
    def run(seed):
        return adam(
            TABLE, beta=3.0, start="random", steps=5, generator=torch.Generator().manual_seed(seed), unit="nats"
        )

    assert run(1).objective == run(1).objective
    assert run(1).objective != run(2).objective


def test_adam_stops_when_nothing_falls():
    found = adam(TABLE, beta=3.0, steps=5000, tolerance=1e-6, unit="nats")
    assert found.converged and len(found.history) < 5000
    assert not adam(TABLE, beta=3.0, steps=10, unit="nats").converged


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: blahut_arimoto(TABLE, beta=-1.0, unit="nats"), r"beta must be in \[0, 1e\+300\], got -1"),
        (lambda: blahut_arimoto(TABLE, beta=2.0, codes=0, unit="nats"), "codes must be an integer >= 1, got 0"),
        (lambda: blahut_arimoto(TABLE, beta=2.0, tolerance=0.0, unit="nats"), "tolerance must be in"),
        (lambda: blahut_arimoto(TABLE, beta=2.0, max_iterations=0, unit="nats"), "max_iterations must be an integer"),
        (lambda: blahut_arimoto(2 * TABLE, beta=2.0, unit="nats"), "p_y_given_x must sum to 1"),
        (lambda: blahut_arimoto(TABLE, beta=2.0, start=TABLE[:3], unit="nats"), "start must have 30 rows"),
        (lambda: blahut_arimoto(TABLE, beta=2.0, codes=3, start=TABLE, unit="nats"), "start must have 3 columns"),
        (lambda: blahut_arimoto(TABLE, beta=2.0, unit="bit"), "unit must be one of"),
        (lambda: curve(TABLE, betas=[], unit="nats"), "betas must hold at least one value"),
        (lambda: curve(TABLE, betas=[2.0, -2.0], unit="nats"), "betas must be in"),
        (lambda: adam(TABLE, beta=2.0, steps=0, unit="nats"), "steps must be an integer >= 1, got 0"),
        (lambda: adam(TABLE, beta=2.0, lr=0.0, unit="nats"), "lr must be in"),
        (lambda: adam(TABLE, beta=2.0, start="zeros", unit="nats"), "start must be one of 'labels', 'random'"),
    ],
)
def test_bad_options_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
