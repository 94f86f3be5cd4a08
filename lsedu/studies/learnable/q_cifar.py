"""Q-matrices of small photographs and of digits, set beside what people confuse, and beside the confusion matrix.

Claims: Q gives similar classes high values in CIFAR-10 and CIFAR-100, and digits have no prominent relations; it helps
to tell which class is meant where an answer is wrong (lls, sections 4.1 and 4.3, figure 3). People's confusions are
those of CIFAR-10H (peterson2019); digits are MNIST's, as SVHN is not at hand.
Set-up: a small CNN on pictures averaged over squares of 2 x 2 pixels. Three networks for each set, from the same
weights and with the same batches: one-hot targets; LLS as published, Q with the network's learning rate and decay; and
LLS with Q's own rate, without decay. That rate is 2K times the network's, 20 for ten classes, as one picture in K
counts for a row. A fourth, with that rate, has other weights and pictures: what the two Qs agree in is not chance. On
one thread of a laptop core: two minutes a seed. Needs CIFAR-10, CIFAR-10H, CIFAR-100 and MNIST.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lsedu import losses, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.studies._loaded import apart, averaged
from lsedu.studies._scores import right, under
from lsedu.studies.learnable._groups import EVEN
from lsedu.studies.learnable._methods import ALPHA, RATE
from lsedu.studies.learnable._photographs import Scale, photographs, taught
from lsedu.studies.learnable._reading import confusion, meant, shares
from lsedu.studies.learnable._tables import PUBLISHED, compared, diagonal, mean_predictions, people, tables
from lsedu.studies.recipes import card

SETS = ("cifar10", "cifar100", "mnist")
#: Of Q: as published, and its own.
RATES = (("published", "as published"), ("own", "its own rate"))
#: Tables that a record holds.
KEPT = ("published", "own", "one-hot-confusion", "own-confusion", "people")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Scale of each set, which is measured as a part."""

    cifar10: Scale
    cifar100: Scale
    mnist: Scale


def arms(num_classes: int) -> dict[str, Callable[[], Any]]:
    """Return a maker of each network's criterion."""
    lls = partial(losses.LearnableLabelSmoothing, num_classes, alpha=ALPHA)
    own = partial(lls, lr_factor=RATE * num_classes, weight_decay=0.0)
    return {"one-hot": lambda: losses.cross_entropy, "published": lls, "own": own, "twin": own}


