"""The rivals of uniform smoothing as points on the plane: their targets, and the networks that learn them.

Claims: targets that follow from the label alone are on the bottleneck curve of the training set, whatever they are
(pragmatic-ib, proposition 4.2); those that differ between pictures of one label tell more of the picture than of the
label, and lie below it. The paper leaves other smoothing distributions, and distillation as a smoothing of each
picture's own, to the future (sections 2.2 and 6). Do such targets tell more of the labels of new pictures?
Set-up: 1,000 Fashion-MNIST images and one MLP. Every target is the label mixed with a soft part, in such shares that
I(X;Z) is that of uniform smoothing. Soft parts: a hand-made teacher (yuan2020), a learned matrix (lls), class means
of a teacher's answers over the other classes (after zhang2021), Zipf's law on the ranks that a network trained on the
same images gives each (liang2022), that network's own answers (yuan2020), and those of a teacher that saw 5,000 other
images (hinton2015); both at a temperature. On one thread of a laptop core: two minutes a seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from lsedu import information, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.losses import LearnableLabelSmoothing, cross_entropy, virtual_teacher
from lsedu.studies._contrasts import against
from lsedu.studies._pictures import Pictures, Scale, pictures
from lsedu.studies._scores import under
from lsedu.studies._training import trained
from lsedu.studies.bottleneck._families import others
from lsedu.studies.bottleneck.planes import place, seen
from lsedu.targets import OnlineTable, one_hot, zipf

OF_THE_LABEL = {"virtual": "a hand-made teacher", "learned": "a learned matrix", "online": "class means"}
OF_THE_PICTURE = {
    "zipf": "Zipf's law on a network's ranks",
    "self": "a network's own answers",
    "distilled": "a teacher's answers",
}


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study: the held-out pictures are the teacher's, who trains as usual; `fitting` is to the end.

    All targets have the I(X;Z) of uniform smoothing at `alpha`. `correct` and `warm` are the probability and the
    temperature of the hand-made teacher, `temperature` that of the others.
    """

    alpha: float
    temperature: float
    correct: float
    warm: float
    hidden: tuple[int, ...]
    fitting: training.Config


def at_rate(hard: Tensor, soft: Tensor, rate: float) -> tuple[Tensor, float]:
    """Return the mixture of two tables (N, K) that has this I(X;Z) in bits, and the share of the soft one.

    The share is 1 where even the soft table alone has more.
    """
    low, high = 0.0, 1.0
    for _ in range(50):
        share = 0.5 * (low + high)
        told = information.encoder_information((1.0 - share) * hard + share * soft, unit="bits")
        low, high = (share, high) if told > rate else (low, share)
    return (1.0 - high) * hard + high * soft, high


def class_means(logits: Tensor, labels: Tensor) -> Tensor:
    """Return for each picture what those of its label that are answered rightly give the other classes, (N, K).

    Class means of whole answers are too sure to have few bits, even alone; what they give the others can have any
    share. A label of which no picture is answered rightly is spread evenly.
    """
    table = OnlineTable(logits.shape[1], dtype=logits.dtype, device=logits.device)
    table.update(logits, labels)
    table.end_of_epoch()
    return torch.from_numpy(others(table.table.cpu().numpy())).to(logits)[labels]


