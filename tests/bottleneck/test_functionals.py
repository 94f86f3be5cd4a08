import numpy as np
import pytest

from lsedu.bottleneck import (
    deterministic_curve,
    erasure_encoder,
    lagrangian,
    lagrangian_gradient,
    squared_lagrangian,
    squared_lagrangian_gradient,
)
from lsedu.information import encoder_information, entropy, plane_point, target_information


def softmax(t):
    e = np.exp(t - t.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    return rng.normal(size=(5, 4)), rng.dirichlet(np.ones(3), size=5), rng.dirichlet(np.ones(5))


def test_values_are_made_of_the_two_informations(problem):
    t, y, p = problem
    z = softmax(t)
    i_x = encoder_information(z, p_x=p, unit="bits")
    i_y = target_information(z, y, p_x=p, unit="bits")
    assert lagrangian(z, y, beta=3.0, p_x=p, unit="bits") == pytest.approx(i_x - 3.0 * i_y, abs=1e-14)
    assert squared_lagrangian(z, y, beta=3.0, p_x=p, unit="bits") == pytest.approx(3.0 * i_x**2 - i_y, abs=1e-14)


@pytest.mark.parametrize("unit", ["nats", "bits"])
@pytest.mark.parametrize(
    ("value", "gradient"),
    [(lagrangian, lagrangian_gradient), (squared_lagrangian, squared_lagrangian_gradient)],
)
def test_the_gradient_on_the_logits_agrees_with_finite_differences(problem, value, gradient, unit):
    t, y, p = problem
    got = gradient(softmax(t), y, beta=1.7, p_x=p, unit=unit)
    h = 1e-5
    for i, j in np.ndindex(t.shape):
        step = np.zeros_like(t)
        step[i, j] = h
        ends = [value(softmax(t + s * step), y, beta=1.7, p_x=p, unit=unit) for s in (1, -1)]
        assert got[i, j] == pytest.approx((ends[0] - ends[1]) / (2 * h), abs=1e-9)
    np.testing.assert_allclose(got.sum(1), 0, atol=1e-14)


@pytest.mark.parametrize("gradient", [lagrangian_gradient, squared_lagrangian_gradient])
def test_the_two_gradients_tell_one_story(problem, gradient):
    t, y, p = problem
    z = softmax(t)
    on_entries = gradient(z, y, beta=2.0, p_x=p, of="encoder", unit="nats")
    through = z * (on_entries - (z * on_entries).sum(1, keepdims=True))
    np.testing.assert_allclose(gradient(z, y, beta=2.0, p_x=p, unit="nats"), through, atol=1e-14)


def test_zero_entries_give_no_nan(problem):
    z = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])
    for gradient in (lagrangian_gradient, squared_lagrangian_gradient):
        assert np.isfinite(gradient(z, [0, 1, 1], beta=2.0, unit="nats")).all()
        entries = gradient(z, [0, 1, 1], beta=2.0, of="encoder", unit="nats")
        assert not np.isnan(entries).any()
        assert (entries[:, 2] == 0).all()
    assert lagrangian_gradient(z, [0, 1, 1], beta=0.5, of="encoder", unit="nats")[0, 1] == -np.inf
    # at beta = 2 a shut entry that would blur two labels costs more than it saves, at beta = 1 both balance
    assert lagrangian_gradient(z, [0, 1, 1], beta=2.0, of="encoder", unit="nats")[0, 1] == np.inf
    assert squared_lagrangian_gradient(z, [0, 1, 1], beta=2.0, of="encoder", unit="nats")[0, 1] == -np.inf
    assert squared_lagrangian_gradient(z, [0, 1, 1], beta=0.5, of="encoder", unit="nats")[0, 1] == np.inf
    balanced = lagrangian_gradient(z, [0, 1, 1], beta=1.0, of="encoder", unit="nats")[0, 1]
    e = 1e-7
    shift = np.zeros_like(z)
    shift[0, :2] = -e, e
    ends = [lagrangian(z + s * shift, [0, 1, 1], beta=1.0, unit="nats") for s in (0, 1)]
    own = lagrangian_gradient(z, [0, 1, 1], beta=1.0, of="encoder", unit="nats")[0, 0]
    assert balanced - own == pytest.approx((ends[1] - ends[0]) / e, abs=1e-5)
    # an input of no weight pulls nowhere
    weightless = lagrangian_gradient(z, [0, 1, 1], beta=2.0, p_x=[0.5, 0.5, 0.0], unit="nats")
    assert (weightless[2] == 0).all()


