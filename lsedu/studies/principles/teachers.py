"""Does a smoothed teacher make a worse student? Two temperatures, since published answers differ with it.

Claim: a network trained with smoothing distils worse (muller2019; named as a drawback by lls). Yet in table 5 of lls,
where students learn at temperature 1, smoothed teachers do better than one-hot teachers in nine columns of ten; and
chandrasegaran2022 finds smoothed teachers harmful at high temperatures only.
Set-up: 5,000 Fashion-MNIST images, teachers 784-256-256, students 784-32 that learn from the teacher's probabilities
alone on the same images. On one thread of a laptop core: half a minute a seed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lsedu import models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.experiments.keeping import per_picture
from lsedu.losses import Distillation, KnowledgeDistillation
from lsedu.studies._contrasts import against
from lsedu.studies._pictures import Scale, pictures
from lsedu.studies._scores import right
from lsedu.studies._training import smoothed, trained


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; `hidden` is the width of the students."""

    alphas: tuple[float, ...]
    temperatures: tuple[float, ...]
    hidden: int


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train a teacher at each alpha, and a student of each at each temperature."""
    p = pictures(config, seed=seed, device=device)
    options = {"seed": seed, "recipe": config.training, "progress": progress}
    small = {"hidden": (config.hidden,)}
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for alpha in config.alphas:
        teacher, _ = smoothed(
            models.mlp, p.x, p.y, alpha=alpha, workdir=workdir, name=str(alpha), **options
        )  # fmt: skip
        alone, _ = smoothed(models.mlp, p.x, p.y, alpha=alpha, **options, **small)
        seen = {"teacher": training.predict(teacher, p.x_test), "alone": training.predict(alone, p.x_test)}
        for temperature in config.temperatures:
            matched = Distillation(teacher, KnowledgeDistillation(temperature=temperature))
            student, _ = trained(models.mlp, matched, p.x, p.y, **options, **small)
            seen[f"student-{temperature:g}"] = logits = training.predict(student, p.x_test)
            agreed = logits.argmax(1) == seen["teacher"].argmax(1)
            results[f"{alpha}/agreement-{temperature:g}"] = agreed.double().mean().item()
        for name, logits in seen.items():
            results[f"{alpha}/{name}"] = right(logits, p.y_test)
            arrays |= per_picture(f"{alpha}/{name}", logits, p.y_test)
    return Outcome(results, arrays)


EXPERIMENT = Experiment(
    name="teachers",
    claim="A teacher trained with label smoothing makes a worse student.",
    source="muller2019; lls, Introduction and table 5; chandrasegaran2022",
    reduction={
        "smoke": "600 training images and one epoch: tests the code, not the claim.",
        "cpu": "MLPs on 5,000 grey pictures of ten classes: with so few and such different classes there is little "
        "to tell a student beyond the label, so that an effect may be too small to see; says nothing of deep teachers.",
    },
    configs={
        "smoke": Config(
            train_size=600, validation_size=400, test_size=200, alphas=(0.0, 0.1), temperatures=(1.0, 4.0), hidden=16,
            training=training.Config(epochs=1, batch_size=64),
        ),
        "cpu": Config(
            train_size=5000, validation_size=2000, test_size=10000, alphas=(0.0, 0.1), temperatures=(1.0, 4.0),
            hidden=32, training=training.Config(epochs=40),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 110))},
    measure=measure,
    contrasts=(
        against("teacher", "The smoothed teacher itself is more accurate", "teacher", claimed="positive", margin=0.005),
        *(
            against(
                f"student-{t}", f"The student of a smoothed teacher is less accurate at temperature {t}",
                f"student-{t}", margin=0.005,
            )
            for t in (1, 4)
        ),
        Contrast(
            "distilling-helps", "At temperature 4 the plain teacher's student beats one that learns from labels",
            "0.0/student-4", "0.0/alone", claimed="positive", margin=0.005,
        ),
    ),
    primary=("student-1", "student-4",),
    plans=(Plan("student-4", 0.0035, 0.0),),
    data=("fashion-mnist-mini",),
)  # fmt: skip
