"""Learnable smoothing beside augmentation of the pictures: whether the one adds to the other.

Claims: label smoothing of the learned kind is compatible with Cutout, Mixup, CutMix and RandAugment, adds to each of
them, and both together are best (lls, appendix F, table 8). The paper's table has one run a cell, and neither says how
strong the augmentations are nor how a loss that is not linear in the target is mixed.
Set-up: CIFAR-10, averaged over squares of 2 x 2 pixels, and a small CNN; the same images, initial weights and order of
batches for all arms. One-hot targets and LLS, each in five ways. LLS has half of its loss, as in the paper's
pseudo-code: the whole sum of two divergences has larger gradients than a cross-entropy, at a rate that was chosen for
the latter. A square of Cutout is half as wide as the picture; Mixup and CutMix are at the strength of their papers,
their losses mixed as there; RandAugment has one operation at strength 9, which takes most of the time. On one thread
of a laptop core: a minute and a quarter a seed. Needs CIFAR-10.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lsedu import losses, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.studies._training import accuracy
from lsedu.studies.learnable._methods import ALPHA
from lsedu.studies.learnable._photographs import OfASet, photographs, taught
from lsedu.studies.recipes import card
from lsedu.training.augmentation import Augmentation

WAYS = ("none", "cutout", "mixup", "cutmix", "randaugment")
LOSSES = ("one-hot", "lls")


@dataclass(frozen=True, kw_only=True)
class Config(OfASet):
    """Scale of the study; its recipe augments before a way does; `square` is the side of Cutout's in pixels."""

    square: int


def way(name: str, square: int) -> tuple[Augmentation, ...]:
    """Return what a way does to a batch."""
    return {
        "none": (),
        "cutout": (training.Cutout(square, fill=0.5),),
        "mixup": (training.Mixup(),),
        "cutmix": (training.CutMix(),),
        "randaugment": (training.RandAugment(operations=1),),
    }[name]


def makers(num_classes: int) -> dict[str, Callable[[], Any]]:
    """Return a maker of each loss."""
    lls = partial(losses.LearnableLabelSmoothing, num_classes, alpha=ALPHA, half=True)
    return {"one-hot": lambda: losses.cross_entropy, "lls": lls}


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train with every loss in every way."""
    p = photographs(config, config.pictures, seed=seed, device=device)
    results: dict[str, float] = {}
    for loss, maker in makers(p.num_classes).items():
        for name in WAYS:
            recipe = replace(config.training, augment=(*config.training.augment, *way(name, config.square)))
            model = taught(
                config, maker(), p, seed=seed, name=f"{loss}-{name}", workdir=workdir, progress=progress, recipe=recipe
            )
            results[f"{loss}/{name}"] = accuracy(model, p.x_test, p.y_test)
            results[f"{loss}/{name}/training"] = accuracy(model, p.x, p.y)
        results[f"{loss}/augmented"] = float(np.mean([results[f"{loss}/{name}"] for name in WAYS[1:]]))
    return Outcome(results)


#: A point of accuracy, about what the paper's table has on the animals.
MARGIN = 0.01
TITLES = {
    "none": "without augmentation", "cutout": "beside Cutout", "mixup": "beside Mixup", "cutmix": "beside CutMix",
    "randaugment": "beside RandAugment", "augmented": "mean of the four augmentations",
}  # fmt: skip


EXPERIMENT = Experiment(
    name="augmented",
    claim="Learnable smoothing adds to augmentation of the pictures.",
    source="lls, appendix F, table 8",
    reduction={
        "smoke": "100 training pictures and one epoch: tests the code, not the claim.",
        "cpu": "1,500 pictures of CIFAR-10 at half the resolution and a small CNN that is right on half of the test "
        "pictures, where the paper has Animals-10N and ImageNet-100, which are not at hand, and residual networks.",
        "gpu": "CIFAR-10 and ResNet-18, 20 epochs, where the paper has Animals-10N and ImageNet-100, which are not at "
        "hand, and 90 or 100 epochs.",
    },
    configs={
        "smoke": Config(
            pictures="cifar10", train_size=100, validation_size=100, test_size=100, shrink=2, network="small-cnn",
            width=4, square=8, training=training.Config(epochs=1, batch_size=50),
        ),
        "cpu": Config(
            pictures="cifar10", train_size=1500, validation_size=100, test_size=0, shrink=2, network="small-cnn",
            width=8, square=8, training=training.Config(epochs=40, batch_size=125, lr=0.05),
        ),
        "gpu": Config(
            pictures="cifar10", train_size=0, validation_size=5000, test_size=0, network="resnet-18", square=16,
            training=card(20),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 110)), "gpu": (100, 101)},
    measure=measure,
    contrasts=(
        *(
            Contrast(name, f"LLS is more accurate than one-hot targets, {title}", f"lls/{name}", f"one-hot/{name}",
                     margin=MARGIN)
            for name, title in TITLES.items()
        ),
        Contrast("adds", "LLS gains as much beside the augmentations as without one", "lls/augmented",
                 "one-hot/augmented", claimed="none", margin=MARGIN, plain=("lls/none", "one-hot/none")),
        *(
            Contrast(f"with-{name}", f"LLS is more accurate {TITLES[name]} than without augmentation", f"lls/{name}",
                     "lls/none", margin=MARGIN)
            for name in WAYS[1:]
        ),
    ),
    primary=("augmented", "adds"),
    # by seeds 10 to 12, without RandAugment
    plans=(Plan("augmented", 0.0054), Plan("adds", 0.004, 0.0)),
    data=("cifar10",),
)  # fmt: skip
