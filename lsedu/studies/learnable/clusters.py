"""Where the classes lie inside a network that learned its targets: tight or loose, equally far apart or not.

Claims: clusters of smoothing and of LLS are tighter than those of one-hot targets; smoothing makes all classes equally
far apart, where LLS keeps the distances that one-hot targets give; cat and dog, beaver and otter stay near each other
under LLS and not under smoothing (lls, section 5.2 and appendix E, figures 5, 6 and 8).
Set-up: the last hidden layer of LeNet on Fashion-MNIST, and of a small CNN on CIFAR-10 and CIFAR-100 at half the
resolution; the same pictures, initial weights and batches for one-hot targets, smoothing, LLS as published, and LLS
with a rate of Q's own. Two controls take LLS apart: half of its loss, which has the scale of a cross-entropy, and the
whole of it with a Q that stays uniform. And a twin with one-hot targets, of other weights and batches: how much two
networks of one kind agree in their distances. On one thread of a laptop core: two minutes a seed. Needs
CIFAR-10 and CIFAR-100.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lsedu import analysis, losses, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.studies._scores import under
from lsedu.studies._training import accuracy, features
from lsedu.studies.learnable import q_cifar
from lsedu.studies.learnable._distances import read
from lsedu.studies.learnable._methods import ALPHA
from lsedu.studies.learnable._photographs import Unheld, taught, unheld
from lsedu.studies.learnable._reading import likeness, row_likeness
from lsedu.studies.recipes import card

SETS = ("clothes", "cifar10", "cifar100")
#: Those of ten classes.
TEN = SETS[:2]
ALL = ("one-hot", "twin", "ls", "lls", "own", "half", "fixed")
#: By set, two classes that are alike and a third: T-shirt, shirt and bag; cat, dog and truck; beaver, otter, dolphin.
TRIOS = {"clothes": (0, 6, 8), "cifar10": (3, 5, 9), "cifar100": (4, 55, 30)}
#: Networks whose features are kept, of some test pictures of a seed.
DRAWN = ("one-hot", "ls", "lls", "own")


@dataclass(frozen=True, kw_only=True)
class Part(Unheld):
    """Scale of a set, and which networks are trained on its pictures."""

    data: str
    arms: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Scale of each set, a part; `drawn` is the seed of which features are kept, of `points` test pictures a class."""

    clothes: Part
    cifar10: Part
    cifar100: Part
    drawn: int
    points: int


def makers(num_classes: int) -> dict[str, Callable[[], Any]]:
    """Return a maker of each network's criterion."""
    plain, named = (lambda: losses.cross_entropy), q_cifar.arms(num_classes)
    lls = partial(losses.LearnableLabelSmoothing, num_classes, alpha=ALPHA)
    return {
        "one-hot": plain,
        "twin": plain,
        "ls": lambda: partial(losses.label_smoothing, alpha=ALPHA),
        "lls": named["published"],
        "own": named["own"],
        "half": partial(lls, half=True),
        "fixed": lambda: lls().requires_grad_(False),
    }


