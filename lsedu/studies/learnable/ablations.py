"""Nine losses on ten classes: which of the four terms the accuracy needs.

Claims: the best accuracy needs all four terms; without the forward cross-entropy, and so with the reverse KL alone,
training fails; leaving out the reverse cross-entropy costs least (lls, section 5.1, table 4). The differences of the
table mix three things, which are taken apart here: the shape of the network's gradient, its size, and Q. Of the nine
rows only five differ in their gradient on the network; the rows of such a group differ through Q alone.
Set-up: Fashion-MNIST and one MLP; the same images, initial weights and batches for all rows. Once all rows have one
learning rate; once each of the five gradients has its own, the best of five on the validation pictures of seeds 10 to
12 (mean accuracy in `TRIED`). Beside them stand LLS halved, and the cross-entropy doubled. Q has a learning rate of its
own, 1 in all arms and without decay. On one thread of a laptop core: half a minute a seed.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from lsedu import losses, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.studies._contrasts import accuracies
from lsedu.studies._pictures import Scale, pictures
from lsedu.studies._scores import under
from lsedu.studies._training import trained
from lsedu.studies.learnable._ablations import ROWS, looked, makers, on_network

#: Q's learning rate, whatever the network's.
Q_RATE = 1.0
#: Accuracy on validation pictures by a row of each of the five gradients and by the network's learning rate.
TRIED: dict[str, dict[float, float]] = {
    "fce-only": {0.025: 0.8197, 0.05: 0.8253, 0.1: 0.8340, 0.2: 0.8320, 0.4: 0.7770},
    "no-rce": {0.025: 0.8120, 0.05: 0.8280, 0.1: 0.8357, 0.2: 0.8393, 0.4: 0.8157},
    "symmetric-ce": {0.025: 0.8233, 0.05: 0.8283, 0.1: 0.8293, 0.2: 0.7063, 0.4: 0.1487},
    "lls": {0.025: 0.8290, 0.05: 0.8280, 0.1: 0.8327, 0.2: 0.7743, 0.4: 0.2340},
    "reverse-kl": {0.025: 0.8130, 0.05: 0.8253, 0.1: 0.8277, 0.2: 0.8220, 0.4: 0.7567},
}
#: Rows that differ through Q alone, and so the pairs that must tie if Q does not matter for the accuracy.
PAIRS = (
    ("no-fce", "reverse-kl"), ("no-pred-em", "symmetric-ce"), ("no-targets-em", "lls"), ("forward-kl", "fce-only"),
)  # fmt: skip
OTHERS = tuple(row for row in ROWS if row != "lls")


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study."""


def best_rate(row: str) -> float:
    """Return the network's learning rate that was best for the row's gradient on the network."""
    (tried,) = [found for name, found in TRIED.items() if on_network(name) == on_network(row)]
    return max(tried, key=tried.__getitem__)


