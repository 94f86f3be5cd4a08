import math

import netcal.metrics
import numpy as np
import pytest
import torch
import torchmetrics.functional.classification as tm
from hypothesis import given, settings
from hypothesis import strategies as st

from lsedu import calibration
from lsedu.calibration import (
    accuracy,
    adaptive_ece,
    brier,
    classwise_ece,
    ece,
    error_auroc,
    mce,
    mean_confidence,
    nll,
    overconfidence,
    reliability,
    risk_coverage,
)


def sample(seed, n=400, k=5, scale=2.0):
    rng = np.random.default_rng(seed)
    z = scale * rng.normal(size=(n, k))
    e = np.exp(z - z.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    return p, (rng.random((n, 1)) > p.cumsum(1)[:, :-1]).sum(1)


def binary(*confidences):
    return np.array([[c, 1.0 - c] for c in confidences])


def test_by_hand():
    probs, labels = binary(0.95, 0.85, 0.85, 0.65), [0, 0, 1, 1]
    table = reliability(probs, labels, bins=10)
    assert table.count.tolist() == [0, 0, 0, 0, 0, 0, 1, 0, 2, 1]
    assert table.edges == pytest.approx(np.linspace(0, 1, 11), abs=1e-15)
    assert table.accuracy[[6, 8, 9]].tolist() == [0.0, 0.5, 1.0]
    assert table.confidence[[6, 8, 9]] == pytest.approx([0.65, 0.85, 0.95], abs=1e-15)
    assert np.isnan(table.accuracy[0]) and np.isnan(table.confidence[0])
    assert table.gap[[0, 6, 8, 9]] == pytest.approx([0, 0.65, 0.35, -0.05], abs=1e-15)
    assert table.share[[0, 8]].tolist() == [0.0, 0.5]
    assert ece(probs, labels, bins=10) == pytest.approx((0.65 + 2 * 0.35 + 0.05) / 4, abs=1e-15)
    assert mce(probs, labels, bins=10) == pytest.approx(0.65, abs=1e-15)


def test_fifteen_bins_by_default():
    probs, labels = sample(0)
    assert len(reliability(probs, labels).count) == 15
    for measure in (ece, mce, classwise_ece, adaptive_ece):
        assert measure(probs, labels) == measure(probs, labels, bins=15)
        assert measure(probs, labels) != measure(probs, labels, bins=14)


def test_the_default_bins_and_edges_by_hand():
    # 0.46 and 0.47 lie on two sides of the edge 7/15, and in one bin of sixteen
    probs = [[0.46, 0.44, 0.1], [0.47, 0.43, 0.1]]
    assert mce(probs, [0, 1]) == pytest.approx(0.54, abs=1e-12)
    assert ece(probs, [0, 1]) == pytest.approx((0.54 + 0.47) / 2, abs=1e-12)
    assert mce(probs, [0, 1], bins=16) == pytest.approx(abs(0.93 - 1) / 2, abs=1e-12)
    # 0.2 is the edge 3/15
    edge = [[0.2] * 5, [0.21, 0.2, 0.2, 0.2, 0.19]]
    for measure in (ece, mce, classwise_ece):
        assert measure(edge, [0, 1]) == measure(edge, [0, 1], bins=15, edges="right")
        assert measure(edge, [0, 1]) != measure(edge, [0, 1], edges="left")


@pytest.mark.parametrize("edge", [0.5, 0.6, 0.7, 0.8, 0.9])
def test_a_confidence_on_an_edge_goes_to_the_stated_side(edge):
    m = round(edge * 10)
    for shift in (-1e-14, 0.0, 1e-14):
        c = edge + shift if edge + shift >= 0.5 else edge
        right = reliability(binary(c), [0], bins=10).count
        left = reliability(binary(c), [0], bins=10, edges="left").count
        assert (int(right.argmax()), int(left.argmax())) == (m - 1, m)
    assert int(reliability(binary(edge + 1e-9), [0], bins=10).count.argmax()) == m


def test_the_ends_are_inside():
    assert reliability(binary(1.0), [0], bins=4, edges="left").count.tolist() == [0, 0, 0, 1]
    assert reliability(binary(1.0), [0], bins=4).count.tolist() == [0, 0, 0, 1]
    # class-wise probabilities reach 0: the first bin holds it on either side
    assert classwise_ece(binary(1.0), [0], bins=4) == 0.0
    assert classwise_ece(binary(1.0), [1], bins=4) == 1.0
    assert classwise_ece(binary(1.0), [1], bins=4, edges="left") == 1.0


@pytest.mark.parametrize("bins", [1, 10, 15])
@pytest.mark.parametrize("seed", range(3))
def test_ece_and_mce_agree_with_torchmetrics_and_netcal(seed, bins):
    """No confidence of these samples lies on an edge, where the libraries go their own ways."""
    probs, labels = sample(seed)
    p, y = torch.from_numpy(probs), torch.from_numpy(labels)
    for norm, measure in (("l1", ece), ("max", mce)):
        want = tm.multiclass_calibration_error(p, y, num_classes=5, n_bins=bins, norm=norm).item()
        assert measure(probs, labels, bins=bins) == pytest.approx(want, abs=1e-6)
    assert ece(probs, labels, bins=bins) == pytest.approx(netcal.metrics.ECE(bins).measure(probs, labels), abs=1e-9)
    assert mce(probs, labels, bins=bins) == pytest.approx(netcal.metrics.MCE(bins).measure(probs, labels), abs=1e-9)


def test_classwise_is_the_mean_of_one_against_the_rest():
    probs, labels = sample(4)
    parts = []
    for k in range(5):
        index = np.clip(np.ceil(probs[:, k] * 15) - 1, 0, 14)
        parts.append(sum(
            abs((probs[index == m, k] - (labels[index == m] == k)).sum()) / len(labels) for m in range(15)
        ))  # fmt: skip
    assert classwise_ece(probs, labels) == pytest.approx(np.mean(parts), abs=1e-12)


def test_classwise_minds_the_side_of_an_edge():
    # class 0 gives 0.5 (right) and 0.4 (wrong): one bin when closed on the right, two when on the left
    probs = [[0.5, 0.3, 0.2], [0.4, 0.3, 0.3]]
    others = abs(0.6 - 1) + 0.5
    assert classwise_ece(probs, [0, 1], bins=2) == pytest.approx((0.1 + others) / 6, abs=1e-15)
    left = classwise_ece(probs, [0, 1], bins=2, edges="left")
    assert left == pytest.approx((0.4 + 0.5 + others) / 6, abs=1e-15)


def test_empty_bins_at_the_end_are_kept():
    table = reliability(binary(0.55), [0], bins=10)
    assert len(table.count) == len(table.accuracy) == len(table.confidence) == len(table.edges) - 1 == 10


def test_adaptive_ties_keep_their_order_in_long_arrays_too():
    # 40 equal confidences, the first 20 right and the rest wrong: two bins, each off by its own amount
    probs = binary(*[0.75] * 40)
    assert adaptive_ece(probs, [0] * 20 + [1] * 20, bins=2) == pytest.approx((0.25 + 0.75) / 2, abs=1e-14)
    mixed = np.random.default_rng(0).choice([0.6, 0.7, 0.8], 600)
    hits = np.random.default_rng(1).integers(0, 2, 600)
    order = sorted(range(600), key=lambda i: (mixed[i], i))
    want = sum(abs(sum(mixed[i] - hits[i] for i in order[m * 40 : m * 40 + 40])) for m in range(15)) / 600
    assert adaptive_ece(binary(*mixed), 1 - hits) == pytest.approx(want, abs=1e-12)


def test_a_class_no_sample_has_counts():
    probs = np.array([[0.5, 0.25, 0.25]] * 2)
    # class 0: |1 - 2*.5|/2 = 0; class 1: |1 - .5|/2 = .25; class 2: .25
    assert classwise_ece(probs, [0, 1], bins=1) == pytest.approx((0 + 0.25 + 0.25) / 3, abs=1e-15)


def test_adaptive_bins_hold_equal_counts_and_ties_keep_their_order():
    probs, labels = binary(0.6, 0.6, 0.9, 0.7, 0.8), [0, 1, 0, 0, 1]
    # sorted: .6 right, .6 wrong, .7 right | .8 wrong, .9 right
    want = (abs(0.6 + 0.6 + 0.7 - 2) + abs(0.8 + 0.9 - 1)) / 5
    assert adaptive_ece(probs, labels, bins=2) == pytest.approx(want, abs=1e-15)
    # three bins: .6 right, .6 wrong | .7 right, .8 wrong | .9 right
    want = (abs(1.2 - 1) + abs(1.5 - 1) + abs(0.9 - 1)) / 5
    assert adaptive_ece(probs, labels, bins=3) == pytest.approx(want, abs=1e-15)
    single = (0.4 + 0.6 + 0.3 + 0.8 + 0.1) / 5
    assert adaptive_ece(probs, labels, bins=5) == pytest.approx(single, abs=1e-15)
    assert adaptive_ece(probs, labels, bins=50) == pytest.approx(single, abs=1e-15)


def test_one_class_is_always_right():
    ones = np.ones((3, 1))
    for measure in (ece, mce, classwise_ece, adaptive_ece):
        assert measure(ones, [0, 0, 0]) == 0.0


@settings(max_examples=40)
@given(st.integers(0, 1000), st.permutations(range(4)))
def test_the_order_of_classes_and_samples_does_not_matter(seed, order):
    probs, labels = sample(seed, n=30, k=4)
    moved = np.argsort(order)[labels]
    shuffle = np.random.default_rng(seed).permutation(30)
    for measure in (ece, mce, classwise_ece, adaptive_ece):
        value = measure(probs, labels)
        assert 0 <= value <= 1
        assert measure(probs[:, order], moved) == pytest.approx(value, abs=1e-12)
        assert measure(probs[shuffle], labels[shuffle]) == pytest.approx(value, abs=1e-12)


def test_tensors_and_lists_and_float32():
    probs, labels = sample(7)
    want = ece(probs, labels)
    assert ece(torch.from_numpy(probs).requires_grad_(), torch.from_numpy(labels)) == want
    assert ece(probs.tolist(), labels.tolist()) == want
    assert isinstance(want, float)
    assert ece(probs.astype(np.float32), labels.astype(np.int32)) == pytest.approx(want, abs=1e-6)
    assert ece(probs[:, ::-1][:, ::-1], labels) == want


@pytest.mark.parametrize("measure", [reliability, ece, mce, classwise_ece, adaptive_ece])
@pytest.mark.parametrize(
    ("probs", "labels", "message"),
    [
        ([[0.5, 0.6]], [0], r"rows of probs must sum to 1, got a sum of 1\.1"),
        ([[0.5, 0.5002]], [0], r"sum of 1\.0002"),
        ([[1.5, -0.5]], [0], r"probs must be in \[0, 1\], got -0\.5; logits go through softmax first$"),
        ([[1.5, 0.0]], [0], r"rows of probs must sum to 1, got a sum of 1\.5"),
        ([[0.9, -0.1, 0.2]], [0], r"probs must be in \[0, 1\], got -0\.1"),
        ([[0.5, 0.5]], [2], r"labels must be integers in \[0, 2\), got 2"),
        ([[0.5, 0.5]], [-1], r"labels must be integers in \[0, 2\), got -1"),
        ([[0.5, 0.5]], [0, 1], r"labels must have shape \(1,\), got \(2,\)"),
        ([[0.5, 0.5]], [0.0], "labels must have an integer dtype, got float64"),
        ([0.5, 0.5], [0], r"probs must have 2 axes, got shape \(2,\)"),
        (np.zeros((0, 3)), np.zeros(0, dtype=int), r"at least one sample, got shape \(0, 3\)"),
        ([[math.nan, 1.0]], [0], "probs must be finite"),
    ],
)
def test_bad_input_is_named(measure, probs, labels, message):
    with pytest.raises(ValueError, match=message):
        measure(probs, labels)


@pytest.mark.parametrize("measure", [reliability, ece, mce, classwise_ece, adaptive_ece])
@pytest.mark.parametrize("bins", [0, -1, 2.5, True, "15"])
def test_bad_bins_are_named(measure, bins):
    with pytest.raises(ValueError, match=f"bins must be an integer >= 1, got {bins!r}"):
        measure([[0.5, 0.5]], [0], bins=bins)
    assert measure([[0.5, 0.5]], [0], bins=np.int64(3)) is not None


@pytest.mark.parametrize("measure", [reliability, ece, mce, classwise_ece])
def test_bad_edges_are_named(measure):
    with pytest.raises(ValueError, match="edges must be one of 'right', 'left', got 'both'"):
        measure([[0.5, 0.5]], [0], edges="both")


HALF = torch.float16, torch.bfloat16
SCORES = accuracy, adaptive_ece, brier, classwise_ece, ece, error_auroc, mce, nll, overconfidence


@pytest.mark.parametrize("half", HALF)
@pytest.mark.parametrize("k", [2, 10, 100, 1000])
def test_softmax_in_half_precision_is_taken(k, half):
    """The values are those of the same numbers in float64: nothing is divided out."""
    p, y = torch.softmax((3 * torch.randn(500, k)).to(half), 1), torch.randint(k, (500,))
    wide = np.asarray(p.double())
    for score in SCORES:
        assert not math.isnan(score(p, y))
    assert brier(p, y) == pytest.approx(((wide - np.eye(k)[y]) ** 2).sum(1).mean(), abs=1e-12)
    assert mean_confidence(p) == pytest.approx(wide.max(1).mean(), abs=1e-12)
    assert reliability(p, y).count.sum() == 500
    assert risk_coverage(p, y).coverage[-1] == 1.0
    if half is torch.float16:
        assert ece(p.numpy(), y.numpy()) == ece(p, y)


@pytest.mark.parametrize("half", HALF)
def test_no_more_than_half_precision_loses_is_let_pass(half):
    for kind, slack in ((half, 1e-2), (torch.float32, 1e-4), (torch.float64, 1e-4)):
        good = torch.tensor([[0.5, 0.5 + 0.7 * slack]], dtype=kind)
        bad = torch.tensor([[0.5, 0.5 + 2 * slack]], dtype=kind)
        for score in SCORES:
            score(good, [1])
            with pytest.raises(ValueError, match="rows of probs must sum to 1"):
                score(bad, [1])
    # a list has no dtype to excuse it
    with pytest.raises(ValueError, match="rows of probs must sum to 1"):
        ece(torch.tensor([[0.5, 0.504]], dtype=half).tolist(), [1])


def test_sums_may_miss_one_by_a_little():
    assert ece([[0.5, 0.50009]], [1], bins=1) == pytest.approx(1 - 0.50009, abs=1e-12)
    assert ece([[1.00009, 0.0]], [0], bins=10) == pytest.approx(9e-5, abs=1e-12)


def test_public_names_exist():
    assert all(hasattr(calibration, name) for name in calibration.__all__)
