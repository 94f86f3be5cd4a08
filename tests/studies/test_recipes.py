"""Recipes against the papers: each published value with its place, and nothing published marked as assumed."""

from dataclasses import replace

import pytest

from lsedu import models
from lsedu.studies.recipes import RECIPES, Recipe, recipe
from lsedu.training import HorizontalFlip, RandAugment, RandomCrop, RandomResizedCrop

# lls, appendix I.1, under the name of each set; optimizer SGD with momentum 0.9, the rate decays by a factor of 0.1.
# epochs, batch, weight decay, rate, warm-up, milestones
LLS = {
    "cifar10": (300, 128, 5e-4, 0.1, 10, (150, 225)),
    "cifar100": (300, 128, 5e-4, 0.1, 10, (150, 225)),
    "fashion-mnist": (200, 128, 1e-4, 0.1, 5, (100, 150)),
    "svhn": (200, 128, 1e-4, 0.1, 5, (100, 150)),
    "tiny-imagenet": (100, 64, 1e-4, 0.1, 5, (40, 60)),
    "animals-10n": (100, 64, 1e-4, 0.1, 5, (40, 60)),
    "imagenet-100": (90, 64, 1e-4, 0.1, 5, (30, 60, 80)),
    "imagenet-100-randaugment": (90, 64, 1e-4, 0.1, 5, (30, 60, 80)),
    "cub-200": (100, 64, 1e-4, 0.01, 5, (45, 80)),
    "flowers-102": (100, 64, 1e-4, 0.01, 5, (45, 80)),
}
# lls, appendix I.1, "Augmentation" of each set
CROP_4_FLIP = (RandomCrop(4), HorizontalFlip())
RESIZED_FLIP = (RandomResizedCrop(224), HorizontalFlip())
LLS_AUGMENTATION = {
    "cifar10": CROP_4_FLIP,
    "cifar100": CROP_4_FLIP,
    "fashion-mnist": (RandomCrop(2),),
    "svhn": (),
    "tiny-imagenet": CROP_4_FLIP,
    "animals-10n": CROP_4_FLIP,
    "imagenet-100": RESIZED_FLIP,
    "imagenet-100-randaugment": (*RESIZED_FLIP, RandAugment()),
    "cub-200": (RandomCrop(0, size=224), HorizontalFlip()),
    "flowers-102": (RandomCrop(0, size=224), HorizontalFlip()),
}
# lls: networks of tables 1, 2 and 3, image sizes of section 4.1 and appendix I.1
LLS_NETWORKS = {
    "cifar10": ({"alexnet"}, 32),
    "cifar100": ({"resnet-18", "resnet-34", "resnet-50", "resnet-101"}, 32),
    "svhn": ({"lenet"}, 32),
    "tiny-imagenet": ({"resnet-18", "resnet-50", "resnet-101"}, 64),
    "animals-10n": ({"resnet-18"}, 64),
    "imagenet-100": ({"resnet-18", "resnet-50"}, 224),
    "cub-200": ({"mobilenet-v2", "resnet-18", "resnet-50", "resnet-101"}, 224),
    "flowers-102": ({"mobilenet-v2", "resnet-18", "resnet-50", "resnet-101"}, 224),
}
PUBLISHED_FIELDS = {f"training.{name}" for name in ("epochs", "lr", "momentum", "weight_decay", "milestones", "gamma")}


@pytest.mark.parametrize("name", LLS)
def test_lls(name):
    found = recipe(f"lls/{name}")
    t = found.training
    assert (t.epochs, t.batch_size, t.weight_decay, t.lr, t.warmup, t.milestones) == LLS[name]
    assert (t.optimizer, t.momentum, t.schedule, t.gamma) == ("sgd", 0.9, "multistep", 0.1)
    assert t.augment == LLS_AUGMENTATION[name]
    assert found.alpha == 0.1  # section 4.1, "for all experiments"
    assert found.pretrained == (name in ("cub-200", "flowers-102"))  # appendix I.1
    if name in LLS_NETWORKS:
        assert (set(found.networks), found.image_size) == LLS_NETWORKS[name]
    assert not found.assumed & (PUBLISHED_FIELDS | {"alpha", "pretrained", "training.batch_size", "training.warmup"})


@pytest.mark.parametrize(
    ("name", "network"),
    [("cifar10", "resnet-56"), ("occluded-cifar", "resnet-56"), ("cluttered-mnist", "resnet-20")],
)
def test_pragmatic_ib(name, network):
    # pragmatic-ib, section 5.1: 160 epochs, rate 0.1, times 0.1 at 80 and 120, SGD with momentum 0.9, no weight decay
    found = recipe(f"pragmatic-ib/{name}")
    t = found.training
    assert (t.epochs, t.lr, t.milestones, t.gamma, t.momentum, t.weight_decay) == (160, 0.1, (80, 120), 0.1, 0.9, 0.0)
    assert found.networks == (network,) and t.optimizer == "sgd"
    assert not found.assumed & (PUBLISHED_FIELDS | {"networks"})
    assert {"training.batch_size", "training.augment", "alpha"} <= found.assumed  # the text gives none of these
    assert found.image_size == (56 if name == "cluttered-mnist" else 32)


def test_the_transformers_recipe_is_all_of_its_source_and_says_so():
    # hassani2021, published configuration of CCT-7/7x2 on Flowers-102; without what pragmatic-ib leaves out
    found = recipe("pragmatic-ib/flowers-102")
    t = found.training
    assert (t.epochs, t.batch_size, t.optimizer, t.lr, t.min_lr, t.weight_decay) == (300, 96, "adamw", 5e-4, 1e-5, 0.06)
    assert (t.schedule, t.warmup) == ("cosine", 10) and found.image_size == 224
    assert t.augment == (RandomResizedCrop(224, scale=(0.8, 1.0)), HorizontalFlip())
    assert {"training.epochs", "training.lr", "training.optimizer", "training.augment"} <= found.assumed


@pytest.mark.parametrize("found", RECIPES.values(), ids=RECIPES)
def test_every_recipe_says_what_it_assumes_and_no_two_share_a_name(found):
    assert recipe(found.name) is found
    assert {"standardised", "training.precision"} <= found.assumed
    assert found.source.split(",")[0] in ("lls", "pragmatic-ib")
    assert found.training.seed == 0


def test_unknown_names_and_fields_are_refused():
    with pytest.raises(KeyError, match="no recipe is called 'lls/mnist'; there are lls/cifar10"):
        recipe("lls/mnist")
    with pytest.raises(ValueError, match=r"names no field of a recipe: training\.rate"):
        replace(recipe("lls/svhn"), assumed=frozenset({"training.rate"}))
    assert isinstance(recipe("lls/svhn"), Recipe)


def test_a_flattened_map_gives_the_published_count_of_parameters():
    # lls, table 9: 11,578,632 for ResNet-18 on Tiny-ImageNet
    found = recipe("lls/tiny-imagenet")
    model = models.resnet(depth=18, stem=found.stem, map_size=found.map_size, num_classes=200)
    assert sum(p.numel() for p in model.parameters()) == 11_578_632
