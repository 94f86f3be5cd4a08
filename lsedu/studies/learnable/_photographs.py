"""Pictures of any set for a study of one seed, and the network that its scale names."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from torch import Tensor

from lsedu import data, models, training
from lsedu.studies._loaded import apart, averaged, drawn
from lsedu.studies._networks import standardising
from lsedu.studies._pictures import Pictures
from lsedu.studies._training import Loss, trained


@dataclass(frozen=True, kw_only=True)
class Unheld:
    """How many pictures of a set a study takes that chooses nothing on validation pictures, and what it trains.

    Attributes
    ----------
    train_size, test_size : int
        A size of 0 takes all.
    shrink : int
        Side of the squares of pixels over which pictures are averaged; 1 leaves them as they are.
    network : str
        As `lsedu.studies._networks.network` calls it; it standardises its inputs.
    width : int
        Of the small CNN.
    training : Config
        The recipe.
    """

    train_size: int
    test_size: int
    shrink: int = 1
    network: str = "mlp"
    width: int = 8
    training: training.Config


@dataclass(frozen=True, kw_only=True)
class Scale(Unheld):
    """The scale of a study with validation pictures: a training size of 0 takes all others."""

    validation_size: int


@dataclass(frozen=True, kw_only=True)
class OfASet(Scale):
    """A scale that says of which set the pictures are, and from which split of it those of the test."""

    pictures: str
    test_part: str = "test"


def photographs(scale: Scale, name: str, *, seed: int, device: str, test_part: str = "test") -> Pictures:
    """Return the training, validation and test pictures of a seed; the test pictures are the same for every seed."""
    train, held = apart(name, scale.train_size, scale.validation_size, seed=seed)
    return _averaged((train, held, drawn(name, test_part, scale.test_size)), scale.shrink, device)


def unheld(scale: Unheld, name: str, *, seed: int, device: str) -> Pictures:
    """Return the training and test pictures of a seed, and no validation pictures."""
    train = drawn(name, "train", scale.train_size, seed=seed)
    return _averaged((train, train.take(np.arange(0)), drawn(name, "test", scale.test_size)), scale.shrink, device)


def _averaged(parts: tuple[data.Dataset, ...], shrink: int, device: str) -> Pictures:
    tensors = [tensor for part in parts for tensor in averaged(part, shrink=shrink, device=device)]
    return Pictures(*tensors, num_classes=len(parts[0].classes))


def taught(
    scale: Unheld,
    criterion: Loss,
    p: Pictures,
    *,
    seed: int,
    name: str,
    workdir: Path | None,
    progress: bool,
    recipe: training.Config | None = None,
    standard: Tensor | None = None,
) -> models.Classifier:
    """Return the network of a scale and a seed, trained with a criterion.

    Parameters
    ----------
    scale, p : Unheld, Pictures
        The pictures are those of the scale.
    criterion : callable
        As for `trained`.
    seed, name, workdir, progress
        As for `trained`.
    recipe : Config, optional
        In the place of the scale's.
    standard : Tensor, optional
        Pictures by which inputs are standardised, in the place of the training pictures.
    """
    factory = partial(standardising, p.x if standard is None else standard)
    model, _ = trained(
        factory, criterion, p.x, p.y, seed=seed, recipe=recipe or scale.training, workdir=workdir, name=name,
        progress=progress, kind=scale.network, width=scale.width, num_classes=p.num_classes,
    )  # fmt: skip
    return model
