"""Solvers at the edges of what they take: beta, rates, codes, weights, one row or one class, and other dtypes."""

import math

import numpy as np
import pytest
import torch

from lsedu.bottleneck import (
    adam,
    blahut_arimoto,
    constrained,
    curve,
    deterministic_curve,
    erasure_encoder,
    lagrangian,
    lagrangian_gradient,
    squared_lagrangian,
    squared_lagrangian_gradient,
)
from lsedu.information import entropy, mutual_information, plane_point

RNG = np.random.default_rng(0)
SOFT = RNG.dirichlet(np.ones(3), size=5)
TABLES = {
    "one row": ([[0.3, 0.7]], None),
    "one class": ([[1.0], [1.0]], None),
    "one of both": ([[1.0]], None),
    "equal rows": ([[0.3, 0.7]] * 4, None),
    "rows of no weight": (SOFT, [0.0, 0.5, 0.0, 0.3, 0.2]),
    "one row of weight": ([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], [1.0, 0.0, 0.0]),
    "a class that never comes": ([[0.05, 0.95, 0.0], [0.9, 0.1, 0.0]], None),
    "labels": (np.eye(3), None),
    "next to nothing": ([[1.0, 5e-324], [0.4, 0.6]], [1.0, 1e-320]),
}


def sound(encoder, point, y, p):
    assert np.isfinite(encoder).all() and encoder.min() >= 0
    np.testing.assert_allclose(encoder.sum(1), 1, atol=1e-9)
    p = np.full(len(y), 1 / len(y)) if p is None else np.array(p)
    whole = mutual_information(np.array(y) * p[:, None], unit="bits")
    assert 0 <= point.i_y <= min(point.i_x, whole) + 1e-9


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("y", "p"), TABLES.values(), ids=TABLES)
def test_every_beta_and_number_of_codes(y, p):
    for beta in (0, 1, 1 + 1e-12, 2.0, 1e6, 1e300):
        for codes in (None, 1, 5):
            found = blahut_arimoto(y, beta=beta, p_x=p, codes=codes, restarts=1, unit="bits")
            sound(found.encoder, found.point, y, p)
            assert np.diff(found.history).max(initial=0) <= 0 and np.isfinite(found.history).all()
            assert found.objective <= 1e-9 * max(1.0, beta)
    found = curve(y, betas=[1e6, 0, 2, 1], p_x=p, unit="bits")
    assert found.i_x[[1, 3]] == pytest.approx([0, 0], abs=1e-12)
    for start in ("labels", "random"):
        trained = adam(y, beta=1e6, p_x=p, codes=5, start=start, steps=3, unit="bits")
        sound(trained.encoder, trained.point, y, p)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("y", "p"), TABLES.values(), ids=TABLES)
def test_every_rate(y, p):
    for rate, codes in ((0, None), (1e-9, 4), (0.3, None)):
        found = constrained(y, rate=rate, p_x=p, codes=codes, largest=50.0, unit="bits")
        sound(found.encoder, found.point, y, p)
        assert found.point.i_x <= rate + 1e-12
        assert found.betas[0] <= found.betas[1]


def test_rate_0_is_the_trivial_encoder():
    rng = np.random.default_rng(0)
    # of this table the encoder that ignores x has I(X;Z) of a few 1e-16, for it is a sum of rounded parts
    rows, columns = rng.integers(1, 12), rng.integers(1, 5)
    rounded = rng.dirichlet(np.full(columns, 0.5), size=rows)
    for y in (rounded, np.eye(4), [[0.9, 0.1], [0.1, 0.9]]):
        found = constrained(y, rate=0.0, unit="nats")
        assert (found.point.i_x, found.point.i_y) == pytest.approx((0, 0), abs=1e-14)


@pytest.mark.parametrize("excess", [0.0, 1e-9, 10.0])
def test_a_rate_of_all_there_is_gives_all_there_is(excess):
    found = constrained(np.eye(4), rate=np.log2(4) + excess, unit="bits")
    assert found.point.i_y == pytest.approx(2.0, abs=1e-9)
    # labels that contradict: beyond the solution of the largest beta nothing is to be had
    top = blahut_arimoto(SOFT, beta=1e4, unit="bits").point
    found = constrained(SOFT, rate=entropy(np.full(5, 0.2), unit="bits") + excess, unit="bits")
    assert found.point == top and found.betas == (1e4, 1e4)


@pytest.mark.parametrize("codes", [5, 8])
@pytest.mark.parametrize("beta", [1e5, 1e6])
def test_a_code_for_every_row_keeps_all_information_at_large_beta(codes, beta):
    for seed in range(5):
        y = np.random.default_rng(seed).dirichlet(np.full(2, 0.5), size=5)
        p = np.random.default_rng(seed).dirichlet(np.ones(5))
        found = blahut_arimoto(y, beta=beta, p_x=p, codes=codes, unit="nats")
        assert found.point.i_y == pytest.approx(mutual_information(y * p[:, None], unit="nats"), rel=1e-4)


@pytest.mark.parametrize("codes", [4, 6, 13])
def test_more_codes_than_classes_are_put_to_use(codes):
    """At a huge beta the loss is that of a clustering, here against the best of many random ones."""
    rng = np.random.default_rng(0)
    y = rng.dirichlet(np.full(3, 0.5), size=20)
    found = blahut_arimoto(y, beta=1e6, codes=codes, unit="nats")
    best = max(plane_point(np.eye(codes)[rng.integers(0, codes, 20)], y, unit="nats").i_y for _ in range(300))
    assert found.point.i_y > best
    few = blahut_arimoto(y, beta=1e6, unit="nats")
    assert found.point.i_y > few.point.i_y + 0.01


