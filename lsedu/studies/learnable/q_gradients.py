"""How strongly the two divergences pull at the network's logits and at Q's, from the first pass to the last.

Claims: the gradient of the forward KL on Q's logits is one to two orders of magnitude smaller than that on the
network's, throughout; that of the reverse KL is of its order, so that Q converges better, and no larger learning rate
is needed (lls, appendix B); Q is right only where the reverse KL takes part (appendix H). We add: where the reverse KL
is alone, pictures that the network is sure to be something else stay where they are.
Set-up: 5,000 Fashion-MNIST images and one MLP; the same images, initial weights and batches for the sum of both, the
forward and the reverse KL, as published, where Q has the network's learning rate and weight decay, and for the first
two with a rate for Q that is 20 times as large, and no decay. The size of a gradient is the sum of its absolute values,
picture by picture; of a set of pictures we take the mean. On one thread of a laptop core: three quarters of a minute a
seed.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lsedu import models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.losses import LearnableLabelSmoothing, lls_gradients
from lsedu.studies._contrasts import against
from lsedu.studies._pictures import Scale, pictures
from lsedu.studies._scores import under
from lsedu.studies._training import trained
from lsedu.studies.learnable._methods import ALPHA
from lsedu.studies.learnable._reading import confusion, likeness
from lsedu.studies.learnable._resting import resting

#: Loss, and Q's learning rate in the network's, of each arm; where it is 1 Q decays with the network, as published.
ARMS = {
    "lls": ("lls", 1.0), "forward": ("forward-kl", 1.0), "reverse": ("reverse-kl", 1.0),
    "lls-20": ("lls", 20.0), "forward-20": ("forward-kl", 20.0),
}  # fmt: skip
#: Below this probability of its label a picture counts as taken for something else for sure.
CORNER = 0.01


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; the way of Q is looked at after these epochs, and after the last."""

    epochs: tuple[int, ...]


def criterion(arm: str, num_classes: int) -> LearnableLabelSmoothing:
    """Return the criterion of an arm."""
    loss, factor = ARMS[arm]
    decay = None if factor == 1.0 else 0.0
    return LearnableLabelSmoothing(num_classes, alpha=ALPHA, variant=loss, lr_factor=factor, weight_decay=decay)


def sizes(logits: Tensor, labels: Tensor, q_logits: Tensor) -> dict[str, float]:
    """Return the logarithms to base 10 of three ratios of gradients, each the mean over the pictures.

    ``forward`` and ``reverse`` are the gradients of the two divergences on Q's logits over that of the forward one on
    the network's logits; ``logits`` is that of the reverse one on the network's logits over the same.
    """
    terms = lls_gradients(logits.double(), labels, q_logits.double(), alpha=ALPHA)

    def size(gradient: Tensor) -> float:
        return gradient.abs().sum(1).mean().item()

    base = size(terms["forward-kl"].on_logits)
    found = {
        "forward": terms["forward-kl"].on_q_logits,
        "reverse": terms["reverse-kl"].on_q_logits,
        "logits": terms["reverse-kl"].on_logits,
    }
    return {name: math.log10(size(gradient) / base) for name, gradient in found.items()}


def way_gone(table: np.ndarray, end: np.ndarray) -> float:
    """Return how much of its way Q has gone from uniform towards where it would rest: 1 there, below 0 if further off.

    Examples
    --------
    >>> way_gone(np.array([[0.2, 0.8], [0.8, 0.2]]), np.array([[0.0, 1.0], [1.0, 0.0]])).__round__(6)
    0.6
    """
    return float(1 - np.abs(table - end).sum() / np.abs(1 / len(end) - end).sum())


