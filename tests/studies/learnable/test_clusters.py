"""The study of clusters: distances by hand, what each control changes, and the card's profile on a few pictures."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lsedu import data
from lsedu.data.cifar import CIFAR100_CLASSES
from lsedu.studies.learnable import _distances, clusters

STUDY = clusters.EXPERIMENT


@pytest.mark.parametrize(
    ("place", "name", "told"),
    [
        ("clothes", "fashion-mnist-mini", ("T-shirt/top", "Shirt", "Bag")),
        ("cifar10", "cifar10", ("cat", "dog", "truck")),
        ("cifar100", "cifar100", ("beaver", "otter", "dolphin")),
    ],
)
def test_the_trios_are_the_classes_that_the_study_names(place, name, told):
    classes = data.source(name).classes
    assert [classes[i].lower() for i in clusters.TRIOS[place]] == [one.lower() for one in told]


def test_clusters_are_read_on_points_whose_distances_are_known():
    """Two pictures a class beside its axis; the angle of the first two axes is 60 degrees, all others are right."""
    axes = np.array([[1.0, 0.0, 0.0], [0.5, np.sqrt(0.75), 0.0], [0.0, 0.0, 1.0]])
    points = torch.tensor(np.concatenate([2 * axes, 4 * axes]))
    found = _distances.read(points, torch.tensor([0, 1, 2] * 2), num_classes=3, classes=(0, 1, 2))
    assert found["trio"] == pytest.approx(0.5)
    assert found["distance"] == pytest.approx((0.5 + 1 + 1) / 3)
    # rows sum to 1: 1/3 and 2/3 for the first two, 1/2 twice for the third
    assert found["spread"] == pytest.approx(np.std([1 / 3, 2 / 3, 1 / 3, 2 / 3, 1 / 2, 1 / 2]) / 0.5)
    # each picture is 1 from the centre of its class, and those 3 * axes; features of length 1 do not scatter at all
    between = np.mean(((3 * axes - 3 * axes.mean(0)) ** 2).sum(1))
    assert found["ratio"] == pytest.approx(1 / between) and found["scatter"] == pytest.approx(np.log(1 / between))
    assert found["angular"] == pytest.approx(0, abs=1e-12)
    assert "group" not in found


def test_an_origin_in_the_middle_makes_other_distances():
    """Seen from afar three corners of an equilateral triangle are as equally far apart as from their middle."""
    corners = torch.tensor([[1.0, 0.0], [-0.5, np.sqrt(0.75)], [-0.5, -np.sqrt(0.75)]]).double()
    labels = torch.tensor([0, 1, 2])
    middle = _distances.read(corners + 1e-9, labels, num_classes=3, classes=(0, 1, 2))
    afar = _distances.read(corners + torch.tensor([5.0, 0.0]), labels, num_classes=3, classes=(0, 1, 2))
    assert middle["centred"] == pytest.approx(0, abs=1e-6) and afar["centred"] == pytest.approx(0, abs=1e-6)
    assert middle["spread"] == pytest.approx(0, abs=1e-6) and afar["spread"] > 0.1
    assert afar["distance"] < 0.1 * middle["distance"]


def test_groups_of_a_hundred_classes_are_read_from_the_table():
    """Classes lie on axes of their own, but for beaver and otter, which share one: nearer by one pair of 200."""
    axes = torch.eye(100).double()
    beaver, otter, dolphin = (CIFAR100_CLASSES.index(name) for name in ("beaver", "otter", "dolphin"))
    axes[otter] = axes[beaver]
    found = _distances.read(axes, torch.arange(100), num_classes=100, classes=(beaver, otter, dolphin))
    assert found["trio"] == 0 and found["group"] == pytest.approx(1 - 1 / 200)


def test_ranks_are_compared_where_there_are_few_classes_only():
    rng = np.random.default_rng(0)
    few, many = (rng.random((k, k)) for k in (4, 12))
    assert clusters.alike(few, few)["same"] == 1 and clusters.alike(few, few)["strangers"] < 1
    assert set(clusters.alike(many, many)) == {"like"}


def test_each_control_changes_one_thing():
    made = {name: maker() for name, maker in clusters.makers(10).items() if name in ("lls", "own", "half", "fixed")}
    logits, labels = torch.randn(6, 10, generator=torch.manual_seed(0)), torch.arange(6)
    whole = made["lls"](logits, labels)
    assert made["half"](logits, labels).item() == pytest.approx(whole.item() / 2)
    assert made["fixed"](logits, labels).item() == pytest.approx(whole.item())
    assert [made[name].lr_factor for name in ("lls", "own", "half")] == [1, 20, 1]
    assert not any(p.requires_grad for p in made["fixed"].parameters())


def test_only_the_twin_begins_with_other_weights_and_only_a_learned_q_moves(smoke):
    found = smoke("clusters").results
    for place in ("clothes", "cifar10"):
        same = {arm: found[f"{place}/{arm}/train/like"] for arm in clusters.ALL[1:]}
        assert len(set(same.values())) == len(same) and min(same.values()) == same["twin"]


def test_features_are_kept_of_one_seed_class_by_class(smoke):
    arrays = smoke("clusters").arrays
    kept = {name for name in arrays if name.endswith("/features")}
    assert kept == {f"clothes/{arm}/features" for arm in clusters.DRAWN}
    assert arrays["clothes/lls/features"].shape == (40, 84) and arrays["clothes/lls/features"].dtype == np.float16
    assert arrays["cifar100/twin/distances"].shape == (100, 100)


def test_the_card_s_profile_runs_on_a_few_pictures(made_up):
    gpu = STUDY.configs["gpu"]
    few = replace(
        gpu.cifar10, train_size=20, test_size=20, arms=("one-hot", "ls"),
        training=replace(gpu.cifar10.training, epochs=1, warmup=0, batch_size=20, cuda_graphs=False),
    )  # fmt: skip
    found = clusters.measure(replace(gpu, cifar10=few), 0, part="cifar10", device="cpu", workdir=None, progress=False)
    assert 0 <= found.results["cifar10/ls/test/accuracy"] <= 1
    assert found.arrays["cifar10/ls/distances"].shape == (10, 10)
