"""What the small tests of smoothing share: the pictures of a seed, and a network trained on them with one alpha."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from lsedu import data, models, training
from lsedu.losses import label_smoothing


@dataclass(frozen=True)
class Pictures:
    """Pictures (N, 1, 28, 28) in [0, 1] and labels (N,) of one seed; the test set is the same for every seed."""

    x: Tensor
    y: Tensor
    x_val: Tensor
    y_val: Tensor
    x_test: Tensor
    y_test: Tensor
    num_classes: int


def pictures(sizes: tuple[int, int, int], *, seed: int, device: str) -> Pictures:
    """Return as many training, validation and test pictures as `sizes` says, class-balanced, drawn with `seed`."""
    train_size, validation_size, test_size = sizes
    whole = data.load("fashion-mnist-mini")
    train, held_out = data.split(whole, sizes=(train_size, validation_size), seed=seed)
    test = data.load("fashion-mnist-mini", split="test")
    if test_size < len(test):
        (test,) = data.split(test, sizes=(test_size,), seed=0)
    parts = [tensor for part in (train, held_out, test) for tensor in data.to_tensors(part, device=device)]
    return Pictures(*parts, num_classes=len(whole.classes))


def smoothed(
    factory: Callable[..., models.Classifier],
    x: Tensor,
    y: Tensor,
    *,
    alpha: float,
    seed: int,
    recipe: training.Config,
    checkpoint: Path | None = None,
    progress: bool = False,
    metrics: training.loop.Metrics | None = None,
    **options: object,
) -> tuple[models.Classifier, training.History]:
    """Return a network with weights and batch order of `seed`, trained with strength `alpha`, and its history.

    `options` go to `factory`. With the same seed, networks of different alpha differ in the targets alone.
    """
    model = models.build(factory, seed=seed, **options).to(x.device)
    history = training.fit(
        model,
        partial(label_smoothing, alpha=alpha),
        x,
        y,
        config=replace(recipe, seed=seed),
        metrics=metrics,
        checkpoint=checkpoint,
        progress=progress,
    )
    return model, history


def features(model: models.Classifier, x: Tensor) -> Tensor:
    """Return the penultimate activations (N, F) of pictures, without gradients."""
    with torch.inference_mode():
        return torch.cat([model.features(part) for part in x.split(1024)])


def accuracy(model: models.Classifier, x: Tensor, y: Tensor) -> float:
    """Return the share of pictures whose largest logit is the label's."""
    return (training.predict(model, x).argmax(1) == y).double().mean().item()
