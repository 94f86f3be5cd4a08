"""Where trained networks lie on the information plane: of their training pictures, and of pictures they never saw.

Claims: without contradicting labels trained networks lie on the bottleneck curve of the training set, at the place that
the strength of smoothing sets (pragmatic-ib, section 5.2.1 and figure 3); less information on the picture can mean more
on the label of new pictures (section 4.2, after shamir2010); and of two solutions on the curve the trivial one, which
erases answers, is expected to do worse there (section 4.3). We add networks trained on shuffled labels, which lie on
the curve as well.
Set-up: 1,000 Fashion-MNIST images, one MLP, 1,500 steps of Adam on all images at once, no weight decay; the plane is
exact, as Z is one of ten classes. On one thread of a laptop core: a minute and a half a seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lsedu import bottleneck, data, information, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.losses import label_smoothing
from lsedu.studies._contrasts import against
from lsedu.studies._loaded import drawn
from lsedu.studies._networks import standardising
from lsedu.studies._scores import right, under
from lsedu.studies._training import trained
from lsedu.studies.recipes import card

ALPHAS = (0.0, 0.1, 0.3, 0.6, 0.9)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Scale of the study; a size of 0 takes all there is.

    At the strength `twin` two more networks are trained: one that learns to erase its answers, to the same I(X;Z), and
    one on shuffled labels.
    """

    data: str
    train_size: int
    test_split: str
    test_size: int
    network: str
    hidden: tuple[int, ...]
    alphas: tuple[float, ...]
    twin: float
    training: training.Config


def erasing(logits: Tensor, labels: Tensor, *, keep: float) -> Tensor:
    """Return the cross-entropy (nats) of K + 1 outputs with a target that is the label, or else the last: erased."""
    target = keep * functional.one_hot(labels, logits.shape[1]).to(logits.dtype)
    target[:, -1] = 1.0 - keep
    return functional.cross_entropy(logits, target)


def seen(probabilities: Tensor, labels: Tensor, num_classes: int) -> dict[str, float]:
    """Return the point (bits) of outputs p(z|x) on the plane, its distance to the curve, and how often Z is right.

    Parameters
    ----------
    probabilities : Tensor, shape (N, M)
        With M = K + 1 columns the last is the erasure: a drawn answer is then a guess, right once in K.
    labels : Tensor, shape (N,)
        One for each picture, so that the curve is known.
    num_classes : int
        Number of classes K.

    Returns
    -------
    dict
        ``i_x``, ``i_y`` and ``below``, how far the point lies below the curve; ``drawn``, the chance that a drawn Z
        is the label; ``accuracy``, that of the likeliest class.
    """
    point = information.plane_point(probabilities, labels, unit="bits")
    frequency = torch.bincount(labels, minlength=num_classes).double() / len(labels)
    own = probabilities.gather(1, labels[:, None])[:, 0]
    guessed = probabilities[:, num_classes:].sum(1) / num_classes
    return {
        "i_x": point.i_x,
        "i_y": point.i_y,
        "below": bottleneck.deterministic_curve(point.i_x, frequency, unit="bits") - point.i_y,
        "drawn": (own + guessed).mean().item(),
        "accuracy": right(probabilities[:, :num_classes], labels),
    }


