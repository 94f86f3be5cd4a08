"""The study of occluded pictures: its parts, its probes and its slope by hand, and the card's profile on a few."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lsedu import data
from lsedu.studies.bottleneck import occluded

SMOKE = occluded.EXPERIMENT.configs["smoke"]
pytestmark = pytest.mark.usefixtures("made_up")


def test_each_picture_has_its_own_digit_over_it():
    parts = occluded.parts(SMOKE, seed=3, device="cpu")
    assert [len(part.y) for part in parts] == [120, 120, 100]
    for part in parts:
        # of the made-up sets a picture and a digit are each one shade, by their class, and the brighter is seen
        seen = 25 / 255 * torch.maximum(part.y, part.digit)
        assert part.x.shape[1:] == (3, 4, 4) and (part.x - seen[:, None, None, None]).abs().max() < 1e-6
        assert len(part.digit.unique()) == 10 and (part.digit != part.y).any()


def test_without_a_size_probes_get_all_that_is_left_and_every_test_picture_counts():
    whole, test = (data.load("cifar10", split=split) for split in ("train", "test"))
    _, held, tested = occluded.parts(replace(SMOKE, probe_size=0, test_size=0), seed=3, device="cpu")
    assert len(held.y) == len(whole) - SMOKE.train_size and len(tested.y) == len(test)


def test_probes_find_a_digit_that_is_there_and_only_that():
    digits, others = (torch.from_numpy(np.random.default_rng(i).integers(10, size=600)) for i in (0, 1))
    one_hot = torch.eye(10)
    options = {"config": replace(SMOKE, iterations=50, epochs=100), "seed": 0, "device": "cpu"}
    there = occluded.probed((one_hot[digits], digits), (one_hot[others], others), **options)
    assert there["linear"] == there["network"] == 1
    assert 2.5 < there["bits"] < np.log2(10)
    noise = torch.randn(1200, 4, generator=torch.Generator().manual_seed(0))
    absent = occluded.probed((noise[:600], digits), (noise[600:], others), **options)
    assert max(absent["linear"], absent["network"]) < 0.16 and absent["bits"] < 0.01


def test_the_slope_of_a_seed_is_that_of_its_five_values(smoke):
    found = smoke("occluded").results
    alphas = np.array(occluded.ALPHAS)
    for key in ("linear", "network", "bits", "accuracy"):
        values = np.array([found[f"{alpha}/{key}"] for alpha in occluded.ALPHAS])
        slope = ((alphas - alphas.mean()) * values).sum() / ((alphas - alphas.mean()) ** 2).sum()
        assert found[f"slope/{key}"] == pytest.approx(slope, abs=1e-12)


def test_the_card_s_profile_runs_on_a_few_pictures():
    gpu = occluded.EXPERIMENT.configs["gpu"]
    few = replace(
        gpu, train_size=30, test_size=20, alphas=(0.0, 0.4), iterations=3, hidden=4, epochs=1,
        training=replace(gpu.training, epochs=1, batch_size=30, milestones=(), cuda_graphs=False),
    )  # fmt: skip
    found = occluded.measure(few, 0, device="cpu", workdir=None, progress=False).results
    assert {key for key in found if key.endswith("/linear")} == {
        "0.0/linear", "0.4/linear", "untrained/linear", "pixels/linear", "slope/linear"
    }  # fmt: skip
