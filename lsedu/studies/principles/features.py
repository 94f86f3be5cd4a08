"""What smoothing does inside the network: classes, distances between them, sparsity, sizes.

Claims: features of a class cluster more tightly, and the clusters lie equally far apart (muller2019; lls, section 5.2
and appendix E); smoothing does not allow sparse outputs (meister2020); it limits outputs and representations
(pereyra2017 and muller2019, as cited by pragmatic-ib). Of the sparsity of *features* neither paper speaks; we measure
it beside.
Set-up: 5,000 Fashion-MNIST images, one MLP, the same data and initial weights for each alpha. On one thread of a
laptop core: half a minute a seed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lsedu import analysis, models, training
from lsedu.experiments.experiment import Experiment, Outcome, Plan
from lsedu.studies._contrasts import against
from lsedu.studies._pictures import Pictures, Scale, pictures
from lsedu.studies._scores import under
from lsedu.studies._training import accuracy, features, smoothed


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; `shown` are the classes of the picture of clusters, `points` of each."""

    alphas: tuple[float, ...]
    tiny: float
    shown: tuple[int, int, int]
    points: int


def hoyer(values: Tensor) -> Tensor:
    """Return the Hoyer sparsity of each row, shape (N,): 0 if all entries are equally large, 1 if all but one are 0.

    Rows of zeros count as 1.
    """
    root = values.shape[1] ** 0.5
    length = values.square().sum(1).sqrt()
    ratio = values.abs().sum(1) / length.clamp(min=1e-12)
    return torch.where(length > 0, (root - ratio) / (root - 1), 1.0)


def plane(model: models.Classifier, values: Tensor, classes: tuple[int, int, int]) -> Tensor:
    """Return features (N, F) on the plane through three rows of the head, shape (N, 2), as in muller2019, section 2."""
    a, b, c = model.head.weight.detach()[list(classes)]
    basis, _ = torch.linalg.qr(torch.stack([b - a, c - a], 1))
    return (values - a) @ basis


def inside(model: models.Classifier, p: Pictures, tiny: float) -> dict[str, float]:
    """Return the measures of a trained network, on the training and on the test pictures."""
    found: dict[str, float] = {}
    for part, x, y in (("train", p.x, p.y), ("test", p.x_test, p.y_test)):
        seen, logits = features(model, x), training.predict(model, x)
        tight = analysis.compactness(seen, y, p.num_classes)
        probabilities = logits.double().softmax(1)
        found |= {
            f"{part}/accuracy": accuracy(model, x, y),
            f"{part}/ratio": tight.ratio,
            f"{part}/within": tight.within,
            f"{part}/logit_ratio": analysis.compactness(logits, y, p.num_classes).ratio,
            f"{part}/spread": analysis.distance_spread(analysis.class_centres(seen, y, p.num_classes)),
            f"{part}/tiny": (probabilities < tiny).double().mean().item(),
            f"{part}/inactive": (seen == 0).double().mean().item(),
            f"{part}/hoyer": hoyer(seen).double().mean().item(),
            f"{part}/logit_size": (logits - logits.mean(1, keepdim=True)).square().mean().sqrt().item(),
        }
    found["overfit"] = found["train/accuracy"] - found["test/accuracy"]
    found["weights"] = torch.cat([w.detach().flatten() for w in model.parameters()]).square().sum().sqrt().item()
    return found


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train at each alpha and look inside."""
    p = pictures(config, seed=seed, device=device)
    options = {"seed": seed, "recipe": config.training, "workdir": workdir, "progress": progress}
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for alpha in config.alphas:
        model, _ = smoothed(models.mlp, p.x, p.y, alpha=alpha, name=str(alpha), **options)
        results |= under(alpha, inside(model, p, config.tiny))
        for part, x, y in (("train", p.x, p.y), ("test", p.x_test, p.y_test)):
            index = torch.cat([torch.nonzero(y == k)[: config.points, 0] for k in config.shown])
            flat = plane(model, features(model, x[index]), config.shown)
            arrays[f"{alpha}/{part}/plane"] = flat.cpu().numpy().astype(np.float32)
            centres = analysis.class_centres(features(model, x), y, p.num_classes)
            arrays[f"{alpha}/{part}/distances"] = analysis.centre_distances(centres).astype(np.float32)
    return Outcome(results, arrays)


EXPERIMENT = Experiment(
    name="features",
    claim="Smoothing makes classes tight and equally far apart inside the network, and leaves no output near zero.",
    source="muller2019; lls, section 5.2; meister2020, as cited in pragmatic-ib, Introduction",
    reduction={
        "smoke": "600 training images and one epoch: tests the code, not the claim.",
        "cpu": "The last hidden layer of one MLP on 5,000 grey pictures of ten classes: says nothing of deep networks, "
        "of many classes, or of language.",
    },
    configs={
        "smoke": Config(
            train_size=600, validation_size=400, test_size=200, alphas=(0.0, 0.1), tiny=1e-3, shown=(0, 6, 8),
            points=10, training=training.Config(epochs=1, batch_size=64),
        ),
        "cpu": Config(
            train_size=5000, validation_size=2000, test_size=10000, alphas=(0.0, 0.1), tiny=1e-3, shown=(0, 6, 8),
            points=60, training=training.Config(epochs=40),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 108))},
    measure=measure,
    contrasts=(
        against("tight-train", "Classes are tighter for their distance, training pictures", "train/ratio", margin=0.05),
        against("tight-test", "Classes are tighter for their distance, test pictures", "test/ratio", margin=0.05),
        against("tight-logits", "Logits of a class are tighter, test pictures", "test/logit_ratio", margin=0.05),
        against("equidistant", "Class centres are more nearly equally far apart", "train/spread", margin=0.02),
        against("tiny", "Fewer probabilities on test pictures are below 0.001", "test/tiny", margin=0.05),
        against("inactive", "Fewer units of the last hidden layer are silent", "test/inactive", margin=0.02),
        against("hoyer", "Features of test pictures are less sparse (Hoyer)", "test/hoyer", margin=0.02),
        against("logits", "Logits are smaller on test pictures (root mean square)", "test/logit_size", margin=0.2),
        against("overfit", "Accuracy on training and on test pictures differ less", "overfit", margin=0.005),
        against("weights", "The weights are smaller (Euclidean length)", "weights", margin=0.5),
    ),
    primary=("tight-train", "tight-test", "equidistant", "overfit", "tiny",),
    plans=(Plan("overfit", 0.0041),),
    data=("fashion-mnist-mini",),
)  # fmt: skip
