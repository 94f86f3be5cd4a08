"""The future work of the paper: a Q-matrix that keeps only the N most similar classes of each row.

Claims: the rows can be cut to the N most similar classes, with N far below K, so that K^2 numbers become about K N
(lls, section 6). The paper tries it neither for accuracy nor for what a row loses.
Set-up: CIFAR-100, averaged over squares of 2 x 2 pixels, and an MLP; the same images, initial weights and batches for
all arms. Q has a learning rate of its own, 2K times the network's, and no decay: as published, it hardly leaves the
even distribution here, and an even row loses nothing by a cut. Halfway through the epochs each row is cut to N logits
and one for all the rest, and the same network goes on. Controls: the whole Q; a Q that stays uniform under the same
loss, which shows what the learning of Q is worth at all; three classes of a row kept that are drawn by lot; uniform
smoothing. On one thread of a laptop core: half a minute a seed. Needs CIFAR-100.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lsedu import losses, training
from lsedu.calibration import accuracy, nll
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.studies._contrasts import accuracies
from lsedu.studies._scores import under
from lsedu.studies.learnable._groups import group_of
from lsedu.studies.learnable._methods import ALPHA, RATE
from lsedu.studies.learnable._photographs import OfASet, photographs, taught
from lsedu.studies.learnable._reading import to_others
from lsedu.studies.recipes import card

#: Classes kept.
KEPT = (1, 3, 5)


@dataclass(frozen=True, kw_only=True)
class Config(OfASet):
    """Scale of the study; `cut` is the epoch after which rows are cut."""

    cut: int


class CutSmoothing(nn.Module):
    """Learnable smoothing whose rows are cut to the most similar classes after some epochs.

    Parameters
    ----------
    num_classes : int
        Number of classes K >= 2.
    n : int
        Number of classes that a row keeps, in [1, K - 1].
    after : int
        Epochs before the cut.
    lot : int, optional
        Seed of a lot that draws the classes kept, in the place of the most similar ones.
    """

    def __init__(self, num_classes: int, n: int, *, after: int, lot: int | None = None) -> None:
        super().__init__()
        self.n, self.after, self.lot, self.seen = n, after, lot, 0
        self.whole = losses.LearnableLabelSmoothing(num_classes, alpha=ALPHA)
        self.rest = losses.TopNSmoothing(torch.zeros(num_classes, num_classes), n, alpha=ALPHA)

    def now(self) -> nn.Module:
        """Return the criterion that is in force."""
        return self.rest if self.seen >= self.after else self.whole

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (N, K) and labels (N,), in nats."""
        return self.now()(logits, labels)

    def q(self) -> Tensor:
        """Return the Q-matrix (K, K), detached."""
        return self.now().q()

    def parameter_groups(self, *, lr: float, weight_decay: float) -> list[dict[str, Any]]:
        """Return the optimiser group of both criteria; what has no gradient is not moved."""
        rate = RATE * len(self.whole.q_logits) * lr
        return [{"params": list(self.parameters()), "lr": rate, "weight_decay": 0.0}]

    def end_of_epoch(self) -> None:
        """Count the epoch, and cut the rows when it is time."""
        self.seen += 1
        if self.seen == self.after:
            self.cut()

    def cut(self) -> None:
        """Give the rows' most similar classes, or those of the lot, to the criterion that goes on."""
        table = self.whole.q_logits.detach()
        like = table
        if self.lot is not None:
            like = torch.rand(table.shape, generator=torch.Generator().manual_seed(self.lot)).to(table)
        kept = losses.TopNSmoothing(like, self.n, alpha=ALPHA).kept
        with torch.no_grad():
            self.rest.kept.copy_(kept)
            self.rest.kept_logits.copy_(table.gather(1, kept))
            self.rest.rest_logits.copy_(table.scatter(1, kept, -torch.inf).logsumexp(1, keepdim=True))


def arms(num_classes: int, *, after: int, seed: int) -> dict[str, Any]:
    """Return the criterion of each arm."""
    whole = partial(losses.LearnableLabelSmoothing, num_classes, alpha=ALPHA)
    return {
        "ls": partial(losses.label_smoothing, alpha=ALPHA),
        "fixed": whole().requires_grad_(False),
        "published": whole(),
        "whole": whole(lr_factor=RATE * num_classes, weight_decay=0.0),
        **{f"top-{n}": CutSmoothing(num_classes, n, after=after) for n in KEPT},
        "lot-3": CutSmoothing(num_classes, 3, after=after, lot=seed),
    }


def top(table: np.ndarray, n: int) -> np.ndarray:
    """Return which other classes (K, n) are the largest of each row, the largest first.

    Examples
    --------
    >>> top(np.array([[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.0, 0.4, 0.6]]), 1).tolist()
    [[1], [2], [1]]
    """
    return np.argsort(-np.where(np.eye(len(table), dtype=bool), -np.inf, table), axis=1, kind="stable")[:, :n]


def concentration(table: np.ndarray) -> dict[str, float]:
    """Return what the largest entries of a row hold of what it gives to other classes: mean over the rows, for each N.

    Examples
    --------
    >>> concentration(np.full((10, 10), 0.1))["top-3"].__round__(6)
    0.333333
    """
    given = to_others(table)
    return {f"top-{n}": float(np.take_along_axis(given, top(table, n), 1).sum(1).mean()) for n in KEPT}


