"""Training for a study: the network of a seed, fitted with any loss, and what is looked at afterwards."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from lsedu import models, training
from lsedu.losses import label_smoothing
from lsedu.studies._scores import right

Loss = Callable[..., Tensor]


def trained(
    factory: Callable[..., models.Classifier],
    loss: Loss,
    x: Tensor,
    y: Tensor,
    *,
    seed: int,
    recipe: training.Config,
    workdir: Path | None = None,
    name: str = "",
    progress: bool = False,
    metrics: training.loop.Metrics | None = None,
    **options: object,
) -> tuple[models.Classifier, training.History]:
    """Return a network with weights and batch order of `seed`, trained with a loss, and its history.

    Parameters
    ----------
    factory : callable
        Maker of the network; `options` go to it.
    loss : callable
        As for `lsedu.training.fit`; a module is brought to the device of the pictures.
    x, y : Tensor
        Images and labels, on the device of the run.
    seed : int
        Networks of one seed begin with the same weights and see the same batches, whatever the loss.
    recipe : Config
        Its seed does not count.
    workdir : Path, optional
        Where a named network keeps its checkpoint ``NAME.pt``.
    name : str
        The network's among those of the seed; without one it keeps no checkpoint.
    progress, metrics
        As for `lsedu.training.fit`.
    """
    model = models.build(factory, seed=seed, **options).to(x.device)
    if isinstance(loss, nn.Module):
        loss.to(x.device)
    history = training.fit(
        model,
        loss,
        x,
        y,
        config=replace(recipe, seed=seed),
        metrics=metrics,
        checkpoint=workdir / f"{name}.pt" if workdir and name else None,
        progress=progress,
    )
    return model, history


def smoothed(
    factory: Callable[..., models.Classifier], x: Tensor, y: Tensor, *, alpha: float, **options: object
) -> tuple[models.Classifier, training.History]:
    """Return a network trained with strength `alpha`, and its history; `options` are those of `trained`.

    With the same seed, networks of different alpha differ in the targets alone.
    """
    return trained(factory, partial(label_smoothing, alpha=alpha), x, y, **options)


def features(model: models.Classifier, x: Tensor) -> Tensor:
    """Return the penultimate activations (N, F) of pictures, floats or bytes, without gradients."""
    with torch.inference_mode():
        return torch.cat([model.features(training.as_floats(part)) for part in x.split(1024)])


def accuracy(model: models.Classifier, x: Tensor, y: Tensor) -> float:
    """Return the share of pictures whose largest logit is the label's."""
    return right(training.predict(model, x), y)
