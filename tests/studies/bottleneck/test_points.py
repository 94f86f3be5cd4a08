"""Rivals' targets on the plane: the rate that all share, class means by hand, and a loss of each picture's own."""

import math

import numpy as np
import pytest
import torch

from lsedu import information
from lsedu.studies.bottleneck import points
from lsedu.studies.bottleneck.planes import place, seen
from lsedu.targets import one_hot

LABELS = torch.arange(60) % 3
HARD = one_hot(LABELS, 3, dtype=torch.float64)


def test_every_mixture_has_the_rate_of_uniform_smoothing():
    rate = place(LABELS, 3, 0.3)
    even, share = points.at_rate(HARD, torch.full_like(HARD, 1 / 3), rate)
    assert share == pytest.approx(0.3, abs=1e-9)
    rows = torch.from_numpy(np.random.default_rng(0).dirichlet([2.0] * 3, size=60))
    mixed, _ = points.at_rate(HARD, rows, rate)
    for table in (even, mixed):
        assert information.encoder_information(table, unit="bits") == pytest.approx(rate, abs=1e-9)
    assert points.at_rate(HARD, HARD, rate)[1] == pytest.approx(1.0), "the soft table has no fewer bits than the label"


def test_what_follows_from_the_label_is_on_the_curve_and_what_tells_pictures_apart_is_below():
    table = torch.tensor([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3], [0.1, 0.8, 0.1]], dtype=torch.float64)
    of_label, _ = points.at_rate(HARD, table[LABELS], 1.0)
    of_picture, _ = points.at_rate(HARD, table[torch.arange(60) % 4 % 3], 1.0)
    assert seen(of_label, LABELS, 3)["below"] == pytest.approx(0.0, abs=1e-12)
    found = seen(of_picture, LABELS, 3)
    # below the curve by the bits of the picture that the label does not have
    assert found["below"] == pytest.approx(found["i_x"] - found["i_y"]) and found["below"] > 0.01


def test_means_of_a_class_are_over_its_right_answers_have_nothing_on_the_label_and_sum_to_one():
    answers = torch.tensor([[0.8, 0.1, 0.1], [0.5, 0.4, 0.1], [0.3, 0.6, 0.1], [0.2, 0.2, 0.6]], dtype=torch.float64)
    means = points.class_means(answers.log(), torch.tensor([0, 0, 0, 2]))
    # the third is answered wrongly; of the right ones the means are 0.65, 0.25, 0.1
    assert means[:3] == pytest.approx(np.tile([0.0, 5 / 7, 2 / 7], (3, 1)))
    assert means[3] == pytest.approx(np.array([0.5, 0.5, 0.0]))


def test_a_target_is_found_by_the_place_of_its_picture():
    loss = points.Towards(torch.tensor([[1.0, 0.0], [0.5, 0.5]]))
    logits = torch.tensor([[0.0, 0.0], [math.log(3.0), 0.0]])
    want = -0.5 * (0.5 * math.log(0.5) * 2) - 0.5 * math.log(0.75)
    assert loss(logits, torch.tensor([1, 0])).item() == pytest.approx(want, abs=1e-6)
