import math
import tracemalloc
import warnings

import dit
import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lsedu import information
from lsedu.information import (
    PlaneMeter,
    balanced_information,
    convert,
    encoder_information,
    entropy,
    from_counts,
    kl,
    merge_rows,
    mutual_information,
    plane_point,
    smoothed_point,
    target_information,
)
from lsedu.targets import smooth

LN2 = math.log(2.0)


def rows(rng, n, k, zeros=0.0):
    p = rng.dirichlet(np.ones(k), size=n)
    p[rng.random((n, k)) < zeros] = 0.0
    p[p.sum(1) == 0, 0] = 1.0
    return p / p.sum(1, keepdims=True)


@st.composite
def tables(draw, columns=None):
    n, k = draw(st.integers(1, 6)), columns or draw(st.integers(1, 5))
    raw = draw(arrays(np.float64, (n, k), elements=st.one_of(st.just(0.0), st.floats(1e-6, 1.0))))
    raw[raw.sum(1) == 0, 0] = 1.0
    return raw / raw.sum(1, keepdims=True)


# --- units


def test_a_bit_is_ln_2_nats():
    assert convert(3.0, source="bits", target="nats") == pytest.approx(3.0 * LN2, abs=1e-15)
    assert convert(LN2, source="nats", target="bits") == pytest.approx(1.0, abs=1e-15)
    assert convert(0.7, source="bits", target="bits") == 0.7


def test_the_unit_must_be_named():
    with pytest.raises(TypeError):
        entropy([0.5, 0.5])
    with pytest.raises(ValueError, match="unit must be one of 'nats', 'bits', got 'bit'"):
        entropy([0.5, 0.5], unit="bit")
    with pytest.raises(ValueError, match="'dits'"):
        convert(1.0, source="dits", target="bits")


# --- entropy and KL


def test_entropy_closed_forms():
    assert entropy([0.5, 0.25, 0.25], unit="bits") == pytest.approx(1.5, abs=1e-15)
    assert entropy([0.5, 0.25, 0.25], unit="nats") == pytest.approx(1.5 * LN2, abs=1e-15)
    assert entropy([1.0], unit="bits") == 0.0
    assert entropy([0.0, 1.0, 0.0], unit="nats") == 0.0
    assert entropy(np.full((2, 3, 8), 0.125), unit="bits").tolist() == [[3.0] * 3] * 2


def test_kl_closed_forms():
    assert kl([0.75, 0.25], [0.5, 0.5], unit="bits") == pytest.approx(0.75 * math.log2(3) - 1.0, abs=1e-15)
    assert kl([0.75, 0.25], [0.25, 0.75], unit="nats") == pytest.approx(0.5 * math.log(3), abs=1e-15)
    assert kl([0.5, 0.5], [1.0, 0.0], unit="nats") == math.inf
    assert kl([1.0, 0.0], [1.0, 0.0], unit="nats") == 0.0
    assert kl([1.0], [1.0], unit="nats") == 0.0


def test_zeros_and_infinities_come_without_warnings():
    with warnings.catch_warnings(action="error"):
        assert kl([0.5, 0.5], [1.0, 0.0], unit="nats") == math.inf
        assert entropy([1.0, 0.0], unit="nats") == 0.0
        assert mutual_information([[1.0, 0.0], [0.0, 0.0]], unit="nats") == 0.0


def test_kl_broadcasts_a_prior_over_rows():
    p = np.array([[1.0, 0.0], [0.5, 0.5]])
    assert kl(p, [0.5, 0.5], unit="bits").tolist() == [1.0, 0.0]


def test_float32_tensors_are_taken_and_computed_in_float64():
    p = torch.softmax(torch.linspace(-3, 3, 10), 0).requires_grad_()
    assert entropy(p, unit="nats") == pytest.approx(torch.distributions.Categorical(probs=p).entropy().item(), abs=1e-6)
    assert type(entropy(p, unit="nats")) is float and type(kl(p.detach(), p, unit="nats")) is float


def test_small_misses_of_the_sum_are_divided_out():
    assert entropy(np.array([0.5, 0.5]) * (1 + 9e-5), unit="bits") == 1.0
    with pytest.raises(ValueError, match=r"sum of 1.0002"):
        entropy(np.array([0.5, 0.5]) * 1.0002, unit="bits")


