"""Of two features that both tell the class, smoothing is said to prefer the one that varies less.

Claim: with smoothing a linear model learns only the features of least variance, where weight decay alone also uses
those that vary more but lie further apart; and so smoothed networks are more easily led by cues that hardly vary, true
or not (chidambaram2025, as cited by pragmatic-ib). Reason: the smoothed loss is least where all pictures of a class
get the same logits, and a feature that varies within the class stands in the way.
Set-up: two features and two classes, where the loss is convex and its minimum is found exactly; and 5,000 Fashion-
MNIST images with a lit pixel in the top row that names the class, one MLP. On one thread of a laptop core: twenty
seconds a seed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lsedu import models, training
from lsedu.experiments.experiment import Experiment, Outcome
from lsedu.experiments.keeping import per_picture
from lsedu.losses import label_smoothing
from lsedu.studies._contrasts import against
from lsedu.studies._pictures import Scale, pictures
from lsedu.studies._scores import right
from lsedu.studies._training import smoothed


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; `cue` is the brightness of the pixel that names the class."""

    points: int
    decay: float
    cue: float
    alphas: tuple[float, ...]


def two_features(points: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return float64 points (N, 2) and labels (N,): each feature tells the class, the second varies more.

    The first lies within 0.1 of -1 or +1, the second anywhere from 1 to 5 away from 0, on the side of the class.
    """
    rng = np.random.default_rng(seed)
    y = np.arange(points) % 2
    steady = 1 + 0.1 * rng.uniform(-1, 1, points)
    varied = rng.uniform(1, 5, points)
    sign = 2.0 * y - 1
    return torch.from_numpy(np.stack([sign * steady, sign * varied], 1)), torch.from_numpy(y)


def minimum(x: Tensor, y: Tensor, *, alpha: float, decay: float) -> Tensor:
    """Return the weights (2,) of the logit difference that minimise smoothed loss plus decay / 2 times their square.

    The loss is strictly convex; L-BFGS goes on until the gradient is below 1e-9.
    """
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [w], max_iter=500, tolerance_grad=1e-9, tolerance_change=0.0, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        z = x @ w
        loss = label_smoothing(torch.stack([-z / 2, z / 2], 1), y, alpha=alpha) + 0.5 * decay * w.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return w.detach()


def lit(x: Tensor, names: Tensor, brightness: float) -> Tensor:
    """Return the pictures with two pixels of the top row set to `brightness`: columns 4 + 2k and 5 + 2k for name k."""
    changed = x.clone()
    rows = torch.arange(len(x), device=x.device)
    for column in (4 + 2 * names, 5 + 2 * names):
        changed[rows, 0, 0, column] = brightness
    return changed


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Solve the two-feature problem and train on pictures with a cue, at each alpha."""
    p = pictures(config, seed=seed, device=device)
    toy, sides = two_features(config.points, seed)
    shift = torch.randint(1, p.num_classes, p.y_test.shape, generator=torch.Generator().manual_seed(seed)).to(device)
    tests = {
        "true": lit(p.x_test, p.y_test, config.cue),
        "none": p.x_test,
        "false": lit(p.x_test, (p.y_test + shift) % p.num_classes, config.cue),
    }
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for alpha in config.alphas:
        w = minimum(toy, sides, alpha=alpha, decay=config.decay)
        parts = (w * toy).abs().mean(0)
        results[f"{alpha}/varied_share"] = (parts[1] / parts.sum()).item()
        results[f"{alpha}/toy_spread"] = ((toy @ w)[sides == 1].std() / (toy @ w)[sides == 1].mean()).item()
        model, _ = smoothed(
            models.mlp, lit(p.x, p.y, config.cue), p.y, alpha=alpha, seed=seed, recipe=config.training,
            workdir=workdir, name=str(alpha), progress=progress,
        )  # fmt: skip
        for name, images in tests.items():
            logits = training.predict(model, images)
            results[f"{alpha}/cue-{name}"] = right(logits, p.y_test)
            arrays |= per_picture(f"{alpha}/cue-{name}", logits, p.y_test)
    return Outcome(results, arrays)


EXPERIMENT = Experiment(
    name="variance",
    claim="Smoothing prefers features that vary little within a class, and is led by false cues of that kind.",
    source="chidambaram2025, as cited in pragmatic-ib, Introduction",
    reduction={
        "smoke": "600 training images and one epoch: tests the code, not the claim about pictures.",
        "cpu": "A linear model with two features, and one MLP on 5,000 grey pictures with one artificial cue: says "
        "nothing of deep networks or of the cues that real sets of pictures hold.",
    },
    configs={
        "smoke": Config(
            points=200, decay=1e-2, train_size=600, validation_size=400, test_size=200, cue=0.3, alphas=(0.0, 0.1),
            training=training.Config(epochs=1, batch_size=64),
        ),
        "cpu": Config(
            points=200, decay=1e-2, train_size=5000, validation_size=2000, test_size=10000, cue=0.3, alphas=(0.0, 0.1),
            training=training.Config(epochs=40),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 108))},
    measure=measure,
    contrasts=(
        against(
            "toy-share", "In the linear model the feature that varies more has a smaller share in the logit",
            "varied_share", margin=0.02,
        ),
        against("cue-none", "Without the cue right answers are rarer", "cue-none", margin=0.02),
        against("cue-false", "With a false cue right answers are rarer", "cue-false", margin=0.02),
    ),
    primary=("toy-share", "cue-false",),
    data=("fashion-mnist-mini",),
)  # fmt: skip
