"""Nine losses on photographs: the Q that each learns, and what becomes of the reverse divergence among many classes.

Claims: Q is right only with the reverse KL alone and with the whole loss (lls, appendix H, figure 9); without the
reverse cross-entropy it is worse (section 5.1); with the reverse KL alone, and with all but the forward cross-entropy,
training fails (table 4). Why it fails: ours. On the logits the gradient of the reverse KL is q_j (log(q_j / s_j) - KL):
it vanishes with q_j, so at the start, where all is even, with the number of classes; against the cross-entropy's it is
half as large for 10 classes, 1/13 for 100 and 1/24 for 200. And where labels are uncertain it asks for less: its best
answer is the softmax of log(1 + K(1 - alpha)/alpha) times the labels' probabilities, which is nearly even where no
class has much of them.
Set-up: a small CNN on pictures averaged over squares of 2 x 2 pixels, the same pictures, weights and batches for all
rows. ``ten``: the nine rows on CIFAR-10, Q as published and with its own rate (as in `q_cifar`). ``many``: CIFAR-100
by its 100 classes, and the same pictures by their 20 groups; with 100 classes the reverse KL also at 1/0.0756 times
the learning rate, so that its first step is as large as the cross-entropy's, and from networks that one-hot targets
have trained before, for a few epochs and for as many. On one thread of a laptop core: two minutes a seed. Needs
CIFAR-10 and CIFAR-100.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lsedu import losses, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.studies._contrasts import against
from lsedu.studies._pictures import Pictures
from lsedu.studies._scores import under
from lsedu.studies.learnable._ablations import ROWS, at_start, looked, makers
from lsedu.studies.learnable._groups import group_of
from lsedu.studies.learnable._methods import RATE
from lsedu.studies.learnable._photographs import Unheld, taught, unheld
from lsedu.studies.learnable._reading import confusion, row_likeness, row_unevenness
from lsedu.studies.learnable.q_cifar import RATES, small
from lsedu.studies.recipes import card

PARTS = ("ten", "many")
OTHERS = tuple(row for row in ROWS if row != "lls")
WITHOUT = ("no-fce", "reverse-kl")


@dataclass(frozen=True, kw_only=True)
class Scale(Unheld):
    """Scale of a set; `warm` counts the epochs of one-hot training of two arms that begin with it, early and late."""

    warm: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Config:
    """Scale of each part."""

    ten: Scale
    many: Scale


def ten(scale: Scale, p: Pictures, **options: Any) -> Outcome:
    """Train the nine rows at both rates of Q, and set each Q beside confusions and beside the whole loss's."""
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    own = makers(10, lr_factor=RATE * 10, weight_decay=0.0)
    tables: dict[str, np.ndarray] = {}
    plain = confusion(training.predict(taught(scale, losses.cross_entropy, p, **options), p.x_test), p.y_test)
    results["one-hot/accuracy"] = float(np.trace(plain) / plain.sum())
    arrays["one-hot/confusion"] = plain.astype(np.uint16)
    for rate, found in (("published", makers(10)), ("own", own)):
        for row in ROWS:
            name, criterion = f"{rate}/{row}", found[row]()
            model = taught(scale, criterion, p, **options)
            results |= under(name, looked(model, p.x, p.y, p.x_test, p.y_test))
            table = tables[name] = criterion.q().double().cpu().numpy()
            same, strangers = row_likeness(table, plain)
            results |= under(name, {
                "own": float(np.diag(table).mean()), "uneven": row_unevenness(table), "same": same,
                "strangers": strangers,
            })  # fmt: skip
            arrays[f"{name}/q"] = small(table)
        for row in OTHERS:
            results[f"{rate}/{row}/as-lls"] = row_likeness(tables[f"{rate}/{row}"], tables[f"{rate}/lls"])[0]
    return Outcome(under("ten", results), {f"ten/{name}": array for name, array in arrays.items()})


