"""One-hot training is overconfident, and one temperature repairs most of it.

Claim: a network trained on one-hot targets is more confident than it is accurate on test data, and temperature scaling
fitted on held-out data lowers its calibration error without touching accuracy (textbook; guo2017, table 1).
Set-up: 5,000 Fashion-MNIST images, 2,000 more to fit the temperature, 2,000 test images; softmax regression, an MLP
and a small CNN, SGD with a cosine schedule. On one thread of a laptop core: about a minute a seed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lsedu import calibration, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.losses import cross_entropy
from lsedu.studies._scores import SCORES
from lsedu.studies._training import pictures

MODELS = {"softmax": models.softmax_regression, "mlp": models.mlp, "cnn": models.small_cnn}


@dataclass(frozen=True)
class Config:
    """Scale of the experiment; the recipe is the same for all models."""

    train_size: int
    validation_size: int
    test_size: int
    training: training.Config
    models: tuple[str, ...] = ("softmax", "mlp", "cnn")


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train each model with one-hot targets on the same data and measure it on the test set."""
    sizes = (config.train_size, config.validation_size, config.test_size)
    p = pictures(sizes, seed=seed, device=device)
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {"labels": p.y_test.cpu().numpy().astype(np.uint8)}
    recipe = training.Config(**{**config.training.__dict__, "seed": seed})
    for name in config.models:
        model = models.build(MODELS[name], seed=seed).to(device)

        def watch(model: models.Classifier) -> dict[str, float]:
            probs = calibration.apply_temperature(training.predict(model, p.x_test), 1.0)
            return {
                "test_accuracy": calibration.accuracy(probs, p.y_test),
                "test_confidence": calibration.mean_confidence(probs),
                "test_nll": calibration.nll(probs, p.y_test),
            }

        history = training.fit(
            model,
            cross_entropy,
            p.x,
            p.y,
            config=recipe,
            metrics=watch,
            checkpoint=workdir / f"{name}.pt" if workdir else None,
            progress=progress,
        )
        logits = training.predict(model, p.x_test)
        temperature = calibration.fit_temperature(training.predict(model, p.x_val), p.y_val)
        results[f"{name}/temperature"] = temperature
        results[f"{name}/train_accuracy"] = calibration.accuracy(
            calibration.apply_temperature(training.predict(model, p.x), 1.0), p.y
        )
        for state, t in (("before", 1.0), ("after", temperature)):
            probs = calibration.apply_temperature(logits, t)
            results |= {f"{name}/{state}/{score.__name__}": score(probs, p.y_test) for score in SCORES}
            results[f"{name}/{state}/confidence"] = calibration.mean_confidence(probs)
        arrays[f"{name}/logits"] = logits.cpu().numpy().astype(np.float32)
        for column in ("loss", "accuracy", "test_accuracy", "test_confidence", "test_nll"):
            arrays[f"{name}/history/{column}"] = history.column(column)
    return Outcome(results, arrays)


EXPERIMENT = Experiment(
    name="overconfidence",
    claim="One-hot training makes a network more confident than accurate; temperature scaling repairs most of it.",
    source="textbook, The Problem of Overconfidence; guo2017, table 1",
    reduction={
        "smoke": "600 training images and 25 epochs: tests the code, not the claim.",
        "cpu": "5,000 Fashion-MNIST images and three small models: says nothing of deep networks on natural images.",
    },
    configs={
        "smoke": Config(600, 400, 500, training.Config(epochs=25, batch_size=64)),
        "cpu": Config(5000, 2000, 2000, training.Config(epochs=40)),
    },
    seeds={"smoke": (0, 1), "cpu": (100, 101, 102, 103, 104)},
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
            Contrast(
                f"{name}-temperature-ece",
                f"Temperature scaling lowers the test ECE of {title}",
                plus=f"{name}/after/ece",
                minus=f"{name}/before/ece",
                claimed="negative",
                margin=0.005,
            )
            for name, title in (("softmax", "softmax regression"), ("mlp", "the MLP"), ("cnn", "the CNN"))
        ),
        Contrast(
            "mlp-temperature-auroc",
            "Temperature scaling helps to tell the MLP's right answers from its wrong ones",
            plus="mlp/after/error_auroc",
            minus="mlp/before/error_auroc",
            claimed="positive",
            margin=0.01,
        ),
    ),
    data=("fashion-mnist-mini",),
)
