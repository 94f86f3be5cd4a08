"""What LLS says of its relatives: the table of online smoothing over the epochs, and wrong labels.

Claims: where the predictions become nearly one-hot, so do the targets of online label smoothing (lls, section 2);
relations between classes matter where labels are wrong, and uniform smoothing destroys them (lls, section 1).
Set-up: Fashion-MNIST images and one MLP. Online smoothing is followed over the epochs on 1,000 images, for so long that
the network knows them by heart. Wrong labels: 1,500 images, the same initial weights and batches for every method; a
fifth of the labels is wrong, evenly, where any other class may stand there, or near, where it is one of the same kind
(tops, shoes, the rest), so that there are relations to be learned. LLS's loss has twice the scale of a cross-entropy:
half of it, which near its target has the gradient of smoothing, takes the scale apart from the method; half of it with
a Q that stays even takes the loss apart from what Q learns. On one thread of a laptop core: 27 seconds a seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lsedu import data, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.losses import LearnableLabelSmoothing, OnlineLabelSmoothing, cross_entropy, label_smoothing
from lsedu.studies._contrasts import accuracies
from lsedu.studies._pictures import Pictures, Scale, pictures
from lsedu.studies._scores import right, under
from lsedu.studies._training import accuracy, trained
from lsedu.studies._wrong_labels import shares
from lsedu.studies.learnable import _reading
from lsedu.studies.learnable._methods import ALPHA

#: What is taken for what where labels are wrong nearby: clothes for the upper body, shoes, and trousers and bags.
KINDS = ((0, 2, 3, 4, 6), (5, 7, 9), (1, 8))
#: The methods that are compared where labels are wrong.
ARMS = ("one-hot", "ls", "lls", "half", "own", "fixed")
#: How the labels are wrong: evenly among all classes, or within the kind.
PLACES = ("even", "near")


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study.

    Attributes
    ----------
    rate : float
        Share of wrong labels.
    by_heart : int
        How many of the pictures online smoothing is followed on.
    long : training.Config
        The recipe of that training.
    early : int
        After which of its epochs the table is read a first time.
    """

    rate: float
    by_heart: int
    long: training.Config
    early: int


def makers(num_classes: int) -> dict[str, Callable[[], Any]]:
    """Return a maker of each arm's criterion.

    ``own`` is half of LLS with 20 times the rate for Q, without decay; ``fixed`` half of it with a Q that stays even.
    """
    half = partial(LearnableLabelSmoothing, num_classes, alpha=ALPHA, half=True)
    return {
        "one-hot": lambda: cross_entropy,
        "ls": lambda: partial(label_smoothing, alpha=ALPHA),
        "lls": partial(LearnableLabelSmoothing, num_classes, alpha=ALPHA),
        "half": half,
        "own": partial(half, lr_factor=20.0, weight_decay=0.0),
        "fixed": lambda: half().requires_grad_(False),
        "ols": partial(OnlineLabelSmoothing, num_classes),
    }


def near(num_classes: int) -> np.ndarray:
    """Return which class a wrong label names, a row for each true class: evenly the others of its kind.

    Examples
    --------
    >>> near(10)[7].tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.5]
    """
    table = np.zeros((num_classes, num_classes))
    for kind in KINDS:
        for y in kind:
            table[y, [other for other in kind if other != y]] = 1 / (len(kind) - 1)
    return table


def given(labels: np.ndarray, place: str, num_classes: int, *, rate: float, seed: int) -> np.ndarray:
    """Return labels of which a share `rate` is wrong, evenly or near."""
    if place == "even":
        return data.symmetric_noise(labels, num_classes, rate=rate, seed=seed)
    confusion = (1 - rate) * np.eye(num_classes) + rate * near(num_classes)
    return data.annotate(labels, confusion, annotators=1, seed=seed)[0][:, 0]