@dataclass(frozen=True)
class Towards:
    """The cross-entropy with a target of each picture's own (N, K); the labels are the pictures' places in it."""

    targets: Tensor

    def __call__(self, logits: Tensor, places: Tensor) -> Tensor:
        """Return the mean loss in nats."""
        return cross_entropy(logits, self.targets[places])


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Make the targets of all rivals at one rate, train a network with each, and look at training and new pictures."""
    p = pictures(config, seed=seed, device=device)
    factory = partial(models.mlp, hidden=config.hidden, num_classes=p.num_classes)

    def fitted(loss: Callable[..., Tensor], labels: Tensor, name: str) -> models.Classifier:
        options = {"recipe": config.fitting, "workdir": workdir, "name": name, "progress": progress}
        return trained(factory, loss, p.x, labels, seed=seed, **options)[0]

    teacher, _ = trained(
        factory, cross_entropy, p.x_val, p.y_val, seed=seed, recipe=config.training, workdir=workdir, name="teacher",
        progress=progress,
    )  # fmt: skip
    alone = fitted(cross_entropy, p.y, "alone")
    learnable = LearnableLabelSmoothing(p.num_classes, alpha=config.alpha)
    fitted(learnable, p.y, "learnable")
    own, theirs = (training.predict(model, p.x).double() for model in (alone, teacher))
    hand_made = virtual_teacher(p.num_classes, correct=config.correct, temperature=config.warm, form="paper")
    soft = {
        "uniform": torch.full_like(own, 1.0 / p.num_classes),
        "virtual": hand_made.to(own)[p.y],
        "learned": learnable.q().double()[p.y],
        "online": class_means(theirs, p.y),
        "zipf": zipf(own, p.y),
        "self": (own / config.temperature).softmax(1),
        "distilled": (theirs / config.temperature).softmax(1),
    }
    hard, rate = one_hot(p.y, p.num_classes, dtype=own.dtype), place(p.y, p.num_classes, config.alpha)
    results = under("alone", _looked_at(alone, p))
    for name, part in soft.items():
        target, share = at_rate(hard, part, rate)
        results |= under(f"{name}/targets", {**seen(target, p.y, p.num_classes), "share": share})
        if name != "virtual":  # has the target of uniform smoothing
            student = fitted(Towards(target.float()), torch.arange(len(p.y), device=p.y.device), name)
            results |= under(name, _looked_at(student, p))
    return Outcome(results)


def _looked_at(model: models.Classifier, p: Pictures) -> dict[str, float]:
    """Return the points of training and of new pictures, bits."""
    results: dict[str, float] = {}
    for where, x, y in (("train", p.x, p.y), ("test", p.x_test, p.y_test)):
        answers = training.predict(model, x).double().softmax(1)
        results |= under(where, seen(answers, y, p.num_classes))
    return results


RIVALS = {name: title for name, title in {**OF_THE_LABEL, **OF_THE_PICTURE}.items() if name != "virtual"}

EXPERIMENT = Experiment(
    name="points",
    claim="Targets that follow from the label alone are on the curve; those of each picture's own are below it.",
    source="pragmatic-ib, sections 2.2 and 6",
    reduction={
        "smoke": "100 training images and 3 steps: tests the code, not the claim.",
        "cpu": "1,000 grey pictures, an MLP that learns its targets by heart, and a teacher of the same size: says "
        "nothing of larger teachers, of other strengths, or of networks that are not trained to the end.",
    },
    configs={
        "smoke": Config(
            train_size=100, validation_size=200, test_size=100, alpha=0.1, temperature=4.0, correct=0.99, warm=20.0,
            hidden=(16,), training=training.Config(epochs=1, batch_size=64),
            fitting=training.Config(epochs=3, batch_size=100, optimizer="adam", lr=1e-3, weight_decay=0.0),
        ),
        "cpu": Config(
            train_size=1000, validation_size=5000, test_size=10000, alpha=0.1, temperature=4.0, correct=0.99, warm=20.0,
            hidden=(64, 64), training=training.Config(epochs=40),
            fitting=training.Config(
                epochs=1000, batch_size=1000, optimizer="adam", lr=2e-3, weight_decay=0.0, schedule="cosine"
            ),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 110))},
    measure=measure,
    contrasts=(
        *(
            Contrast(
                f"targets-{name}", f"Targets of {title} lie on the curve", f"{name}/targets/below", claimed="none",
                margin=0.01,
            )
            for name, title in OF_THE_LABEL.items()
        ),
        *(
            Contrast(
                f"targets-{name}", f"Targets of {title} lie below the curve", f"{name}/targets/below",
                claimed="positive", margin=0.01,
            )
            for name, title in OF_THE_PICTURE.items()
        ),
        *(
            against(
                f"label-{name}", f"A network that learns {title} tells more of new labels than one smoothed evenly",
                "test/i_y", plus=name, minus="uniform", claimed="positive", margin=0.01,
            )
            for name, title in RIVALS.items()
        ),
        *(
            against(
                f"accuracy-{name}", f"A network that learns {title} is right more often on new pictures",
                "test/accuracy", plus=name, minus="uniform", claimed="positive", margin=0.005,
            )
            for name, title in RIVALS.items()
        ),
    ),
    # by seeds 10 to 12, which saw the student of the teacher ahead by five margins
    plans=(Plan("targets-zipf", 0.0017), Plan("accuracy-distilled", 0.0079, 4.0), Plan("label-distilled", 0.0226, 4.0)),
    primary=("targets-zipf", "targets-distilled", "label-distilled", "accuracy-distilled"),
    data=("fashion-mnist-mini",),
)  # fmt: skip
