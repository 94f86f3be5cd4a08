import math
import sys

import numpy as np
import pytest
import sklearn.linear_model
import sklearn.metrics
import torch
from scipy.spatial.distance import cdist
from torch import nn

from lsedu import analysis
from lsedu.analysis import (
    centre_distances,
    class_centres,
    compactness,
    distance_spread,
    grad_cam,
    linear_probe,
    membership_auc,
    mlp_probe,
    saliency_share,
    swap_test,
)

# --- centres


def test_centres_are_means_and_unseen_classes_are_nan():
    rng = np.random.default_rng(0)
    f, y = rng.normal(size=(40, 3)), rng.integers(0, 4, 40)
    centres = class_centres(torch.from_numpy(f), torch.from_numpy(y), 5)
    for k in range(4):
        np.testing.assert_allclose(centres[k], f[y == k].mean(0), atol=1e-14)
    assert np.isnan(centres[4]).all()


def test_distances_agree_with_scipy_row_by_row():
    c = np.random.default_rng(1).normal(size=(5, 7))
    raw = cdist(c, c, "cosine")
    np.testing.assert_allclose(centre_distances(c, normalise=False), raw, atol=1e-14)
    got = centre_distances(c)
    np.testing.assert_allclose(got, raw / raw.sum(1, keepdims=True), atol=1e-14)
    assert (np.diag(got) == 0).all()
    np.testing.assert_allclose(centre_distances(3.0 * c), got, atol=1e-13)


def test_small_angles_keep_their_digits_and_parallel_centres_have_no_distance():
    angle = 1e-5
    near = centre_distances([[1.0, 0.0], [math.cos(angle), math.sin(angle)]], normalise=False)
    assert near[0, 1] == pytest.approx(2 * math.sin(angle / 2) ** 2, rel=1e-9)
    parallel = np.outer([1.0, 3.0, 7.0, 0.1], np.random.default_rng(0).normal(size=5))
    assert (centre_distances(parallel) == 0).all()
    assert (centre_distances(torch.from_numpy(parallel).requires_grad_()) == 0).all()


def test_a_missing_class_does_not_touch_the_others():
    c = np.random.default_rng(2).normal(size=(4, 3))
    holed = np.insert(c, 2, np.nan, axis=0)
    got = centre_distances(holed)
    assert np.isnan(got[2]).all() and np.isnan(got[:, 2]).all()
    keep = [0, 1, 3, 4]
    np.testing.assert_allclose(got[np.ix_(keep, keep)], centre_distances(c), atol=1e-14)
    assert distance_spread(holed) == pytest.approx(distance_spread(c), abs=1e-12)


def test_spread_is_zero_for_a_simplex_and_not_otherwise():
    assert distance_spread(np.eye(5)) == pytest.approx(0, abs=1e-12)
    # rows (0, 1/3, 2/3), (1/2, 0, 1/2), (2/3, 1/3, 0): mean 1/2, variance 1/54
    assert distance_spread([[1, 0], [0, 1], [-1, 0]]) == pytest.approx(2 * math.sqrt(1 / 54), abs=1e-12)
    assert math.isnan(distance_spread([[1.0, 0.0]]))
    assert centre_distances([[1.0, 0.0], [2.0, 0.0]]).tolist() == [[0, 0], [0, 0]]


def test_compactness_splits_the_variance():
    rng = np.random.default_rng(3)
    f, y = rng.normal(size=(50, 4)), rng.integers(0, 3, 50)
    got = compactness(f, y, 3)
    assert got.within + got.between == pytest.approx(f.var(0).sum(), abs=1e-12)
    assert got.ratio == pytest.approx(got.within / got.between, abs=1e-15)
    assert compactness([[1.0], [1.0]], [0, 1], 2).ratio == math.inf


def test_centres_all_at_one_place_have_no_scatter_between_whatever_rounding_leaves():
    for value in (0.1, 1e6 / 3, -7e-9):
        f = np.full((7, 2), value)
        got = compactness(f, [0, 0, 0, 1, 1, 2, 2], 3)
        assert (got.within, got.between, got.ratio) == (pytest.approx(0, abs=1e-24), 0.0, math.inf)