def targets_of(made: Any) -> np.ndarray:
    """Return the targets (K, K) that a criterion with a table gives its classes now, a row each."""
    if isinstance(made, OnlineLabelSmoothing):
        table, share = made.online.table, 1 - made.hard_weight
    else:
        table, share = made.q(), made.alpha
    return (1 - share) * np.eye(len(table)) + share * table.double().cpu().numpy()


def of_targets(targets: np.ndarray) -> dict[str, float]:
    """Return what targets (K, K) pass on to other classes than the label, how unevenly, and how much within the kind.

    Examples
    --------
    >>> found = of_targets(0.8 * np.eye(10) + 0.2 * near(10))
    >>> round(found["passed"], 3), round(found["kind"], 3)
    (0.2, 1.0)
    """
    others = targets.sum() - targets.trace()
    return {
        "passed": float(1 - targets.diagonal().mean()),
        "uneven": _reading.row_unevenness(targets),
        "kind": float(targets[near(len(targets)) > 0].sum() / others),
    }


def of_training(model: nn.Module, x: Tensor, labels: Tensor, true: Tensor) -> dict[str, float]:
    """Return how sure a network is of the labels that it was trained with, and what became of the wrong ones."""
    logits = training.predict(model, x)
    sure = logits.double().softmax(1).gather(1, labels[:, None])[:, 0]
    found = {"sure": sure.mean().item(), "fits": right(logits, labels)}
    return found | shares(logits.argmax(1), labels, true)


