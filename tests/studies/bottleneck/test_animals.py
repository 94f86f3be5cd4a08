"""Two kinds on two grounds: pictures, grounds and scores by hand."""

import numpy as np
import pytest
import torch

from lsedu.studies.bottleneck import animals


def test_a_ground_is_seen_where_there_is_no_ink_and_nowhere_else():
    image = np.zeros((1, 6, 6), dtype=np.uint8)
    image[0, 2:4, 2:4] = 200
    sand, grass = (animals.composed(image, np.array([ground]), seed=1)[0] for ground in (0, 1))
    ink = image[0] > 0
    assert sand.shape == (6, 6, 3) and (sand[ink] == 200).all() and (grass[ink] == 200).all()
    # sand is redder than green, grass the other way, whatever the light
    assert (sand[~ink][:, 0] > sand[~ink][:, 1]).all() and (grass[~ink][:, 0] < grass[~ink][:, 1]).all()
    # light and texture are the same on both
    shift = sand[~ink].astype(int) - grass[~ink].astype(int)
    assert (shift == animals.GROUNDS[0] - animals.GROUNDS[1]).mean() > 0.9


@pytest.mark.parametrize("usual", [0.95, 0.5, 1.0])
def test_the_share_on_the_usual_ground_is_that_asked_for_in_each_kind(usual):
    labels = np.repeat([0, 1, 0], 20)
    grounds = animals.dealt(labels, usual=usual, seed=0)
    for kind, size in ((0, 40), (1, 20)):
        assert (grounds[labels == kind] == kind).mean() == pytest.approx(usual, abs=0.5 / size)
    assert usual in (0.5, 1.0) or not np.array_equal(grounds, animals.dealt(labels, usual=usual, seed=1))


def test_scores_by_hand():
    labels = torch.tensor([0, 0, 1, 1])
    right = torch.tensor([[True, True, True, False], [True, False, False, False]])
    found = animals.scored(right, right[0] == right[1], labels)
    assert found == {"usual": 0.75, "wrong": 0.25, "gap": 0.5, "worst": 0.0, "follow": 0.5}


def test_the_two_kinds_are_there_in_equal_numbers():
    config = animals.EXPERIMENT.configs["smoke"]
    images, labels = animals.two_kinds("train", config, 60, seed=0)
    assert images.shape == (60, 28, 28) and np.bincount(labels).tolist() == [30, 30]


def test_a_share_of_answers_follows_the_ground_or_does_not(smoke):
    found = smoke("animals").results
    for name in (*animals.ALPHAS, "balanced"):
        at = {key: found[f"{name}/{key}"] for key in ("usual", "wrong", "gap", "worst", "follow")}
        assert at["worst"] <= min(at["usual"], at["wrong"]) and abs(at["gap"]) <= at["follow"]
