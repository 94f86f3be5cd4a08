"""What the curve guarantees and what it does not; a kink of known place; restarts."""

import numpy as np
import pytest
from scipy.optimize import brentq

from lsedu.bottleneck import blahut_arimoto, constrained, curve

FLIP = 0.1
SYMMETRIC = np.full((3, 3), FLIP) + (1 - 3 * FLIP) * np.eye(3)


def symmetric_point(a):
    """Return both informations, in nats, of the encoder that keeps a third of its rows' symmetry: a on the diagonal."""

    def gap(b):
        b = np.clip(b, 1e-300, 1 - 1e-16)
        return np.log(3) + b * np.log(b) + (1 - b) * np.log((1 - b) / 2)

    return gap(a), gap(a * (1 - 2 * FLIP) + (1 - a) * FLIP)


def first_kink():
    """Return the beta at which the symmetric encoder first does as well as none, and its place on the plane."""
    grid = np.linspace(1 / 3, 1, 100_001)[1000:]
    i_x, i_y = symmetric_point(grid)
    best = (i_x / i_y).argmin()
    return i_x[best] / i_y[best], i_x[best], i_y[best]


def test_the_3_by_3_bottleneck_has_a_kink_where_its_symmetry_breaks():
    """Three classes part all at once, at a smaller beta than 1 / (1 - 3 flip)^2, where no encoder gets unstable."""
    beta, i_x, i_y = first_kink()
    assert 1 < beta < 1 / (1 - 3 * FLIP) ** 2
    betas = [beta - 0.01, beta + 0.002, 2.1, 3.0]
    found = curve(SYMMETRIC, betas=betas, tolerance=1e-12, unit="nats")
    assert found.i_x[0] == pytest.approx(0, abs=1e-9)
    assert found.i_x[1] > i_x > 0.05
    grid = np.linspace(1 / 3, 1, 100_001)
    x, y = symmetric_point(grid)
    for b, solution in zip(betas, found.solutions):
        assert solution.objective == pytest.approx((x - b * y).min(), abs=1e-7)
    # below the kink the constrained problem walks the chord from the origin, of slope 1 / beta
    half = constrained(SYMMETRIC, rate=i_x / 2, unit="nats")
    assert half.point.i_x == pytest.approx(i_x / 2, abs=1e-9)
    assert half.point.i_y == pytest.approx(i_y / 2, abs=1e-6)
    assert half.betas == pytest.approx((beta, beta), abs=1e-3)


def test_the_slope_of_the_curve_is_one_over_beta():
    betas = np.geomspace(2.5, 8, 7)
    close = curve(SYMMETRIC, betas=np.r_[betas * 0.999, betas * 1.001], tolerance=1e-12, unit="bits")
    slopes = (close.i_y[7:] - close.i_y[:7]) / (close.i_x[7:] - close.i_x[:7])
    np.testing.assert_allclose(slopes, 1 / betas, rtol=1e-4)


def test_two_classes_part_at_the_critical_beta():
    """Of a symmetric binary channel the parting is smooth, at 1 / (1 - 2 flip)^2 to the digit."""
    flip = 0.2
    y = np.array([[1 - flip, flip], [flip, 1 - flip]])
    critical = 1 / (1 - 2 * flip) ** 2

    def level(a, beta):
        """Stationarity of the symmetric encoder in its logit."""
        b = a * (1 - flip) + (1 - a) * flip
        return np.log(a / (1 - a)) - beta * (1 - 2 * flip) * np.log(b / (1 - b))

    below, above = curve(y, betas=[critical * 0.98, critical * 1.02], tolerance=1e-13, unit="nats").solutions
    assert below.point.i_x == pytest.approx(0, abs=1e-6)
    want = brentq(level, 0.5 + 1e-3, 1 - 1e-9, args=(critical * 1.02,))
    assert above.encoder.max() == pytest.approx(want, abs=1e-5)


def random_table(seed, rows=10, classes=4):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(classes, 0.3), size=rows), rng.dirichlet(np.ones(rows))


def random_starts(y, p, beta, count, seed=99):
    rng = np.random.default_rng(seed)
    starts = (rng.dirichlet(np.full(y.shape[1], 0.5), size=len(y)) for _ in range(count))
    return min(blahut_arimoto(y, beta=beta, p_x=p, start=z, unit="nats").objective for z in starts)


def beaten(seed, **options):
    """Return by how much ten random starts beat the curve at its largest beta."""
    y, p = random_table(seed)
    return curve(y, betas=[2.0, 30.0], p_x=p, unit="nats", **options).solutions[1].objective - random_starts(
        y, p, 30.0, 10
    )


@pytest.mark.parametrize("seed", [1, 2, 4, 8])
def test_restarts_mend_what_random_starts_beat(seed):
    assert beaten(seed) > 0.05
    assert beaten(seed, restarts=12) <= 1e-9


def test_no_solution_is_beaten_by_another_of_its_curve():
    betas = [1.1, 1.5, 2.0, 3.0, 5.0, 8.0, 15.0, 40.0, 1e4]
    for seed in range(5):
        y, p = random_table(seed, rows=8, classes=3)
        for options in ({}, {"restarts": 2}):
            found = curve(y, betas=betas, p_x=p, unit="nats", **options)
            for beta, solution in zip(betas, found.solutions):
                assert solution.objective <= (found.i_x - beta * found.i_y).min() + 1e-9 * beta
            assert np.diff(found.i_x).min() >= -1e-9 and np.diff(found.i_y).min() >= -1e-9


def test_more_restarts_never_hurt_and_the_generator_decides():
    y, p = random_table(4)

    def objectives(restarts, seed=None):
        generator = None if seed is None else np.random.default_rng(seed)
        found = curve(y, betas=[3.0, 30.0], p_x=p, restarts=restarts, generator=generator, unit="nats")
        return np.array([solution.objective for solution in found.solutions])

    none, few, many = objectives(0), objectives(3), objectives(9)
    assert (few <= none + 1e-9).all() and (many <= few + 1e-9).all()
    assert (objectives(3) == few).all() and (objectives(3, seed=0) == few).all()
    single = blahut_arimoto(y, beta=30.0, p_x=p, restarts=9, unit="nats")
    assert single.objective <= blahut_arimoto(y, beta=30.0, p_x=p, unit="nats").objective - 0.05
    # a kept rate is met with at least as much of the label
    rates = [constrained(y[:5], rate=0.9, largest=100.0, restarts=r, unit="nats").point.i_y for r in (0, 2)]
    assert rates[1] >= rates[0] - 1e-6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"restarts": -1}, "restarts must be an integer >= 0, got -1"),
        ({"restarts": True}, "restarts must be an integer >= 0, got True"),
        ({"restarts": 1, "generator": 3}, r"generator must be a numpy\.random\.Generator, got int"),
    ],
)
def test_bad_restarts_are_named(options, message):
    for call in (
        lambda: blahut_arimoto(SYMMETRIC, beta=2.0, unit="nats", **options),
        lambda: curve(SYMMETRIC, betas=[2.0], unit="nats", **options),
        lambda: constrained(SYMMETRIC, rate=0.1, unit="nats", **options),
    ):
        with pytest.raises(ValueError, match=message):
            call()