class Doubled(nn.Module):
    """A criterion at twice its loss."""

    def __init__(self, made: losses.LearnableLabelSmoothing) -> None:
        super().__init__()
        self.made = made
        self.parameter_groups = made.parameter_groups

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return twice the loss."""
        return 2.0 * self.made(logits, labels)


def arms(num_classes: int, rate: float) -> dict[str, tuple[Any, float]]:
    """Return a maker and the network's learning rate of every arm, `rate` being the common one."""

    def made(row: str, lr: float, *, scale: float = 1.0, **options: Any) -> Any:
        # what scales the loss scales Q's gradient, too: its rate makes up for that
        return makers(num_classes, lr_factor=Q_RATE / lr / scale, weight_decay=0.0, **options)[row]

    found = {row: (made(row, rate), rate) for row in ROWS}
    found["lls-half"] = (made("lls", rate, scale=0.5, half=True), rate)
    twice = made("fce-only", rate, scale=2.0)
    found["fce-twice"] = (lambda: Doubled(twice()), rate)
    return found | {f"{row}/tuned": (made(row, best_rate(row)), best_rate(row)) for row in ROWS}


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train every arm; an arm whose own rate is the common one is trained once."""
    p = pictures(config, seed=seed, device=device)
    rate = config.training.lr
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for arm, (maker, lr) in arms(p.num_classes, rate).items():
        row = arm.removesuffix("/tuned")
        if row != arm and lr == rate:
            results |= {f"{arm}/{key}": results[f"{row}/{key}"] for key in ("accuracy", "training/accuracy")}
            continue
        made = maker()
        model, _ = trained(
            models.mlp, made, p.x, p.y, seed=seed, recipe=replace(config.training, lr=lr), progress=progress,
            shape=tuple(p.x.shape[1:]), num_classes=p.num_classes,
        )  # fmt: skip
        results |= under(arm, looked(model, p.x, p.y, p.x_test, p.y_test))
        if arm in ROWS:
            table = made.q().cpu().numpy()
            results[f"{arm}/own"] = float(np.diag(table).mean())
            arrays[f"{arm}/q"] = table.astype(np.float16)
    return Outcome(results, arrays)


_accuracy = partial(accuracies, claimed="negative", margin=0.005)


EXPERIMENT = Experiment(
    name="ablations",
    claim="The accuracy of learnable label smoothing needs all four terms of its loss.",
    source="lls, section 5.1, table 4",
    reduction={
        "smoke": "150 training pictures and two epochs: tests the code, not the claim.",
        "cpu": "2,000 grey pictures of ten classes and one MLP of two hidden layers, 30 epochs: says nothing of deep "
        "networks or of 200 classes, where the paper has ResNets on Tiny-ImageNet and CUB-200.",
    },
    configs={
        "smoke": Config(
            train_size=150, validation_size=100, test_size=200, training=training.Config(epochs=2, batch_size=75),
        ),
        "cpu": Config(
            train_size=2000, validation_size=1000, test_size=2000, training=training.Config(epochs=30),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 120))},
    measure=measure,
    contrasts=(
        *(
            _accuracy(f"needed-{row}", f"Each at its own rate, {row} is less accurate than the whole loss",
                      f"{row}/tuned", "lls/tuned")
            for row in OTHERS
        ),
        *(
            _accuracy(f"common-{row}", f"At one rate for all, {row} is less accurate than the whole loss", row, "lls")
            for row in OTHERS
        ),
        *(
            _accuracy(f"fails-{row}", f"Training fails with {row}: ten points below the cross-entropy alone at least, "
                      "at one rate for all", row, "fce-only", margin=0.1)
            for row in ("no-fce", "reverse-kl")
        ),
        *(
            _accuracy(f"pair-{row}", f"{row} and {other}, which differ through Q alone, are equally accurate",
                      row, other, claimed="none")
            for row, other in PAIRS
        ),
        _accuracy("scale", "At one rate the whole loss is more accurate than the cross-entropy alone", "lls",
                  "fce-only", claimed="positive"),
        _accuracy("scale-half", "Half of the whole loss is as accurate as the cross-entropy alone", "lls-half",
                  "fce-only", claimed="none"),
        _accuracy("scale-twice", "The cross-entropy alone is more accurate at twice the loss", "fce-twice", "fce-only",
                  claimed="positive"),
        _accuracy("scale-level", "The cross-entropy alone at twice the loss is as accurate as the whole loss",
                  "fce-twice", "lls", claimed="none"),
        Contrast("own-fce-only", "With the cross-entropy alone Q gives a label more than 0.9 of itself",
                 "fce-only/own", 0.9, margin=0.01),
    ),
    primary=tuple(f"needed-{row}" for row in OTHERS),
    # by seeds 10 to 12; of a pair that differs through Q alone one row was tried
    plans=(
        Plan("needed-fce-only", 0.0055), Plan("needed-no-rce", 0.0026), Plan("needed-symmetric-ce", 0.0033),
        Plan("needed-reverse-kl", 0.0065),
    ),
    data=("fashion-mnist-mini",),
)  # fmt: skip
