"""The small tests of what is said of smoothing: their measures by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from lsedu import models
from lsedu.losses import label_smoothing
from lsedu.studies._pictures import Scale, pictures
from lsedu.studies._training import smoothed
from lsedu.studies.principles import attacks, features, speed, transfer, variance
from lsedu.training import Config


def test_networks_of_one_seed_differ_in_the_targets_alone():
    x, y = torch.rand(40, 1, 28, 28, generator=torch.Generator().manual_seed(0)), torch.arange(40) % 10
    recipe = Config(epochs=1, batch_size=40, lr=1.0)
    for alpha in (0.0, 0.1, 0.6):
        trained, _ = smoothed(models.mlp, x, y, alpha=alpha, seed=3, recipe=recipe)
        # One step of SGD: the change is the learning rate times the gradient at the common start.
        start = models.build(models.mlp, seed=3)
        slope = torch.autograd.grad(label_smoothing(start(x), y, alpha=alpha), start.head.weight)[0]
        step = recipe.lr * (slope + recipe.weight_decay * start.head.weight)
        assert step.abs().max() > 1e-3
        assert torch.allclose(trained.head.weight, start.head.weight - step, atol=1e-6)


def test_the_test_pictures_are_those_of_every_seed_and_the_others_are_not():
    scale = Scale(train_size=100, validation_size=50, test_size=60, training=Config())
    a, b = (pictures(scale, seed=seed, device="cpu") for seed in (1, 2))
    assert torch.equal(a.x_test, b.x_test) and not torch.equal(a.x, b.x)
    assert [len(t) for t in (a.x, a.x_val, a.x_test)] == [100, 50, 60] and a.num_classes == 10


# Attacks


def linear(scale=1.0):
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3, bias=False))
    with torch.no_grad():
        model[1].weight.copy_(scale * torch.tensor([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0]]))
    return model


GREY = torch.tensor([0.6, 0.5, 0.1, 0.3]).reshape(1, 1, 2, 2)


def test_leads_of_rows_computed_by_hand():
    logits = torch.tensor([[4.0, 1.0, 3.0], [0.0, 2.0, 5.0]])
    assert attacks.leads(logits, torch.tensor([0, 1])).tolist() == [1.0, -3.0]
    assert attacks.lead_loss(logits, torch.tensor([0, 1])).item() == 2.0


@pytest.mark.parametrize("steps", [1, 10])
def test_an_attack_moves_each_pixel_where_it_hurts_and_no_further(steps):
    generator = torch.Generator().manual_seed(0)
    options = {"loss": attacks.lead_loss, "epsilon": 0.05, "steps": steps, "generator": generator}
    moved = attacks.attack(linear(), GREY, torch.tensor([0]), **options).flatten()
    assert moved[0] == pytest.approx(0.55) and moved[1] == pytest.approx(0.55)
    assert (moved - GREY.flatten()).abs().max() <= 0.05 + 1e-6


def test_an_attack_stays_among_pictures():
    white = torch.ones(1, 1, 2, 2)
    moved = attacks.attack(linear(), white, torch.tensor([0]), loss=attacks.lead_loss, epsilon=0.3)
    assert moved.min() >= 0 and moved.max() <= 1


def test_cross_entropy_loses_its_slope_where_the_lead_does_not():
    """The gradient masking that makes cross-entropy a poor attack: a sure network has no slope in float32."""
    sure, label = linear(scale=2000.0), torch.tensor([0])
    assert attacks.slopes(sure, GREY, label, attacks.cross_entropy).abs().max() == 0
    assert attacks.slopes(sure, GREY, label, attacks.lead_loss).abs().max() == 2000
    untouched = attacks.attack(sure, GREY, label, loss=attacks.cross_entropy, epsilon=0.2)
    assert torch.equal(untouched, GREY)
    fooled = attacks.attack(sure, GREY, label, loss=attacks.lead_loss, epsilon=0.2)
    assert sure(fooled).argmax() == 1


@pytest.mark.parametrize("scale", [1.0, 50.0])
def test_the_distance_does_not_depend_on_the_scale_of_the_logits(scale):
    # The lead is 0.1 and its slope 1 and -1 on two pixels: moving both by 0.05 turns the answer.
    assert attacks.distance(linear(scale), GREY, torch.tensor([0])) == pytest.approx(0.05, rel=1e-5)
    assert attacks.distance(linear(scale), GREY, torch.tensor([2])) == 0


# Speed


def test_passes_are_counted_along_a_straight_line():
    values = np.array([0.5, 0.7, 0.9])
    assert speed.passes_to(0.25, values) == pytest.approx(0.5)
    assert speed.passes_to(0.8, values) == pytest.approx(2.5)
    assert speed.passes_to(0.9, values) == pytest.approx(3.0)
    assert speed.passes_to(0.95, values) == 3.0


def test_gradient_noise_is_the_trace_of_the_covariance_over_batches():
    x, y = torch.rand(12, 4, generator=torch.Generator().manual_seed(0)), torch.arange(12) % 3
    model = linear(scale=2.0)
    rows = []
    for i in range(0, 12, 4):
        loss = label_smoothing(model(x[i : i + 4]), y[i : i + 4], alpha=0.1)
        rows.append(torch.autograd.grad(loss, model.parameters())[0].flatten())
    rows = torch.stack(rows)
    variance_, relative = speed.gradient_noise(model, x, y, alpha=0.1, batch_size=4)
    assert variance_ == pytest.approx(rows.var(0, unbiased=False).sum().item(), rel=1e-4)
    assert relative == pytest.approx(variance_ / rows.mean(0).square().sum().item(), rel=1e-4)


# Features, transfer, variance, teachers


def test_hoyer_by_hand():
    values = torch.tensor([[1.0, 1.0, 1.0, 1.0], [0.0, 5.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [3.0, 4.0, 0.0, 0.0]])
    assert features.hoyer(values).tolist() == pytest.approx([0.0, 1.0, 1.0, 2 - 7 / 5])


def test_the_plane_holds_the_three_rows_at_their_true_distances():
    model = models.build(models.mlp, seed=0)
    rows = model.head.weight.detach()[[0, 6, 8]]
    flat = features.plane(model, rows, (0, 6, 8))
    assert flat.shape == (3, 2)
    assert torch.allclose(torch.cdist(flat, flat), torch.cdist(rows, rows), atol=1e-5)


def test_classes_are_renamed_in_the_given_order():
    x, y = torch.arange(8.0), torch.tensor([2, 0, 1, 2, 0, 1, 2, 0])
    images, labels = transfer.of_classes(x, y, np.array([2, 1]), each=2)
    assert images.tolist() == [0, 3, 2, 5] and labels.tolist() == [0, 0, 1, 1]
    assert transfer.of_classes(x, y, np.array([2, 1]))[0].tolist() == [0, 3, 6, 2, 5]


@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_the_minimum_of_the_two_feature_problem_has_no_slope(alpha):
    x, y = variance.two_features(50, seed=0)
    w = variance.minimum(x, y, alpha=alpha, decay=0.01).requires_grad_()
    z = x @ w
    loss = label_smoothing(torch.stack([-z / 2, z / 2], 1), y, alpha=alpha) + 0.005 * w.square().sum()
    assert torch.autograd.grad(loss, w)[0].abs().max() < 1e-6


def test_each_of_the_two_features_tells_the_class():
    x, y = variance.two_features(100, seed=1)
    for column in x.T:
        assert torch.equal(column > 0, y == 1)
    assert x[:, 1].abs().std() > 10 * x[:, 0].abs().std()


def test_the_cue_lights_two_pixels_that_name_the_class():
    pictures_ = torch.zeros(3, 1, 28, 28)
    changed = variance.lit(pictures_, torch.tensor([0, 1, 9]), 0.3)
    assert pictures_.max() == 0 and (changed > 0).sum() == 6
    assert [torch.nonzero(row[0, 0])[:, 0].tolist() for row in changed] == [[4, 5], [6, 7], [22, 23]]
