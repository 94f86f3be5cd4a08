"""Are the features of a smoothed network of less use for other classes? A linear probe on classes it never saw.

Claim: objectives that raise accuracy, smoothing among them, give features that transfer worse (kornblith2021, as cited
by pragmatic-ib, which puts it down to tighter classes). Kornblith and others train on ImageNet and probe on eight
other sets; here five classes of Fashion-MNIST, drawn anew for each seed, train the network and the other five are the
new task.
Set-up: 2,500 pictures of five classes, one small CNN; probes on 10 and on 200 pictures a class; the features of the
same network before training, and the pixels, for comparison. On one thread of a laptop core: half a minute a seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lsedu import analysis, data, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.studies._contrasts import at_strength
from lsedu.studies._training import accuracy, features, smoothed


@dataclass(frozen=True, kw_only=True)
class Config:
    """Scale of the study; `few` and `many` are pictures a class that a probe is fitted on, `test` those it is tried on.

    A `test` of 0 takes all there are.
    """

    train_size: int
    source_classes: int
    few: int
    many: int
    test: int = 0
    alphas: tuple[float, ...]
    training: training.Config


def of_classes(x: Tensor, y: Tensor, classes: np.ndarray, *, each: int | None = None) -> tuple[Tensor, Tensor]:
    """Return the pictures of these classes, labelled 0, 1, ... in their order; of each the first `each`, if given."""
    index = [torch.nonzero(y == int(k))[:each, 0] for k in classes]
    labels = torch.cat([torch.full((len(members),), i) for i, members in enumerate(index)]).to(y)
    return x[torch.cat(index)], labels


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train on some classes at each alpha and probe on the others."""
    whole = data.load("fashion-mnist-mini")
    order = np.random.default_rng(seed).permutation(len(whole.classes))
    source, target = order[: config.source_classes], order[config.source_classes :]
    (shuffled,) = data.split(whole, sizes=(len(whole),), seed=seed)
    x, y = data.to_tensors(shuffled, device=device)
    x_test, y_test = data.to_tensors(data.load("fashion-mnist-mini", split="test-all"), device=device)
    own = of_classes(x, y, source, each=config.train_size // len(source))
    own_test, new_test = (of_classes(x_test, y_test, part, each=config.test or None) for part in (source, target))
    results: dict[str, float] = {}

    def probe(name: str, see: Callable[[Tensor], Tensor]) -> None:
        seen = see(new_test[0])
        for amount, each in (("few", config.few), ("many", config.many)):
            images, labels = of_classes(x, y, target, each=each)
            found = analysis.linear_probe(see(images), labels, seen, new_test[1])
            results[f"{name}/{amount}"] = found.test_accuracy

    probe("pixels", lambda images: images.flatten(1))
    untrained = models.build(models.small_cnn, seed=seed, num_classes=len(source)).to(device).eval()
    probe("untrained", lambda images: features(untrained, images))
    for alpha in config.alphas:
        model, _ = smoothed(
            models.small_cnn, *own, alpha=alpha, seed=seed, recipe=config.training, workdir=workdir, name=str(alpha),
            progress=progress, num_classes=len(source),
        )  # fmt: skip
        probe(str(alpha), lambda images, model=model: features(model, images))
        results[f"{alpha}/own"] = accuracy(model, *own_test)
        for name, (images, labels) in (("own", own_test), ("new", new_test)):
            tight = analysis.compactness(features(model, images), labels, len(set(labels.tolist())))
            results[f"{alpha}/{name}_ratio"] = tight.ratio
    return Outcome(results, {"source": source.astype(np.int8)})


EXPERIMENT = Experiment(
    name="transfer",
    claim="The features of a smoothed network transfer worse to classes it was not trained on.",
    source="kornblith2021, as cited in pragmatic-ib, section 2.1",
    reduction={
        "smoke": "250 training images, one epoch and 20 test images a class: tests the code, not the claim.",
        "cpu": "Five classes of small grey pictures, one small CNN and five new classes of the same kind: says nothing "
        "of features from ImageNet, of other sets of pictures, or of fine-tuning.",
    },
    configs={
        "smoke": Config(
            train_size=250, source_classes=5, few=3, many=8, test=20, alphas=(0.0, 0.1, 0.4),
            training=training.Config(epochs=1, batch_size=64),
        ),
        "cpu": Config(
            train_size=2500, source_classes=5, few=10, many=200, alphas=(0.0, 0.1, 0.4),
            training=training.Config(epochs=20),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 114))},
    measure=measure,
    contrasts=(
        at_strength(
            0.1, "own", "Smoothing raises accuracy on the classes of training", claimed="positive", margin=0.01
        ),
        *(
            at_strength(
                alpha, key, f"Smoothing lowers the probe's accuracy on new classes, {each} pictures each", margin=0.01
            )
            for alpha in (0.1, 0.4)
            for key, each in (("many", 200), ("few", 10))
        ),
        at_strength(0.1, "own_ratio", "Smoothing makes the classes of training tighter", margin=0.05),
        Contrast(
            "training-helps", "The plain network's features serve the new classes better than untrained ones",
            "0.0/many", "untrained/many", claimed="positive", margin=0.01,
        ),
    ),
    primary=("many-0.1",),
    plans=(Plan("many-0.1", 0.0122),),
    data=("fashion-mnist-mini",),
)  # fmt: skip