def test_very_long_and_very_short_centres_keep_their_angles():
    c = np.random.default_rng(0).normal(size=(4, 3))
    for scale in (1e-200, 1e200):
        np.testing.assert_allclose(centre_distances(scale * c), centre_distances(c), atol=1e-14)
    with pytest.raises(ValueError, match="zero vector, got one in row 2"):
        centre_distances([[1.0, 0.0], [math.nan, math.nan], [0.0, 0.0]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: class_centres([1.0], [0], 1), "features must have 2 axes"),
        (lambda: class_centres([[1.0]], [1], 1), r"labels must be integers in \[0, 1\), got 1"),
        (lambda: class_centres([[1.0]], [0], 0), "num_classes must be an integer >= 1, got 0"),
        (lambda: centre_distances([[0.0, 0.0], [1.0, 0.0]]), "zero vector, got one in row 0"),
        (lambda: centre_distances([1.0]), "centres must have 2 axes"),
        (lambda: centre_distances([[math.inf]]), "got an infinity"),
        (lambda: compactness(np.zeros((0, 2)), [], 2), "at least one sample"),
        (lambda: membership_auc([], [1.0]), "member_losses must hold at least one loss"),
        (lambda: membership_auc([1.0], []), "other_losses must hold at least one loss"),
        (lambda: membership_auc([math.inf], [1.0]), "member_losses must be finite"),
        (lambda: swap_test([[1.0, 0.0]], [[1.0]], [0]), r"must have one shape, got \(1, 2\) and \(1, 1\)"),
        (lambda: swap_test(np.zeros((0, 2)), np.zeros((0, 2)), []), "at least one sample"),
        (lambda: swap_test([[1.0]], [[1.0]], [1]), r"labels must be integers in \[0, 1\), got 1"),
        (lambda: saliency_share([[[-1.0]]], [[True]]), "maps must be >= 0, got -1"),
        (lambda: saliency_share([[[1.0]]], [[1]]), "region must be boolean, got int64"),
        (lambda: saliency_share([[[1.0]]], [[True, False]]), r"region must have shape \(1, 1\)"),
        (lambda: linear_probe([[0.0]], [0], [[0.0, 1.0]], [0]), "test features must have 1 columns"),
        (lambda: linear_probe(np.zeros((0, 1)), [], [[0.0]], [0]), "train features must hold at least one sample"),
        (lambda: linear_probe([[0.0]], [-1], [[0.0]], [0]), "train labels must be integers"),
        (lambda: linear_probe([[0.0]], [0], [[0.0]], [0], penalty=0), "penalty must be in"),
        (
            lambda: linear_probe([[0.0]], [0], [[0.0]], [0], max_iterations=0),
            "max_iterations must be at least 1, got 0",
        ),
        (lambda: linear_probe([[0.0]], [0], [[0.0]], [0], max_iterations=1.5), "max_iterations must be an integer"),
        (lambda: mlp_probe([[0.0]], [0], [[0.0]], [0], device="no"), "device must be a device of this machine"),
        (lambda: centre_distances([["a"]]), "centres must be numeric with 2 axes, got list"),
        (lambda: saliency_share([[[1.0]]], torch.ones(1, 1).bfloat16()), "region must be boolean, got float32"),
        (lambda: mlp_probe([[0.0]], [0], [[0.0]], [0], generator=3), r"generator must be a torch\.Generator, got int"),
        (
            lambda: grad_cam(nn.Flatten(), torch.zeros(1, 1, 2, 2, dtype=torch.uint8), layer="x"),
            r"images must have a floating-point dtype, got torch\.uint8",
        ),
        (lambda: grad_cam(nn.Flatten(), None, layer="x"), r"images must be a tensor of shape .* got NoneType"),
        (lambda: mlp_probe([[0.0]], [0], [[0.0]], [0], hidden=0), "hidden must be an integer >= 1, got 0"),
        (lambda: mlp_probe([[0.0]], [0], [[0.0]], [0], lr=0), "lr must be in"),
        (
            lambda: grad_cam(nn.Flatten(), torch.zeros(1, 2), layer="x"),
            r"images must be a tensor of shape \(N, C, H, W\)",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- membership and swap


def test_membership_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    inside, outside = rng.exponential(1.0, 70).round(1), rng.exponential(1.5, 50).round(1)
    want = sklearn.metrics.roc_auc_score(np.r_[np.ones(70), np.zeros(50)], -np.r_[inside, outside])
    assert membership_auc(inside, outside) == pytest.approx(want, abs=1e-12)
    assert membership_auc([0.0], [1.0]) == 1.0
    assert membership_auc([1.0], [0.0]) == 0.0
    assert membership_auc([1.0, 1.0], [1.0]) == 0.5
    # a list of losses as a loop collects them, some in half precision
    collected = [torch.tensor(0.5, requires_grad=True), torch.tensor(2.0).bfloat16()]
    assert membership_auc(collected, [1.0, 3.0]) == 0.75


def test_swap_by_hand():
    before = [[2, 1, 0], [0, 2, 1], [0, 1, 2], [2, 0, 0]]
    after = [[2, 1, 0], [2, 0, 1], [0, 2, 1], [0, 2, 0]]
    got = swap_test(before, after, [0, 1, 2, 1])
    assert (got.accuracy, got.swapped, got.drop, got.changed) == (0.75, 0.5, 0.25, 0.75)
    same = swap_test(before, before, [0, 1, 2, 1])
    assert (same.drop, same.changed) == (0.0, 0.0)


# --- probes


def test_the_linear_probe_is_logistic_regression():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5)) * [1, 2, 3, 0.1, 10] + 4
    y = (x[:, :3] + rng.normal(size=(200, 3))).argmax(1)
    got = linear_probe(x[:150], y[:150], x[150:], y[150:], penalty=1e-2)
    scaled = (x - x[:150].mean(0)) / x[:150].std(0)
    want = sklearn.linear_model.LogisticRegression(C=1 / (1e-2 * 150), tol=1e-10, max_iter=5000).fit(
        scaled[:150], y[:150]
    )
    assert got.train_accuracy == pytest.approx(want.score(scaled[:150], y[:150]), abs=1e-12)
    assert got.test_accuracy == pytest.approx(want.score(scaled[150:], y[150:]), abs=1e-12)
    q = got.predict(torch.from_numpy(x[150:])).softmax(1).numpy()
    np.testing.assert_allclose(q, want.predict_proba(scaled[150:]), atol=1e-5)