class Watch:
    """What is looked at after each epoch: the pulls on the training pictures, and which of them are in the corner."""

    def __init__(self, made: LearnableLabelSmoothing, x: Tensor, y: Tensor, epochs: tuple[int, ...]) -> None:
        self.made, self.x, self.y, self.epochs = made, x, y, epochs
        self.rows: list[dict[str, float]] = []
        self.ways: list[float] = []
        self.lost: list[Tensor] = []
        self.end = np.zeros(())

    def __call__(self, model: nn.Module) -> dict[str, float]:
        """Look at the network; called before training, and after each epoch."""
        logits = training.predict(model, self.x)
        log_q = logits.double().log_softmax(1)
        self.rows.append(sizes(logits, self.y, self.made.q_logits))
        self.lost.append(log_q.gather(1, self.y[:, None])[:, 0] < math.log(CORNER))
        if len(self.rows) - 1 in self.epochs:
            self.end = resting(log_q, self.y, alpha=ALPHA, loss=self.made.variant)
            self.ways.append(way_gone(self.made.q().cpu().numpy(), self.end))
        return {}

    def results(self) -> dict[str, float]:
        """Return what the contrasts ask for; an untrained network does not count among the epochs."""
        found = {"way": self.ways[-1], "lost": self.lost[-1].double().mean().item()}
        for name in self.rows[0]:
            values = [row[name] for row in self.rows[1:]]
            found |= {
                f"{name}/first": values[0], f"{name}/last": values[-1],
                f"{name}/most": max(values), f"{name}/least": min(values),
            }  # fmt: skip
        begun = self.lost[1]
        found["stayed"] = (begun & self.lost[-1]).sum().item() / max(1, begun.sum().item())
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the same epoch by epoch, before training first; the way at the epochs that were asked for."""
        found = {name: np.array([row[name] for row in self.rows], dtype=np.float32) for name in self.rows[0]}
        lost = torch.stack(self.lost).double().mean(1).cpu().numpy()
        return found | {
            "lost": lost.astype(np.float32), "way": np.array(self.ways, dtype=np.float32),
            "q": self.made.q().cpu().numpy().astype(np.float32), "end": self.end.astype(np.float32),
        }  # fmt: skip


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train with every arm, and follow the pulls on the training pictures."""
    p = pictures(config, seed=seed, device=device)
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for arm in ARMS:
        made = criterion(arm, p.num_classes).to(device)
        watch = Watch(made, p.x, p.y, (*config.epochs, config.training.epochs))
        watch(models.build(models.mlp, seed=seed).to(device))
        # without a checkpoint: a run takes seconds, and what was seen on the way is not in it
        model, _ = trained(
            models.mlp, made, p.x, p.y, seed=seed, recipe=config.training, progress=progress, metrics=watch
        )
        taken = confusion(training.predict(model, p.x_test), p.y_test)
        results |= under(arm, watch.results())
        results[f"{arm}/accuracy"] = float(np.trace(taken) / taken.sum())
        results[f"{arm}/likeness"] = likeness(made.q().cpu().numpy(), taken)
        arrays |= {f"{arm}/{name}": found for name, found in watch.arrays().items()}
    return Outcome(results, arrays)


EXPERIMENT = Experiment(
    name="q_gradients",
    claim="Forward KL hardly pulls at Q, and reverse KL as much as the network is pulled.",
    source="lls, appendices B and H",
    reduction={
        "smoke": "300 training images and 2 epochs: tests the code, not the claim.",
        "cpu": "An MLP on 5,000 grey pictures of ten classes, where the paper has ResNets and up to 200 classes: "
        "says nothing of those.",
    },
    configs={
        "smoke": Config(
            train_size=300, validation_size=100, test_size=200, epochs=(0, 1),
            training=training.Config(epochs=2, batch_size=64),
        ),
        "cpu": Config(
            train_size=5000, validation_size=1000, test_size=2000, epochs=(0, 1, 2, 3, 5, 8, 12, 20, 30),
            training=training.Config(epochs=40),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 116))},
    measure=measure,
    contrasts=(
        Contrast(
            "forward-small", "Each epoch the forward KL pulls at Q a tenth as strongly as at the network, or less",
            "lls/forward/most", -1.0, claimed="negative", margin=0.1,
        ),
        Contrast(
            "forward-small-first", "So it does after the first epoch", "lls/forward/first", -1.0, claimed="negative",
            margin=0.1,
        ),
        Contrast(
            "reverse-even", "Each epoch the reverse KL pulls at Q at least 0.3 times as strongly as the forward KL at "
            "the network", "lls/reverse/least", -0.5, claimed="positive", margin=0.05,
        ),
        Contrast(
            "reverse-more", "When training ends, the reverse KL pulls at Q more strongly than the forward KL",
            "lls/reverse/last", "lls/forward/last", claimed="positive", margin=0.1,
        ),
        against(
            "way", "With both, Q has gone more of the way to its rest than by the forward KL alone", "way",
            claimed="positive", plus="lls", minus="forward", margin=0.05,
        ),
        Contrast(
            "rate-replaces", "At 20 times the rate the forward KL takes Q further than both at the network's rate",
            "forward-20/way", "lls/way", claimed="positive", margin=0.05,
        ),
        Contrast(
            "reverse-lost", "With the reverse KL alone more training pictures end in a wrong corner than with both",
            "reverse/lost", "lls/lost", claimed="positive", margin=0.005,
        ),
        Contrast(
            "reverse-stays", "Of those in a wrong corner after the first epoch more stay with the reverse KL alone",
            "reverse/stayed", "lls/stayed", claimed="positive", margin=0.02,
        ),
        Contrast(
            "q-forward", "Q of the forward KL alone is less like the confusion of test pictures than Q of both",
            "forward/likeness", "lls/likeness", claimed="negative", margin=0.02,
        ),
        Contrast(
            "q-reverse", "Q of the reverse KL alone is as much like it as Q of both", "reverse/likeness",
            "lls/likeness", claimed="none", margin=0.05,
        ),
    ),
    primary=("forward-small", "reverse-even", "way", "rate-replaces", "reverse-stays", "q-forward",),
    # by seeds 10 to 13
    plans=(
        Plan("reverse-even", 0.0119), Plan("rate-replaces", 0.0079), Plan("reverse-stays", 0.0434, 3.0),
        Plan("q-forward", 0.0290, 2.5),
    ),
    data=("fashion-mnist-mini",),
)  # fmt: skip
