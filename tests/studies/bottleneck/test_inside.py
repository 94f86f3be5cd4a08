"""Layers of networks that saw turned pictures: turns, directions and what an answer tells, by hand."""

import numpy as np
import pytest
import torch

from lsedu import models
from lsedu.studies.bottleneck import inside


def test_a_picture_is_turned_by_the_quarters_that_are_said():
    images = torch.rand(40, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    found, turns = inside.turned(images, seed=3)
    assert set(turns.tolist()) == {0, 1, 2, 3}
    for image, before, turn in zip(found, images, turns, strict=True):
        assert np.array_equal(image[0].numpy(), np.rot90(before[0].numpy(), int(turn)))
    again, others = inside.turned(images, seed=3), inside.turned(images, seed=4)
    assert torch.equal(again[1], turns) and not torch.equal(others[1], turns)


def test_the_rank_is_that_of_the_directions_used():
    rng = np.random.default_rng(0)
    q, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    axes = np.concatenate([np.eye(8), -np.eye(8)])
    # three directions alike, in any basis and around any centre
    alike = torch.from_numpy(axes[:, :] * np.array([2.0] * 3 + [0.0] * 5) @ q + 7.0)
    assert inside.effective_rank(alike) == pytest.approx(3.0, abs=1e-9)
    shares = np.array([0.5, 0.25, 0.125, 0.125, 0, 0, 0, 0])
    unlike = torch.from_numpy(axes * np.sqrt(shares) @ q)
    assert inside.effective_rank(unlike) == pytest.approx(2**1.75, abs=1e-9)
    assert inside.effective_rank(torch.full((5, 3), 2.0)) == 0.0


def test_rows_that_differ_tell_their_pictures_apart_and_equal_ones_do_not():
    rows = torch.tensor([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0], [2.0, 0.0]])
    assert inside.different(rows) == 1.5 and inside.different(rows[1:]) == pytest.approx(np.log2(3))


def test_the_places_are_the_layers_in_their_order():
    model = models.build(models.mlp, seed=0, shape=(1, 2, 2), hidden=(5, 4, 3), num_classes=2)
    x = torch.rand(6, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    found = inside.layers(model, x)
    assert tuple(found) == inside.PLACES
    assert [found[place].shape[1] for place in inside.PLACES] == [5, 4, 3, 2]
    assert torch.equal(found["layer3"], model.features(x)) and torch.equal(found["answer"], model(x).softmax(1))


def test_what_an_answer_tells_by_hand():
    labels, turns = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])
    by_label = torch.eye(2)[labels]
    assert inside.told(by_label, labels, turns, 2) == {"i_x": 1.0, "i_y": 1.0, "i_turn": 0.0, "accuracy": 1.0}
    by_turn = torch.eye(2)[turns]
    assert inside.told(by_turn, labels, turns, 2) == {"i_x": 1.0, "i_y": 0.0, "i_turn": 1.0, "accuracy": 0.5}


def test_a_nuisance_has_no_more_room_in_an_answer_than_the_plane_leaves(smoke):
    found = smoke("inside").results
    for alpha in inside.ALPHAS:
        told = {key: found[f"{alpha}/train/{key}"] for key in ("i_x", "i_y", "i_turn")}
        assert told["i_turn"] >= 0 and told["i_y"] <= told["i_x"] <= np.log2(10)
        # label and turn of 100 drawn pictures are not quite independent: the bound holds to what they share
        assert told["i_turn"] <= told["i_x"] - told["i_y"] + 0.3
    kinds = {key.split("/")[0] for key in found}
    assert kinds == {"untrained", *(str(alpha) for alpha in inside.ALPHAS)}


def test_probes_see_what_is_there_and_not_what_is_not():
    rng = np.random.default_rng(0)
    turns = torch.from_numpy(rng.integers(4, size=400))
    shown = torch.nn.functional.one_hot(turns, 4).float()
    noise = torch.from_numpy(rng.normal(size=(400, 4)).astype(np.float32))
    options = {"epochs": 20, "seed": 0}
    there = inside.probed(shown[:200], shown[200:], turns[:200], turns[200:], **options)
    assert there["linear"] == 1.0 and there["network"] > 0.9
    gone = inside.probed(noise[:200], noise[200:], turns[:200], turns[200:], **options)
    assert max(gone.values()) < 0.4
