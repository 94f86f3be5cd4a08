"""The nine methods again, with a network that trains in seconds: many paired seeds, so that a tie is seen as a tie.

Claim: as in `comparison`, for accuracy (lls, tables 1 to 3).
Set-up: CIFAR-10, all 50,000 training pictures, the network and recipe of `lsedu.training.fast`, which reaches 94% in
some seconds on one card. The same initial weights, pictures and batches for all methods of a seed.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import nn

from lsedu import data
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.experiments.keeping import per_picture
from lsedu.studies._loaded import drawn
from lsedu.studies._scores import scored, under
from lsedu.studies.learnable._methods import ACCURACY, METHODS, PRIMARY, geometry, makers
from lsedu.training.fast import FastConfig, FastTrainer


@dataclass(frozen=True, kw_only=True)
class Config:
    """Scale of the experiment; a size of 0 takes all there is."""

    data: str
    train_size: int
    test_size: int
    training: FastConfig


@lru_cache(maxsize=16)
def _trainer(config: Config, method: str, device: str) -> tuple[FastTrainer, Any]:
    """Return the trainer of a method and its criterion: what is recorded for one seed serves the next."""
    train = drawn(config.data, "train", config.train_size)
    x, y = data.to_tensors(train, device=device, as_bytes=True)
    made = makers(len(train.classes))[method]()
    if isinstance(made, nn.Module):
        made.to(device)
    return FastTrainer(x, y, made, config=config.training, num_classes=len(train.classes)), made


def measure(config: Config, seed: int, *, part: str, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train one network with one method, the part, and measure it on the test set."""
    x, y = data.to_tensors(drawn(config.data, "test", config.test_size), device=device, as_bytes=True)
    trainer, made = _trainer(config, part, device)
    losses = trainer.run(seed, progress=progress)
    logits, features = trainer.predict(x), trainer.features(x)
    results, arrays = geometry(part, made, logits, features, y)
    results |= under(part, scored(logits, y, {"before": 1.0}))
    hits = trainer.predict(x, views=True).argmax(1) == y
    results[f"{part}/views/accuracy"] = hits.double().mean().item()
    results[f"{part}/loss"] = losses[-1]
    return Outcome(results, arrays | per_picture(part, logits, y))


EXPERIMENT = Experiment(
    name="comparison_fast",
    claim="Learnable smoothing is more accurate than other targets.",
    source="lls, tables 1 to 3",
    reduction={
        "smoke": "400 Fashion-MNIST images, a thin network and 2 epochs: tests the code, not the claim.",
        "gpu": "A network of two million weights and 12 epochs, whose recipe its authors tuned for smoothing at 0.2.",
    },
    configs={
        "smoke": Config(
            data="fashion-mnist-mini", train_size=400, test_size=200,
            training=FastConfig(epochs=2, batch_size=100, widths=(8, 16, 16)),
        ),
        "gpu": Config(
            data="cifar10", train_size=0, test_size=0, training=FastConfig(precision="bfloat16")
        ),
    },
    seeds={"smoke": (0, 1), "gpu": tuple(range(100, 120))},
    measure=measure,
    contrasts=(
        *ACCURACY,
        Contrast("lls-q", "Q is larger for the classes that are taken for the label more often", "lls/likeness",
                 claimed="positive", margin=0.1),
    ),
    primary=PRIMARY,
    data=("cifar10", "fashion-mnist-mini"),
    parts=lambda config: METHODS,
)  # fmt: skip
