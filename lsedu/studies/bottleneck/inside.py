"""Whether the inside of a network follows its output: layers of networks that saw pictures in all four turns.

Claims: smoothing compresses the output as a bottleneck would, and "also compresses the internal representations to some
extent" (pragmatic-ib, section 5.3, after muller2019); as a method it cannot "compress arbitrary layers" (section 4.3).
We ask of each layer how many directions it uses, and what a linear map or a small network can read off it of a nuisance
(by how many quarter turns the picture was turned) and of the label.
Set-up: 2,000 Fashion-MNIST images, each turned at random; one MLP of three hidden layers, trained by Adam until it
knows its training pictures; probes learn on 3,000 test pictures and are tested on 3,000 others. An untrained network of
the same seed is the floor; the turn is found in a quarter of the pictures by chance. On one thread of a laptop core:
three quarters of a minute a seed.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from lsedu import analysis, data, information, models, training
from lsedu.experiments.experiment import Experiment, Outcome, Plan
from lsedu.studies._contrasts import against
from lsedu.studies._loaded import drawn, loaded
from lsedu.studies._scores import right, under
from lsedu.studies._training import smoothed

ALPHAS = (0.0, 0.1, 0.4)
TURNS = 4
#: The places where we look: three hidden layers, and the probabilities of the answer.
PLACES = ("layer1", "layer2", "layer3", "answer")
HIDDEN = PLACES[:3]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Scale of the study; `probe_size` test pictures teach the probes, as many others test them."""

    train_size: int
    probe_size: int
    hidden: tuple[int, int, int]
    probe_epochs: int
    alphas: tuple[float, ...]
    training: training.Config


def turned(images: Tensor, *, seed: int) -> tuple[Tensor, Tensor]:
    """Return pictures (N, C, S, S), each turned by a random number of quarter turns, and that number (N,).

    Examples
    --------
    >>> corner = torch.zeros(1, 1, 2, 2)
    >>> corner[0, 0, 0, 0] = 1.0
    >>> image, turn = turned(corner, seed=1)
    >>> turn.tolist(), image[0, 0].tolist()
    ([1], [[0.0, 0.0], [1.0, 0.0]])
    """
    turns = torch.randint(TURNS, (len(images),), generator=torch.Generator().manual_seed(seed)).to(images.device)
    found = images.clone()
    for quarter in range(1, TURNS):
        found[turns == quarter] = images[turns == quarter].rot90(quarter, (2, 3))
    return found, turns


def effective_rank(features: Tensor) -> float:
    """Return over how many directions features (N, D) spread: 2 to the entropy (bits) of their shares of the variance.

    It is 1 if they lie on a line and D if they spread alike in all directions; 0 if they are all the same.
    roy2007 has the singular values in the place of the variances.

    Examples
    --------
    >>> round(effective_rank(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])), 6)
    2.0
    """
    values = features.double()
    variances = torch.linalg.svdvals(values - values.mean(0)).square()
    if not variances.sum() > 0:
        return 0.0
    return 2 ** float(information.entropy((variances / variances.sum()).cpu().numpy(), unit="bits"))


@torch.inference_mode()
def layers(model: models.Classifier, images: Tensor) -> dict[str, Tensor]:
    """Return what a network of three hidden layers holds at each of `PLACES`, after the ReLU, shapes (N, width)."""
    found, values = {}, images
    for module in model.body:
        values = module(values)
        if isinstance(module, torch.nn.ReLU):
            found[f"layer{len(found) + 1}"] = values
    return {**found, "answer": model.head(values).softmax(1)}


def told(probabilities: Tensor, labels: Tensor, turns: Tensor, num_classes: int) -> dict[str, float]:
    """Return in bits, exactly, what the class drawn tells of the picture, the label and the turn."""
    rows = probabilities.double()
    point = information.plane_point(rows, labels, unit="bits")
    joint = functional.one_hot(turns, TURNS).double().T @ rows / len(rows)
    return {
        "i_x": point.i_x,
        "i_y": point.i_y,
        "i_turn": information.mutual_information(joint.cpu().numpy(), unit="bits"),
        "accuracy": right(rows, labels),
    }


def different(features: Tensor) -> float:
    """Return in bits what features (N, D) tell of which of N pictures was drawn: all, if no two rows are the same."""
    counts = torch.unique(features, dim=0, return_counts=True)[1].double()
    return float(information.entropy((counts / counts.sum()).cpu().numpy(), unit="bits"))


