"""Eight ways to write the target, on the same network and images: accuracy, calibration, Q-matrix and clusters.

Claim: learnable label smoothing is more accurate than one-hot targets, smoothing and its relatives, its Q-matrix holds
the similarities of the classes, and the clusters keep them, where uniform smoothing makes them equally distant (lls,
tables 1 to 3, section 4.3 and appendix E).
Set-up: CIFAR-10, ResNet-18, a recipe of 30 epochs that is not the paper's 300, the same images, initial weights and
batches for all methods. Planned for one card of the H200 class; not yet run.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lsedu import analysis, calibration, data, losses, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.studies._scores import SCORES

ALPHA = 0.1


def _methods(num_classes: int) -> dict[str, Callable[[], Any]]:
    """Return a maker of each method's criterion; the settings are the methods' own published ones."""
    return {
        "one-hot": lambda: losses.cross_entropy,
        "ls": lambda: partial(losses.label_smoothing, alpha=ALPHA),
        "ols": lambda: losses.OnlineLabelSmoothing(num_classes),
        "tf-kd": lambda: partial(losses.tf_kd_reg, alpha=ALPHA),
        "zipf": lambda: losses.zipf_smoothing,
        "focal": lambda: losses.focal,
        "lls": lambda: losses.LearnableLabelSmoothing(num_classes, alpha=ALPHA),
        "ls++": lambda: losses.LabelSmoothingPlusPlus(num_classes, alpha=ALPHA),
    }


METHODS = tuple(_methods(2))


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
    return torch.cat([model.features(training.as_floats(part)).float() for part in images.split(1024)])


def off_diagonal(matrix: np.ndarray) -> np.ndarray:
    """Return the entries of a square matrix that are not on its diagonal, row by row.

    Examples
    --------
    >>> off_diagonal(np.array([[1, 2], [3, 4]])).tolist()
    [2, 3]
    """
    return matrix[~np.eye(len(matrix), dtype=bool)]


def unevenness(distances: np.ndarray) -> float:
    """Return the standard deviation of the distances between classes over their mean: 0 where all are equally far.

    Examples
    --------
    >>> unevenness(np.array([[0.0, 2.0, 2.0], [2.0, 0.0, 2.0], [2.0, 2.0, 0.0]]))
    0.0
    """
    values = off_diagonal(np.asarray(distances))
    return float(values.std() / values.mean())


def likeness(table: np.ndarray, confusion: np.ndarray) -> float:
    """Return the correlation of two tables' entries off the diagonal, rows scaled to sum 1 there.

    Parameters
    ----------
    table, confusion : ndarray, shape (K, K)

    Returns
    -------
    float
        In [-1, 1]; 0 if one of them has equal entries only.
    """

    def rows(matrix: np.ndarray) -> np.ndarray:
        others = off_diagonal(matrix).reshape(len(matrix), -1).astype(float)
        sums = others.sum(1, keepdims=True)
        return np.divide(others, sums, out=np.zeros_like(others), where=sums > 0).ravel()

    a, b = rows(table), rows(confusion)
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train one network with each method and measure them on the test set."""
    whole = data.load(config.data)
    sizes = (config.train_size or len(whole) - config.validation_size, config.validation_size)
    train, held_out = data.split(whole, sizes=sizes, seed=seed)
    test = data.load(config.data, split="test")
    if config.test_size:
        (test,) = data.split(test, sizes=(config.test_size,), seed=0)
    x, y = data.to_tensors(train, device=device, as_bytes=True)
    x_val, y_val = data.to_tensors(held_out, device=device, as_bytes=True)
    x_test, y_test = data.to_tensors(test, device=device, as_bytes=True)
    num_classes = len(train.classes)
    recipe = replace(config.training, seed=seed)
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {"labels": test.labels.astype(np.uint8)}
    for name, make in _methods(num_classes).items():
        model, criterion = _network(config, num_classes, x, seed), make()
        if isinstance(criterion, torch.nn.Module):
            criterion.to(device)
        checkpoint = workdir / f"{name}.pt" if workdir else None
        training.fit(model, criterion, x, y, config=recipe, checkpoint=checkpoint, progress=progress)
        logits = training.predict(model, x_test)
        temperature = calibration.fit_temperature(training.predict(model, x_val), y_val)
        results[f"{name}/temperature"] = temperature
        for state, t in (("before", 1.0), ("after", temperature)):
            probs = calibration.apply_temperature(logits, t)
            results |= {f"{name}/{state}/{score.__name__}": score(probs, y_test) for score in SCORES}
        pairs = y_test.cpu() * num_classes + logits.argmax(1).cpu()
        confusion = torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes).numpy()
        distances = analysis.centre_distances(
            analysis.class_centres(_features(model, x_test), y_test, num_classes), normalise=False
        )
        results[f"{name}/unevenness"] = unevenness(distances)
        arrays[f"{name}/logits"] = logits.cpu().numpy().astype(np.float16)
        arrays[f"{name}/confusion"] = confusion.astype(np.int32)
        arrays[f"{name}/distances"] = np.asarray(distances, dtype=np.float32)
        if name == "lls":
            table = criterion.q().cpu().numpy()
            results["lls/likeness"] = likeness(table, confusion)
            results["lls/q_diagonal_less_uniform"] = float(np.diag(table).mean() - 1.0 / num_classes)
            arrays["lls/q"] = table.astype(np.float32)
    return Outcome(results, arrays)


def _more_accurate(name: str, base: str) -> Contrast:
    return Contrast(
        f"{name}-accuracy-over-{base}", f"{name} is more accurate than {base}", f"{name}/before/accuracy",
        f"{base}/before/accuracy", claimed="positive", margin=0.002,
    )  # fmt: skip


EXPERIMENT = Experiment(
    name="comparison",
    claim="Learnable smoothing is more accurate than other targets, and learns which classes are alike.",
    source="lls, tables 1 to 3, section 4.3 and appendix E",
    reduction={
        "smoke": "400 Fashion-MNIST images, an MLP and 2 epochs: tests the code, not the claim.",
        "gpu": "A recipe of 30 epochs where the paper's has 300; one network and one set.",
    },
    configs={
        "smoke": Config(
            data="fashion-mnist-mini", train_size=400, validation_size=200, test_size=200, network="mlp",
            training=training.Config(epochs=2, batch_size=50, augment=(training.RandomCrop(2),)),
        ),
        "gpu": Config(
            data="cifar10", train_size=0, validation_size=5000, test_size=0, network="resnet-18",
            training=training.Config(
                epochs=30, batch_size=512, lr=0.4, weight_decay=5e-4, schedule="cosine", warmup=3,
                augment=(training.RandomCrop(4), training.HorizontalFlip()), precision="bfloat16", channels_last=True,
            ),
        ),
    },
    seeds={"smoke": (0, 1), "gpu": (100, 101, 102, 103, 104)},
    measure=measure,
    contrasts=(
        *(_more_accurate(name, "one-hot") for name in METHODS if name != "one-hot"),
        *(_more_accurate("lls", name) for name in METHODS if name not in ("one-hot", "lls")),
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
    data=("cifar10", "fashion-mnist-mini"),
)  # fmt: skip
