"""Who teaches a small network best: a large one, its Q-matrix alone, or nobody.

Claims: networks trained with LLS teach better than those trained with smoothing, and these better than those trained
with one-hot targets; Q alone, LLS-ST, helps about as much as the trained teacher (lls, section 5.3 and table 5); a
learned Q serves another network (section 3.4). A question of ours: table 5 has LLS-ST below the same student trained
with LLS by itself, in most columns.
Set-up: 2,000 Fashion-MNIST images; teachers 784-256-256, students 784-128, all with the same images and batches, and
students with the same initial weights. Students learn from the teacher's predictions alone at temperature 1, or from
its Q, or from the labels. LLS has half of the sum, as in the paper's pseudo-code, as the sum has twice the gradients of
a cross-entropy; the sum and one-hot targets at twice the loss stand beside it. Other controls: Q with its rows' entries
mixed up; a Q that is counted and not learned, the one-hot teacher's mean prediction for each class without the label;
and the Q of a CNN. How many pictures, how wide a student and which rate was chosen, of six ways, on validation pictures
of seeds 10 and 11, so that smoothing helps a student that learns from labels: where it does not, as in `teachers`, no
way to teach can be told from another. On one thread of a laptop core: 40 seconds a seed.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from lsedu import data, losses, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.experiments.keeping import per_picture
from lsedu.studies import _networks
from lsedu.studies._contrasts import accuracies
from lsedu.studies._loaded import drawn, loaded
from lsedu.studies._scores import right
from lsedu.studies._training import trained
from lsedu.studies.learnable import _reading
from lsedu.studies.learnable._tables import mean_predictions
from lsedu.studies.learnable._teaching import counted, criterion, mixed_up, substitute
from lsedu.studies.recipes import card

TEACHERS = ("one-hot", "ls", "lls", "half")
ALONE = ("one-hot", "doubled", "ls", "lls", "half")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Scale of the study; a size of 0 takes all pictures.

    Attributes
    ----------
    teacher, other, student : str
        Networks, as `lsedu.studies._networks.network` calls them: the teacher's, another whose Q is learned for the
        student too, and the student's.
    other_epochs : int
        Of the other network, with the recipe of all.
    """

    data: str
    test: str
    train_size: int
    test_size: int
    teacher: str
    other: str
    student: str
    other_epochs: int
    training: training.Config