def probed(taught: Tensor, tested: Tensor, known: Tensor, asked: Tensor, *, epochs: int, seed: int) -> dict[str, float]:
    """Return the accuracy of a linear probe and of a network's, taught by one set of features and tested on another."""
    device = taught.device
    linear = analysis.linear_probe(taught, known, tested, asked, max_iterations=100, device=device)
    generator = torch.Generator().manual_seed(seed)
    network = analysis.mlp_probe(taught, known, tested, asked, epochs=epochs, generator=generator, device=device)
    return {"linear": linear.test_accuracy, "network": network.test_accuracy}


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train at each strength; measure each layer, and those of the network before it was trained."""
    train = drawn("fashion-mnist-mini", "train", config.train_size, seed=seed)
    k = len(train.classes)
    upright, y = data.to_tensors(train, device=device)
    x, turns = turned(upright, seed=seed)
    sizes = (config.probe_size, config.probe_size)
    halves = []
    for part, chosen in enumerate(data.split(loaded("fashion-mnist-mini", "test-all"), sizes=sizes, seed=seed)):
        images, labels = data.to_tensors(chosen, device=device)
        halves.append((*turned(images, seed=1000 * (part + 1) + seed), labels))
    (teach, teach_turn, teach_label), (ask, ask_turn, ask_label) = halves
    results: dict[str, float] = {}

    def look(model: models.Classifier) -> dict[str, float]:
        found: dict[str, float] = {}
        taught, tested = layers(model, teach), layers(model, ask)
        for place in PLACES:
            options = {"epochs": config.probe_epochs, "seed": seed}
            turn = probed(taught[place], tested[place], teach_turn, ask_turn, **options)
            label = probed(taught[place], tested[place], teach_label, ask_label, **options)
            found |= under(place, under("turn", turn) | under("label", label))
            found[f"{place}/rank"] = effective_rank(tested[place])
        return found

    untrained = models.build(models.mlp, seed=seed, hidden=config.hidden, num_classes=k).to(device)
    results |= under("untrained", look(untrained))
    for alpha in config.alphas:
        model, _ = smoothed(
            models.mlp, x, y, alpha=alpha, seed=seed, recipe=config.training, progress=progress,
            hidden=config.hidden, num_classes=k,
        )  # fmt: skip
        results |= under(alpha, look(model))
        for part, images, labels, quarter in (("train", x, y, turns), ("test", ask, ask_label, ask_turn)):
            found = layers(model, images)
            results |= under(f"{alpha}/{part}", told(found["answer"], labels, quarter, k))
            results |= {f"{alpha}/{part}/{place}/bits": different(found[place]) for place in HIDDEN}
    return Outcome(results)


SMOOTHED = ALPHAS[1:]
TITLES = {"layer1": "first hidden layer", "layer2": "second hidden layer", "layer3": "last hidden layer"}

EXPERIMENT = Experiment(
    name="inside",
    claim="Smoothing compresses the answer; the layers before it follow to some extent.",
    source="pragmatic-ib, sections 4.3 and 5.3, after muller2019",
    reduction={
        "smoke": "100 training images and one epoch: tests the code, not the claim.",
        "cpu": "One MLP of three hidden layers on 2,000 grey pictures, turned: says nothing of deep or convolutional "
        "networks, or of other nuisances. What a probe does not find may be there for another.",
    },
    configs={
        "smoke": Config(
            train_size=100, probe_size=60, hidden=(16, 12, 8), probe_epochs=1, alphas=ALPHAS,
            training=training.Config(epochs=1, batch_size=50, optimizer="adam", lr=1e-3, weight_decay=0.0),
        ),
        "cpu": Config(
            train_size=2000, probe_size=3000, hidden=(128, 128, 128), probe_epochs=15, alphas=ALPHAS,
            training=training.Config(
                epochs=80, batch_size=100, optimizer="adam", lr=1e-3, weight_decay=0.0, schedule="cosine"
            ),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 120))},
    measure=measure,
    contrasts=(
        *(
            against(
                f"answer-{alpha}", f"The class drawn tells less of the training picture (alpha = {alpha})",
                "train/i_x", plus=alpha, margin=0.1,
            )
            for alpha in SMOOTHED
        ),
        *(
            against(
                f"answer-turn-{alpha}", f"A probe finds the turn in the answer less often (alpha = {alpha})",
                "answer/turn/network", plus=alpha, margin=0.01,
            )
            for alpha in SMOOTHED
        ),
        *(
            against(
                f"rank-{place}-{alpha}", f"The {TITLES[place]} uses fewer directions (alpha = {alpha})",
                f"{place}/rank", plus=alpha, margin=0.5,
            )
            for place in HIDDEN
            for alpha in SMOOTHED
        ),
        *(
            against(
                f"{kind}-{place}-{alpha}",
                f"A {kind} probe finds the turn in the {TITLES[place]} less often (alpha = {alpha})",
                f"{place}/turn/{kind}", plus=alpha, margin=0.01,
            )
            for kind in ("linear", "network")
            for place in HIDDEN
            for alpha in SMOOTHED
        ),
        *(
            against(
                f"label-{alpha}",
                f"A linear probe finds the label in the last hidden layer more often (alpha = {alpha})",
                "layer3/label/linear", plus=alpha, claimed="positive", margin=0.01,
            )
            for alpha in SMOOTHED
        ),
    ),
    # by the pilot seeds 10 to 13: for effects of two and a half points
    plans=(
        Plan("linear-layer3-0.1", 0.0183, 2.5), Plan("network-layer3-0.1", 0.0183, 2.5),
        Plan("network-layer3-0.4", 0.0114, 2.5), Plan("rank-layer3-0.4", 0.644),
    ),
    primary=("answer-0.1", "rank-layer3-0.1", "linear-layer3-0.1", "network-layer3-0.1"),
    data=("fashion-mnist-mini",),
)  # fmt: skip
