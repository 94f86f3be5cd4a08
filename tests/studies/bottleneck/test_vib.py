"""Trained bottlenecks beside smoothing: answers and rates by hand, and what is chosen."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from lsedu import models
from lsedu.losses import cross_entropy, label_smoothing, vib_discrete
from lsedu.studies.bottleneck import vib
from lsedu.studies.bottleneck._encoders import Answering, Discrete, Gaussian, Softmax

OUTPUTS = torch.tensor([[2.0, 0.0, -1.0, 0.5], [0.0, 0.0, 0.0, 0.0]])
LABELS = torch.tensor([0, 1])


def test_the_discrete_answer_is_the_mean_of_the_classifier_over_what_is_drawn():
    reading = Discrete(beta=0.3, num_classes=4)
    table = reading.table.detach().softmax(1)
    expected = (OUTPUTS.softmax(1) @ table).log()
    assert torch.allclose(reading.answers(OUTPUTS), expected, atol=1e-6)
    assert reading.diagonal() == pytest.approx(math.exp(3) / (math.exp(3) + 3))
    loss = vib_discrete(OUTPUTS, table, LABELS, beta=0.3)
    assert reading(OUTPUTS, LABELS).item() == pytest.approx(loss.item(), rel=1e-6)


def test_the_gaussian_answer_is_the_mean_over_the_draws_and_the_same_each_time():
    reading = models.build(Gaussian, seed=1, beta=0.1, dim=2, num_classes=3, draws=5)
    mean, log_std = OUTPUTS.chunk(2, 1)
    draws = [reading.head(mean + log_std.exp() * noise).softmax(1) for noise in reading.noise]
    expected = torch.stack(draws).mean(0).log()
    assert torch.allclose(reading.answers(OUTPUTS), expected, atol=1e-6)
    assert torch.equal(reading.answers(OUTPUTS), reading.answers(OUTPUTS))


def test_rates_by_hand():
    discrete = Softmax(cross_entropy, num_classes=4).rate(torch.tensor([[0.0, 0, 0, 0], [90.0, 0, 0, 0]]))
    assert discrete.tolist() == pytest.approx([0.0, math.log(4)], abs=1e-6)
    gaussian = models.build(Gaussian, seed=0, beta=0.1, dim=2, num_classes=3)
    assert gaussian.rate(torch.tensor([[0.0, 0, 0, 0], [2.0, 1.0, 0, 0]])).tolist() == pytest.approx([0.0, 2.5])


def test_a_softmax_reading_leaves_loss_and_answer_as_they_are():
    reading = Softmax(lambda z, y: label_smoothing(z, y, alpha=0.1), num_classes=4)
    assert torch.equal(reading(OUTPUTS, LABELS), label_smoothing(OUTPUTS, LABELS, alpha=0.1))
    assert torch.equal(reading.answers(OUTPUTS), OUTPUTS.log_softmax(1))


def test_tiles_are_moved_and_not_changed():
    x = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    moved = vib.tiles_shuffled(x, seed=0)
    orders = []
    for before, after in zip(x, moved):
        tiles = [part[0].reshape(4, 7, 4, 7).permute(0, 2, 1, 3).reshape(16, 49) for part in (before, after)]
        order = (tiles[1][:, None] == tiles[0][None]).all(2).nonzero()[:, 1]
        assert sorted(order.tolist()) == list(range(16))
        orders.append(order.tolist())
    assert len({tuple(order) for order in orders}) == 3


def test_an_unknown_picture_is_told_by_doubt_and_by_rate():
    model = nn.Flatten()
    answering = Answering(model, Softmax(cross_entropy, num_classes=3))
    sure, unsure = torch.tensor([[9.0, 0, 0], [0, 8.0, 0]]), torch.tensor([[1.0, 0, 0], [8.5, 0, 0]])
    found = vib.told_apart(answering, sure, unsure)
    # of four pairs the unknown one is the less sure in three; a sure softmax has a high rate
    assert found == {"auroc": 0.75, "rate_auroc": 0.25}


def test_what_is_chosen_is_one_of_the_candidates(smoke):
    results = smoke("vib").results
    for choice in ("right", "sure"):
        value = results[f"smoothing/{choice}/value"]
        assert value in (0.1, 0.2)
        for score in ("accuracy", "ece", "nll"):
            assert results[f"smoothing/{choice}/before/{score}"] == results[f"smoothing-{value}/before/{score}"]
    assert results["smoothing/sure/before/nll"] > 0
    survivors = [results[f"gaussian/right/{name}"] for name in ("none", "fgsm", "pgd", "lead", "elsewhere")]
    assert results["gaussian/right/worst"] <= min(survivors)


def test_everything_but_the_loss_begins_alike():
    bodies = []
    for reading in (
        Discrete(beta=0.1, num_classes=10),
        models.build(Gaussian, seed=0, beta=0.1, dim=4, num_classes=10),
    ):
        model = models.build(models.mlp, seed=3, num_classes=reading.outputs)
        bodies.append(np.concatenate([w.detach().numpy().ravel() for w in model.body.parameters()]))
    assert np.array_equal(*bodies)