@pytest.mark.parametrize(
    ("p", "message"),
    [
        ([0.5, 0.6], "p must sum to 1 along the last axis, got a sum of 1.1"),
        ([1.5, -0.5], "p must be >= 0, got -0.5"),
        ([math.nan, 1.0], "p must be finite"),
        ([], "at least one distribution along its last axis, got shape \\(0,\\)"),
        (0.5, "got shape \\(\\)"),
        (np.zeros((0, 3)), "got shape \\(0, 3\\)"),
        ([[1.0], [0.5, 0.5]], "p must have rows of one length, got a ragged list"),
        ([[1.0 + 1j, 0.0]], "p must be numeric with 2 axes, got complex128"),
    ],
)
def test_bad_distributions_are_named(p, message):
    with pytest.raises(ValueError, match=message):
        entropy(p, unit="nats")


def test_kl_wants_the_same_number_of_classes():
    with pytest.raises(ValueError, match="same number of classes, got 2 and 3"):
        kl([0.5, 0.5], [0.2, 0.3, 0.5], unit="nats")


@given(tables(columns=4), tables(columns=4))
def test_kl_is_never_negative_and_zero_on_itself(p, q):
    assert (kl(p, q[0], unit="nats") >= 0).all()
    assert (kl(p, p, unit="nats") == 0).all()


@given(tables(), st.randoms())
def test_entropy_ignores_the_order_of_classes_and_is_bounded(p, random):
    order = list(range(p.shape[1]))
    random.shuffle(order)
    h = entropy(p, unit="nats")
    np.testing.assert_allclose(h, entropy(p[:, order], unit="nats"), atol=1e-12)
    assert (h <= math.log(p.shape[1]) + 1e-12).all()


# --- mutual information


def test_mutual_information_closed_forms():
    assert mutual_information([[0.5, 0.0], [0.0, 0.5]], unit="bits") == 1.0
    assert mutual_information(np.outer([0.3, 0.7], [0.2, 0.8]), unit="bits") == pytest.approx(0.0, abs=1e-15)
    flip = 0.11
    channel = np.array([[1 - flip, flip], [flip, 1 - flip]]) / 2
    assert mutual_information(channel, unit="bits") == pytest.approx(
        1 - entropy([flip, 1 - flip], unit="bits"), abs=1e-14
    )
    assert mutual_information([[1.0]], unit="nats") == 0.0


def test_mutual_information_wants_a_table_that_sums_to_one():
    with pytest.raises(ValueError, match=r"joint must have 2 axes, got shape \(2,\)"):
        mutual_information([0.5, 0.5], unit="nats")
    with pytest.raises(ValueError, match="sum of 2"):
        mutual_information(np.eye(2), unit="nats")


