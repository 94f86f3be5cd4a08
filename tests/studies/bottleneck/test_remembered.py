"""Scenes: what a swap changes and what it leaves, what is shown, and what the record keeps of them."""

import dataclasses

import numpy as np
import pytest
import torch

from lsedu.studies.bottleneck import remembered
from lsedu.studies.bottleneck._frames import inside
from lsedu.studies.bottleneck.remembered import CORNER, SHOWN_SEED, WAYS


@pytest.fixture(scope="module")
def ways():
    pictures = remembered.held_out(200)
    return {way: remembered.scenes(pictures, seed=3, swapped=way) for way in WAYS}


def test_a_swapped_corner_is_of_another_class_and_all_else_is_the_same(ways):
    plain, corner = ways["nothing"], ways["corner"]
    assert (corner.corners != plain.corners).all()
    rest = np.ones((28, 28), dtype=bool)
    rest[:CORNER, :CORNER] = False
    assert (corner.images[:, rest] == plain.images[:, rest]).all()
    assert (corner.boxes == plain.boxes).all() and (corner.labels == plain.labels).all()


def test_swapped_clutter_leaves_corner_and_whole_piece(ways):
    plain, clutter = ways["nothing"], ways["clutter"]
    assert (clutter.images[:, :CORNER, :CORNER] == plain.images[:, :CORNER, :CORNER]).all()
    assert (clutter.corners == plain.corners).all() and (clutter.boxes == plain.boxes).all()
    halves = remembered.halved(remembered.held_out(200).images)
    for scene, (top, left, bottom, right), half in zip(clutter.images, clutter.boxes, halves, strict=True):
        covered = np.zeros((28, 28), dtype=bool)
        covered[:CORNER, :CORNER] = True
        free = ~covered[top:bottom, left:right]
        assert (scene[top:bottom, left:right][free] >= half[free]).all()
    assert (clutter.images != plain.images).any((1, 2)).all()


def test_the_corner_shows_a_piece_of_the_class_it_is_said_to_be(ways):
    pictures = remembered.held_out(200)
    quarters = remembered.halved(remembered.halved(pictures.images))
    for scenes in ways.values():
        same = (scenes.images[:, None, :CORNER, :CORNER] == quarters[None]).all((2, 3))
        assert same.any(1).all() and (pictures.labels[same.argmax(1)] == scenes.corners).all()


def test_corner_and_label_are_independent_and_all_classes_there():
    scenes = remembered.scenes(remembered.held_out(2000), seed=remembered.TEST_SEED)
    table = np.zeros((10, 10))
    np.add.at(table, (scenes.labels, scenes.corners), 1)
    # chi squared with 81 degrees of freedom: beyond 126 once in a thousand
    assert table.min() > 5 and ((table - 20) ** 2 / 20).sum() < 126


def test_a_saliency_map_is_seen_where_it_is():
    boxes = np.array([[2, 3, 16, 17], [0, 0, 14, 14]])
    masks = inside(boxes, remembered.SIDE)
    assert remembered.share(torch.ones(2, 28, 28), boxes) == pytest.approx(0.25)
    assert remembered.share(torch.from_numpy(masks.astype(float)), boxes) == 1.0
    empty = torch.zeros(2, 28, 28)
    assert remembered.share(empty, boxes) == 0.0
    empty[0, 2, 3] = 1.0
    assert remembered.share(empty, boxes) == 1.0


def test_features_are_kept_to_half_a_step():
    values = torch.tensor([[0.0, 3.0, 0.0], [0.7, 1.0, 0.0], [5.1, 0.2, 0.0]])
    whole, steps = remembered.small(values)
    assert whole.dtype == np.uint8 and steps[2] == 0.0
    assert np.abs(whole * steps - values.numpy()).max() <= steps.max() / 2 * 1.001


def test_of_one_seed_a_few_scenes_are_shown_with_maps_and_answers(smoke):
    found = smoke("remembered")
    assert not any("shown" in name for name in found.arrays)
    study = found.study
    config = dataclasses.replace(study.configs["smoke"], train_size=100, test_size=60, kept=20, shown=6)
    arrays = study.measure(config, SHOWN_SEED, device="cpu", workdir=None, progress=False).arrays
    chosen = arrays["shown/scenes"]
    for alpha in config.alphas:
        answers = arrays[f"{alpha}/answers"]
        assert answers.shape == (3, 60) and arrays[f"{alpha}/features"].shape == (20, 32)
        assert (arrays[f"{alpha}/shown/probabilities"].argmax(1) == answers[0, chosen]).all()
        assert (arrays[f"{alpha}/shown/swapped"].argmax(1) == answers[1, chosen]).all()
        assert arrays[f"{alpha}/shown/maps"].shape == arrays[f"{alpha}/shown/swapped_maps"].shape == (6, 28, 28)


def test_the_answers_that_are_kept_give_the_results(smoke):
    found = smoke("remembered")
    config = found.study.configs["smoke"]
    labels = remembered.held_out(config.test_size).labels
    for alpha in config.alphas:
        plain, clutter, corner = found.arrays[f"{alpha}/answers"]
        assert found.results[f"{alpha}/accuracy"] == pytest.approx((plain == labels).mean())
        assert found.results[f"{alpha}/clutter/drop"] == pytest.approx(
            (plain == labels).mean() - (clutter == labels).mean()
        )
        assert found.results[f"{alpha}/corner/changed"] == pytest.approx((plain != corner).mean())