def many(scale: Scale, p: Pictures, **options: Any) -> Outcome:
    """Train on a hundred classes, and on the same pictures by their twenty groups."""
    recipe = scale.training
    faster = float(at_start(100, "fce-only")[0] / at_start(100, "reverse-kl")[0])
    group = torch.as_tensor(group_of(), device=p.x.device)
    results: dict[str, float] = {}

    def seen(name: str, model: models.Classifier, p: Pictures = p) -> None:
        results.update(under(name, looked(model, p.x, p.y, p.x_test, p.y_test)))

    def made(row: str, num_classes: int, share: float = 1.0) -> losses.LearnableLabelSmoothing:
        # Q's own rate, whatever the network's
        return makers(num_classes, lr_factor=RATE * num_classes / share, weight_decay=0.0)[row]().to(p.x.device)

    coarse = replace(p, y=group[p.y], y_test=group[p.y_test], num_classes=20)
    for name, row, num_classes, share in (
        ("fine/fce-only", "fce-only", 100, 1.0), ("fine/lls", "lls", 100, 1.0), ("fine/no-fce", "no-fce", 100, 1.0),
        ("fine/reverse-kl", "reverse-kl", 100, 1.0), ("fast/reverse-kl", "reverse-kl", 100, faster),
        ("coarse/fce-only", "fce-only", 20, 1.0), ("coarse/reverse-kl", "reverse-kl", 20, 1.0),
    ):  # fmt: skip
        labelled = p if num_classes == 100 else coarse
        at_share = replace(recipe, lr=recipe.lr * share)
        seen(name, taught(scale, made(row, num_classes, share), labelled, recipe=at_share, **options), labelled)
    for name, epochs in zip(("early", "late"), scale.warm):
        first = replace(recipe, epochs=epochs, schedule="constant")
        model = taught(scale, losses.cross_entropy, p, recipe=first, **options)
        seen(f"{name}/start", model)
        again, progress = replace(recipe, seed=options["seed"]), options["progress"]
        training.fit(model, made("reverse-kl", 100), p.x, p.y, config=again, progress=progress)
        seen(f"{name}/reverse-kl", model)
    for labels in ("fine", "coarse"):
        results[f"{labels}/kept"] = results[f"{labels}/reverse-kl/accuracy"] / max(
            results[f"{labels}/fce-only/accuracy"], 1e-9
        )
    return Outcome(under("many", results), {})


