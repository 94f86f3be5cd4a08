"""Labels that people got wrong: smoothing on CIFAR-10N, and beside it the same share of errors made by dice.

Claim: smoothing makes a network more robust to wrong labels (textbook, Benefits), here to those of real annotators
(wei2022): the majority of three (9% wrong), the first of them (17%), and the worst (40%). People confuse what looks
alike, dice do not; the set `symmetric` has as many wrong labels as `worst`, thrown by dice.
Set-up: 1,500 CIFAR-10 images, brought to 16 x 16 pixels, and a small CNN; the same images, initial weights and batches
for every set of labels and strength, the true labels among the sets; all 10,000 test images. On one thread of a laptop
core: five minutes a seed. Needs CIFAR-10 and CIFAR-10N.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from lsedu import data, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.experiments.keeping import per_picture
from lsedu.studies._contrasts import against
from lsedu.studies._loaded import averaged
from lsedu.studies._pictures import Scale
from lsedu.studies._scores import under
from lsedu.studies._training import smoothed
from lsedu.studies._wrong_labels import calibrated, shares, temperatures


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; `labels` are the sets of training labels."""

    labels: tuple[str, ...]
    alphas: tuple[float, ...]
    width: int


def label_sets(
    true: np.ndarray, human: Mapping[str, np.ndarray], classes: int, *, names: tuple[str, ...], seed: int
) -> dict[str, np.ndarray]:
    """Return the labels of the images by set, each int64 (N,).

    Parameters
    ----------
    true : ndarray, int64, shape (N,)
    human : mapping of str to ndarray
        The annotators' labels of the same images.
    classes : int
        Number of classes K.
    names : tuple of str
        ``clean`` for the true labels, ``symmetric`` for as many wrong ones as ``worst`` has, or a name in `human`.
    seed : int
        Seed of the symmetric noise, whose rate is that of ``worst`` on these images.

    Examples
    --------
    >>> true = np.arange(1000) % 2
    >>> sets = label_sets(true, {"worst": 1 - true}, 2, names=("clean", "symmetric"), seed=0)
    >>> [float((labels != true).mean()) for labels in sets.values()]
    [0.0, 1.0]
    """
    found = {}
    for name in names:
        if name == "clean":
            found[name] = true
        elif name == "symmetric":
            rate = float((human["worst"] != true).mean())
            found[name] = data.symmetric_noise(true, classes, rate=rate, seed=seed)
        else:
            found[name] = human[name]
    return found


def parts(
    train: data.Dataset, human: Mapping[str, np.ndarray], config: Config, seed: int
) -> tuple[tuple[data.Dataset, dict[str, np.ndarray]], ...]:
    """Return training and held-out images with true labels, each with its labels by set."""
    # Indices in the place of images are split like them, and lead to the annotators' labels.
    index = replace(train, images=np.arange(len(train), dtype=np.int32).view(np.uint8).reshape(-1, 1, 4))
    found = []
    for i, part in enumerate(data.split(index, sizes=(config.train_size, config.validation_size), seed=seed)):
        rows = part.images.reshape(-1).view(np.int32)
        chosen = train.take(rows)
        answers = {name: labels[rows] for name, labels in human.items()}
        sets = label_sets(chosen.labels, answers, len(train.classes), names=config.labels, seed=2 * seed + i)
        found.append((chosen, sets))
    return tuple(found)


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train the network on each set of labels with each strength; test on clean labels."""
    (train, sets), (held_out, held_sets) = parts(data.load("cifar10"), data.annotations("cifar10n"), config, seed)
    (test,) = data.split(data.load("cifar10", split="test"), sizes=(config.test_size,), seed=0)
    (x, y), (x_val, y_val), (x_test, y_test) = (
        averaged(part, shrink=2, device=device) for part in (train, held_out, test)
    )
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for name in config.labels:
        given, given_val = (torch.from_numpy(labels).to(device) for labels in (sets[name], held_sets[name]))
        results[f"{name}/rate"] = (given != y).double().mean().item()
        for alpha in config.alphas:
            model, _ = smoothed(
                models.small_cnn, x, given, alpha=alpha, seed=seed, recipe=config.training, workdir=workdir,
                name=f"{name}-{alpha}", progress=progress, shape=tuple(x.shape[1:]), width=config.width,
            )  # fmt: skip
            fitted = temperatures(training.predict(model, x_val), given_val, y_val)
            logits = training.predict(model, x_test)
            found = calibrated(logits, y_test, fitted)
            found |= shares(training.predict(model, x).argmax(1), given, y)
            results |= under(f"{name}/{alpha}", found)
            arrays |= per_picture(f"{name}/{alpha}", logits, y_test)
    return Outcome(results, arrays)


WRONG = (
    ("aggregate", "the majority's labels (9% wrong)"),
    ("random1", "one annotator's labels (17% wrong)"),
    ("worst", "the worst labels (40% wrong)"),
    ("symmetric", "40% wrong labels thrown by dice"),
)

EXPERIMENT = Experiment(
    name="real_noise",
    claim="Smoothing makes a network more robust to the wrong labels of real annotators.",
    source="textbook, Benefits; wei2022; lukasik2020",
    reduction={
        "smoke": "300 training images and 2 epochs: tests the code, not the claim.",
        "cpu": "1,500 of 50,000 CIFAR-10 images at half the resolution and a small CNN, right on fewer than half of "
        "the test images: says nothing of networks that do well on them.",
    },
    configs={
        "smoke": Config(
            train_size=300, validation_size=200, test_size=200,
            labels=("clean", "aggregate", "random1", "worst", "symmetric"), alphas=(0.0, 0.1, 0.4), width=4,
            training=training.Config(epochs=2, batch_size=64),
        ),
        "cpu": Config(
            train_size=1500, validation_size=2000, test_size=10000,
            labels=("clean", "aggregate", "random1", "worst", "symmetric"), alphas=(0.0, 0.1, 0.4), width=8,
            training=training.Config(epochs=40, batch_size=64, lr=0.04),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 110))},
    measure=measure,
    contrasts=(
        *(
            against(
                f"{name}-{alpha}", f"With {title}, alpha = {alpha} raises accuracy", "accuracy",
                plus=f"{name}/{alpha}", minus=f"{name}/0.0", claimed="positive", margin=0.01,
            )
            for name, title in WRONG
            for alpha in (0.1, 0.4)
        ),
        *(
            Contrast(
                f"more-{name}-{alpha}", f"With {title}, alpha = {alpha} gains more accuracy than with true labels",
                f"{name}/{alpha}/accuracy", f"{name}/0.0/accuracy", claimed="positive", margin=0.01,
                plain=(f"clean/{alpha}/accuracy", "clean/0.0/accuracy"),
            )
            for name, title in WRONG
            for alpha in (0.1, 0.4)
        ),
        against(
            "memorised", "alpha = 0.4 lowers the share of the worst annotators' errors learnt by heart", "memorised",
            plus="worst/0.4", minus="worst/0.0", margin=0.02,
        ),
        against(
            "people-dice", "Without smoothing, errors of people cost more accuracy than as many thrown by dice",
            "0.0/accuracy", plus="worst", minus="symmetric", margin=0.01,
        ),
        against(
            "people-memorised", "Without smoothing, errors of people are learnt by heart more often than those of dice",
            "0.0/memorised", plus="worst", minus="symmetric", claimed="positive", margin=0.02,
        ),
    ),
    primary=("worst-0.1", "worst-0.4", "more-worst-0.1", "more-random1-0.1",),
    plans=(Plan("worst-0.4", 0.0094),),
    data=("cifar10", "cifar10n"),
)  # fmt: skip