def overlap(a: np.ndarray, b: np.ndarray, n: int) -> float:
    """Return the share of the n largest other classes of a row that are also among those of another Q's row."""
    return float(np.mean([len(set(one) & set(two)) / n for one, two in zip(top(a, n), top(b, n))]))


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train every arm, and read what a cut takes from Q."""
    p = photographs(config, config.pictures, seed=seed, device=device)
    results: dict[str, float] = {}
    tables: dict[str, np.ndarray] = {}
    for arm, criterion in arms(p.num_classes, after=config.cut, seed=seed).items():
        model = taught(config, criterion, p, seed=seed, name="", workdir=workdir, progress=progress)
        logits = training.predict(model, p.x_test)
        results |= under(arm, {score.__name__: score(logits.softmax(1), p.y_test) for score in (accuracy, nll)})
        if hasattr(criterion, "q"):
            tables[arm] = criterion.q().double().cpu().numpy()
        if arm == "top-3":
            # it is not trained after the cut
            tables["cut"] = criterion.whole.q().double().cpu().numpy()
    for arm in ("published", "cut", "whole"):
        results |= under(f"{arm}/share", concentration(tables[arm]))
    results |= {f"overlap/{n}": overlap(tables["cut"], tables["whole"], n) for n in KEPT}
    group = group_of()
    results["group"] = float((group[top(tables["cut"], 3)] == group[:, None]).mean())
    return Outcome(results, {f"{arm}/q": tables[arm].astype(np.float16) for arm in ("whole", "top-3")})


#: Share of the other classes that are of a class's own group, which has five of a hundred.
BY_CHANCE = 4 / 99


#: Half a point.
_accuracy = partial(accuracies, margin=0.005)


EXPERIMENT = Experiment(
    name="sparse_q",
    claim="Rows of Q can be cut to their most similar classes with little loss.",
    source="lls, section 6",
    reduction={
        "smoke": "300 training pictures and two epochs: tests the code, not the claim.",
        "cpu": "100 classes, 8,000 pictures at half the resolution, ten epochs and an MLP that is right on a fifth of "
        "the test pictures: says nothing of the thousands of classes for which the cut is meant.",
        "gpu": "100 classes, ResNet-18, 40 epochs: says nothing of the thousands for which the cut is meant.",
    },
    configs={
        "smoke": Config(
            pictures="cifar100", train_size=300, validation_size=100, test_size=200, shrink=2, cut=1,
            training=training.Config(epochs=2, batch_size=50),
        ),
        "cpu": Config(
            pictures="cifar100", train_size=8000, validation_size=100, test_size=0, shrink=2, cut=5,
            training=training.Config(epochs=10, batch_size=64, lr=0.04),
        ),
        "gpu": Config(
            pictures="cifar100", train_size=0, validation_size=5000, test_size=0, network="resnet-18", cut=20,
            training=card(40),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 110)), "gpu": (100, 101)},
    measure=measure,
    contrasts=(
        *(
            _accuracy(f"cut-{n}", f"With rows cut to {n} the network is as accurate as with whole rows", f"top-{n}",
                      "whole", "none")
            for n in KEPT
        ),
        *(
            Contrast(f"cut-nll-{n}", f"With rows cut to {n} the loss on test pictures is that of whole rows",
                     f"top-{n}/nll", "whole/nll", claimed="none", margin=0.02)
            for n in KEPT
        ),
        _accuracy("learned", "A learned Q makes the network more accurate than one that stays even under the same loss",
                  "whole", "fixed"),
        _accuracy("rate", "Q with a rate of its own makes it more accurate than as published", "whole", "published"),
        _accuracy("lot", "The three most similar classes make it more accurate than three drawn by lot", "top-3",
                  "lot-3"),
        Contrast("learned-nll", "A learned Q makes the loss on test pictures lower than one that stays even",
                 "whole/nll", "fixed/nll", claimed="negative", margin=0.02),
        Contrast("lot-nll", "The three most similar classes make it lower than three drawn by lot", "top-3/nll",
                 "lot-3/nll", claimed="negative", margin=0.01),
        _accuracy("over-ls", "With rows cut to three the network is more accurate than with uniform smoothing", "top-3",
                  "ls"),
        Contrast("share", "The three largest entries hold more than half of what a row gives to other classes",
                 "whole/share/top-3", 0.5, margin=0.05),
        Contrast("share-published", "As published they hold more than in an even row", "published/share/top-3", 3 / 99,
                 margin=0.05),
        Contrast("overlap", "Most of the three classes that are kept halfway are the three largest at the end",
                 "overlap/3", 0.5, margin=0.1),
        Contrast("group", "Of the classes kept more are of the class's own group than by chance", "group", BY_CHANCE,
                 margin=0.05),
    ),
    primary=("cut-1", "cut-3", "cut-5", "cut-nll-3", "lot-nll", "share"),
    # by seeds 10 and 11
    plans=(
        Plan("cut-3", 0.0015, 0.0), Plan("cut-nll-3", 0.002, 0.0), Plan("lot-nll", 0.0035), Plan("share", 0.003),
    ),
    data=("cifar100",),
)  # fmt: skip
