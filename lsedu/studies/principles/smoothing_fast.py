"""What leaving out smoothing costs the network that trains in seconds.

Claim: smoothing raises accuracy and lowers overconfidence (book, Introduction), here for a network made for speed,
whose authors train it with alpha = 0.2 (jordan2024).
Set-up: CIFAR-10, all 50,000 training pictures, the network and recipe of `lsedu.training.fast`, strengths 0 to 0.4.
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from lsedu import data
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.experiments.keeping import per_picture
from lsedu.losses import label_smoothing
from lsedu.studies._loaded import drawn
from lsedu.studies._scores import right, scored, under
from lsedu.training.fast import FastConfig, FastTrainer


@dataclass(frozen=True, kw_only=True)
class Config:
    """Scale of the experiment; a size of 0 takes all there is."""

    data: str
    train_size: int
    test_size: int
    alphas: tuple[float, ...]
    training: FastConfig


@lru_cache(maxsize=16)
def _trainer(config: Config, alpha: str, device: str) -> FastTrainer:
    train = drawn(config.data, "train", config.train_size)
    x, y = data.to_tensors(train, device=device, as_bytes=True)
    loss = partial(label_smoothing, alpha=float(alpha))
    return FastTrainer(x, y, loss, config=config.training, num_classes=len(train.classes))


def measure(config: Config, seed: int, *, part: str, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train one network at one strength, the part, and measure it on the test set."""
    x, y = data.to_tensors(drawn(config.data, "test", config.test_size), device=device, as_bytes=True)
    trainer = _trainer(config, part, device)
    trainer.run(seed, progress=progress)
    logits = trainer.predict(x)
    results = under(part, scored(logits, y, {"before": 1.0}))
    results[f"{part}/views/accuracy"] = right(trainer.predict(x, views=True), y)
    return Outcome(results, per_picture(part, logits, y))


EXPERIMENT = Experiment(
    name="smoothing_fast",
    claim="Leaving out smoothing costs the network that trains in seconds accuracy.",
    source="book, Introduction; jordan2024",
    reduction={
        "smoke": "400 Fashion-MNIST images, a thin network and 2 epochs: tests the code, not the claim.",
        "gpu": "A network of two million weights and 12 epochs, whose recipe its authors tuned for smoothing at 0.2.",
    },
    configs={
        "smoke": Config(
            data="fashion-mnist-mini", train_size=400, test_size=200, alphas=(0.0, 0.2, 0.4),
            training=FastConfig(epochs=2, batch_size=100, widths=(8, 16, 16)),
        ),
        "gpu": Config(
            data="cifar10", train_size=0, test_size=0, alphas=(0.0, 0.1, 0.2, 0.3, 0.4),
            training=FastConfig(precision="bfloat16"),
        ),
    },
    seeds={"smoke": (0, 1), "gpu": tuple(range(100, 140))},
    measure=measure,
    contrasts=(
        Contrast("accuracy", "Smoothing at 0.2 is more accurate than none", "0.2/before/accuracy",
                 "0.0/before/accuracy", claimed="positive", margin=0.002),
        Contrast("views", "The same, over six views of each picture", "0.2/views/accuracy", "0.0/views/accuracy",
                 claimed="positive", margin=0.002),
        Contrast("overconfidence", "Smoothing at 0.2 is less overconfident", "0.2/before/overconfidence",
                 "0.0/before/overconfidence", claimed="negative", margin=0.01),
        Contrast("ece", "Smoothing at 0.2 has a lower ECE", "0.2/before/ece", "0.0/before/ece", claimed="negative",
                 margin=0.005),
        Contrast("too-much", "Smoothing at 0.4 is less accurate than at 0.2", "0.4/before/accuracy",
                 "0.2/before/accuracy", claimed="negative", margin=0.002),
    ),
    primary=("accuracy", "overconfidence", "ece"),
    data=("cifar10", "fashion-mnist-mini"),
    parts=lambda config: tuple(str(alpha) for alpha in config.alphas),
)  # fmt: skip
