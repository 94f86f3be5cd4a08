"""Pictures with a digit over them: whether smoothing makes a network forget the digit, which says nothing of the label.

Claims: the stronger the smoothing, the less often the digit is found in the penultimate activations, while accuracy on
the pictures does not rise (pragmatic-ib, section 5.3.1 and figure 6, after achille2018).
Set-up: 2,500 CIFAR-10 pictures, each under a random MNIST digit at a random place, brought to 16 x 16 pixels; a small
CNN at each strength, from the same weights and with the same batches. The digit is looked for in the activations of
4,000 other pictures, and found or not in 4,000 test pictures, by a linear probe and by a new network; beside it in the
activations of the network before it was trained, and in the pixels. On one thread of a laptop core: a minute a seed.
Needs CIFAR-10 and MNIST.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from lsedu import analysis, data, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.studies._contrasts import at_strength
from lsedu.studies._loaded import averaged, drawn, loaded
from lsedu.studies._networks import standardising
from lsedu.studies._scores import under
from lsedu.studies._training import accuracy, features, smoothed

ALPHAS = (0.0, 0.05, 0.1, 0.2, 0.4)
PROBES = (("linear", "A linear probe"), ("network", "A new network"))


@dataclass(frozen=True, kw_only=True)
class Config:
    """Scale of the study; training and probe pictures are apart, and a size of 0 takes all that are left.

    Pictures are averaged over squares of side `shrink`. The linear probe takes `iterations` steps at most; the new
    network has `hidden` units and sees the activations `epochs` times.
    """

    train_size: int
    probe_size: int
    test_size: int
    shrink: int
    network: str
    width: int
    alphas: tuple[float, ...]
    iterations: int
    hidden: int
    epochs: int
    training: training.Config


@dataclass(frozen=True)
class Part:
    """Occluded pictures (N, C, H, W), their labels (N,), and the labels (N,) of the digits over them."""

    x: Tensor
    y: Tensor
    digit: Tensor


def parts(config: Config, *, seed: int, device: str) -> tuple[Part, Part, Part]:
    """Return the pictures to train on, to fit probes on, and to test on; digits of the last come from the test set."""
    whole = loaded("cifar10", "train")
    train, held = data.split(whole, sizes=(config.train_size, config.probe_size or len(whole) - config.train_size),
                             seed=seed)  # fmt: skip
    test = drawn("cifar10", "test", config.test_size)
    found = []
    for i, (pictures, split) in enumerate(((train, "train"), (held, "train"), (test, "test"))):
        both, digit = data.occlude(pictures, loaded("mnist", split), seed=3 * seed + i)
        found.append(Part(*averaged(both, shrink=config.shrink, device=device), torch.from_numpy(digit).to(device)))
    return tuple(found)


def probed(
    fit: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], *, config: Config, seed: int, device: str
) -> dict[str, float]:
    """Return how often either probe finds the digit in activations (N, D), and what the linear one says at least.

    Returns
    -------
    dict
        ``linear`` and ``network``, shares of test pictures; ``bits``, log2 of the number of digits minus the linear
        probe's mean cross-entropy (bits): where digits are equally frequent that is no more, in expectation, than the
        information on the digit.
    """
    linear = analysis.linear_probe(*fit, *test, max_iterations=config.iterations, device=device)
    network = analysis.mlp_probe(
        *fit, *test, hidden=config.hidden, epochs=config.epochs, generator=torch.Generator().manual_seed(seed),
        device=device,
    )  # fmt: skip
    logits = linear.predict(test[0])
    bits = (float(np.log(logits.shape[1])) - cross_entropy(logits, test[1].to(device)).item()) / float(np.log(2))
    return {"linear": linear.test_accuracy, "network": network.test_accuracy, "bits": bits}


def slope(alphas: tuple[float, ...], values: list[float]) -> float:
    """Return the slope of the least-squares line through a seed's values at the strengths, per unit of alpha.

    Examples
    --------
    >>> round(slope((0.0, 0.1, 0.4), [0.5, 0.4, 0.1]), 12)
    -1.0
    """
    return float(np.polyfit(alphas, values, 1)[0])


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train at each strength, and look for the digit in the activations of the trained networks and of the first."""
    train, held, test = parts(config, seed=seed, device=device)
    made = {"factory": partial(standardising, train.x), "kind": config.network, "width": config.width}

    def look(values: Tensor, other: Tensor) -> dict[str, float]:
        return probed((values, held.digit), (other, test.digit), config=config, seed=seed, device=device)

    before = models.build(seed=seed, **made).to(device).eval()
    results = under("untrained", look(features(before, held.x), features(before, test.x)))
    results |= under("pixels", look(held.x.flatten(1), test.x.flatten(1)))
    results["chance"] = torch.bincount(test.digit).max().item() / len(test.digit)
    for alpha in config.alphas:
        model, _ = smoothed(
            x=train.x, y=train.y, alpha=alpha, seed=seed, recipe=config.training, workdir=workdir, name=f"{alpha}",
            progress=progress, **made,
        )  # fmt: skip
        model.eval()
        found = look(features(model, held.x), features(model, test.x))
        found |= {"accuracy": accuracy(model, test.x, test.y), "train": accuracy(model, train.x, train.y)}
        results |= under(alpha, found)
    for key in ("linear", "network", "bits", "accuracy"):
        results[f"slope/{key}"] = slope(config.alphas, [results[f"{alpha}/{key}"] for alpha in config.alphas])
    return Outcome(results)


