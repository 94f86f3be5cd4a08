"""Augmentation and learnable smoothing: which batches an arm sees, and what 'adds to' is the difference of."""

from dataclasses import replace

import pytest
import torch

from lsedu import training
from lsedu.studies.learnable import augmented

STUDY = augmented.EXPERIMENT
pytestmark = pytest.mark.usefixtures("made_up")


def test_every_way_but_none_changes_a_batch_and_only_mixing_gives_it_other_labels():
    x, y = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(6)
    for name in augmented.WAYS:
        steps = augmented.way(name, 4)
        generator = torch.Generator().manual_seed(1)
        seen = training.augmentation.augment(training.augmentation.Batch(x, y), steps, generator=generator)
        assert torch.equal(seen.images, x) == (name == "none"), name
        assert (seen.others is not None) == (name in ("mixup", "cutmix")), name


def test_adding_is_the_gain_beside_augmentation_minus_the_gain_without():
    (adds,) = [contrast for contrast in STUDY.contrasts if contrast.name == "adds"]
    row = {"lls/augmented": 0.58, "one-hot/augmented": 0.55, "lls/none": 0.52, "one-hot/none": 0.5}
    assert adds.effect(row) == pytest.approx(0.01)


def test_the_mean_is_of_the_four_augmentations(smoke):
    found = smoke("augmented").results
    for loss in augmented.LOSSES:
        four = [found[f"{loss}/{name}"] for name in ("cutout", "mixup", "cutmix", "randaugment")]
        assert found[f"{loss}/augmented"] == pytest.approx(sum(four) / 4)


def test_the_card_s_profile_augments_after_its_own_crops_and_runs_on_a_few_pictures(monkeypatch):
    gpu = STUDY.configs["gpu"]
    recipes = []

    def taught(scale, criterion, p, *, recipe, **options):
        recipes.append(recipe)
        return augmented_taught(scale, criterion, p, recipe=recipe, **options)

    augmented_taught = augmented.taught
    monkeypatch.setattr(augmented, "taught", taught)
    recipe = replace(gpu.training, epochs=1, warmup=0, batch_size=20, cuda_graphs=False)
    few = replace(gpu, train_size=20, validation_size=20, test_size=20, training=recipe)
    found = augmented.measure(few, 0, device="cpu", workdir=None, progress=False)
    assert 0 <= found.results["lls/cutmix"] <= 1
    kinds = [[step.kind for step in recipe.augment] for recipe in recipes]
    assert kinds[:2] == [kinds[0], [*kinds[0], "cutout"]] and len(kinds[0]) == 2
