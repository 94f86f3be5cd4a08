"""The network that a configuration's word names, and which pictures of a set are drawn."""

import numpy as np
import pytest
import torch

from lsedu import models
from lsedu.studies import _loaded, _networks
from lsedu.studies.recipes import card, recipe


@pytest.mark.parametrize(
    ("kind", "factory", "options"),
    [
        ("softmax", models.softmax_regression, {"shape": (3, 32, 32)}),
        ("mlp", models.mlp, {"shape": (3, 32, 32), "hidden": (256, 256)}),
        ("mlp-12-7", models.mlp, {"shape": (3, 32, 32), "hidden": (12, 7)}),
        ("lenet", models.lenet, {"channels": 3, "size": 32}),
        ("small-cnn", models.small_cnn, {"shape": (3, 32, 32), "width": 8}),
        ("small-cnn-3", models.small_cnn, {"shape": (3, 32, 32), "width": 3}),
        ("alexnet", models.alexnet, {"channels": 3}),
        ("resnet-18", models.resnet, {"depth": 18}),
        ("resnet-20", models.thin_resnet, {"depth": 20}),
        ("thin-resnet-50", models.thin_resnet, {"depth": 50}),
    ],
)
def test_a_word_names_a_network(kind, factory, options):
    images = torch.rand(2, 3, 32, 32)
    named = models.build(_networks.network, seed=1, images=images, kind=kind, num_classes=7).state_dict()
    asked = models.build(factory, seed=1, num_classes=7, **options).state_dict()
    assert named.keys() == asked.keys() and all(torch.equal(named[key], asked[key]) for key in named)


def test_the_width_of_the_word_goes_before_that_of_the_configuration():
    images = torch.rand(2, 1, 28, 28)
    widths = [
        _networks.network(images, kind=kind, width=5).body[0].out_channels for kind in ("small-cnn", "small-cnn-3")
    ]
    assert widths == [5, 3]


@pytest.mark.parametrize("kind", ["resnet18", "cnn", "", "12", "resnet-"])
def test_a_word_that_names_none_is_told_those_that_do(kind):
    with pytest.raises(ValueError, match=r"network must be one of 'softmax', 'mlp', .*'resnet', 'thin-resnet', got"):
        _networks.network(torch.rand(2, 1, 28, 28), kind=kind)


def test_inputs_are_standardised_by_the_pictures_given():
    images = 0.25 + 0.5 * torch.rand(50, 1, 8, 8)
    seen = _networks.standardising(images, kind="mlp-4").body[0](images)
    assert seen.mean().item() == pytest.approx(0, abs=1e-5) and seen.std(correction=0).item() == pytest.approx(1)


def test_a_size_of_0_takes_all_and_validation_leaves_the_rest():
    whole = _loaded.loaded("fashion-mnist-mini", "test")
    assert _loaded.drawn("fashion-mnist-mini", "test", 0) is whole
    some, same, other = (_loaded.drawn("fashion-mnist-mini", "test", 30, seed=seed) for seed in (4, 4, 5))
    assert np.bincount(some.labels).tolist() == [3] * 10
    assert np.array_equal(some.images, same.images) and not np.array_equal(some.images, other.images)
    size = len(_loaded.loaded("fashion-mnist-mini", "train"))
    train, held = _loaded.apart("fashion-mnist-mini", 0, 60, seed=4)
    few, _ = _loaded.apart("fashion-mnist-mini", 20, 60, seed=4)
    assert (len(train), len(held), len(few)) == (size - 60, 60, 20)


def test_the_recipe_of_the_card_is_the_papers_but_for_length_batches_and_arithmetic():
    ours, theirs = card(15), recipe("lls/cifar100").training
    assert (ours.augment, ours.weight_decay, ours.momentum) == (theirs.augment, theirs.weight_decay, theirs.momentum)
    # the rate grows with the batch, by as much
    assert ours.lr / ours.batch_size == pytest.approx(theirs.lr / theirs.batch_size, rel=0.05)
    assert card(15, augment=()).augment == () and card(15, lr=0.1).epochs == 15
