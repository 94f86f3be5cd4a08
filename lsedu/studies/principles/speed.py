"""Does smoothing make gradient descent faster? Count passes to a given validation accuracy, at each learning rate.

Claim: smoothing accelerates the convergence of stochastic gradient descent, because its gradients have less variance
(xu2020, as cited by pragmatic-ib). Training losses at different alpha have different floors and cannot be compared;
validation accuracy can. And smoothing shrinks the gradient, which is like a smaller learning rate: hence a comparison
at each method's own best rate as well, and a variance relative to the squared length of the mean gradient.
Two levels of accuracy, as smoothing may also raise the level that is reached in the end. A first run, seeds 100 to 104,
had only the upper one and 15 passes, in which hardly any network reached it at the lowest rate; hence these levels, and
seeds that were not looked at before.
Set-up: 5,000 Fashion-MNIST images, one MLP, constant learning rates, the same initial weights and batches for each
alpha. On one thread of a laptop core: half a minute a seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lsedu import models, training
from lsedu.experiments.experiment import Choice, Experiment, Outcome, Plan
from lsedu.losses import label_smoothing
from lsedu.studies._contrasts import against
from lsedu.studies._pictures import Pictures, Scale, pictures
from lsedu.studies._training import accuracy, smoothed


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; `levels` are validation accuracies to reach, `watched` the passes of the noise.

    No test picture is looked at.
    """

    test_size: int = 1
    alphas: tuple[float, ...]
    rates: tuple[float, ...]
    rate: float
    levels: dict[str, float]
    watched: tuple[int, ...]


def passes_to(level: float, values: np.ndarray) -> float:
    """Return after how many passes `values`, one a pass, first reach `level`; their number if they never do.

    Between passes by a straight line; before the first one the line starts at 0 after 0 passes.
    """
    if values.max() < level:
        return float(len(values))
    after = int(np.argmax(values >= level))
    before = values[after - 1] if after else 0.0
    return after + float((level - before) / (values[after] - before))


def gradient_noise(model: nn.Module, x: Tensor, y: Tensor, *, alpha: float, batch_size: int) -> tuple[float, float]:
    """Return the variance of the minibatch gradient, absolute and relative to the squared length of its mean.

    The variance is the trace of the covariance over the batches of one pass in a fixed order, which also give the mean.
    """
    loss = partial(label_smoothing, alpha=alpha)
    parameters = list(model.parameters())
    total, squares, count = torch.zeros(sum(w.numel() for w in parameters), device=x.device), 0.0, 0
    for xs, ys in zip(x.split(batch_size), y.split(batch_size)):
        if len(xs) < batch_size:
            break
        slope = torch.cat([g.flatten() for g in torch.autograd.grad(loss(model(xs), ys), parameters)])
        total += slope
        squares += slope.double().square().sum().item()
        count += 1
    mean = (total.double() / count).square().sum().item()
    variance = squares / count - mean
    return variance, variance / mean


@dataclass
class Watch:
    """After each pass: validation accuracy, and after some of them the gradient's noise. Call it once before."""

    pictures: Pictures
    alpha: float
    batch_size: int
    passes: tuple[int, ...]
    noise: dict[int, tuple[float, float]] = field(default_factory=dict)
    done: int = -1

    def __call__(self, model: nn.Module) -> dict[str, float]:
        """Return the validation accuracy, and note the noise where it is asked for."""
        self.done += 1
        p = self.pictures
        if self.done in self.passes:
            with torch.inference_mode(False), torch.enable_grad():
                self.noise[self.done] = gradient_noise(model, p.x, p.y, alpha=self.alpha, batch_size=self.batch_size)
        return {"validation": accuracy(model, p.x_val, p.y_val)}


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train at each alpha and learning rate, watching validation accuracy and, at one rate, the gradient's noise."""
    p = pictures(config, seed=seed, device=device)
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for alpha in config.alphas:
        for rate in config.rates:
            recipe = replace(config.training, lr=rate)
            watched = Watch(p, alpha, config.training.batch_size, config.watched if rate == config.rate else ())
            watched(models.build(models.mlp, seed=seed).to(device))
            _, history = smoothed(
                models.mlp, p.x, p.y, alpha=alpha, seed=seed, recipe=recipe, progress=progress, metrics=watched
            )
            values = history.column("validation")
            for name, level in config.levels.items():
                results[f"{alpha}/{rate}/{name}"] = passes_to(level, values)
                results[f"{alpha}/{rate}/{name}_reached"] = float(values.max() >= level)
            results[f"{alpha}/{rate}/best"] = float(values.max())
            arrays[f"{alpha}/{rate}/validation"] = values.astype(np.float32)
            for number, (variance, relative) in watched.noise.items():
                results[f"{alpha}/pass-{number}/log_variance"] = float(np.log(variance))
                results[f"{alpha}/pass-{number}/log_relative"] = float(np.log(relative))
        for name in config.levels:
            results[f"{alpha}/{name}"] = min(results[f"{alpha}/{rate}/{name}"] for rate in config.rates)
    return Outcome(results, arrays)