def test_a_constant_feature_and_an_unseen_test_label_do_no_harm():
    x = np.c_[np.arange(6.0), np.ones(6)]
    got = linear_probe(x, [0, 0, 0, 1, 1, 1], x, [0, 0, 0, 1, 1, 7])
    assert got.train_accuracy == 1.0
    assert got.test_accuracy == pytest.approx(5 / 6)


def test_the_mlp_probe_reads_what_a_line_cannot_and_obeys_its_generator():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=(300, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(int)

    def run(seed):
        return mlp_probe(x[:200], y[:200], x[200:], y[200:], hidden=32, epochs=60, batch=50, lr=0.01,
                         generator=torch.Generator().manual_seed(seed))  # fmt: skip

    assert linear_probe(x[:200], y[:200], x[200:], y[200:]).test_accuracy < 0.7
    first = run(0)
    assert first.test_accuracy > 0.9
    points = torch.from_numpy(x[200:])
    assert torch.equal(first.predict(points), run(0).predict(points))
    assert not torch.equal(first.predict(points), run(1).predict(points))


def test_a_feature_constant_but_for_rounding_is_constant():
    x = np.c_[np.arange(6.0), np.full(6, 0.1) + 1e-17 * np.arange(6), np.full(6, 1e9) * (1 + 1e-16 * np.arange(6))]
    assert x[:, 2].std() > 0
    got = linear_probe(x, [0, 0, 0, 1, 1, 1], x * [1, 1 + 1e-9, 1 + 1e-9], [0, 0, 0, 1, 1, 1])
    assert got.test_accuracy == 1.0


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64, list, torch.uint8])
def test_probes_take_labels_and_features_of_every_kind(kind):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 3))
    y = (x[:, 0] > 0).astype(int)
    labels = y.tolist() if kind is list else torch.from_numpy(y).to(kind) if kind is torch.uint8 else y.astype(kind)
    want = linear_probe(x, y, x, y).predict(x)
    for features in (
        x,
        x.tolist(),
        torch.from_numpy(x).requires_grad_(),
        np.asfortranarray(x),
        np.array(x[::-1, ::-1])[::-1, ::-1],
    ):
        probe = linear_probe(features, labels, features, labels)
        torch.testing.assert_close(probe.predict(features), want, atol=1e-7, rtol=0)
    assert linear_probe(torch.from_numpy(x).bfloat16(), labels, x, labels).predict(x).dtype == torch.float64
    with pytest.raises(ValueError, match=r"^features must have 2 axes, got shape \(3,\)"):
        probe.predict(x[0])
    with pytest.raises(ValueError, match=r"^features must have 3 columns like the train features, got 2"):
        probe.predict(x[:, :2])


