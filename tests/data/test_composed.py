import numpy as np
import pytest

from lsedu import data


@pytest.fixture(scope="module")
def fashion():
    return data.load("fashion-mnist-mini", split="test").take(np.arange(200))


def small(n=40, side=8):
    images = np.random.default_rng(0).integers(1, 256, size=(n, side, side), dtype=np.uint8)
    return data.Dataset("small", images, np.arange(n) % 4, tuple("abcd"))


def test_occlusion_draws_the_digit_it_names(fashion):
    digits = small()
    found, nuisance = data.occlude(fashion, digits, seed=1)
    assert (found.images >= fashion.images).all() and (found.labels == fashion.labels).all()
    changed = (found.images != fashion.images).reshape(len(found), -1).any(1)
    assert changed.mean() > 0.9
    assert set(nuisance) == {0, 1, 2, 3}
    again, same = data.occlude(fashion, digits, seed=1)
    np.testing.assert_array_equal(again.images, found.images)
    np.testing.assert_array_equal(nuisance, same)


def test_occlusion_of_black_images_shows_the_digit_whole():
    black = data.Dataset("black", np.zeros((30, 12, 12, 3), np.uint8), np.zeros(30, np.int64), ("x",))
    digits = small()
    found, nuisance = data.occlude(black, digits, seed=0)
    for image, label in zip(found.images, nuisance):
        assert (image[..., 0] == image[..., 2]).all()
        top, left = (int(np.flatnonzero(image[..., 0].any(axis)).min()) for axis in (1, 0))
        patch = image[top : top + 8, left : left + 8, 0]
        (match,) = [i for i, digit in enumerate(digits.images) if (digit == patch).all()]
        assert digits.labels[match] == label
    with pytest.raises(ValueError, match="fit in 12 x 12"):
        data.occlude(black, small(side=13), seed=0)


def test_clutter_keeps_the_digit_in_its_box():
    digits = small(side=10)
    found, boxes = data.clutter(digits, seed=2, size=24, crops=3, crop_size=4)
    assert found.images.shape == (40, 24, 24)
    for image, digit, (top, left, bottom, right) in zip(found.images, digits.images, boxes):
        assert (image[top:bottom, left:right] >= digit).all()
    bare, places = data.clutter(digits, seed=2, size=24, crops=0, crop_size=4)
    np.testing.assert_array_equal(
        bare.images[0, places[0, 0] : places[0, 2], places[0, 1] : places[0, 3]], digits.images[0]
    )
    assert np.count_nonzero(bare.images[0]) == np.count_nonzero(digits.images[0])


def test_swapped_clutter_comes_from_another_class_and_changes_nothing_else():
    shade = np.arange(40) % 4 * 50 + 50
    digits = data.Dataset(
        "flat", np.broadcast_to(shade[:, None, None], (40, 10, 10)).astype(np.uint8), np.arange(40) % 4, tuple("abcd")
    )
    own, boxes = data.clutter(digits, seed=2, size=30, crops=5, crop_size=3)
    swapped, same = data.clutter(digits, seed=2, size=30, crops=5, crop_size=3, swap=True)
    np.testing.assert_array_equal(boxes, same)
    for mine, theirs, value, (top, left, bottom, right) in zip(own.images, swapped.images, shade, boxes):
        outside = np.ones_like(mine, dtype=bool)
        outside[top:bottom, left:right] = False
        np.testing.assert_array_equal(mine > 0, theirs > 0)
        assert set(np.unique(mine[outside])) <= {0, value}
        assert value not in theirs[outside]


def test_symmetric_noise_has_its_rate_and_is_nested():
    labels = np.arange(20_000) % 10
    little, much = (data.symmetric_noise(labels, 10, rate=r, seed=4) for r in (0.2, 0.6))
    assert (little != labels).mean() == pytest.approx(0.2, abs=0.01)
    assert ((much != labels) >= (little != labels)).all()
    wrong = much[(much != labels) & (labels == 0)]
    np.testing.assert_allclose(np.bincount(wrong, minlength=10)[1:] / len(wrong), 1 / 9, atol=0.03)
    np.testing.assert_array_equal(data.symmetric_noise(labels, 10, rate=0.0, seed=4), labels)
    with pytest.raises(ValueError, match="rate"):
        data.symmetric_noise(labels, 10, rate=1.2, seed=0)


def test_annotators_answer_as_their_confusion_says():
    confusion = np.array([[0.7, 0.3, 0.0], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6]])
    labels = np.arange(6000) % 3
    answers, counts = data.annotate(labels, confusion, annotators=5, seed=0)
    assert (counts.sum(1) == 5).all()
    shares = np.stack([counts[labels == k].sum(0) for k in range(3)]) / 10_000
    np.testing.assert_allclose(shares, confusion, atol=0.02)
    np.testing.assert_array_equal(counts[0], np.bincount(answers[0], minlength=3))
    with pytest.raises(ValueError, match="sum to 1"):
        data.annotate(labels, confusion * 2, annotators=5, seed=0)


def test_no_annotator_gives_an_answer_that_has_no_mass():
    confusion = np.array([[1.0 - 9e-6, 0.0, 0.0], [0.25, 0.75 - 9e-6, 0.0], [0.0, 0.0, 1.0]])
    labels = np.repeat([0, 1], 500_000)
    _, counts = data.annotate(labels, confusion, annotators=1, seed=0)
    assert counts[labels == 0].sum(0).tolist() == [500_000, 0, 0] and counts[:, 2].sum() == 0
