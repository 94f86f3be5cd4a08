"""What arithmetic does to a study: sums in another order, and products of fewer digits, from the same seeds.

Claims: a GPU, which adds in another order and multiplies in bfloat16, changes what a network answers, and not what a
study over seeds concludes: accuracy, calibration, and the gain of learnable over one-hot targets stay (ours).
Set-up: 5,000 Fashion-MNIST images, one MLP, trained with one-hot targets and with LLS as published; from the same
initial weights and batches in float32, in float32 with the pixels in reverse, which is the same network with every sum
of its first layer taken from the other end, and with products in bfloat16; beside them a network of other initial
weights and batches on the same images. On one thread of a laptop core: twenty seconds a seed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lsedu import losses, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.experiments.keeping import per_picture
from lsedu.studies._contrasts import against
from lsedu.studies._pictures import Scale, pictures
from lsedu.studies._scores import scored, under
from lsedu.studies._training import trained

#: What is added to a seed for another draw of initial weights and batches.
ELSEWHERE = 1000


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; `alpha` is the share of Q in the target."""

    alpha: float


class FromTheEnd(nn.Module):
    """The network that an MLP is, with the pixels of its images, and the weights that they meet, in reverse.

    Examples
    --------
    >>> network, x = models.build(models.mlp, seed=0), torch.rand(2, 1, 28, 28)
    >>> torch.allclose(FromTheEnd(network)(x), models.build(models.mlp, seed=0)(x), atol=1e-5)
    True
    """

    def __init__(self, network: models.Classifier) -> None:
        super().__init__()
        first = next(layer for layer in network.body if isinstance(layer, nn.Linear))
        with torch.no_grad():
            first.weight.copy_(first.weight.flip(1))
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (N, K) of images (N, 1, H, W)."""
        return self.network(images.flip(1, 2, 3))


def _backwards(**options: object) -> FromTheEnd:
    return FromTheEnd(models.mlp(**options))


def ways(config: Config, seed: int) -> dict[str, tuple[Callable[..., nn.Module], training.Config, int]]:
    """Return the ways of training by name: maker of the network, recipe, and seed of weights and batches."""
    exact = config.training
    return {
        "float32": (models.mlp, exact, seed),
        "reversed": (_backwards, exact, seed),
        "bfloat16": (models.mlp, replace(exact, precision="bfloat16"), seed),
        "elsewhere": (models.mlp, exact, seed + ELSEWHERE),
    }


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train with both targets in every way; compare scores, and the answers with those of the first way."""
    p = pictures(config, seed=seed, device=device)
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for target in ("one-hot", "lls"):
        answers = {}
        for way, (factory, recipe, drawn) in ways(config, seed).items():
            name, made = f"{target}/{way}", losses.cross_entropy
            if target == "lls":
                made = losses.LearnableLabelSmoothing(p.num_classes, alpha=config.alpha, device=device)
            model, _ = trained(
                factory, made, p.x, p.y, seed=drawn, recipe=recipe, workdir=workdir, name=name.replace("/", "-"),
                progress=progress,
            )  # fmt: skip
            logits = training.predict(model, p.x_test)
            results |= under(name, scored(logits, p.y_test, {"before": 1.0}))
            answers[way] = logits.argmax(1)
            results[f"{name}/changed"] = (answers[way] != answers["float32"]).double().mean().item()
            arrays |= per_picture(name, logits, p.y_test)
    return Outcome(results, arrays)


def _same(name: str, claim: str, way: str, score: str, margin: float) -> Contrast:
    return Contrast(
        name, claim, f"lls/{way}/before/{score}", f"lls/float32/before/{score}", claimed="none", margin=margin
    )  # fmt: skip


def _equal(way: str, told: str) -> tuple[Contrast, ...]:
    """Return what is claimed of a way of computing, beside float32 with its sums as they come."""
    score = "before/accuracy"
    return (
        _same(f"accuracy-{way}", f"{told}, LLS is as accurate", way, "accuracy", 0.003),
        _same(f"ece-{way}", f"{told}, LLS is calibrated as well (ECE)", way, "ece", 0.005),
        _same(f"nll-{way}", f"{told}, LLS has the same NLL", way, "nll", 0.005),
        Contrast(
            f"gain-{way}", f"{told}, LLS gains as much accuracy over one-hot targets", f"lls/{way}/{score}",
            f"one-hot/{way}/{score}", claimed="none", margin=0.003,
            plain=(f"lls/float32/{score}", f"one-hot/float32/{score}"),
        ),
        Contrast(f"answers-{way}", f"{told}, LLS answers some pictures otherwise", f"lls/{way}/changed", margin=0.005),
        against(
            f"changed-{way}", f"{told}, fewer answers are others than from another draw", "changed",
            plus=f"lls/{way}", minus="lls/elsewhere", margin=0.01,
        ),
    )  # fmt: skip


EXPERIMENT = Experiment(
    name="precision",
    claim="Arithmetic changes what a network answers, and not what a study over seeds concludes.",
    source="ours",
    reduction={
        "smoke": "300 training images and one epoch: tests the code, not the claim.",
        "cpu": "One MLP on 5,000 grey pictures, 15 passes, on a CPU: sums in another order and products in bfloat16 "
        "are what a GPU does too, but no GPU was used, and nothing was trained for long.",
    },
    configs={
        "smoke": Config(
            train_size=300, validation_size=100, test_size=200, alpha=0.1,
            training=training.Config(epochs=1, batch_size=64),
        ),
        "cpu": Config(
            train_size=5000, validation_size=2000, test_size=10000, alpha=0.1, training=training.Config(epochs=15),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 116))},
    measure=measure,
    contrasts=(
        *_equal("reversed", "With sums in reverse"),
        *_equal("bfloat16", "With products in bfloat16"),
    ),
    primary=(
        "answers-reversed", "accuracy-reversed", "gain-reversed",
        "answers-bfloat16", "accuracy-bfloat16", "gain-bfloat16",
    ),
    plans=(Plan("accuracy-bfloat16", 0.003, 0.0), Plan("gain-bfloat16", 0.003, 0.0),),
    data=("fashion-mnist-mini",),
)  # fmt: skip
