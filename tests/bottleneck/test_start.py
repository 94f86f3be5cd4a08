"""One sweep from a start, against the update written out row by row on the table as it is given."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsedu.bottleneck import blahut_arimoto, lagrangian


def sweep(y, p, z, beta):
    """p(z|x) ~ r(z) exp(-beta KL(p(y|x) || q(y|z))), with 0 log 0 = 0 and log 0 = -inf."""
    with np.errstate(divide="ignore", invalid="ignore"):
        r = p @ z
        q = np.where(r[:, None] > 0, (z * p[:, None]).T @ y / r[:, None], 0)
        new = np.zeros_like(z)
        for x in range(len(y)):
            for c in np.flatnonzero(r > 0):
                seen = y[x] > 0
                new[x, c] = r[c] * np.exp(-beta * (y[x, seen] * np.log(y[x, seen] / q[c, seen])).sum())
        return new / new.sum(1, keepdims=True)


def first_step(y, p, start, beta, **options):
    return blahut_arimoto(y, beta=beta, p_x=p, start=start, max_iterations=1, unit="nats", **options).encoder


def test_equal_rows_of_a_start_count_by_their_weights():
    y, p = np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8]]), np.array([0.8, 0.1, 0.1])
    start = np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]])
    want = sweep(y, p, start, 2.0)
    np.testing.assert_allclose(first_step(y, p, start, 2.0), want, atol=1e-14)
    # split once more, into parts whose start rows average to the row's own
    parts = np.array([[1.0, 0.0], [0.8, 0.2]])
    split = first_step(y[[0, 0, 1, 2]], [0.4, 0.4, 0.1, 0.1], np.concatenate([parts, start[1:]]), 2.0)
    np.testing.assert_allclose(split[1:], want, atol=1e-14)


def test_a_step_of_merged_rows_by_hand():
    # with labels that are sure, p(z|x) ~ p(x, z)^2 / p(z) at beta = 2 for the x of one label: .73^2/.74 and .17^2/.26
    y, p = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.array([0.8, 0.1, 0.1])
    start = np.array([[0.9, 0.1], [0.1, 0.9], [0.1, 0.9]])
    shares = np.array([0.73**2 / 0.74, 0.17**2 / 0.26])
    got = first_step(y, p, start, 2.0)
    np.testing.assert_allclose(got[:2], [shares / shares.sum()] * 2, atol=1e-15)
    np.testing.assert_allclose(got[0], [0.866, 0.134], atol=5e-4)
    np.testing.assert_allclose(got, sweep(y, p, start, 2.0), atol=1e-15)


def test_rows_of_no_weight_have_no_say_in_a_start():
    y = np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.2, 0.8], [0.4, 0.6], [0.4, 0.6]])
    p = np.array([0.0, 0.7, 0.3, 0.0, 0.0, 0.0])
    start = np.random.default_rng(0).dirichlet(np.ones(3), size=6)
    start[4:] = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]
    np.testing.assert_allclose(first_step(y, p, start, 3.0), sweep(y, p, start, 3.0), atol=1e-14)
    kept = p > 0
    alone = first_step(y[kept], p[kept], start[kept], 3.0)
    np.testing.assert_allclose(first_step(y, p, start, 3.0)[kept], alone, atol=1e-15)


def test_tiny_weights_still_average():
    y, start = np.array([[0.9, 0.1]] * 2 + [[0.2, 0.8]]), np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]])
    for tiny in (1e-12, 1e-290, 5e-324):
        got = first_step(y, [2 * tiny, tiny, 1.0], start, 2.0)
        np.testing.assert_allclose(got, sweep(y, np.array([2 * tiny, tiny, 1.0]), start, 2.0), atol=1e-9)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.floats(1.01, 40.0), st.booleans())
def test_sweeps_agree_with_the_unmerged_table(seed, beta, sparse):
    rng = np.random.default_rng(seed)
    y = rng.dirichlet(np.full(3, 0.5), size=4)
    if sparse:
        y = np.where(y < 0.15, 0.0, y)
        y /= y.sum(1, keepdims=True)
    y = y[rng.integers(0, 4, 9)]
    p = rng.dirichlet(np.ones(9)) * rng.integers(0, 3, 9).clip(0, 1)
    p = p / p.sum() if p.sum() > 0 else np.full(9, 1 / 9)
    z = rng.dirichlet(np.ones(4), size=9)
    want, values = z, []
    for steps in (1, 2, 3):
        want = sweep(y, p, want, beta)
        got = blahut_arimoto(
            y, beta=beta, p_x=p, start=z, max_iterations=steps, tolerance=1e-300, accelerate=False, unit="nats"
        )
        # a label that only rows of no weight have fits no code
        fits = np.isfinite(want).all(1)
        assert fits[p > 0].all()
        np.testing.assert_allclose(got.encoder[fits], want[fits], atol=1e-9)
        want = np.where(fits[:, None], want, 0.25)
        values.append(lagrangian(want, y, beta=beta, p_x=p, unit="nats"))
        assert got.objective == pytest.approx(values[-1], abs=1e-9 * beta)
        assert values[-1] <= got.history[-1] + 1e-9 * beta
    # the bound of a step is at most what the step before reached
    assert got.history[1] <= values[0] + 1e-9 * beta and got.history[2] <= values[1] + 1e-9 * beta


@pytest.mark.parametrize("accelerate", [False, True])
@pytest.mark.parametrize("beta", [1.5, 20.0, 1e3, 1e6])
def test_a_code_the_start_never_uses_stays_unused(beta, accelerate):
    y = np.random.default_rng(0).dirichlet(np.ones(3), size=6)
    start = np.zeros((6, 4))
    start[:, [0, 2]] = np.random.default_rng(1).dirichlet(np.ones(2), size=6)
    found = blahut_arimoto(y, beta=beta, start=start, accelerate=accelerate, unit="nats")
    assert (found.encoder[:, [1, 3]] == 0).all()
    two = blahut_arimoto(y, beta=beta, start=start[:, [0, 2]], accelerate=accelerate, unit="nats")
    assert found.objective == pytest.approx(two.objective, abs=1e-9 * beta)
    assert np.diff(found.history).max(initial=0) <= 0


def test_no_row_takes_a_code_that_never_meets_its_label():
    # code 0 meets class 0 alone, so the two other rows are shut out of it, however rare their class 1
    y = np.array([[1.0, 0.0], [0.999, 0.001], [0.999, 0.001]])
    start = np.array([[0.5, 0.5], [0.0, 1.0], [0.0, 1.0]])
    got = first_step(y, None, start, 1.5)
    assert (got[1:, 0] == 0).all()
    np.testing.assert_allclose(got, sweep(y, np.full(3, 1 / 3), start, 1.5), atol=1e-14)