def alike(table: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """Return how alike two tables of distances are: entries; and with few classes the ranks within rows, too."""
    found = {"like": likeness(table, other)}
    if len(table) <= 10:
        found["same"], found["strangers"] = row_likeness(table, other)
    return found


def measure(config: Config, seed: int, *, part: str, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train the networks of a set, and read where their classes lie."""
    scale: Part = getattr(config, part)
    p = unheld(scale, scale.data, seed=seed, device=device)
    k = p.num_classes
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    tables: dict[str, np.ndarray] = {}
    for arm in scale.arms:
        model = taught(
            scale, makers(k)[arm](), p, seed=seed + (1000 if arm == "twin" else 0), name=f"{part}-{arm}",
            workdir=workdir, progress=progress,
        )  # fmt: skip
        for state, pictures, labels in (("train", p.x, p.y), ("test", p.x_test, p.y_test)):
            seen, name = features(model, pictures).float(), f"{part}/{arm}/{state}"
            table = tables[f"{arm}/{state}"] = analysis.centre_distances(
                analysis.class_centres(seen, labels, k), normalise=False
            )
            results[f"{name}/accuracy"] = accuracy(model, pictures, labels)
            results |= under(name, read(seen, labels, num_classes=k, classes=TRIOS[part]))
            if arm != "one-hot":
                results |= under(name, alike(table, tables[f"one-hot/{state}"]))
            if state == "train":
                arrays[f"{part}/{arm}/distances"] = table.astype(np.float16)
            elif part == "clothes" and arm in DRAWN and seed == config.drawn:
                index = torch.cat([torch.nonzero(labels == c)[: config.points, 0] for c in range(k)])
                arrays[f"{part}/{arm}/features"] = seen[index].cpu().numpy().astype(np.float16)
    return Outcome(results, arrays)


def _tiny(name: str, arms: tuple[str, ...] = ALL, **changed: Any) -> Part:
    options: dict[str, Any] = {"shrink": 2, "network": "small-cnn", "width": 4, **changed}
    return Part(
        data=name, train_size=200, test_size=0, arms=arms, training=training.Config(epochs=1, batch_size=50), **options
    )


def _small(name: str, train_size: int, epochs: int, arms: tuple[str, ...] = ALL, **changed: Any) -> Part:
    options: dict[str, Any] = {"shrink": 2, "network": "small-cnn", "width": 16, **changed}
    return Part(
        data=name, train_size=train_size, test_size=0, arms=arms,
        training=training.Config(epochs=epochs, batch_size=64, lr=0.04), **options,
    )  # fmt: skip


def _whole(name: str, recipe: training.Config) -> Part:
    return Part(data=name, train_size=0, test_size=0, shrink=1, network="resnet-18", width=0, arms=ALL, training=recipe)


LENET = {"network": "lenet", "shrink": 1, "width": 0}
FEW = ("one-hot", "twin", "ls", "lls", "own")

#: Networks of which something is claimed.
NAMED = (("ls", "smoothing"), ("lls", "LLS"), ("own", "LLS with Q's own rate"))


def _each(name: str, claim: str, plus: str, minus: str | float, **options: Any) -> tuple[Contrast, ...]:
    """Return a contrast for each set, ``NAME-SET``; keys are those of a network's results."""

    def key(place: str, told: str | float) -> str | float:
        return f"{place}/{told}" if isinstance(told, str) else told

    return tuple(
        Contrast(f"{name}-{place}", f"{claim} ({place})", f"{place}/{plus}", key(place, minus), **options)
        for place in options.pop("sets", SETS)
    )


def _tight(arm: str, title: str) -> tuple[Contrast, ...]:
    return tuple(
        one
        for name, state, called in ((arm, "train", "training"), (f"test-{arm}", "test", "test"))
        for one in _each(
            f"tight-{name}", f"Clusters of {title} are tighter for their distance, {called} pictures",
            f"{arm}/{state}/scatter", f"one-hot/{state}/scatter", claimed="negative", margin=0.1,
        )
    )  # fmt: skip


def _kept(arm: str, title: str) -> tuple[Contrast, ...]:
    """Return what is claimed of a Q that learns: it keeps what smoothing loses."""
    told = {
        "even": (f"Distances of {title} are as unequal as those of one-hot targets", "spread", "one-hot", 0.05, SETS),
        "uneven": (f"Distances of {title} are less equal than those of smoothing", "spread", "ls", 0.05, SETS),
        "order": (f"Under {title} a class ranks the others more as under one-hot targets than under smoothing",
                  "same", "ls", 0.1, TEN),
        "order-twin": (f"Under {title} it ranks them as a second network with one-hot targets does", "same", "twin",
                       0.1, TEN),
        "trio-kept": (f"Under {title} the two are as near as with one-hot targets", "trio", "one-hot", 0.1, SETS),
        "trio": (f"Under {title} the two are nearer than under smoothing", "trio", "ls", 0.1, SETS),
        "group-kept": (f"Under {title} a group is as near as with one-hot targets", "group", "one-hot", 0.05, SETS[2:]),
        "group": (f"Under {title} a group is nearer than under smoothing", "group", "ls", 0.05, SETS[2:]),
    }  # fmt: skip
    signs = {"uneven": "positive", "order": "positive", "trio": "negative", "group": "negative"}
    return tuple(
        one
        for name, (claim, key, base, margin, sets) in told.items()
        for one in _each(
            f"{name}-{arm}", claim, f"{arm}/train/{key}", f"{base}/train/{key}", claimed=signs.get(name, "none"),
            margin=margin, sets=sets,
        )
    )  # fmt: skip


EXPERIMENT = Experiment(
    name="clusters",
    claim="Learned targets make clusters tight and keep the distances between classes, which smoothing makes equal.",
    source="lls, section 5.2 and appendix E",
    reduction={
        "smoke": "200 training pictures of each set and one epoch: tests the code, not the claim.",
        "cpu": "LeNet on 4,000 pictures of Fashion-MNIST, and a small CNN on 3,000 of CIFAR-10 and 4,000 of CIFAR-100 "
        "at half the resolution: it is right on about half, and about a fifth, of the test pictures, where the paper "
        "has deep networks, all pictures and hundreds of epochs.",
        "gpu": "ResNet-18 on all pictures, 15 epochs for CIFAR-10 and 60 for CIFAR-100, where the paper has 300; LeNet "
        "on the 10,000 pictures of Fashion-MNIST that ship.",
    },
    configs={
        "smoke": Config(
            clothes=_tiny("fashion-mnist-mini", **LENET), cifar10=_tiny("cifar10"), cifar100=_tiny("cifar100", FEW),
            drawn=0, points=4,
        ),
        "cpu": Config(
            clothes=_small("fashion-mnist-mini", 4000, 15, **LENET), cifar10=_small("cifar10", 3000, 20),
            cifar100=_small("cifar100", 4000, 20, FEW), drawn=100, points=20,
        ),
        "gpu": Config(
            clothes=_small("fashion-mnist-mini", 0, 50, **LENET), cifar10=_whole("cifar10", card(15)),
            cifar100=_whole("cifar100", card(60)), drawn=100, points=20,
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 106)), "gpu": (100, 101, 102)},
    measure=measure,
    contrasts=(
        *(one for arm, title in NAMED for one in _tight(arm, title)),
        *_each("even-ls", "Smoothing makes distances more equal than one-hot targets do", "ls/train/spread",
               "one-hot/train/spread", claimed="negative", margin=0.05),
        *(one for arm, title in NAMED[1:] for one in _kept(arm, title)),
        *_each("learned", "With a Q that learns as published distances are less equal than with one that stays uniform",
               "lls/train/spread", "fixed/train/spread", margin=0.05, sets=TEN),
        *_each("learned-own", "With a Q that learns at its own rate they are less equal than with one that stays so",
               "own/train/spread", "fixed/train/spread", margin=0.05, sets=TEN),
        *_each("form", "With a Q that stays uniform LLS makes distances more equal than smoothing",
               "fixed/train/spread", "ls/train/spread", claimed="negative", margin=0.05, sets=TEN),
        *_each("scale", "Half of LLS's loss leaves distances less equal than the whole", "half/train/spread",
               "lls/train/spread", margin=0.05, sets=TEN),
        *_each("scale-ls", "Half of LLS's loss leaves distances as unequal as smoothing", "half/train/spread",
               "ls/train/spread", claimed="none", margin=0.05, sets=TEN),
        *_each("order-ls", "Under smoothing a class still ranks the others as under one-hot targets, rather than as "
               "another class does", "ls/train/same", "ls/train/strangers", margin=0.1, sets=TEN),
        *_each("trio", "With one-hot targets two classes that are alike are nearer than the third",
               "one-hot/train/trio", 1.0, claimed="negative", margin=0.1),
        *_each("trio-ls", "Smoothing puts the three equally far apart", "ls/train/trio", 1.0, claimed="none",
               margin=0.1),
        *_each("trio-lost", "Smoothing brings the three nearer to equal distances", "ls/train/trio",
               "one-hot/train/trio", margin=0.1),
        *_each("group", "With one-hot targets classes of one group are nearer than those of two", "one-hot/train/group",
               1.0, claimed="negative", margin=0.05, sets=SETS[2:]),
        *_each("group-ls", "Smoothing puts them equally far apart", "ls/train/group", 1.0, claimed="none", margin=0.05,
               sets=SETS[2:]),
        *_each("group-lost", "Smoothing brings them nearer to equal distances", "ls/train/group",
               "one-hot/train/group", margin=0.05, sets=SETS[2:]),
    ),
    primary=(
        "tight-ls-cifar10", "tight-lls-cifar10", "even-ls-cifar10", "even-lls-cifar10", "uneven-lls-cifar10",
        "uneven-lls-clothes", "trio-lls-cifar10", "group-lls-cifar100",
    ),
    # by seeds 10 to 12, in which LLS made the distances more equal than smoothing did, against the claim
    plans=(
        Plan("tight-ls-cifar10", 0.0218, 0.0), Plan("tight-lls-cifar10", 0.0398, 0.0), Plan("even-ls-cifar10", 0.0087),
        Plan("even-lls-cifar10", 0.0173, 3.0), Plan("uneven-lls-cifar10", 0.0096), Plan("uneven-lls-clothes", 0.0089),
        Plan("trio-lls-cifar10", 0.0191),
    ),
    data=("fashion-mnist-mini", "cifar10", "cifar100"),
    parts=lambda config: SETS,
)  # fmt: skip