def test_beta_and_of_are_checked():
    for f in (lagrangian, squared_lagrangian, lagrangian_gradient, squared_lagrangian_gradient):
        with pytest.raises(ValueError, match=r"beta must be in \[0, inf\), got -1"):
            f([[1.0]], [0], beta=-1, unit="nats")
    with pytest.raises(ValueError, match="of must be one of 'logits', 'encoder'"):
        lagrangian_gradient([[1.0]], [0], beta=1.0, of="probs", unit="nats")


def test_the_line_of_labels_that_do_not_contradict():
    p_y = [0.5, 0.25, 0.25]
    assert deterministic_curve(0.7, p_y, unit="bits") == 0.7
    assert deterministic_curve([0.0, 1.5, 9.0], p_y, unit="bits").tolist() == [0.0, 1.5, 1.5]
    assert deterministic_curve(9.0, p_y, unit="nats") == pytest.approx(1.5 * np.log(2), abs=1e-15)
    with pytest.raises(ValueError, match="i_x must be >= 0, got -1"):
        deterministic_curve(-1.0, p_y, unit="nats")
    with pytest.raises(ValueError, match="sum to 1"):
        deterministic_curve(1.0, [0.5, 0.6], unit="nats")


@pytest.mark.parametrize("i_x", [0.0, 0.4, 1.5])
def test_erasure_lies_on_the_line(i_x):
    labels = [0, 0, 1, 2]
    z = erasure_encoder(labels, i_x=i_x, unit="bits")
    assert z.shape == (4, 4)
    point = plane_point(z, labels, unit="bits")
    assert (point.i_x, point.i_y) == pytest.approx((i_x, i_x), abs=1e-13)


def test_erasure_scales_information_also_where_labels_contradict():
    y = np.array([[0.9, 0.1], [0.3, 0.7]])
    z = erasure_encoder(y, keep=0.25, unit="nats")
    whole, part = plane_point(y, y, unit="nats"), plane_point(z, y, unit="nats")
    assert (part.i_x, part.i_y) == pytest.approx((whole.i_x / 4, whole.i_y / 4), abs=1e-14)


def test_erasure_options_are_checked():
    with pytest.raises(ValueError, match="exactly one of i_x and keep"):
        erasure_encoder([0], unit="nats")
    with pytest.raises(ValueError, match="exactly one of i_x and keep"):
        erasure_encoder([0], i_x=0.0, keep=0.5, unit="nats")
    with pytest.raises(ValueError, match=r"i_x must be in \[0, 1\], got 1.1"):
        erasure_encoder([0, 1], i_x=1.1, unit="bits")
    with pytest.raises(ValueError, match="got soft rows"):
        erasure_encoder([[0.5, 0.5]], i_x=0.0, unit="bits")
    with pytest.raises(ValueError, match="keep must be in"):
        erasure_encoder([0, 1], keep=2.0, unit="bits")
    assert erasure_encoder([0, 0], i_x=0.0, unit="bits").tolist() == [[1.0, 0.0]] * 2


def test_the_squared_form_picks_a_point_of_the_line():
    labels, beta = [0, 1], 1.0
    values = {i_x: squared_lagrangian(erasure_encoder(labels, i_x=i_x, unit="bits"), labels, beta=beta, unit="bits")
              for i_x in (0.3, 0.5, 0.7)}  # fmt: skip
    assert min(values, key=values.get) == 0.5
    assert values[0.5] == pytest.approx(-0.25, abs=1e-12)
    assert entropy([0.5, 0.5], unit="bits") == 1.0