@pytest.mark.parametrize("seed", range(5))
def test_mutual_information_agrees_with_dit(seed):
    rng = np.random.default_rng(seed)
    joint = rng.dirichlet(np.ones(12)).reshape(3, 4)
    cells = [(str(i), str(j)) for i in range(3) for j in range(4)]
    want = dit.shannon.mutual_information(dit.Distribution(cells, joint.ravel()), [0], [1])
    assert mutual_information(joint, unit="bits") == pytest.approx(want, abs=1e-12)
    assert mutual_information(torch.from_numpy(joint), unit="bits") == pytest.approx(want, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_the_plane_follows_from_the_two_joints(seed):
    rng = np.random.default_rng(seed)
    z, y, p = rows(rng, 7, 4, zeros=0.3), rows(rng, 7, 3, zeros=0.3), rng.dirichlet(np.ones(7))
    p[2] = 0.0
    p /= p.sum()
    point = plane_point(z, y, p_x=p, unit="bits")
    assert point.i_x == pytest.approx(mutual_information(z * p[:, None], unit="bits"), abs=1e-12)
    assert point.i_y == pytest.approx(mutual_information((y * p[:, None]).T @ z, unit="bits"), abs=1e-12)
    assert point.unit == "bits"
    nats = plane_point(z, y, p_x=p, unit="nats")
    assert nats.i_x == pytest.approx(point.i_x * LN2, abs=1e-14)
    assert nats.i_y == pytest.approx(point.i_y * LN2, abs=1e-14)


def test_inputs_weigh_the_same_by_default():
    z = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    assert encoder_information(z, unit="bits") == 1.0
    assert encoder_information(z, p_x=[0.25] * 4, unit="bits") == 1.0
    assert target_information(z, [0, 1, 0, 1], unit="bits") == 0.0
    assert target_information(z, torch.tensor([1, 1, 0, 0]), unit="bits") == 1.0


def test_a_class_no_input_has_changes_nothing():
    z = [[0.9, 0.1], [0.2, 0.8]]
    two = target_information(z, [[1.0, 0.0], [0.0, 1.0]], unit="nats")
    assert target_information(z, [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], unit="nats") == pytest.approx(two, abs=1e-15)
    assert target_information(z, [0, 7], unit="nats") == pytest.approx(two, abs=1e-15)


def test_one_code_or_one_input_holds_no_information():
    one = plane_point([[1.0], [1.0]], [0, 1], unit="nats")
    assert (one.i_x, one.i_y) == (0.0, 0.0)
    single = plane_point([[0.3, 0.7]], [0], unit="nats")
    assert (single.i_x, single.i_y) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: encoder_information([0.5, 0.5], unit="nats"), "encoder must have 2 axes"),
        (
            lambda: encoder_information([[1.0]], p_x=[0.5, 0.5], unit="nats"),
            "p_x must have shape \\(1,\\), got \\(2,\\)",
        ),
        (lambda: encoder_information([[1.0]], p_x=[0.4], unit="nats"), "p_x must sum to 1"),
        (lambda: target_information([[1.0]], [[0.5, 0.5]] * 2, unit="nats"), "target must have 1 rows.*\\(2, 2\\)"),
        (lambda: target_information([[1.0]], [0, 1], unit="nats"), "target must have shape \\(1,\\), got \\(2,\\)"),
        (lambda: target_information([[1.0]], [-1], unit="nats"), "target must be integers in .*, got -1"),
        (lambda: target_information([[1.0]], [0.5], unit="nats"), "target must have an integer dtype"),
        (lambda: plane_point(np.zeros((0, 2)), [], unit="nats"), "encoder must hold at least one distribution"),
    ],
)
def test_misfits_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(tables(columns=3), st.data())
def test_data_processing(y, data):
    z = data.draw(arrays(np.float64, (len(y), 4), elements=st.floats(1e-3, 1.0)))
    z /= z.sum(1, keepdims=True)
    point = plane_point(z, y, unit="nats")
    full = mutual_information(y / len(y), unit="nats")
    assert 0 <= point.i_y <= min(point.i_x, full) + 1e-12
    coarser = z @ np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.3, 0.7]])
    coarse = plane_point(coarser, y, unit="nats")
    assert coarse.i_x <= point.i_x + 1e-12
    assert coarse.i_y <= point.i_y + 1e-12


# --- small amounts keep their digits


def exact_kl(p, q):
    """KL of distributions given as fractions, in 60 digits."""
    with mpmath.workdps(60):
        return float(sum(mpmath.mpf(a) * mpmath.log(mpmath.mpf(a) / mpmath.mpf(b)) for a, b in zip(p, q) if a))


@pytest.mark.parametrize("shift", [2.0**-10, 2.0**-20, 2.0**-23])
def test_divergences_of_nearly_equal_distributions_keep_their_digits(shift):
    # all entries are multiples of a power of 2, so that the rows are exactly what they say
    p, q = [0.25 + shift, 0.5 - shift, 0.25, 0.0], [0.25, 0.5, 0.25, 0.0]
    assert kl(p, q, unit="nats") == pytest.approx(exact_kl(p, q), rel=1e-8, abs=0)
    assert kl([p, q], q, unit="nats").tolist() == [kl(p, q, unit="nats"), 0.0]
    z = [[0.5 + shift, 0.5 - shift], [0.5 - shift, 0.5 + shift]]
    want = exact_kl(z[0], [0.5, 0.5])
    assert encoder_information(z, unit="nats") == pytest.approx(want, rel=1e-8, abs=0)
    assert target_information(z, [0, 1], unit="nats") == pytest.approx(want, rel=1e-8, abs=0)
    assert mutual_information(np.array(z) / 2, unit="bits") == pytest.approx(want / LN2, rel=1e-8, abs=0)
    # with two classes the label keeps 1 - alpha / 2
    assert balanced_information(2, alpha=1 - 2 * shift, unit="nats") == pytest.approx(want, rel=1e-8, abs=0)