def best_rate(row: Mapping[str, float], alpha: float, level: str) -> float:
    """Return the learning rate at which a level was reached first; the lowest of them in a tie."""
    parts = (name.split("/") for name in row)
    rates = [float(part[1]) for part in parts if len(part) == 3 and part[0] == str(alpha) and part[2] == level]
    return min(rates, key=lambda rate: (row[f"{alpha}/{rate}/{level}"], rate))


def missed(row: Mapping[str, float], key: str) -> bool:
    """Return whether a number of passes is that of the run, as the level was missed: at its rate, or at every rate."""
    if f"{key}_reached" in row:
        return not row[f"{key}_reached"]
    alpha, _, level = key.rpartition("/")
    reached = [row[name] for name in row if name.startswith(f"{alpha}/") and name.endswith(f"/{level}_reached")]
    return bool(reached) and not any(reached)


EXPERIMENT = Experiment(
    name="speed",
    claim="Label smoothing makes stochastic gradient descent faster, by reducing the variance of its gradients.",
    source="xu2020, as cited in pragmatic-ib, Introduction",
    reduction={
        "smoke": "300 training images and 6 epochs: tests the code, not the claim.",
        "cpu": "The first 20 passes of one MLP on 5,000 grey pictures: says nothing of long training, of deep "
        "networks, or of dropping the smoothing half-way, which is the method the source recommends.",
    },
    configs={
        "smoke": Config(
            train_size=300, validation_size=200, alphas=(0.0, 0.1), rates=(0.005, 0.02, 0.08), rate=0.02,
            levels={"lower": 0.4, "upper": 0.5}, watched=(0, 1, 5),
            training=training.Config(epochs=6, batch_size=32, weight_decay=0.0, schedule="constant"),
        ),
        "cpu": Config(
            train_size=5000, validation_size=2000, alphas=(0.0, 0.1), rates=(0.005, 0.02, 0.08, 0.16), rate=0.02,
            levels={"lower": 0.8, "upper": 0.83}, watched=(0, 1, 5, 20),
            training=training.Config(epochs=20, batch_size=64, weight_decay=0.0, schedule="constant"),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(110, 122))},
    measure=measure,
    contrasts=(
        against("passes-slow", "At the lowest learning rate, fewer passes to 80%", "0.005/lower", margin=0.5),
        against("passes-same", "At the middle learning rate, fewer passes to 80%", "0.02/lower", margin=0.5),
        against("passes-best", "Each at its best learning rate, fewer passes to 80%", "lower", margin=0.5),
        against("passes-upper", "Each at its best learning rate, fewer passes to 83%", "upper", margin=0.5),
        against(
            "variance-start", "At the same initial weights alpha = 0.1 lowers the log variance of the gradient",
            "pass-0/log_variance", margin=0.1,
        ),
        against(
            "relative-start", "At the same initial weights alpha = 0.1 lowers the log relative variance",
            "pass-0/log_relative", margin=0.1,
        ),
        against(
            "variance-later", "After 5 passes, each on its own way, alpha = 0.1 has the lower log variance",
            "pass-5/log_variance", margin=0.1,
        ),
        against(
            "relative-later", "After 5 passes, each on its own way, alpha = 0.1 has the lower log relative variance",
            "pass-5/log_relative", margin=0.1,
        ),
    ),
    choices=tuple(
        Choice(f"{alpha}/{level}", "rates", partial(best_rate, alpha=alpha, level=level))
        for alpha in (0.0, 0.1)
        for level in ("lower", "upper")
    ),
    missed=missed,
    primary=("passes-best", "variance-start", "relative-start",),
    plans=(Plan("passes-best", 1.09, 3.0),),
    data=("fashion-mnist-mini",),
)  # fmt: skip
