"""Nine ways to write the target, on the same network and images: accuracy, calibration, Q-matrix and clusters.

Claim: learnable label smoothing is more accurate than one-hot targets, smoothing and its relatives, its Q-matrix holds
the similarities of the classes, and the clusters keep them, where uniform smoothing makes them equally distant (lls,
tables 1 to 3, section 4.3 and appendix E).
Set-up: CIFAR-10, ResNet-18, a recipe of 15 epochs that is not the paper's 300, the same images, initial weights and
batches for all methods. Planned for one card of the H200 class; not yet run.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from lsedu import data, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.experiments.keeping import per_picture
from lsedu.studies._loaded import loaded
from lsedu.studies._scores import fitted, scored, under
from lsedu.studies.learnable._methods import ACCURACY, METHODS, PRIMARY, criterion, geometry


@dataclass(frozen=True, kw_only=True)
class Config:
    """Scale of the experiment; a size of 0 takes all there is (for training, all that validation leaves)."""

    data: str
    train_size: int
    validation_size: int
    test_size: int
    network: str
    training: training.Config


def _network(config: Config, num_classes: int, images: torch.Tensor, seed: int) -> models.Classifier:
    if config.network == "resnet-18":
        model = models.build(models.resnet, seed=seed, depth=18, num_classes=num_classes)
    else:
        model = models.build(models.mlp, seed=seed, shape=tuple(images.shape[1:]), num_classes=num_classes)
    return models.standardised(model, images).to(images.device)


@torch.inference_mode()
def _features(model: models.Classifier, images: torch.Tensor) -> torch.Tensor:
    return torch.cat([model.features(training.as_floats(part)).float() for part in images.split(1000)])


def measure(config: Config, seed: int, *, part: str, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train one network with one method, the part, and measure it on the test set."""
    whole = loaded(config.data, "train")
    sizes = (config.train_size or len(whole) - config.validation_size, config.validation_size)
    train, held_out = data.split(whole, sizes=sizes, seed=seed)
    test = loaded(config.data, "test")
    if config.test_size:
        (test,) = data.split(test, sizes=(config.test_size,), seed=0)
    x, y = data.to_tensors(train, device=device, as_bytes=True)
    x_val, y_val = data.to_tensors(held_out, device=device, as_bytes=True)
    x_test, y_test = data.to_tensors(test, device=device, as_bytes=True)
    model, made = _network(config, len(train.classes), x, seed), criterion(part, len(train.classes), device)
    training.fit(
        model,
        made,
        x,
        y,
        config=replace(config.training, seed=seed),
        checkpoint=workdir / f"{part}.pt" if workdir else None,
        progress=progress,
    )
    features = _features(model, x_test)
    with torch.inference_mode():
        logits = model.head(features)
    temperatures = fitted(training.predict(model, x_val), y_val)
    results, arrays = geometry(part, made, logits, features, y_test)
    results |= under(part, {"temperature": temperatures["after"], **scored(logits, y_test, temperatures)})
    return Outcome(results, arrays | per_picture(part, logits, y_test))


EXPERIMENT = Experiment(
    name="comparison",
    claim="Learnable smoothing is more accurate than other targets, and learns which classes are alike.",
    source="lls, tables 1 to 3, section 4.3 and appendix E",
    reduction={
        "smoke": "400 Fashion-MNIST images, an MLP and 2 epochs: tests the code, not the claim.",
        "gpu": "A recipe of 15 epochs where the paper's has 300; one network and one set.",
    },
    configs={
        "smoke": Config(
            data="fashion-mnist-mini", train_size=400, validation_size=200, test_size=200, network="mlp",
            training=training.Config(epochs=2, batch_size=50, augment=(training.RandomCrop(2),)),
        ),
        "gpu": Config(
            data="cifar10", train_size=0, validation_size=5000, test_size=0, network="resnet-18",
            training=training.Config(
                epochs=15, batch_size=500, lr=0.4, weight_decay=5e-4, schedule="cosine", warmup=2,
                augment=(training.RandomCrop(4), training.HorizontalFlip()), precision="bfloat16", channels_last=True,
                cuda_graphs=True,
            ),
        ),
    },
    seeds={"smoke": (0, 1), "gpu": (100, 101, 102, 103)},
    measure=measure,
    contrasts=(
        *ACCURACY,
        Contrast("ls-ece", "Smoothing lowers the ECE of one-hot targets", "ls/before/ece", "one-hot/before/ece",
                 claimed="negative", margin=0.005),
        Contrast("lls-ece", "Learnable smoothing has a lower ECE than smoothing", "lls/before/ece", "ls/before/ece",
                 claimed="negative", margin=0.005),
        Contrast("lls-q", "Q is larger for the classes that are taken for the label more often", "lls/likeness",
                 claimed="positive", margin=0.1),
        Contrast("lls-diagonal", "Q gives a label less of itself than the uniform prior", "lls/q_diagonal_less_uniform",
                 claimed="negative", margin=0.01),
        Contrast("ls-even", "Smoothing makes classes more equally distant than one-hot targets", "ls/unevenness",
                 "one-hot/unevenness", claimed="negative", margin=0.02),
        Contrast("lls-uneven", "Learnable smoothing keeps distances less equal than smoothing", "lls/unevenness",
                 "ls/unevenness", claimed="positive", margin=0.02),
    ),
    primary=(*PRIMARY, "lls-q"),
    data=("cifar10", "fashion-mnist-mini"),
    parts=lambda config: METHODS,
)  # fmt: skip
