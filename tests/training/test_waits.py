"""Nothing inside a step makes the program wait for the device, and the device computes what the CPU does."""

import math

import pytest
import torch
from waits import Device

from lsedu import losses, models, training
from lsedu.training import augmentation as aug
from lsedu.training import loop, watch

EVERY = [
    aug.RandomCrop(2),
    aug.RandomCrop(1, size=6),
    aug.RandomResizedCrop(8),
    aug.RandomResizedCrop(8, scale=(0.99, 1.0), ratio=(3.0, 3.0)),
    aug.HorizontalFlip(),
    aug.Cutout(4, fill=0.3),
    aug.Mixup(0.2),
    aug.Mixup(chance=0.5),
    aug.CutMix(),
    aug.CutMix(0.3, chance=0.5),
    aug.RandAugment(3),
]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("step", EVERY, ids=repr)
def test_no_augmentation_waits_and_the_images_are_the_cpus(step, channels):
    batch = aug.Batch(torch.rand(28, channels, 8, 8), torch.arange(28))
    wanted = step(batch, generator=torch.Generator().manual_seed(7))
    with Device() as device:
        there = aug.Batch(device.put(batch.images), device.put(batch.labels))
        found = step(there, generator=device.generator(7))
        assert device.waits == []
        assert torch.equal(device.values(found.images), wanted.images)
        if wanted.others is not None:
            assert torch.equal(device.values(found.others), wanted.others)
            assert torch.equal(device.values(found.share), wanted.share)


def waits_of(steps, *, augment=(), criterion=losses.cross_entropy, **config):
    """Return what made the program wait in an epoch of that many steps."""
    with Device() as device:
        x, y = device.put(torch.rand(4 * steps - 1, 3, 8, 8)), device.put(torch.arange(4 * steps - 1) % 2)
        model = device.put(models.build(models.mlp, seed=0, shape=(3, 8, 8), num_classes=2))
        criterion = device.put(criterion) if isinstance(criterion, torch.nn.Module) else criterion
        device.waits.clear()
        config = training.Config(epochs=1, batch_size=4, lr=0.01, augment=augment, **config)
        training.fit(model, criterion, x, y, config=config, progress=False)
        return device.waits


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("mixing", [aug.Mixup(chance=0.5), aug.CutMix()])
def test_no_step_of_the_loop_waits(mixing, optimizer):
    options = {
        "augment": (*EVERY[:2], aug.RandomResizedCrop(8), *EVERY[4:6], mixing, aug.RandAugment(1)),
        "criterion": losses.LearnableLabelSmoothing(2),
        "optimizer": optimizer,
        "channels_last": True,
        "precision": "bfloat16",
    }
    few, more = (waits_of(steps, **options) for steps in (2, 5))
    assert len(few) == len(more) <= 8, more  # the start and the end of a run and of an epoch


NETWORKS = {
    "mlp": (1, 28, lambda: models.build(models.mlp, seed=0)),
    "lenet": (1, 32, lambda: models.build(models.lenet, seed=0)),
    "resnet": (3, 32, lambda: models.build(models.thin_resnet, seed=0, depth=8)),
    "mobilenet": (3, 32, lambda: models.build(models.mobilenet_v2, seed=0)),
    "cct": (3, 32, lambda: models.build(models.cct7, seed=0, kernel=3, convolutions=1, size=32)),
    "standardised": (1, 28, lambda: models.standardised(models.build(models.mlp, seed=0), torch.rand(9, 1, 28, 28))),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_no_network_waits(name):
    channels, side, build = NETWORKS[name]
    with Device() as device:
        model, x = device.put(build()), device.put(torch.rand(2, channels, side, side))
        torch.nn.functional.cross_entropy(model(x), device.put(torch.tensor([0, 1]))).backward()
        assert device.waits == []


def test_losses_are_read_once_in_many_steps(monkeypatch):
    monkeypatch.setattr(watch, "EVERY", 4)
    assert len(waits_of(8)) == len(waits_of(7)) == len(waits_of(4)) + 1


def test_labels_are_trusted_only_where_looking_costs_and_all_are_classes():
    assert loop._classes_needed(torch.tensor([0, 1])) == math.inf
    with Device() as device:
        assert loop._classes_needed(device.put(torch.tensor([0, 3], dtype=torch.uint8))) == 4
        assert loop._classes_needed(device.put(torch.tensor([1, -100]))) == math.inf