# --- saliency


def test_share_of_a_region():
    maps = np.zeros((3, 4, 4))
    maps[0] = 1.0
    maps[1, 0, 0] = 5.0
    region = np.zeros((4, 4), dtype=bool)
    region[:2, :2] = True
    got = saliency_share(torch.from_numpy(maps), torch.from_numpy(region))
    assert got[:2].tolist() == [0.25, 1.0]
    assert math.isnan(got[2])
    each = np.stack([region, ~region, region])
    assert saliency_share(maps, each)[:2].tolist() == [0.25, 0.0]


def test_grad_cam_is_the_weighted_activation():
    """With one linear layer after global pooling, the map is relu(sum_c w[k, c] / (h w) * activation_c)."""
    torch.manual_seed(0)
    conv, head = nn.Conv2d(1, 3, 3, padding=1), nn.Linear(3, 2)
    model = nn.Sequential(conv, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head).train()
    images = torch.randn(4, 1, 6, 6)
    classes = torch.tensor([0, 1, 1, 0])
    got = grad_cam(model, images, layer=conv, classes=classes)
    want = torch.einsum("nc,nchw->nhw", head.weight[classes] / 36, conv(images)).relu().detach()
    torch.testing.assert_close(got, want, atol=1e-6, rtol=1e-5)
    assert model.training
    top = model(images).argmax(1)
    torch.testing.assert_close(grad_cam(model, images, layer="0"), grad_cam(model, images, layer="0", classes=top))
    with pytest.raises(ValueError, match="classes must be integers"):
        grad_cam(model, images, layer=conv, classes=torch.tensor([0, 1, 2, 0]))
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("kind", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_grad_cam_takes_classes_of_every_integer_kind_made_in_any_mode(kind):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Flatten(), nn.Linear(2 * 16, 3))
    images, classes = torch.randn(3, 1, 4, 4), torch.tensor([0, 2, 1])
    want = grad_cam(model, images, layer="0", classes=classes)
    assert torch.equal(grad_cam(model, images, layer="0", classes=classes.to(kind)), want)
    with torch.inference_mode():
        inside = grad_cam(model, images.clone(), layer="0", classes=classes.to(kind, copy=True))
    assert torch.equal(inside, want)


def test_grad_cam_grows_to_the_image():
    model = nn.Sequential(nn.Conv2d(1, 2, 2, stride=2), nn.Flatten(), nn.Linear(2 * 16, 3))
    assert grad_cam(model, torch.randn(2, 1, 8, 8), layer="0").shape == (2, 8, 8)


@pytest.mark.parametrize("inplace", [False, True])
def test_grad_cam_agrees_with_torchcam(inplace):
    from torchcam.methods import GradCAM

    torch.manual_seed(1)
    conv = nn.Conv2d(2, 4, 3, padding=1)
    model = nn.Sequential(conv, nn.ReLU(inplace), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 9, 3)).eval()
    images, classes = torch.randn(5, 2, 6, 6), [0, 2, 1, 1, 0]
    outer = nn.Sequential(conv, nn.ReLU(), *model[2:])  # torchcam sees what an in-place step has left
    with GradCAM(outer, target_layer="0", input_shape=(2, 6, 6)) as extractor:
        want = extractor(classes, outer(images.requires_grad_()), normalized=False)[0]
    got = grad_cam(model, images, layer="0", classes=torch.tensor(classes))
    torch.testing.assert_close(got, want.detach(), atol=1e-6, rtol=1e-5)


def test_grad_cam_needs_no_other_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcam", None)
    monkeypatch.setitem(sys.modules, "torchcam.methods", None)
    assert grad_cam(nn.Sequential(nn.Conv2d(1, 2, 2), nn.Flatten()), torch.ones(1, 1, 2, 2), layer="0").shape == (
        1,
        2,
        2,
    )


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("2", "such as '1', got '2'"),
        (nn.ReLU(), "a module of the model or its name.* got ReLU"),
        ("1", r"layer must give maps of shape \(N, F, h, w\), got \(1, 8\)"),
    ],
)
def test_grad_cam_names_a_layer_that_does_not_fit(layer, message):
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Flatten())
    with pytest.raises(ValueError, match=message):
        grad_cam(model, torch.ones(1, 1, 2, 2), layer=layer)


def test_public_names_exist():
    assert all(hasattr(analysis, name) for name in analysis.__all__)