@pytest.mark.parametrize("make", [torch.from_numpy, torch.Tensor.numpy, np.ndarray.tolist, np.asfortranarray])
def test_tables_of_every_kind(make):
    def given(value):
        return make(torch.from_numpy(value)) if make is torch.Tensor.numpy else make(value)

    p = np.array([0.1, 0.2, 0.3, 0.2, 0.2])
    want = blahut_arimoto(SOFT, beta=3.0, p_x=p, start=SOFT, unit="nats")
    got = blahut_arimoto(given(SOFT), beta=3, p_x=given(p), start=given(SOFT), unit="nats")
    assert got.point == want.point
    half = blahut_arimoto(torch.softmax(torch.randn(40, 100), 1).bfloat16(), beta=2.0, unit="nats")
    assert half.encoder.shape == (40, 100)


def test_all_of_the_label_may_be_asked_for():
    labels = torch.tensor([0, 1, 2], dtype=torch.uint8)
    # the last digits of log 3 depend on who computes it
    for h in (np.log(3), entropy(np.full(3, 1 / 3), unit="nats"), -3 * (1 / 3) * np.log(1 / 3)):
        assert erasure_encoder(labels, i_x=h, unit="nats") == pytest.approx(np.eye(3, 4), abs=1e-12)
    with pytest.raises(ValueError, match="i_x must be in"):
        erasure_encoder(labels, i_x=np.log(3) + 1e-6, unit="nats")
    with pytest.raises(ValueError, match=r"target must hold at least one distribution .* got shape \(\)"):
        erasure_encoder(1, keep=0.5, unit="nats")
    assert deterministic_curve(torch.tensor([0.1, 5.0]), torch.tensor([0.5, 0.5]).half(), unit="bits").tolist() == [
        pytest.approx(0.1), 1.0,
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"^p_y must sum to 1"):
        deterministic_curve(0.5, [0.5, 0.6], unit="bits")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("row", [[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.6, 0.1, 0.3]])
def test_a_shut_entry_that_costs_what_it_saves_has_a_finite_slope(row):
    """At beta = 1 the logarithms of a code that met none of the row's labels cancel, whatever the digits of the row."""
    y, z = np.array([[*row, 0.0], [0.0, 0.0, 0.0, 1.0]]), np.eye(2)
    got = lagrangian_gradient(z, y, beta=1.0, of="encoder", unit="nats")
    assert np.isfinite(got[0]).all()
    e = 1e-7
    ends = [lagrangian(z + s * np.array([[-e, e], [0, 0]]), y, beta=1.0, unit="nats") for s in (0, 1)]
    assert got[0, 1] - got[0, 0] == pytest.approx((ends[1] - ends[0]) / e, abs=1e-5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("y", "p"), TABLES.values(), ids=TABLES)
def test_functionals_at_the_edges(y, p):
    z = np.random.default_rng(1).dirichlet(np.ones(2), size=len(y))
    point = plane_point(z, y, p_x=p, unit="nats")
    for beta in (0, 1, 1e300):
        assert lagrangian(z, y, beta=beta, p_x=p, unit="nats") == point.i_x - beta * point.i_y
        assert squared_lagrangian(z, y, beta=beta, p_x=p, unit="nats") == beta * point.i_x**2 - point.i_y
        for gradient in (lagrangian_gradient, squared_lagrangian_gradient):
            for encoder in (z, np.eye(2)[z.argmax(1)]):
                assert np.isfinite(gradient(encoder, y, beta=beta, p_x=p, unit="nats")).all()
                assert not np.isnan(gradient(encoder, y, beta=beta, p_x=p, of="encoder", unit="nats")).any()


def test_the_global_generators_are_left_alone():
    before, state = torch.get_rng_state(), np.random.get_state()
    first = adam(SOFT, beta=3.0, start="random", steps=3, unit="nats")
    blahut_arimoto(SOFT, beta=3.0, restarts=2, unit="nats")
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == state[1]).all()
    torch.manual_seed(7)
    assert adam(SOFT, beta=3.0, start="random", steps=3, unit="nats").objective == first.objective


def test_the_largest_beta_is_one_that_can_be_computed_with():
    table = [[1.0, 0.0, 0.0], [0.1, 0.8, 0.1], [0.0, 0.0, 1.0]]
    most = plane_point(np.eye(3), table, unit="nats")
    assert blahut_arimoto(table, beta=1e300, unit="nats").point.i_y == pytest.approx(most.i_y, rel=1e-12)
    assert curve(table, betas=[1e300], unit="nats").i_y == pytest.approx([most.i_y], rel=1e-12)
    high = constrained([[0.9, 0.1], [0.1, 0.9]], rate=math.log(2) - 1e-6, largest=1e300, unit="nats")
    assert high.point.i_x == pytest.approx(math.log(2) - 1e-6, rel=1e-12)
    for call in (
        lambda: blahut_arimoto(table, beta=1e308, unit="nats"),
        lambda: curve(table, betas=[2.0, 1e308], unit="nats"),
        lambda: constrained(table, rate=0.5, largest=1e308, unit="nats"),
        lambda: adam(table, beta=1e308, steps=5, unit="nats"),
    ):
        with pytest.raises(ValueError, match=r"(beta|betas|largest) must be in .*, 1e\+300\], got 1e\+308"):
            call()
