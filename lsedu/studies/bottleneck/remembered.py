"""What a small network remembers of scenes: of a nuisance in the corner, and of clutter that repeats the answer.

Claims: smoothing makes a network forget nuisance, and rely less on what is redundant (pragmatic-ib, sections 3.3,
5.3.1 and 5.3.2). The network's features are probed for the nuisance; for the clutter a saliency map is set against the
swap test, which puts clutter of another class in its place.
Set-up: scenes of 28 x 28 pixels from the embedded Fashion-MNIST: a piece of clothing at half its size, eight crops of
it around it, and in the corner another piece, at a quarter of its size, drawn without regard to the label. A small CNN
with 32 features; the same scenes, initial weights and batches for each strength, the same 2,000 test scenes for every
seed. On one thread of a laptop core: three quarters of a minute a seed.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from lsedu import analysis, data, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.studies._contrasts import against
from lsedu.studies._loaded import drawn
from lsedu.studies._scores import under
from lsedu.studies._training import features, smoothed
from lsedu.studies.bottleneck._frames import inside

SIDE, CROPS, CROP, CORNER = 28, 8, 5, 7
WAYS: tuple[Literal["nothing", "clutter", "corner"], ...] = ("nothing", "clutter", "corner")
#: By which the test scenes are composed: the same for every seed.
TEST_SEED = 0
#: Of this seed probabilities and maps of a few scenes are kept, under these names.
SHOWN_SEED = 100
SHOWN = {"nothing": ("probabilities", "maps"), "clutter": ("swapped", "swapped_maps")}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Scale of the study: features are kept of so many test scenes, and of the first seed saliency maps of a few."""

    train_size: int
    test_size: int
    alphas: tuple[float, ...]
    kept: int
    shown: int
    training: training.Config


@dataclass(frozen=True)
class Scenes:
    """Scenes, and what is in them.

    Attributes
    ----------
    images : ndarray, uint8, shape (N, 28, 28)
    labels : ndarray, int64, shape (N,)
        Class of the whole piece of clothing.
    corners : ndarray, int64, shape (N,)
        Class of the small piece in the corner.
    boxes : ndarray, int64, shape (N, 4)
        Top, left, bottom and right of the whole piece.
    """

    images: np.ndarray
    labels: np.ndarray
    corners: np.ndarray
    boxes: np.ndarray


def halved(images: np.ndarray) -> np.ndarray:
    """Return grey pictures (N, H, W) at half their height and width, each pixel the mean of four, uint8.

    Examples
    --------
    >>> halved(np.array([[[0, 2, 8, 8], [4, 6, 8, 8]]], dtype=np.uint8)).tolist()
    [[[3, 8]]]
    """
    n, h, w = images.shape
    return images.reshape(n, h // 2, 2, w // 2, 2).mean((2, 4)).round().astype(np.uint8)


def scenes(
    pictures: data.Dataset, *, seed: int, swapped: Literal["nothing", "clutter", "corner"] = "nothing"
) -> Scenes:
    """Return one scene for each grey picture of 28 x 28 pixels.

    Parameters
    ----------
    pictures : Dataset
        Whole pieces, and those from which the corner's are drawn.
    seed : int
        Decides places, crops and corners.
    swapped : {"nothing", "clutter", "corner"}
        What comes from another class than it would; all else is pixel for pixel the same.
    """
    half = halved(pictures.images)
    whole, boxes = data.clutter(
        replace(pictures, images=half), seed=seed, size=SIDE, crops=CROPS, crop_size=CROP, swap=swapped == "clutter"
    )
    rng = np.random.default_rng([seed, 2])
    chosen = rng.integers(len(pictures), size=len(pictures))
    others = rng.integers(len(pictures), size=len(pictures))
    if swapped == "corner":
        while (same := pictures.labels[others] == pictures.labels[chosen]).any():
            others[same] = rng.integers(len(pictures), size=same.sum())
        chosen = others
    images = whole.images.copy()
    images[:, :CORNER, :CORNER] = halved(half)[chosen]
    return Scenes(images, pictures.labels, pictures.labels[chosen], boxes)


def held_out(size: int) -> data.Dataset:
    """Return the pictures of the first `size` test scenes, of all for 2,000: balanced, the same for every seed."""
    return drawn("fashion-mnist-mini", "test", size, seed=TEST_SEED)


def network(*, num_classes: int) -> models.Classifier:
    """Return two convolution-ReLU-pool stages and a hidden layer of 32: few enough to ship what they say of scenes."""
    side = SIDE // 4
    body = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * side * side, 32), nn.ReLU(),
    )  # fmt: skip
    return models.Classifier(body, 32, num_classes)