def test_a_rare_row_counts_in_full_where_the_whole_is_small():
    p_x = [1 - 2.0**-20, 2.0**-20]
    p_z = [1 - 2.0**-20, 2.0**-20]
    with mpmath.workdps(40):
        want = float(sum(-mpmath.mpf(a) * mpmath.log(mpmath.mpf(a)) for a in p_z))
    assert encoder_information(np.eye(2), p_x=p_x, unit="nats") == pytest.approx(want, rel=1e-12, abs=0)


@pytest.mark.filterwarnings("error")
def test_entries_next_to_nothing_and_rows_of_no_weight_do_no_harm():
    least = 5e-324
    assert kl([1.0, 1e-10], [1.0, least], unit="nats") == pytest.approx(
        1e-10 * (math.log(1e-10) - math.log(least) - 1), rel=1e-6
    )
    assert kl([1.0, least], [1.0, 1e-10], unit="nats") == pytest.approx(1e-10, rel=1e-6)
    z, p_x = [[0.5, 0.5, 0.0], [0.5, 0.5, least], [0.0, 0.0, 1.0]], [0.5, 0.5, 0.0]
    point = plane_point(z, [0, 1, 2], p_x=p_x, unit="nats")
    assert (point.i_x, point.i_y) == (pytest.approx(0.0, abs=1e-300), pytest.approx(0.0, abs=1e-300))
    assert encoder_information(np.eye(2), p_x=[1.0, 1e-320], unit="nats") == pytest.approx(0.0, abs=1e-300)


# --- sums may miss 1 by what the dtype loses


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_softmax_in_half_precision_is_a_distribution(half):
    p = torch.softmax((3 * torch.randn(200, 100)).to(half), 1)
    assert (p.double().sum(1) - 1).abs().max() > 1e-4
    whole = p.double() / p.double().sum(1, keepdim=True)
    np.testing.assert_allclose(entropy(p, unit="nats"), entropy(whole, unit="nats"), rtol=1e-14)
    point, want = plane_point(p, p, unit="nats"), plane_point(whole, whole, unit="nats")
    assert (point.i_x, point.i_y) == pytest.approx((want.i_x, want.i_y), rel=1e-12)
    assert mutual_information(p[:1], unit="nats") == 0.0
    assert merge_rows(p).rows.shape == (200, 100)
    if half is torch.float16:
        assert (entropy(p.numpy(), unit="nats") == entropy(p, unit="nats")).all()
    assert (entropy(list(p), unit="nats") == entropy(p, unit="nats")).all()
    assert entropy([p[0], p[1].float()], unit="nats").tolist() == entropy(p[:2], unit="nats").tolist()
    joint = torch.softmax(3 * torch.randn(40_000), 0).reshape(200, 200).to(half)
    assert abs(float(joint.double().sum()) - 1) < 1e-2
    assert mutual_information(list(joint), unit="nats") == mutual_information(joint, unit="nats")
    for value in (p.float(), p.double(), p.float().numpy(), p.float().tolist(), list(p.float())):
        with pytest.raises(ValueError, match="p must sum to 1"):
            entropy(value, unit="nats")


# --- every argument is called by its name when it is refused