def erased(probabilities: Tensor, i_x: float) -> tuple[Tensor, float]:
    """Return outputs erased at random until they tell `i_x` bits of the picture, and the share that is kept.

    Nothing is erased where they tell no more than that. Erasing multiplies both informations by the share kept.
    """
    keep = min(i_x / information.encoder_information(probabilities, unit="bits"), 1.0)
    return torch.cat([keep * probabilities, torch.full_like(probabilities[:, :1], 1.0 - keep)], 1), keep


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train at each strength, and the two twins; find the points of training and of test pictures."""
    train = drawn(config.data, "train", config.train_size, seed=seed)
    test = drawn(config.data, config.test_split, config.test_size)
    (x, y), (x_test, y_test) = (data.to_tensors(part, device=device) for part in (train, test))
    k = len(train.classes)
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}

    def run(name: object, loss: Callable[..., Tensor], labels: Tensor, outputs: int) -> Tensor:
        factory = partial(standardising, x, kind=config.network, hidden=config.hidden)
        # no checkpoint: with one batch an epoch, writing it would cost as much as the training
        model, _ = trained(
            factory, loss, x, labels, seed=seed, recipe=config.training, progress=progress, num_classes=outputs
        )
        for where, images, true in (("train", x, labels), ("test", x_test, y_test)):
            found = training.predict(model, images).double().softmax(1)
            results.update(under(f"{name}/{where}", seen(found, true, k)))
            joint = functional.one_hot(true, k).double().T @ found / len(true)
            arrays[f"{name}/{where}/joint"] = joint.cpu().numpy().astype(np.float32)
        results[f"{name}/gap"] = results[f"{name}/train/i_y"] - results[f"{name}/test/i_y"]
        return found

    plain: Tensor | None = None
    for alpha in config.alphas:
        found = run(alpha, partial(label_smoothing, alpha=alpha), y, k)
        plain = found if plain is None else plain
        results[f"{alpha}/off"] = results[f"{alpha}/train/i_x"] - place(y, k, alpha)
        trivial, keep = erased(plain, results[f"{alpha}/test/i_x"])
        results |= under(f"{alpha}/erased", {**seen(trivial, y_test, k), "keep": keep})
    keep = place(y, k, config.twin) / place(y, k, 0.0)
    run("erasing", partial(erasing, keep=keep), y, k + 1)
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    run("shuffled", partial(label_smoothing, alpha=config.twin), y[order.to(device)], k)
    return Outcome(results, arrays)


def place(labels: Tensor, num_classes: int, alpha: float) -> float:
    """Return I(X;Z) in bits of the smoothed optimum for these labels."""
    p = torch.bincount(labels, minlength=num_classes).double() / len(labels)
    return information.smoothed_point(np.eye(num_classes), alpha=alpha, p_x=p, unit="bits").i_x


SMOOTHED = ALPHAS[1:]

EXPERIMENT = Experiment(
    name="planes",
    claim="Trained networks lie on the bottleneck curve of the training set; new pictures have a plane of their own.",
    source="pragmatic-ib, sections 4.2, 4.3, 5.2.1 and figure 3",
    reduction={
        "smoke": "100 training images and 3 steps: tests the code, not the claim.",
        "cpu": "1,000 grey pictures and an MLP where the paper has CIFAR-10 and ResNet-56, and Flowers-102 and a "
        "transformer: says that training can reach the curve, not that a usual recipe does; says nothing of colour "
        "pictures, of many classes, or of deep networks on new pictures.",
        "gpu": "ResNet-20 and 40 epochs where the paper has ResNet-56 and 160, and no augmentation, so that the "
        "network sees the pictures of which the plane is drawn.",
    },
    configs={
        "smoke": Config(
            data="fashion-mnist-mini", train_size=100, test_split="test", test_size=100, network="mlp", hidden=(16,),
            alphas=ALPHAS, twin=0.3,
            training=training.Config(epochs=3, batch_size=100, optimizer="adam", lr=1e-3, weight_decay=0.0),
        ),
        "cpu": Config(
            data="fashion-mnist-mini", train_size=1000, test_split="test-all", test_size=0, network="mlp",
            hidden=(64, 64), alphas=ALPHAS, twin=0.3,
            training=training.Config(
                epochs=1500, batch_size=1000, optimizer="adam", lr=2e-3, weight_decay=0.0, schedule="cosine"
            ),
        ),
        "gpu": Config(
            data="cifar10", train_size=0, test_split="test", test_size=0, network="resnet-20", hidden=(),
            alphas=ALPHAS, twin=0.3,
            training=card(40, lr=0.1, weight_decay=0.0, augment=()),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 110)), "gpu": (100, 101, 102, 103, 104)},
    measure=measure,
    contrasts=(
        *(
            Contrast(
                f"on-curve-{alpha}", f"The training point lies on the curve (alpha = {alpha})",
                f"{alpha}/train/below", claimed="none", margin=0.01,
            )
            for alpha in ALPHAS
        ),
        *(
            Contrast(
                f"place-{alpha}", f"I(X;Z) of the training point is that of the optimum (alpha = {alpha})",
                f"{alpha}/off", claimed="none", margin=0.05,
            )
            for alpha in ALPHAS
        ),
        *(
            against(
                f"label-{alpha}", f"Z tells more of the label on new pictures (alpha = {alpha})", "test/i_y",
                plus=alpha, claimed="positive", margin=0.01,
            )
            for alpha in SMOOTHED
        ),
        *(
            against(
                f"gap-{alpha}", f"I(Y;Z) of training and of new pictures differ less (alpha = {alpha})", "gap",
                plus=alpha, margin=0.01,
            )
            for alpha in SMOOTHED
        ),
        *(
            Contrast(
                f"erased-label-{alpha}",
                f"At equal I(X;Z) on new pictures smoothing tells more of the label than erasure (alpha = {alpha})",
                f"{alpha}/test/i_y", f"{alpha}/erased/i_y", margin=0.01,
            )
            for alpha in SMOOTHED
        ),
        *(
            Contrast(
                f"erased-drawn-{alpha}",
                f"At equal I(X;Z) on new pictures a drawn Z is right more often than under erasure (alpha = {alpha})",
                f"{alpha}/test/drawn", f"{alpha}/erased/drawn", margin=0.01,
            )
            for alpha in SMOOTHED
        ),
        against(
            "erasing-accuracy", "Likeliest classes are right more often than in a network trained to erase",
            "test/accuracy", plus=0.3, minus="erasing", claimed="positive", margin=0.005,
        ),
        Contrast(
            "erasing-on-curve", "A network trained to erase lies on the curve", "erasing/train/below", claimed="none",
            margin=0.01,
        ),
        Contrast(
            "shuffled-on-curve", "A network trained on shuffled labels lies on their curve", "shuffled/train/below",
            claimed="none", margin=0.01,
        ),
        Contrast(
            "shuffled-test", "A network trained on shuffled labels tells nothing of the labels of new pictures",
            "shuffled/test/i_y", claimed="none", margin=0.01,
        ),
    ),
    # by seeds 10 to 12, which were run after the record: its ten are enough for effects of three and four margins
    plans=(Plan("on-curve-0.1", 0.0005), Plan("erased-label-0.3", 0.0124, 3.0), Plan("label-0.1", 0.02, 4.0)),
    primary=("on-curve-0.0", "on-curve-0.1", "on-curve-0.9", "label-0.1", "erased-drawn-0.3", "erased-label-0.3"),
    data=("cifar10", "fashion-mnist-mini"),
)  # fmt: skip