def measure(config: Config, seed: int, *, part: str, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train on the set of a part; without checkpoints, as a network takes seconds."""
    train, scale, name = (ten, config.ten, "cifar10") if part == "ten" else (many, config.many, "cifar100")
    p = unheld(scale, name, seed=seed, device=device)
    return train(scale, p, seed=seed, name="", workdir=None, progress=progress)


def _accuracy(
    name: str,
    claim: str,
    plus: str,
    minus: str,
    *,
    claimed: str = "negative",
    margin: float = 0.02,
    key: str = "accuracy",
) -> Contrast:
    return against(name, claim, key, plus=f"many/{plus}", minus=f"many/{minus}", claimed=claimed, margin=margin)


def _like(name: str, claim: str, rate: str, row: str, *, claimed: str) -> Contrast:
    """Return the contrast of how a row's Q and the whole loss's follow the confusion of a one-hot network."""
    return Contrast(
        f"{name}-{rate}", claim, f"ten/{rate}/{row}/same", f"ten/{rate}/lls/same", claimed=claimed, margin=0.1
    )


def _tiny(**changed: Any) -> Scale:
    return Scale(
        train_size=200, test_size=100, shrink=2, network="small-cnn", width=4,
        training=training.Config(epochs=1, batch_size=50), **changed,
    )  # fmt: skip


def _small(train_size: int, epochs: int, **changed: Any) -> Scale:
    return Scale(
        train_size=train_size, test_size=0, shrink=2, network="small-cnn", width=16,
        training=training.Config(epochs=epochs, batch_size=64, lr=0.04), **changed,
    )  # fmt: skip


def _whole(epochs: int, **changed: Any) -> Scale:
    return Scale(
        train_size=0, test_size=0, shrink=1, network="resnet-18", width=0,
        training=card(epochs),
        **changed,
    )  # fmt: skip


EXPERIMENT = Experiment(
    name="ablations_cifar",
    claim="Q needs the reverse divergence, and training needs the forward cross-entropy.",
    source="lls, section 5.1, table 4, appendix H and figure 9",
    reduction={
        "smoke": "200 training pictures of each set and one epoch: tests the code, not the claim.",
        "cpu": "2,500 and 4,000 pictures at half the resolution and a small CNN that is right on less than half of "
        "CIFAR-10's test pictures and a sixth of CIFAR-100's, 10 and 12 epochs, where the paper has ResNets, whole "
        "sets and up to 300 epochs, and 200 classes where training fails.",
        "gpu": "ResNet-18 on whole CIFAR-10 and CIFAR-100, 10 and 30 epochs, where the paper has up to 300, and "
        "Tiny-ImageNet and CUB-200 where training fails.",
    },
    configs={
        "smoke": Config(ten=_tiny(), many=_tiny(warm=(1, 1))),
        "cpu": Config(ten=_small(2500, 10), many=_small(4000, 12, warm=(3, 12))),
        "gpu": Config(ten=_whole(10), many=_whole(30, warm=(8, 30))),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 105)), "gpu": (100, 101, 102)},
    measure=measure,
    contrasts=(
        *(
            one
            for rate, title in RATES
            for one in (
                *(
                    _like(f"worse-{row}", f"Q's rows follow a one-hot network's confusion less with {row} than with "
                          f"the whole loss ({title})", rate, row, claimed="negative")
                    for row in OTHERS if row != "reverse-kl"
                ),
                _like("reverse", f"They follow it with the reverse KL alone as with the whole loss ({title})", rate,
                      "reverse-kl", claimed="none"),
                Contrast(f"follows-{rate}", f"With the whole loss they follow it ({title})", f"ten/{rate}/lls/same",
                         f"ten/{rate}/lls/strangers", margin=0.1),
                Contrast(f"flatter-{rate}", f"Without the reverse cross-entropy Q is more even ({title})",
                         f"ten/{rate}/no-rce/uneven", f"ten/{rate}/lls/uneven", claimed="negative", margin=0.1),
                Contrast(f"own-fce-only-{rate}", f"With the cross-entropy alone Q gives a label more than an even row "
                         f"({title})", f"ten/{rate}/fce-only/own", 0.1, margin=0.05),
            )
        ),
        *(
            Contrast(f"ten-{row}", f"Among ten classes training fails with {row}", f"ten/own/{row}/accuracy",
                     "ten/own/fce-only/accuracy", claimed="negative", margin=0.1)
            for row in WITHOUT
        ),
        *(
            _accuracy(f"many-{row}", f"Among a hundred classes {row} is less accurate than the cross-entropy alone",
                      f"fine/{row}", "fine/fce-only", margin=0.05)
            for row in WITHOUT
        ),
        _accuracy("coarse", "The same pictures by twenty groups: the reverse KL is less accurate than the "
                  "cross-entropy", "coarse/reverse-kl", "coarse/fce-only"),
        _accuracy("classes", "It keeps less of the cross-entropy's accuracy with a hundred classes than with twenty",
                  "fine", "coarse", key="kept", margin=0.1),
        Contrast("even", "Its predictions of training pictures stay even", "many/fine/reverse-kl/training/sure", 0.01,
                 claimed="none", margin=0.01),
        Contrast("stuck", "Training pictures are stuck with next to nothing for their label",
                 "many/fine/reverse-kl/training/stuck", claimed="positive", margin=0.05),
        _accuracy("faster", "With a first step as large as the cross-entropy's it is more accurate", "fast/reverse-kl",
                  "fine/reverse-kl", claimed="positive"),
        _accuracy("faster-level", "With such a step it is as accurate as the cross-entropy", "fast/reverse-kl",
                  "fine/fce-only", claimed="none"),
        _accuracy("late", "After as many epochs of one-hot training the reverse KL trains on", "late/reverse-kl",
                  "late/start", claimed="positive", key="training/accuracy", margin=0.05),
        _accuracy("late-even", "After them the cross-entropy's accuracy is reached", "late/reverse-kl",
                  "fine/fce-only", claimed="none"),
        _accuracy("early", "After few epochs of it, the reverse KL trains on", "early/reverse-kl", "early/start",
                  claimed="positive", key="training/accuracy", margin=0.05),
        _accuracy("pulled-back", "After few epochs of it, the reverse KL makes the predictions of training pictures "
                  "more even", "early/reverse-kl", "early/start", key="training/sure"),
    ),
    primary=("worse-no-rce-own", "worse-forward-kl-own", "many-reverse-kl", "classes", "late"),
    # by seeds 10 to 12
    plans=(
        Plan("worse-no-rce-own", 0.0194, 0.0), Plan("worse-forward-kl-own", 0.0125, 0.0),
        Plan("many-reverse-kl", 0.0082), Plan("classes", 0.0360), Plan("late", 0.0496, 6.0),
    ),
    data=("cifar10", "cifar100"),
    parts=lambda config: PARTS,
)  # fmt: skip
