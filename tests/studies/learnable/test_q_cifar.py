"""The study of Q-matrices of photographs and digits: its groups, people and means by hand, and the card's profile."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lsedu import data
from lsedu.data.cifar import CIFAR100_CLASSES
from lsedu.studies.learnable import _groups, _tables, q_cifar

STUDY = q_cifar.EXPERIMENT
pytestmark = pytest.mark.usefixtures("made_up")


def test_groups_part_the_classes_into_twenty_fives():
    names = [name for group in data.CIFAR100_GROUPS.values() for name in group]
    assert len(data.CIFAR100_GROUPS) == 20 and sorted(names) == sorted(CIFAR100_CLASSES)
    assert np.bincount(_groups.group_of()).tolist() == [5] * 20


def test_what_stays_in_a_group_leaves_the_label_out():
    table = np.eye(100)
    maple, oak, fox = (CIFAR100_CLASSES.index(name) for name in ("maple_tree", "oak_tree", "fox"))
    assert _groups.within_group(table) == 0
    table[maple, oak], table[maple, fox] = 0.3, 0.1
    assert _groups.within_group(table) == pytest.approx(0.75 / 100)
    assert _groups.entry(table, "maple_tree", "oak_tree") == 0.3
    assert _groups.entry(table, "oak_tree", "maple_tree") == 0


def test_people_are_counted_by_the_label_of_the_picture():
    counts, labels = data.annotations("cifar10h")["counts"], data.load("cifar10", split="test").labels
    for label in (0, 7):
        assert _tables.people()[label].tolist() == counts[labels == label].sum(0).tolist()


def test_mean_predictions_are_those_of_each_class_and_nothing_of_a_class_without_pictures():
    logits = torch.tensor([[0.8, 0.1, 0.1], [0.4, 0.5, 0.1], [0.3, 0.3, 0.4]]).log()
    found = _tables.mean_predictions(logits, torch.tensor([0, 0, 2]))
    np.testing.assert_allclose(found, [[0.6, 0.3, 0.1], [0, 0, 0], [0.3, 0.3, 0.4]], atol=1e-7)


def test_q_s_own_rate_grows_with_the_number_of_classes_and_it_has_no_decay():
    ten, hundred = q_cifar.arms(10), q_cifar.arms(100)
    assert (ten["own"]().lr_factor, hundred["own"]().lr_factor) == (20, 200)
    assert ten["own"]().weight_decay == 0 and ten["twin"]().lr_factor == 20
    as_published = ten["published"]()
    assert (as_published.lr_factor, as_published.weight_decay) == (1, None)


def test_the_twin_has_other_weights_and_pictures_and_the_others_have_the_same(smoke):
    found = smoke("q_cifar").results
    assert 0 < abs(found["cifar10/agreement/likeness"]) < 1
    assert found["cifar10/own/own"] < found["cifar10/published/own"] <= 0.1 + 1e-6


def test_the_card_s_profile_runs_on_a_few_pictures():
    gpu = STUDY.configs["gpu"]
    few = replace(
        gpu.cifar10, train_size=20, validation_size=20, test_size=20,
        training=replace(gpu.cifar10.training, epochs=1, warmup=0, batch_size=20, cuda_graphs=False),
    )  # fmt: skip
    tiny = replace(gpu, cifar10=few)
    found = q_cifar.measure(tiny, 0, part="cifar10", device="cpu", workdir=None, progress=False)
    assert 0 <= found.results["cifar10/own/accuracy"] <= 1
    assert found.arrays["cifar10/own"].shape == (10, 10) and found.arrays["cifar10/own"].dtype == np.float16
