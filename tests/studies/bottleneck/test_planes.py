"""Planes of trained networks: points, erasure and twins by hand."""

import math

import numpy as np
import pytest
import torch

from lsedu import information, models
from lsedu.studies import _networks
from lsedu.studies.bottleneck import planes
from lsedu.studies.bottleneck.planes import ALPHAS


def test_a_point_and_its_distance_to_the_curve_by_hand():
    labels = torch.tensor([0, 0, 1, 1])
    sure = torch.eye(2, dtype=torch.float64)[labels]
    whole = {"i_x": 1.0, "i_y": 1.0, "below": 0.0, "drawn": 1.0, "accuracy": 1.0}
    assert planes.seen(sure, labels, 2) == whole
    # each class half right: Z tells the picture by one bit, of its label nothing
    crossed = torch.eye(2, dtype=torch.float64)[[0, 1, 0, 1]]
    assert planes.seen(crossed, labels, 2) == {"i_x": 1.0, "i_y": 0.0, "below": 1.0, "drawn": 0.5, "accuracy": 0.5}


def test_erasing_multiplies_both_informations_and_guesses_for_what_is_erased():
    rng = np.random.default_rng(0)
    found = torch.from_numpy(rng.dirichlet([0.3] * 4, size=60))
    labels = torch.arange(60) % 4
    before = planes.seen(found, labels, 4)
    rows, keep = planes.erased(found, 0.25 * before["i_x"])
    after = planes.seen(rows, labels, 4)
    assert keep == pytest.approx(0.25, abs=1e-12)
    assert after["i_x"] == pytest.approx(0.25 * before["i_x"], abs=1e-12)
    assert after["i_y"] == pytest.approx(0.25 * before["i_y"], abs=1e-12)
    assert after["drawn"] == pytest.approx(0.25 * before["drawn"] + 0.75 / 4, abs=1e-12)
    assert after["accuracy"] == before["accuracy"]
    assert planes.erased(found, before["i_x"] + 1)[1] == 1.0


def test_the_loss_that_erases_is_least_where_the_label_is_kept_as_often_as_asked():
    labels = torch.tensor([0, 1])
    best = torch.tensor([[0.3, 1e-30, 0.7], [1e-30, 0.3, 0.7]], dtype=torch.float64).log().requires_grad_()
    loss = planes.erasing(best, labels, keep=0.3)
    assert loss.item() == pytest.approx(-0.3 * math.log(0.3) - 0.7 * math.log(0.7))
    (slope,) = torch.autograd.grad(loss, best)
    assert slope.abs().max() < 1e-12


@pytest.mark.parametrize("unequal", [(3, 3, 3), (6, 2, 1)])
def test_the_place_of_the_optimum_goes_with_the_class_counts(unequal):
    labels = torch.repeat_interleave(torch.arange(3), torch.tensor(unequal))
    assert planes.place(labels, 3, 0.0) == pytest.approx(information.entropy(np.array(unequal) / 9, unit="bits"))
    rows = 0.7 * np.eye(3)[labels] + 0.1
    assert planes.place(labels, 3, 0.3) == pytest.approx(information.encoder_information(rows, unit="bits"), abs=1e-12)


def test_the_larger_network_is_that_of_the_paper():
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    kind = planes.EXPERIMENT.configs["gpu"].network
    made = models.build(_networks.standardising, seed=0, images=images, kind=kind, hidden=(), num_classes=10)
    assert sum(p.numel() for p in made.parameters()) == 269_722 and made(images).shape == (4, 10)


def test_at_every_strength_erasure_tells_as_much_of_the_picture_as_smoothing_does(smoke):
    found = smoke("planes").results
    for alpha in ALPHAS:
        asked = min(found[f"{alpha}/test/i_x"], found["0.0/test/i_x"])
        assert found[f"{alpha}/erased/i_x"] == pytest.approx(asked, abs=1e-9)
        assert found[f"{alpha}/erased/accuracy"] == found["0.0/test/accuracy"]
    # three steps do not learn: no point is near the curve's end
    assert found["0.0/off"] < -1 and abs(found["0.9/off"]) < 0.5


def test_the_tables_kept_are_the_joint_ones_of_label_and_answer(smoke):
    found = smoke("planes")
    table = found.arrays["0.0/test/joint"].astype(np.float64)
    assert table.shape == (10, 10) and table.sum(1) == pytest.approx(0.1, abs=1e-6)
    assert found.arrays["erasing/test/joint"].shape == (10, 11)
    told = information.mutual_information(table, unit="bits")
    assert told == pytest.approx(found.results["0.0/test/i_y"], abs=1e-5)