def network(images: Tensor, *, kind: str, num_classes: int) -> models.Classifier:
    """Return a new network, which standardises its inputs unless it is an MLP."""
    factory = _networks.network if kind.startswith("mlp") else _networks.standardising
    return factory(images, kind=kind, num_classes=num_classes)


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train the teachers, and then every student."""
    train = drawn(config.data, "train", config.train_size or len(loaded(config.data, "train")), seed=seed)
    test = drawn(config.data, config.test, config.test_size)
    (x, y), (x_test, y_test) = (data.to_tensors(part, device=device, as_bytes=True) for part in (train, test))
    k = len(train.classes)

    def run(kind: str, made: Any, recipe: training.Config = config.training, name: str = "") -> models.Classifier:
        return trained(
            partial(network, x), made, x, y, seed=seed, recipe=recipe, progress=progress, kind=kind, num_classes=k,
            workdir=workdir, name=name,
        )[0]  # fmt: skip

    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    answers: dict[str, Tensor] = {}
    teachers: dict[str, models.Classifier] = {}
    tables: dict[str, Tensor] = {}

    def look(name: str, model: models.Classifier) -> None:
        answers[name] = logits = training.predict(model, x_test)
        results[f"{name}/accuracy"] = right(logits, y_test)
        arrays.update(per_picture(name, logits, y_test))

    for name in (*TEACHERS, "own", "other"):
        made = criterion("own" if name == "other" else name, k)
        if name == "other":
            model = run(config.other, made, replace(config.training, epochs=config.other_epochs), name="other")
        else:
            model = teachers[name] = run(config.teacher, made, name=f"teacher-{name}")
        look(f"teacher/{name}", model)
        seen = training.predict(model, x).double().softmax(1)
        results[f"teacher/{name}/label"] = seen.gather(1, y[:, None]).mean().item()
        if isinstance(made, losses.LearnableLabelSmoothing):
            tables[name] = made.q_logits.detach().clone()
            arrays[f"q/{name}"] = made.q().cpu().numpy().astype(np.float16)
    means = mean_predictions(training.predict(teachers["one-hot"], x), y)
    arrays["q/counted"] = means.astype(np.float16)
    results["alike/other"] = _reading.row_likeness(arrays["q/own"], arrays["q/other"])[0]
    results["alike/counted"] = _reading.row_likeness(arrays["q/own"], means)[0]

    students = {f"alone/{name}": criterion(name, k) for name in ALONE}
    students |= {f"from/{name}": losses.Distillation(teachers[name]) for name in TEACHERS}
    students |= {f"st/{name}": substitute(tables[name]) for name in ("lls", "half", "own", "other")}
    students["st/mixed"] = substitute(mixed_up(tables["own"], seed=seed))
    students["st/counted"] = substitute(counted(means))
    for name, made in students.items():
        look(name, run(config.student, made))
    for name in TEACHERS:
        same = answers[f"from/{name}"].argmax(1) == answers[f"teacher/{name}"].argmax(1)
        results[f"from/{name}/agreement"] = same.double().mean().item()
    return Outcome(results, arrays)


_than = partial(accuracies, margin=0.003)


EXPERIMENT = Experiment(
    name="substitute",
    claim="Networks trained with LLS are better teachers, and their Q alone helps about as much.",
    source="lls, sections 3.4 and 5.3, table 5",
    reduction={
        "smoke": "300 training pictures and one epoch: tests the code, not the claim.",
        "cpu": "MLPs on 2,000 grey pictures of ten classes, where the paper has ResNets on all pictures of sets with a "
        "hundred classes and more: with so few classes a teacher has little to say beyond the label.",
        "gpu": "30 epochs where the paper has 300; CIFAR-100 and one pair of networks, of which the student is smaller "
        "than any of the paper's.",
    },
    configs={
        "smoke": Config(
            data="fashion-mnist-mini", test="test", train_size=150, test_size=200, teacher="mlp-32",
            other="small-cnn-4", student="mlp-16", other_epochs=1, training=training.Config(epochs=1, batch_size=50),
        ),
        "cpu": Config(
            data="fashion-mnist-mini", test="test-all", train_size=2000, test_size=0, teacher="mlp-256-256",
            other="small-cnn-8", student="mlp-128", other_epochs=10, training=training.Config(epochs=50, lr=0.1),
        ),
        "gpu": Config(
            data="cifar100", test="test", train_size=0, test_size=0, teacher="resnet-18", other="thin-resnet-56",
            student="thin-resnet-20", other_epochs=30,
            training=card(30),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 120)), "gpu": (100, 101, 102, 103)},
    measure=measure,
    contrasts=(
        _than("smoothing-helps", "A student that learns from labels gains from smoothing", "alone/ls", "alone/one-hot"),
        _than("lls-teacher", "A teacher trained with LLS makes a better student than one with smoothing", "from/half",
              "from/ls"),
        _than("whole-teacher", "So does one trained with the whole of LLS's loss", "from/lls", "from/ls"),
        _than("ls-teacher", "A teacher trained with smoothing makes a better student than one with one-hot targets",
              "from/ls", "from/one-hot"),
        _than("lls-teacher-one-hot", "So does a teacher trained with LLS", "from/half", "from/one-hot"),
        _than("one-hot-teacher", "To learn from a one-hot teacher at temperature 1 is as good as to learn from labels",
              "from/one-hot", "alone/one-hot", "none"),
        _than("st-teacher", "Q alone teaches as well as the network it was learned with", "st/half", "from/half",
              "none"),
        _than("st-helps", "A student of Q alone is more accurate than one with one-hot targets", "st/half",
              "alone/one-hot"),
        _than("teacher-helps", "A student of the LLS teacher is more accurate than one with one-hot targets",
              "from/half", "alone/one-hot"),
        _than("st-plain", "A student of Q alone is less accurate than the same student trained with LLS", "st/half",
              "alone/half", "negative"),
        _than("st-whole", "A student of Q alone is less accurate than the same student trained with the whole of LLS's "
              "loss", "st/lls", "alone/lls", "negative"),
        _than("whole", "A student is as accurate with the whole of LLS's loss as with half of it", "alone/lls",
              "alone/half", "none"),
        _than("doubled", "A student with one-hot targets is as accurate at twice the loss", "alone/doubled",
              "alone/one-hot", "none"),
        _than("st-uniform", "Q alone teaches better than smoothing, which is an even Q", "st/half", "alone/ls"),
        _than("own-uniform", "So does Q that was learned at its own rate", "st/own", "alone/ls"),
        _than("own-mixed", "Q (its own rate) teaches better than the same Q with its rows' entries mixed up", "st/own",
              "st/mixed"),
        _than("other-uniform", "The Q of a CNN teaches an MLP better than smoothing", "st/other", "alone/ls"),
        _than("other-own", "The Q of a CNN teaches an MLP as well as the Q of an MLP", "st/other", "st/own", "none"),
        _than("counted", "A Q that is counted, from a one-hot teacher's mean predictions, teaches as well as a learned "
              "one (its own rate)", "st/counted", "st/own", "none"),
        Contrast("fidelity", "A student of the LLS teacher agrees with its teacher more often than one of the one-hot "
                 "teacher with its", "from/half/agreement", "from/one-hot/agreement", margin=0.01),
    ),
    primary=("lls-teacher", "ls-teacher", "st-teacher", "st-plain", "own-mixed", "other-uniform"),
    # by seeds 10 to 12 at half the learning rate
    plans=(
        Plan("lls-teacher", 0.0012), Plan("ls-teacher", 0.0032), Plan("st-teacher", 0.0026, 0.0),
        Plan("st-plain", 0.0035, 0.0), Plan("own-mixed", 0.0027), Plan("other-uniform", 0.0009),
    ),
    data=("fashion-mnist-mini", "cifar100"),
)  # fmt: skip
