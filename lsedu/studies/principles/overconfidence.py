"""One-hot training is overconfident, and one temperature repairs most of it.

Claim: a network trained on one-hot targets is more confident than it is accurate on test data, and temperature scaling
fitted on held-out data lowers its calibration error without touching accuracy (textbook; guo2017, table 1).
Set-up: 5,000 Fashion-MNIST images, 2,000 more to fit the temperature, all 10,000 test images; softmax regression, an
MLP and a small CNN, SGD with a cosine schedule. On one thread of a laptop core: about a minute a seed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from lsedu import calibration, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.losses import cross_entropy
from lsedu.studies._contrasts import against
from lsedu.studies._pictures import Scale, pictures
from lsedu.studies._scores import SCORES, fitted, kept, scored, under
from lsedu.studies._training import accuracy, trained

MODELS = {"softmax": models.softmax_regression, "mlp": models.mlp, "cnn": models.small_cnn}


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; the recipe is the same for all models.

    Logits are kept of the first `drawn` test pictures: those that figures draw.
    """

    models: tuple[str, ...] = ("softmax", "mlp", "cnn")
    drawn: int = 2000


def confidence(probs: Tensor, labels: Tensor) -> float:
    """Return the mean confidence; a score like the others, which does not look at the labels."""
    return calibration.mean_confidence(probs)


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train each model with one-hot targets on the same data and measure it on the test set."""
    p = pictures(config, seed=seed, device=device)
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {"labels": p.y_test[: config.drawn].cpu().numpy().astype(np.uint8)}

    def watch(model: models.Classifier) -> dict[str, float]:
        probs = calibration.apply_temperature(training.predict(model, p.x_test), 1.0)
        return {
            "test_accuracy": calibration.accuracy(probs, p.y_test),
            "test_confidence": calibration.mean_confidence(probs),
            "test_nll": calibration.nll(probs, p.y_test),
        }

    for name in config.models:
        model, history = trained(
            MODELS[name], cross_entropy, p.x, p.y, seed=seed, recipe=config.training, workdir=workdir, name=name,
            progress=progress, metrics=watch,
        )  # fmt: skip
        logits = training.predict(model, p.x_test)
        temperatures = fitted(training.predict(model, p.x_val), p.y_val)
        results[f"{name}/temperature"] = temperatures["after"]
        results[f"{name}/train_accuracy"] = accuracy(model, p.x, p.y)
        results |= under(name, scored(logits, p.y_test, temperatures, scores=(*SCORES, confidence)))
        arrays[f"{name}/logits"] = logits[: config.drawn].cpu().numpy().astype(np.float32)
        arrays |= kept(name, logits, p.y_test, temperatures)
        for column in ("loss", "accuracy", "test_accuracy", "test_confidence", "test_nll"):
            arrays[f"{name}/history/{column}"] = history.column(column)
    return Outcome(results, arrays)


EXPERIMENT = Experiment(
    name="overconfidence",
    claim="One-hot training makes a network more confident than accurate; temperature scaling repairs most of it.",
    source="textbook, The Problem of Overconfidence; guo2017, table 1",
    reduction={
        "smoke": "600 training images and 2 epochs: tests the code, not the claim.",
        "cpu": "5,000 Fashion-MNIST images and three small models: says nothing of deep networks on natural images.",
    },
    configs={
        "smoke": Config(
            train_size=600, validation_size=400, test_size=500, training=training.Config(epochs=2, batch_size=64)
        ),
        "cpu": Config(train_size=5000, validation_size=2000, test_size=10000, training=training.Config(epochs=40)),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 108))},
    measure=measure,
    contrasts=(
        *(
            Contrast(
                f"{name}-overconfident",
                f"{title} trained on one-hot targets is more confident than accurate on test data",
                plus=f"{name}/before/overconfidence",
                claimed="positive",
                margin=0.01,
            )
            for name, title in (("softmax", "Softmax regression"), ("mlp", "The MLP"), ("cnn", "The CNN"))
        ),
        *(
            against(
                f"{name}-temperature-ece",
                f"Temperature scaling lowers the test ECE of {title}",
                "ece",
                plus=f"{name}/after",
                minus=f"{name}/before",
                margin=0.005,
            )
            for name, title in (("softmax", "softmax regression"), ("mlp", "the MLP"), ("cnn", "the CNN"))
        ),
        against(
            "mlp-temperature-auroc",
            "Temperature scaling helps to tell the MLP's right answers from its wrong ones",
            "error_auroc",
            plus="mlp/after",
            minus="mlp/before",
            claimed="positive",
            margin=0.01,
        ),
    ),
    primary=(
        "mlp-overconfident",
        "cnn-overconfident",
        "softmax-overconfident",
        "mlp-temperature-ece",
        "cnn-temperature-ece",
        "mlp-temperature-auroc",
    ),
    plans=(Plan("cnn-overconfident", 0.0065),),
    data=("fashion-mnist-mini",),
)
