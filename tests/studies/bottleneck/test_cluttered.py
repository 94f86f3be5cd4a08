"""Digits among crops of themselves: where maps lie, by hand, and what the study keeps."""

import numpy as np
import pytest
import torch

from lsedu import models
from lsedu.studies.bottleneck import cluttered


def made(*, boxes, labels, ink=()):
    """Scenes of 16 x 16 pixels, black but for the places named (scene, row, column)."""
    x = torch.zeros(len(labels), 1, 16, 16)
    for scene, row, column in ink:
        x[scene, 0, row, column] = 1.0
    return cluttered.Scenes(x, torch.tensor(labels), np.array(boxes))


def test_an_even_map_has_the_frame_s_share_of_the_area_and_density_one_on_the_ground():
    test = made(boxes=[(0, 0, 8, 8)] * 20, labels=[k % 10 for k in range(20)], ink=[(1, 8, 8)])
    found = cluttered.looks(torch.ones(20, 16, 16), test)
    assert {name: value for name, value in found.items() if name.startswith("box")} == {
        name: 0.25 for name in ("box", "box/others", *(f"box/{k}" for k in range(10)))
    }
    assert found["ground/1"] == found["ground/others"] == 1.0


def test_where_maps_lie_is_told_by_class():
    # the only ink of each scene is at (4, 4): ground is what is more than four pixels from it
    labels = [*range(10), 1, 2]
    test = made(boxes=[(2, 4, 10, 12)] * 12, labels=labels, ink=[(i, 4, 4) for i in range(12)])
    maps = torch.zeros(12, 16, 16)
    maps[:, 2, 4] = 256.0
    maps[1] = maps[10] = 0.0
    maps[1, 15, 15] = maps[10, 2, 11] = 256.0  # of the ones the first lies outside, the other on ground in the frame
    found = cluttered.looks(maps, test)
    assert found["box/1"] == 0.5 and found["box/2"] == found["box/others"] == 1.0
    assert found["box"] == pytest.approx(11 / 12)
    assert found["ground/others"] == 0.0 and found["ground/1"] == pytest.approx(256 / (256 - 81))


def test_maps_are_aligned_to_the_frame_and_averaged_where_scenes_reach():
    boxes = [(0, 0, 8, 8), (8, 4, 16, 12)]
    maps = torch.zeros(2, 16, 16)
    for one, (top, left, *_) in zip(maps, boxes):
        one[top : top + 4, left : left + 4] = 16.0
    found = cluttered.aligned(maps, made(boxes=boxes, labels=[3, 3]))
    assert found.shape == (10, 6, 6)
    assert found[3, 2, 2] == 16.0 and found[3].sum() == 16.0
    assert (found[[0, 1, 2, 4, 5, 6, 7, 8, 9]] == 0).all()


def test_maps_of_mean_one_also_where_there_is_no_saliency():
    images = torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    model = models.build(cluttered.network, seed=0, images=images, kind="small", width=4).eval()
    maps = cluttered.saliency(model, images)
    assert maps.shape == (3, 16, 16) and torch.allclose(maps.mean((1, 2)), torch.ones(3), atol=1e-5)
    with torch.no_grad():
        model.head.weight.zero_()
    assert torch.equal(cluttered.saliency(model, images), torch.ones(3, 16, 16))


def test_the_larger_network_is_that_of_the_paper_with_maps_of_14_by_14():
    images = torch.rand(2, 1, 56, 56, generator=torch.Generator().manual_seed(0))
    made = models.build(cluttered.network, seed=0, images=images, kind="resnet-20", width=0).eval()
    assert sum(p.numel() for p in made.parameters()) == 269_722 - 2 * 9 * 16
    assert made.body[1][:-2](images).shape == (2, 64, 14, 14)
    assert cluttered.saliency(made, images).shape == (2, 56, 56)


def test_the_swap_changes_the_clutter_alone(smoke):
    found = smoke("cluttered")
    digits = cluttered.data.load("fashion-mnist-mini", split="test").take(np.arange(40))
    plain, other, alone = (
        cluttered.scenes(digits, seed=5, side=56, device="cpu", **options)
        for options in ({}, {"swap": True}, {"crops": 0})
    )
    for one, two, bare, (top, left, bottom, right) in zip(plain.x, other.x, alone.x, plain.boxes):
        whole = bare[0, top:bottom, left:right]
        assert torch.count_nonzero(bare) == torch.count_nonzero(whole) > 0 and not torch.equal(one, two)
        assert (one[0, top:bottom, left:right] >= whole).all() and (two[0, top:bottom, left:right] >= whole).all()
    for alpha in ("0.0", "0.1"):
        answers, labels = found.arrays[f"{alpha}/answers"], found.arrays["labels"]
        assert (answers == labels).mean() == pytest.approx(found.results[f"{alpha}/accuracy"])
        assert (found.arrays[f"{alpha}/swapped"] != answers).mean() == pytest.approx(found.results[f"{alpha}/changed"])