HALF = [[0.5, 0.5]]


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("p", lambda bad: entropy(bad[0], unit="nats")),
        ("p", lambda bad: kl(bad[0], HALF[0], unit="nats")),
        ("q", lambda bad: kl(HALF[0], bad[0], unit="nats")),
        ("joint", lambda bad: mutual_information(bad, unit="nats")),
        ("encoder", lambda bad: encoder_information(bad, unit="nats")),
        ("p_x", lambda bad: encoder_information(HALF * 2, p_x=bad[0], unit="nats")),
        ("encoder", lambda bad: target_information(bad, [0], unit="nats")),
        ("target", lambda bad: target_information(HALF, bad, unit="nats")),
        ("p_x", lambda bad: target_information(HALF * 2, [0, 1], p_x=bad[0], unit="nats")),
        ("table", lambda bad: merge_rows(bad)),
        ("p_x", lambda bad: merge_rows(HALF * 2, p_x=bad[0])),
        ("encoder", lambda bad: PlaneMeter(codes=2, classes=2).update(bad, [0])),
        ("target", lambda bad: PlaneMeter(codes=2, classes=2).update(HALF, bad)),
        ("weights", lambda bad: PlaneMeter(codes=2, classes=2).update(HALF * 2, [0, 0], weights=bad[0])),
        ("counts", lambda bad: from_counts(bad)),
        ("p_y_given_x", lambda bad: smoothed_point(bad, alpha=0.1, unit="nats")),
        ("prior", lambda bad: smoothed_point(HALF, alpha=0.1, prior=bad[0], unit="nats")),
    ],
)
def test_the_message_names_the_argument(name, call):
    with pytest.raises(ValueError, match=f"^{name} must be finite, got a NaN or an infinity$"):
        call([[math.nan, 1.0]])
    with pytest.raises(ValueError, match=f"^{name} must be >= 0"):
        call([[-1.0, 2.0]])


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("encoder", lambda bad: encoder_information(bad, unit="nats")),
        ("encoder", lambda bad: target_information(bad, [0], unit="nats")),
        ("target", lambda bad: target_information(HALF, bad, unit="nats")),
        ("p_x", lambda bad: encoder_information(HALF, p_x=bad, unit="nats")),
        ("table", lambda bad: merge_rows(bad)),
        ("encoder", lambda bad: PlaneMeter(codes=2, classes=2).update(bad, [0])),
        ("weights", lambda bad: PlaneMeter(codes=2, classes=2).update(HALF, [0], weights=bad)),
        ("p_y_given_x", lambda bad: smoothed_point(bad, alpha=0.1, unit="nats")),
        ("prior", lambda bad: smoothed_point(HALF, alpha=0.1, prior=bad, unit="nats")),
    ],
)
def test_the_number_of_axes_is_checked(name, call):
    with pytest.raises(ValueError, match=rf"^{name} must have [12] axes, got shape \(1, 1, 2\)$"):
        call(np.full((1, 1, 2), 0.5))


# --- merged rows, counts, streaming


def test_merging_keeps_both_informations_and_undoes():
    rng = np.random.default_rng(3)
    y = rows(rng, 4, 3)[[0, 1, 0, 2, 3, 3, 1]]
    p = rng.dirichlet(np.ones(7))
    merged = merge_rows(y, p_x=p)
    assert merged.rows.shape == (4, 3)
    np.testing.assert_allclose(merged.rows[merged.inverse], y, atol=1e-15)
    assert merged.p_x[merged.inverse[0]] == pytest.approx(p[0] + p[2], abs=1e-15)
    z = 0.8 * y + 0.2 / 3
    whole = plane_point(z, y, p_x=p, unit="nats")
    part = plane_point(0.8 * merged.rows + 0.2 / 3, merged.rows, p_x=merged.p_x, unit="nats")
    assert part.i_x == pytest.approx(whole.i_x, abs=1e-13)
    assert part.i_y == pytest.approx(whole.i_y, abs=1e-13)


def test_negative_zero_is_zero_when_rows_are_merged():
    assert len(merge_rows([[0.0, 1.0], [-0.0, 1.0]]).rows) == 1


def test_counts_to_shares():
    p, p_x = from_counts([[3, 1], [0, 2]])
    assert p.tolist() == [[0.75, 0.25], [0.0, 1.0]]
    assert p_x.tolist() == [0.5, 0.5]
    assert from_counts([[3, 1], [0, 2]], weigh="labels")[1] == pytest.approx([2 / 3, 1 / 3])


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([[1, -2]], "counts must be >= 0, got -2"),
        ([[1, 2], [0, 0]], "got none in row 1"),
        ([1, 2], "counts must have 2 axes, got shape \\(2,\\)"),
        (np.zeros((0, 2)), "at least one input and one class, got shape \\(0, 2\\)"),
        ([[math.inf, 1]], "counts must be finite"),
        ([["a", "b"]], "counts must be numeric"),
    ],
)
def test_bad_counts_are_named(counts, message):
    with pytest.raises(ValueError, match=message):
        from_counts(counts)


def test_counts_weigh_is_checked():
    with pytest.raises(ValueError, match="weigh must be one of 'inputs', 'labels', got 'rows'"):
        from_counts([[1]], weigh="rows")


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_batches_add_up_to_the_whole(size):
    rng = np.random.default_rng(0)
    z, y, w = rows(rng, 50, 4, zeros=0.2), rng.integers(0, 3, 50), rng.random(50)
    meter = PlaneMeter(codes=4, classes=3)
    for i in range(0, 50, size):
        meter.update(z[i : i + size], y[i : i + size], weights=w[i : i + size])
    meter.update(np.zeros((0, 4)), np.zeros(0, dtype=int))
    want = plane_point(z, y, p_x=w / w.sum(), unit="bits")
    got = meter.point(unit="bits")
    assert (got.i_x, got.i_y) == pytest.approx((want.i_x, want.i_y), abs=1e-12)


