"""Nine ways to write the target, on the same network and images: accuracy, calibration, Q-matrix and clusters.

Claim: learnable label smoothing is more accurate than one-hot targets, smoothing and its relatives, its Q-matrix holds
the similarities of the classes, and the clusters keep them, where uniform smoothing makes them equally distant (lls,
tables 1 to 3, section 4.3 and appendix E).
Set-up: CIFAR-10, ResNet-18, a recipe of 15 epochs that is not the paper's 300, the same images, initial weights and
batches for all methods. Planned for one card of the H200 class; not yet run.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from lsedu import training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.experiments.keeping import per_picture
from lsedu.studies._loaded import apart, drawn
from lsedu.studies._networks import standardising
from lsedu.studies._pictures import brought
from lsedu.studies._scores import fitted, scored, under
from lsedu.studies._training import features, trained
from lsedu.studies.learnable._methods import ACCURACY, METHODS, PRIMARY, geometry, makers
from lsedu.studies.recipes import card


@dataclass(frozen=True, kw_only=True)
class Config:
    """Scale of the experiment; a size of 0 takes all there is (for training, all that validation leaves)."""

    data: str
    train_size: int
    validation_size: int
    test_size: int
    network: str
    training: training.Config


def measure(config: Config, seed: int, *, part: str, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train one network with one method, the part, and measure it on the test set."""
    train, held = apart(config.data, config.train_size, config.validation_size, seed=seed)
    p = brought((train, held, drawn(config.data, "test", config.test_size)), device=device, as_bytes=True)
    made = makers(p.num_classes)[part]()
    model, _ = trained(
        partial(standardising, p.x), made, p.x, p.y, seed=seed, recipe=config.training, workdir=workdir, name=part,
        progress=progress, kind=config.network, num_classes=p.num_classes,
    )  # fmt: skip
    seen = features(model, p.x_test).float()
    with torch.inference_mode():
        logits = model.head(seen)
    temperatures = fitted(training.predict(model, p.x_val), p.y_val)
    results, arrays = geometry(part, made, logits, seen, p.y_test)
    results |= under(part, {"temperature": temperatures["after"], **scored(logits, p.y_test, temperatures)})
    return Outcome(results, arrays | per_picture(part, logits, p.y_test))


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
            training=card(15),
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