EXPERIMENT = Experiment(
    name="occluded",
    claim="With smoothing the penultimate activations tell less of a digit over the picture.",
    source="pragmatic-ib, section 5.3.1 and figure 6; achille2018",
    reduction={
        "smoke": "120 training pictures and 2 epochs: tests the code, not the claim.",
        "cpu": "2,500 of 50,000 training pictures at half the resolution, and a small CNN that is right on two test "
        "pictures in five, where the paper has ResNet-56 and 160 epochs: says nothing of networks that do well.",
        "gpu": "ResNet-20, 30 epochs and 40,000 training pictures, the others being for the probes, where the paper "
        "has ResNet-56 and 160 epochs; crops and flips as in he2016, of which the paper does not speak.",
    },
    configs={
        "smoke": Config(
            train_size=120, probe_size=120, test_size=100, shrink=2, network="small-cnn", width=4, alphas=ALPHAS,
            iterations=20, hidden=16, epochs=2, training=training.Config(epochs=2, batch_size=40),
        ),
        "cpu": Config(
            train_size=2500, probe_size=4000, test_size=4000, shrink=2, network="small-cnn", width=8, alphas=ALPHAS,
            iterations=200, hidden=64, epochs=40,
            training=training.Config(epochs=30, batch_size=64, lr=0.02, weight_decay=0.0),
        ),
        "gpu": Config(
            train_size=40000, probe_size=0, test_size=0, shrink=1, network="resnet-20", width=16, alphas=ALPHAS,
            iterations=500, hidden=128, epochs=20,
            training=training.Config(
                epochs=30, batch_size=128, lr=0.1, weight_decay=0.0, schedule="multistep", milestones=(15, 23),
                augment=(training.RandomCrop(4), training.HorizontalFlip()), precision="bfloat16",
                channels_last=True, cuda_graphs=True,
            ),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 120)), "gpu": tuple(range(100, 110))},
    measure=measure,
    contrasts=(
        *(
            Contrast(
                f"slope-{key}", f"{title} finds the digit less often as alpha grows, per unit of alpha", f"slope/{key}",
                claimed="negative", margin=0.05,
            )
            for key, title in PROBES
        ),
        *(
            at_strength(alpha, key, f"{title} finds the digit less often", margin=0.02)
            for key, title in PROBES
            for alpha in ALPHAS[1:]
        ),
        *(
            at_strength(alpha, "bits", "Activations tell a linear probe fewer bits of the digit", margin=0.05)
            for alpha in ALPHAS[1:]
        ),
        *(
            Contrast(
                f"accuracy-{alpha}", f"Accuracy on the pictures is the same (alpha = {alpha})", f"{alpha}/accuracy",
                "0.0/accuracy", claimed="none", margin=0.01,
            )
            for alpha in ALPHAS[1:]
        ),
        Contrast(
            "training-forgets", "A linear probe finds the digit less often once the network is trained, unsmoothed",
            "0.0/linear", "untrained/linear", claimed="negative", margin=0.02,
        ),
        Contrast(
            "still-there", "A linear probe finds the digit more often than the most frequent digit occurs, unsmoothed",
            "0.0/linear", "chance", claimed="positive", margin=0.02,
        ),
    ),
    primary=("slope-linear", "slope-network", *(f"accuracy-{alpha}" for alpha in ALPHAS[1:])),
    # by seeds 10 to 13; 20 is the least that we take where a pilot's first seeds misled
    plans=(
        Plan("slope-linear", 0.0192, 0.0), Plan("slope-network", 0.0332, 0.0), Plan("linear-0.1", 0.0163, 0.0),
        Plan("network-0.4", 0.012, 0.0), Plan("accuracy-0.2", 0.0054, 0.0),
    ),
    data=("cifar10", "mnist"),
)  # fmt: skip