def test_the_meter_takes_soft_targets_and_tensors():
    rng = np.random.default_rng(1)
    z, y = rows(rng, 20, 3), rows(rng, 20, 5)
    meter = PlaneMeter(codes=3, classes=5)
    meter.update(torch.from_numpy(z[:8]), torch.from_numpy(y[:8]))
    small = PlaneMeter(codes=2, classes=2)
    small.update([[1.0, 0.0], [0.0, 1.0]], [0, 1], weights=[0.1, 0.1])
    assert small.point(unit="bits").i_x == pytest.approx(1.0, abs=1e-14)
    meter.update(z[8:], y[8:])
    assert meter.point(unit="bits").unit == "bits"
    want = plane_point(z, y, unit="nats")
    assert meter.point(unit="nats").i_x == pytest.approx(want.i_x, abs=1e-12)
    assert meter.point(unit="nats").i_y == pytest.approx(want.i_y, abs=1e-12)


def test_soft_targets_in_half_precision_are_taken():
    z, y = torch.eye(2).bfloat16(), torch.tensor([[0.75, 0.25], [0.25, 0.75]])
    want = plane_point(z.double(), y.double(), unit="bits")
    assert plane_point(z, y.bfloat16(), unit="bits") == want


def test_a_large_label_takes_no_square_table():
    # one-hot rows of 50,000 classes are 800 kB; an identity of that size is 20 GB
    encoder = [[1.0, 0.0], [0.0, 1.0]]
    tracemalloc.start()
    try:
        assert target_information(encoder, [0, 49_999], unit="bits") == 1.0
        assert tracemalloc.get_traced_memory()[1] < 1e8
    finally:
        tracemalloc.stop()


def test_the_meter_refuses_what_does_not_fit():
    meter = PlaneMeter(codes=2, classes=2)
    with pytest.raises(ValueError, match=r"^the meter must have seen at least one row of positive weight, got none$"):
        meter.point(unit="nats")
    meter.update([[1.0, 0.0]], [0], weights=[0.0])
    with pytest.raises(ValueError, match="positive weight"):
        meter.point(unit="nats")
    for encoder in (None, {}, 1.0):
        with pytest.raises(ValueError, match=r"^encoder must hold at least one distribution .* got shape \(\)$"):
            meter.update(encoder, [0])
    with pytest.raises(ValueError, match=r"encoder must have 2 columns, got shape \(1, 3\)"):
        meter.update([[1.0, 0.0, 0.0]], [0])
    with pytest.raises(ValueError, match="target must have 2 classes, got 3"):
        meter.update([[1.0, 0.0]], [2])
    with pytest.raises(ValueError, match="target must have 2 classes, got 1"):
        meter.update([[1.0, 0.0]], [[1.0]])
    with pytest.raises(ValueError, match=r"^weights must be >= 0, got -1$"):
        meter.update([[1.0, 0.0]], [0], weights=[-1.0])
    with pytest.raises(ValueError, match=r"^weights must have shape \(1,\), got \(2,\)$"):
        meter.update([[1.0, 0.0]], [0], weights=[1.0, 1.0])
    for name in ("codes", "classes"):
        with pytest.raises(ValueError, match=f"{name} must be an integer >= 1, got 0"):
            PlaneMeter(**{"codes": 2, "classes": 2, name: 0})
        with pytest.raises(ValueError, match=f"{name} must be an integer >= 1, got True"):
            PlaneMeter(**{"codes": 2, "classes": 2, name: True})
        assert PlaneMeter(**{"codes": 2, "classes": 2, name: 1}) is not None


# --- optima of one-hot and smoothed training


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("k", [1, 2, 10])
def test_balanced_classes_have_a_closed_form(k, alpha):
    point = smoothed_point(np.eye(k), alpha=alpha, unit="nats")
    want = balanced_information(k, alpha=alpha, unit="nats")
    assert (point.i_x, point.i_y) == pytest.approx((want, want), abs=1e-13)
    assert balanced_information(k, alpha=alpha, unit="bits") == pytest.approx(want / LN2, abs=1e-14)


