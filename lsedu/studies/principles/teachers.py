"""Does a smoothed teacher make a worse student? Two temperatures, since published answers differ with it.

Claim: a network trained with smoothing distils worse (muller2019; named as a drawback by lls). Yet in table 5 of lls,
where students learn at temperature 1, smoothed teachers do better than one-hot teachers in nine columns of ten; and
chandrasegaran2022 finds smoothed teachers harmful at high temperatures only.
Set-up: 5,000 Fashion-MNIST images, teachers 784-256-256, students 784-32 that learn from the teacher's probabilities
alone on the same images. On one thread of a laptop core: half a minute a seed.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from lsedu import models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.losses import distillation
from lsedu.studies._training import accuracy, pictures, smoothed


@dataclass(frozen=True)
class Config:
    """Scale of the experiment."""

    train_size: int
    validation_size: int
    test_size: int
    alphas: tuple[float, ...]
    temperatures: tuple[float, ...]
    hidden: int
    training: training.Config


@dataclass(frozen=True)
class FromTeacher:
    """The criterion of a student: match the teacher's prediction for each picture at one temperature."""

    teacher: nn.Module
    temperature: float
    needs_inputs = True

    def __call__(self, logits: Tensor, labels: Tensor, *, inputs: Tensor) -> Tensor:
        """Return the mean divergence from the teacher, times the squared temperature; the labels are not used."""
        with torch.no_grad():
            teacher = self.teacher(inputs)
        return distillation(logits, teacher, temperature=self.temperature)


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train a teacher at each alpha, and a student of each at each temperature."""
    sizes = (config.train_size, config.validation_size, config.test_size)
    p = pictures(sizes, seed=seed, device=device)
    recipe = replace(config.training, seed=seed)
    small = {"hidden": (config.hidden,)}
    results: dict[str, float] = {}
    for alpha in config.alphas:
        teacher, _ = smoothed(
            models.mlp, p.x, p.y, alpha=alpha, seed=seed, recipe=config.training, progress=progress,
            checkpoint=workdir / f"{alpha}.pt" if workdir else None,
        )  # fmt: skip
        alone, _ = smoothed(
            models.mlp, p.x, p.y, alpha=alpha, seed=seed, recipe=config.training, progress=progress, **small
        )
        results[f"{alpha}/teacher"] = accuracy(teacher, p.x_test, p.y_test)
        results[f"{alpha}/alone"] = accuracy(alone, p.x_test, p.y_test)
        for temperature in config.temperatures:
            student = models.build(models.mlp, seed=seed, **small).to(device)
            training.fit(student, FromTeacher(teacher, temperature), p.x, p.y, config=recipe, progress=progress)
            results[f"{alpha}/student-{temperature:g}"] = accuracy(student, p.x_test, p.y_test)
            agreed = training.predict(student, p.x_test).argmax(1) == training.predict(teacher, p.x_test).argmax(1)
            results[f"{alpha}/agreement-{temperature:g}"] = agreed.double().mean().item()
    return Outcome(results)


def _worse(name: str, claim: str, key: str, *, claimed: str = "negative", margin: float = 0.005) -> Contrast:
    return Contrast(name, claim, f"0.1/{key}", f"0.0/{key}", claimed=claimed, margin=margin)


EXPERIMENT = Experiment(
    name="teachers",
    claim="A teacher trained with label smoothing makes a worse student.",
    source="muller2019; lls, Introduction and table 5; chandrasegaran2022",
    reduction={
        "smoke": "600 training images and 3 epochs: tests the code, not the claim.",
        "cpu": "MLPs on 5,000 grey pictures of ten classes: with so few and such different classes there is little "
        "to tell a student beyond the label, so that an effect may be too small to see; says nothing of deep teachers.",
    },
    configs={
        "smoke": Config(600, 400, 200, (0.0, 0.1), (1.0, 4.0), 16, training.Config(3, batch_size=64)),
        "cpu": Config(5000, 2000, 2000, (0.0, 0.1), (1.0, 4.0), 32, training.Config(40)),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 110))},
    measure=measure,
    contrasts=(
        _worse("teacher", "The smoothed teacher itself is more accurate", "teacher", claimed="positive"),
        _worse("student-1", "The student of a smoothed teacher is less accurate at temperature 1", "student-1"),
        _worse("student-4", "The student of a smoothed teacher is less accurate at temperature 4", "student-4"),
        Contrast(
            "distilling-helps", "At temperature 4 the plain teacher's student beats one that learns from labels",
            "0.0/student-4", "0.0/alone", claimed="positive", margin=0.005,
        ),
    ),
    data=("fashion-mnist-mini",),
)  # fmt: skip