def followed(
    config: Config, p: Pictures, plain: np.ndarray, **options: Any
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Return what becomes of the table of online smoothing; `plain` is the confusion of a one-hot network."""
    x, y = p.x[: config.by_heart], p.y[: config.by_heart]
    made = makers(p.num_classes)["ols"]()
    targets, path = [targets_of(made)], []

    def look(model: nn.Module) -> dict[str, float]:
        targets.append(targets_of(made))
        path.append([of_training(model, x, y, y)[key] for key in ("sure", "fits")])
        return {}

    trained(models.mlp, made, x, y, recipe=config.long, metrics=look, **options)
    same, shuffled = _reading.row_likeness(targets[-1], plain)
    results = of_targets(targets[-1]) | dict(zip(("sure", "fits"), path[-1])) | {"same": same, "shuffled": shuffled}
    results["early"] = of_targets(targets[config.early])["passed"]
    passed = np.array([of_targets(one)["passed"] for one in targets], dtype=np.float32)
    arrays = {"passed": passed, "path": np.array(path, dtype=np.float32), "targets": targets[-1].astype(np.float32)}
    return under("ols", results), {f"ols/{key}": value for key, value in arrays.items()}


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Follow online smoothing on true labels; train with every method on both kinds of wrong ones."""
    p = pictures(config, seed=seed, device=device)
    options = {"shape": tuple(p.x.shape[1:]), "num_classes": p.num_classes, "seed": seed, "progress": progress}
    plain, _ = trained(models.mlp, cross_entropy, p.x, p.y, recipe=config.training, **options)
    confusion = _reading.confusion(training.predict(plain, p.x_test), p.y_test)
    results, arrays = followed(config, p, confusion, **options)
    results["clean/accuracy"] = float(np.trace(confusion) / confusion.sum())
    arrays["clean/confusion"] = confusion
    for place in PLACES:
        wrong = given(p.y.cpu().numpy(), place, p.num_classes, rate=config.rate, seed=seed)
        labels = torch.from_numpy(wrong).to(device)
        for arm in ARMS:
            made, name = makers(p.num_classes)[arm](), f"{place}/{arm}"
            model, _ = trained(models.mlp, made, p.x, labels, recipe=config.training, **options)
            results[f"{name}/accuracy"] = accuracy(model, p.x_test, p.y_test)
            results |= under(name, of_training(model, p.x, labels, p.y))
            if isinstance(made, nn.Module):
                table = targets_of(made)
                results |= under(name, of_targets(table))
                arrays[f"{name}/targets"] = table.astype(np.float32)
    return Outcome(results, arrays)


def _compared(place: str, plus: str, minus: str, told: str, claimed: Any = "positive") -> Contrast:
    how = {"even": "any other class", "near": "a class of the same kind"}[place]
    return accuracies(
        f"{place}-{plus}-{minus}", f"Where {how} stands on a fifth of the pictures, {told}", f"{place}/{plus}",
        f"{place}/{minus}", claimed, margin=0.005,
    )  # fmt: skip


EXPERIMENT = Experiment(
    name="relatives",
    claim="Where predictions become one-hot so do the targets of online smoothing; relations help where labels are "
    "wrong.",
    source="lls, sections 1 and 2; zhang2021",
    reduction={
        "smoke": "200 training images, one epoch and two: tests the code, not the claim.",
        "cpu": "1,500 Fashion-MNIST images, one MLP and wrong labels that we made; one learning rate, not tuned: says "
        "nothing of large sets and networks, nor of labels that people got wrong.",
    },
    configs={
        "smoke": Config(
            train_size=200, validation_size=100, test_size=200, rate=0.2, by_heart=100, early=1,
            training=training.Config(epochs=1, batch_size=50), long=training.Config(epochs=2, batch_size=50),
        ),
        "cpu": Config(
            train_size=1500, validation_size=100, test_size=10000, rate=0.2, by_heart=1000, early=10,
            training=training.Config(epochs=40, lr=0.1), long=training.Config(epochs=100, lr=0.1),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 120))},
    measure=measure,
    contrasts=(
        Contrast("ols-one-hot", "When the network knows its pictures by heart, the targets of online smoothing pass on "
                 "less than 0.025 to other classes", "ols/passed", 0.025, claimed="negative", margin=0.005),
        Contrast("ols-early", "After ten epochs they still pass on more than the 0.09 of smoothing", "ols/early", 0.09,
                 margin=0.01),
        Contrast("ols-rows", "The little that is left ranks the classes as the confusion of a one-hot network does",
                 "ols/same", "ols/shuffled", margin=0.1),
        *(
            one
            for place in PLACES
            for one in (
                _compared(place, "ls", "one-hot", "smoothing is more accurate than one-hot targets"),
                _compared(place, "lls", "ls", "LLS as published is more accurate than smoothing"),
                _compared(place, "half", "ls", "half of LLS is more accurate than smoothing"),
                _compared(place, "own", "ls", "half of LLS with 20 times the rate for Q is more accurate than "
                          "smoothing"),
                _compared(place, "own", "half", "half of LLS is more accurate with 20 times the rate for Q"),
                _compared(place, "half", "lls", "half of LLS is more accurate than the whole"),
                _compared(place, "fixed", "ls", "half of LLS with a Q that stays even is more accurate than smoothing"),
            )
        ),
        _compared("even", "half", "fixed", "half of LLS is as accurate with a Q that stays even", "none"),
        _compared("near", "own", "fixed", "half of LLS is more accurate with 20 times the rate for Q than an even Q"),
        *(
            Contrast(f"kind-{arm}", "Q gives more to classes of the same kind where the wrong labels are among them "
                     f"({told})", f"near/{arm}/kind", f"even/{arm}/kind", margin=0.1)
            for arm, told in (("lls", "as published"), ("own", "half of LLS, 20 times the rate for Q"))
        ),
    ),
    primary=(
        "ols-one-hot", "even-lls-ls", "even-half-ls", "even-half-fixed", "near-lls-ls", "near-half-ls", "near-own-ls",
        "near-own-fixed",
    ),
    # by seeds 10 to 12, in which LLS as published was behind smoothing
    plans=(
        Plan("ols-one-hot", 0.0011), Plan("even-lls-ls", 0.0027), Plan("even-half-ls", 0.0014),
        Plan("near-lls-ls", 0.0062), Plan("near-half-ls", 0.0062), Plan("near-own-ls", 0.0067),
        Plan("even-half-fixed", 0.0025, 0.0), Plan("near-own-fixed", 0.0062),
    ),
    data=("fashion-mnist-mini",),
)  # fmt: skip