def test_the_ends_of_the_balanced_form():
    assert balanced_information(10, alpha=0.0, unit="nats") == pytest.approx(math.log(10), abs=1e-15)
    assert balanced_information(10, alpha=1.0, unit="nats") == pytest.approx(0.0, abs=1e-14)
    # by hand: K = 2, alpha = 1/2 is a binary channel with flip probability 1/4
    assert balanced_information(2, alpha=0.5, unit="bits") == pytest.approx(0.75 * math.log2(3) - 1, abs=1e-15)
    for k in (0, 2.0, True):
        with pytest.raises(ValueError, match="num_classes must be an integer >= 1"):
            balanced_information(k, alpha=0.1, unit="nats")
    with pytest.raises(ValueError, match=r"alpha must be in \[0, 1\], got 1.5"):
        balanced_information(2, alpha=1.5, unit="nats")


@pytest.mark.parametrize("prior", [None, [1.0, 0.0, 0.0], [0.2, 0.3, 0.5]])
def test_without_contradiction_any_prior_stays_on_the_curve(prior):
    p_x = [0.6, 0.3, 0.1]
    point = smoothed_point(np.eye(3), alpha=0.3, prior=prior, p_x=p_x, unit="bits")
    assert point.i_x == pytest.approx(point.i_y, abs=1e-13)
    assert 0 < point.i_x < entropy(p_x, unit="bits")
    u = np.full(3, 1 / 3) if prior is None else np.array(prior)
    want = encoder_information(0.7 * np.eye(3) + 0.3 * u, p_x=p_x, unit="bits")
    assert point.i_x == pytest.approx(want, abs=1e-13)
    hot = smoothed_point(np.eye(3), alpha=0.0, prior=prior, p_x=p_x, unit="bits")
    assert hot.i_x == pytest.approx(entropy(p_x, unit="bits"), abs=1e-13)


def test_with_contradiction_smoothing_loses_on_the_way():
    y = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.0, 0.3, 0.7]])
    point = smoothed_point(y, alpha=0.2, unit="nats")
    want = plane_point(0.8 * y + 0.2 / 3, y, unit="nats")
    assert (point.i_x, point.i_y) == pytest.approx((want.i_x, want.i_y), abs=1e-13)
    assert point.i_y < point.i_x


def test_the_other_convention_is_the_same_family():
    y = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.0, 0.3, 0.7]])
    others = smoothed_point(y, alpha=0.2, convention="others", unit="nats")
    by_hand = plane_point(0.8 * y + 0.1 * (1 - y), y, unit="nats")
    assert (others.i_x, others.i_y) == pytest.approx((by_hand.i_x, by_hand.i_y), abs=1e-13)
    scaled = smoothed_point(y, alpha=0.2 * 3 / 2, unit="nats")
    assert (others.i_x, others.i_y) == pytest.approx((scaled.i_x, scaled.i_y), abs=1e-12)


@pytest.mark.parametrize("convention", ["all", "others"])
@pytest.mark.parametrize("prior", [None, [0.2, 0.3, 0.5], [0.5, 0.5, 0.0]])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_optimum_is_the_expected_target_of_smoothing(alpha, prior, convention):
    y = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.0, 0.3, 0.7]])
    u = None if prior is None else torch.tensor(prior, dtype=torch.float64)
    table = smooth(torch.arange(3), 3, alpha=alpha, convention=convention, prior=u, dtype=torch.float64).numpy()
    want = plane_point(y @ table, y, unit="bits")
    got = smoothed_point(y, alpha=alpha, convention=convention, prior=prior, unit="bits")
    assert (got.i_x, got.i_y) == pytest.approx((want.i_x, want.i_y), abs=1e-15)


def test_bad_smoothing_is_named():
    with pytest.raises(ValueError, match="prior mass on a class other than the label"):
        smoothed_point(np.eye(2), alpha=0.1, convention="others", prior=[1.0, 0.0], unit="nats")
    with pytest.raises(ValueError, match=r"prior must have shape \(2,\), got \(3,\)"):
        smoothed_point(np.eye(2), alpha=0.1, prior=[0.2, 0.3, 0.5], unit="nats")
    with pytest.raises(ValueError, match="alpha must be in"):
        smoothed_point(np.eye(2), alpha=-0.1, unit="nats")
    with pytest.raises(ValueError, match="convention must be one of"):
        smoothed_point(np.eye(2), alpha=0.1, convention="torch", unit="nats")
    with pytest.raises(ValueError, match="p_y_given_x must sum to 1"):
        smoothed_point(2 * np.eye(2), alpha=0.1, unit="nats")


def test_public_names_exist():
    assert all(hasattr(information, name) for name in information.__all__)