def picked(flipped: np.ndarray, count: int) -> np.ndarray:
    """Return the scenes to be shown, in order: the first whose answer flips, and as many whose answer stays.

    Examples
    --------
    >>> picked(np.array([False, False, True, False, True, True]), 4).tolist()
    [0, 1, 2, 4]
    """
    first = np.flatnonzero(flipped)[: count // 2]
    return np.sort(np.concatenate([first, np.flatnonzero(~flipped)[: count - len(first)]]))


def small(values: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return features (N, F), none below 0, in 255 steps up to the largest of each, and the size of the steps (F,)."""
    step = (values.amax(0) / 255).cpu().numpy().astype(np.float32)
    whole = np.where(step > 0, values.cpu().numpy() / np.where(step > 0, step, 1), 0)
    return whole.round().astype(np.uint8), step


def tensor(images: np.ndarray, device: str) -> Tensor:
    """Return scenes (N, 28, 28) as the network takes them, (N, 1, 28, 28) in [0, 1]."""
    return training.as_floats(torch.from_numpy(images).to(device)[:, None])


def maps(model: models.Classifier, x: Tensor) -> Tensor:
    """Return Grad-CAM maps (N, 28, 28) of scenes, of the second convolution and the network's own answers."""
    return torch.cat([analysis.grad_cam(model, part, layer="body.3") for part in x.split(250)])


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train at each strength; probe, draw saliency maps, and swap clutter and corner."""
    pictures = drawn("fashion-mnist-mini", "train", config.train_size, seed=seed)
    train, whole = scenes(pictures, seed=seed), held_out(config.test_size)
    ways = {way: scenes(whole, seed=TEST_SEED, swapped=way) for way in WAYS}
    test, classes = ways["nothing"], len(whole.classes)
    x, x_test = tensor(train.images, device), tensor(test.images, device)
    y = torch.from_numpy(train.labels).to(device)
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    shown: np.ndarray | None = None

    def probed(model: models.Classifier) -> dict[str, float]:
        seen, new = features(model, x), features(model, x_test)
        found = {"corner": (train.corners, test.corners), "label": (train.labels, test.labels)}
        return {
            f"probe/{name}": analysis.linear_probe(seen, known, new, asked, device=device).test_accuracy
            for name, (known, asked) in found.items()
        }

    results |= under("untrained", probed(models.build(network, seed=seed, num_classes=classes).to(device)))
    for alpha in config.alphas:
        model, _ = smoothed(
            network, x, y, alpha=alpha, seed=seed, recipe=config.training, workdir=workdir, name=str(alpha),
            progress=progress, num_classes=classes,
        )  # fmt: skip
        logits = {way: training.predict(model, tensor(found.images, device)) for way, found in ways.items()}
        answers = np.stack([found.argmax(1).cpu().numpy() for found in logits.values()])
        results |= under(alpha, probed(model))
        results[f"{alpha}/share"] = share(maps(model, x_test), test.boxes)
        for way in WAYS[1:]:
            swap = analysis.swap_test(logits["nothing"], logits[way], test.labels)
            results |= under(f"{alpha}/{way}", {"drop": swap.drop, "changed": swap.changed})
        results[f"{alpha}/accuracy"] = swap.accuracy
        kept, steps = small(features(model, x_test[: config.kept]))
        arrays |= {f"{alpha}/answers": answers.astype(np.uint8), f"{alpha}/features": kept, f"{alpha}/steps": steps}
        if seed == SHOWN_SEED:
            shown = picked(answers[0] != answers[1], config.shown) if shown is None else shown
            arrays["shown/scenes"] = shown.astype(np.int16)
            for way, names in SHOWN.items():
                images = tensor(ways[way].images[shown], device)
                arrays[f"{alpha}/shown/{names[0]}"] = logits[way][shown].softmax(1).cpu().numpy()
                arrays[f"{alpha}/shown/{names[1]}"] = maps(model, images).cpu().numpy().astype(np.float16)
    return Outcome(results, arrays)


def share(drawn: Tensor, boxes: np.ndarray) -> float:
    """Return the mean share of the maps that falls on the whole piece; maps spread evenly have a quarter there.

    Maps without any saliency do not count; where all are, nothing falls there.
    """
    found = analysis.saliency_share(drawn, inside(boxes, SIDE))
    found = found[np.isfinite(found)]
    return float(found.mean()) if len(found) else 0.0


EXPERIMENT = Experiment(
    name="remembered",
    claim="Smoothing makes a small network forget a nuisance, and rely less on clutter that repeats the answer.",
    source="pragmatic-ib, sections 3.3, 5.3.1 and 5.3.2",
    reduction={
        "smoke": "300 training scenes and one epoch: tests the code, not the claim.",
        "cpu": "Grey scenes of 28 x 28 pixels and a CNN of two convolutions and 32 features, where the paper has "
        "ResNets, colour pictures and digits of full size: says nothing of deep networks.",
    },
    configs={
        "smoke": Config(
            train_size=300, test_size=200, alphas=(0.0, 0.1), kept=100, shown=12,
            training=training.Config(epochs=1, batch_size=64),
        ),
        "cpu": Config(
            train_size=10000, test_size=2000, alphas=(0.0, 0.1), kept=500, shown=12,
            training=training.Config(epochs=12, batch_size=64, weight_decay=5e-4),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 124))},
    measure=measure,
    contrasts=(
        against("probe", "The corner's class is read from the features less often", "probe/corner", margin=0.02),
        against("share", "More of the saliency falls on the whole piece", "share", claimed="positive", margin=0.02),
        against("drop", "Swapped clutter costs less accuracy", "clutter/drop", margin=0.01),
        against("changed", "Swapped clutter changes fewer answers", "clutter/changed", margin=0.01),
        Contrast(
            "accuracy", "Scenes are recognised as often as without smoothing", "0.1/accuracy", "0.0/accuracy",
            claimed="none", margin=0.01,
        ),
        *(
            Contrast(
                f"read-{alpha}", f"The corner's class is read more often than by a guess (alpha = {alpha})",
                f"{alpha}/probe/corner", 0.1, margin=0.02,
            )
            for alpha in (0.0, 0.1)
        ),
        *(
            against(
                f"training-{alpha}", "The corner's class is read less often than from an untrained network "
                f"(alpha = {alpha})", "probe/corner", plus=alpha, minus="untrained", margin=0.02,
            )
            for alpha in (0.0, 0.1)
        ),
        *(
            Contrast(
                f"corner-{alpha}", f"A swapped corner costs no accuracy (alpha = {alpha})", f"{alpha}/corner/drop",
                claimed="none", margin=0.02,
            )
            for alpha in (0.0, 0.1)
        ),
    ),
    # by seeds 10 to 13; the pilot's share pointed the other way than claimed, by three margins
    plans=(
        Plan("probe", 0.0250), Plan("drop", 0.0113), Plan("share", 0.0379, 3.0), Plan("accuracy", 0.0140, 0.0),
    ),
    primary=("probe", "share", "drop", "accuracy",),
    data=("fashion-mnist-mini",),
)  # fmt: skip