def measure(config: Config, seed: int, *, part: str, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train the four networks of a set, and read their tables."""
    scale: Scale = getattr(config, part)
    p = photographs(scale, part, seed=seed, device=device)
    results: dict[str, float] = {}
    found: dict[str, np.ndarray] = {}
    for arm, maker in arms(p.num_classes).items():
        criterion = maker()
        pictures, drawn = p, seed
        if arm == "twin":
            drawn = seed + 1000
            others, _ = apart(part, scale.train_size, scale.validation_size, seed=drawn)
            x, y = averaged(others, shrink=scale.shrink, device=device)
            pictures = replace(p, x=x, y=y)
        model = taught(
            scale, criterion, pictures, seed=drawn, name=f"{part}-{arm}", workdir=workdir, progress=progress,
            standard=p.x,
        )  # fmt: skip
        if arm != "one-hot":
            found[arm] = criterion.q().double().cpu().numpy()
        if arm == "twin":
            continue
        logits = training.predict(model, p.x_test)
        results[f"{part}/{arm}/accuracy"] = right(logits, p.y_test)
        found[f"{arm}-confusion"] = confusion(logits, p.y_test)
        if arm == "one-hot":
            found["mean"] = mean_predictions(training.predict(model, p.x), p.y)
        else:
            seen = confusion(training.predict(model, p.x_val), p.y_val)
            results |= under(f"{part}/{arm}/meant", meant(found[arm], logits, p.y_test, seen))
            results |= under(f"{part}/{arm}", diagonal(found[arm]))
    for name in ("published", "own", "one-hot-confusion", "mean"):
        results |= tables(part, name, found[name])
    results |= compared(part, found)
    if part == "cifar10":
        found["people"] = shares(people())
    kept = {f"{part}/{name}": small(table) for name, table in found.items() if name in KEPT}
    return Outcome(results, kept)


def small(table: np.ndarray) -> np.ndarray:
    """Return counts as uint16 and shares as float16: enough to be drawn."""
    return table.astype(np.uint16 if np.issubdtype(table.dtype, np.integer) else np.float16)


def _tiny(**changed: Any) -> Scale:
    return Scale(
        train_size=200, validation_size=100, test_size=100, shrink=2, network="small-cnn", width=4,
        training=training.Config(epochs=1, batch_size=50), **changed,
    )  # fmt: skip


def _small(train_size: int, epochs: int) -> Scale:
    return Scale(
        train_size=train_size, validation_size=2000, test_size=0, shrink=2, network="small-cnn", width=16,
        training=training.Config(epochs=epochs, batch_size=64, lr=0.04),
    )  # fmt: skip


def _whole(epochs: int) -> Scale:
    return Scale(
        train_size=0, validation_size=5000, test_size=0, shrink=1, network="resnet-18", width=0,
        training=card(epochs),
    )  # fmt: skip


EXPERIMENT = Experiment(
    name="q_cifar",
    claim="Q gives a class's weight to those that people confuse it with, and digits have no such relations.",
    source="lls, sections 4.1 and 4.3, figure 3",
    reduction={
        "smoke": "200 training pictures of each set and one epoch: tests the code, not the claim.",
        "cpu": "4,000, 8,000 and 2,500 pictures at half the resolution and a small CNN that is right on about half of "
        "CIFAR-10's test pictures and a fifth of CIFAR-100's, where the paper has ResNet-18 and all pictures for 300 "
        "epochs; MNIST in the place of SVHN; neither Animals-10N nor the other sets, which are not at hand.",
        "gpu": "ResNet-18 on all pictures, 15 epochs for CIFAR-10 and 60 for CIFAR-100, where the paper has 300; "
        "MNIST in the place of SVHN, with a small CNN.",
    },
    configs={
        "smoke": Config(cifar10=_tiny(), cifar100=_tiny(), mnist=_tiny()),
        "cpu": Config(cifar10=_small(4000, 20), cifar100=_small(8000, 15), mnist=_small(2500, 15)),
        "gpu": Config(cifar10=_whole(15), cifar100=_whole(60), mnist=_small(0, 5)),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 110)), "gpu": (100, 101, 102)},
    measure=measure,
    contrasts=(
        *(
            Contrast(
                f"people-{arm}", "A row of CIFAR-10's Q ranks the other classes rather as people confuse that class "
                f"than as they confuse another ({title})", f"cifar10/{arm}/people", f"cifar10/{arm}/strangers",
                claimed="positive", margin=0.1,
            )
            for arm, title in RATES
        ),
        Contrast(
            "people-over-confusion", "Q ranks classes more as people do than the one-hot network's confusion matrix",
            "cifar10/own/people", "cifar10/one-hot-confusion/people", claimed="positive", margin=0.05,
        ),
        Contrast(
            "people-rate", "With its own rate Q ranks classes more as people do than as published",
            "cifar10/own/people", "cifar10/published/people", claimed="positive", margin=0.05,
        ),
        *(
            Contrast(
                f"confusion-{name}", f"A row of Q ranks the other classes rather as the one-hot network confuses that "
                f"class than as it confuses another ({name})", f"{name}/own/confusion/same",
                f"{name}/own/confusion/strangers", claimed="positive", margin=0.1,
            )
            for name in ("cifar10", "mnist")
        ),
        Contrast(
            "itself", "Two Qs of different pictures and weights are more alike than a Q and a confusion matrix",
            "cifar10/agreement/same", "cifar10/own/confusion/same", claimed="positive", margin=0.05,
        ),
        *(
            Contrast(
                f"group-{arm}", f"Q of CIFAR-100 gives a class's own group more than an even row would ({title})",
                f"cifar100/{arm}/group", EVEN, claimed="positive", margin=0.02,
            )
            for arm, title in RATES
        ),
        Contrast(
            "group-over-confusion", "Q keeps more within the groups than the one-hot network's confusion matrix",
            "cifar100/own/group", "cifar100/one-hot-confusion/group", claimed="positive", margin=0.02,
        ),
        Contrast(
            "maple-oak", "Maple's row gives oak 0.45", "cifar100/own/maple_tree/oak_tree",
            PUBLISHED["maple_tree"]["oak_tree"], claimed="none", margin=0.1,
        ),
        Contrast(
            "maple-order", "Maple's row gives oak more than willow", "cifar100/own/maple_tree/oak_tree",
            "cifar100/own/maple_tree/willow_tree", claimed="positive", margin=0.05,
        ),
        Contrast(
            "woman-girl", "Woman's row gives girl 0.3", "cifar100/own/woman/girl", PUBLISHED["woman"]["girl"],
            claimed="none", margin=0.1,
        ),
        Contrast(
            "woman-order", "Woman's row gives girl more than baby", "cifar100/own/woman/girl",
            "cifar100/own/woman/baby", claimed="positive", margin=0.02,
        ),
        *(
            Contrast(
                f"digits-even-{arm}", f"Q of digits is more even than Q of CIFAR-10 ({title})",
                f"mnist/{arm}/unevenness", f"cifar10/{arm}/unevenness", claimed="negative", margin=0.2,
            )
            for arm, title in RATES
        ),
        Contrast(
            "digits-agree", "Two Qs of digits agree less than two of CIFAR-10", "mnist/agreement/same",
            "cifar10/agreement/same", claimed="negative", margin=0.1,
        ),
        Contrast(
            "digits-chance", "Two Qs of digits agree in nothing but which classes are popular", "mnist/agreement/same",
            "mnist/agreement/strangers", claimed="none", margin=0.1,
        ),
        *(
            Contrast(
                f"meant-{name}", f"Where an answer is wrong, its row of Q guesses the class meant more often than the "
                f"class most often missed does ({name})", f"{name}/own/meant/q", f"{name}/own/meant/prior",
                claimed="positive", margin=0.02,
            )
            for name in SETS
        ),
        *(
            Contrast(
                f"meant-second-{name}", f"Where an answer is wrong, the second largest logit guesses the class meant "
                f"more often than Q ({name})", f"{name}/own/meant/second", f"{name}/own/meant/q",
                claimed="positive", margin=0.02,
            )
            for name in SETS
        ),
        *(
            Contrast(
                f"diagonal-{name}", f"Q gives a label less of itself than an even row ({name})", f"{name}/own/own",
                0.01 if name == "cifar100" else 0.1, claimed="negative", margin=0.005 if name == "cifar100" else 0.05,
            )
            for name in SETS
        ),
    ),
    primary=(
        "people-own", "people-over-confusion", "group-own", "digits-even-own", "digits-agree", "meant-cifar10",
    ),
    # by seeds 10 to 13
    plans=(
        Plan("people-own", 0.0361), Plan("people-over-confusion", 0.0244, 0.0), Plan("people-rate", 0.0425, 0.0),
        Plan("group-own", 0.0068), Plan("digits-even-own", 0.1356, 0.0), Plan("digits-agree", 0.0643),
        Plan("meant-cifar10", 0.0121),
    ),
    data=("cifar10", "cifar10h", "cifar100", "mnist"),
    parts=lambda config: SETS,
)  # fmt: skip
