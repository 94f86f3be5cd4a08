"""Pictures of any set for a study of one seed, and the network that its scale names."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from lsedu import data, models, training
from lsedu.studies._loaded import loaded
from lsedu.studies._pictures import Pictures
from lsedu.studies._training import Loss, trained


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Which pictures a study takes, how many, and what is trained on them and how.

    Attributes
    ----------
    pictures : str
        Name of the set.
    train_size, validation_size, test_size : int
        A size of 0 takes all: of the training pictures those that validation leaves.
    test_part : str
        From which split the test pictures are, ``test`` for most sets.
    shrink : int
        Side of the squares of pixels over which pictures are averaged; 1 leaves them as they are.
    network : str
        ``mlp``, ``small-cnn``, or a residual network by its depth, ``resnet-18``.
    width : int
        Of the small CNN.
    training : Config
        The recipe.
    """

    pictures: str
    train_size: int
    validation_size: int
    test_size: int
    test_part: str = "test"
    shrink: int = 1
    network: str = "mlp"
    width: int = 8
    training: training.Config


def photographs(scale: Scale, *, seed: int, device: str) -> Pictures:
    """Return the training, validation and test pictures of a seed; the test pictures are the same for every seed."""
    whole, test = loaded(scale.pictures, "train"), loaded(scale.pictures, scale.test_part)
    if scale.test_size:
        (test,) = data.split(test, sizes=(scale.test_size,), seed=0)
    sizes = (scale.train_size or len(whole) - scale.validation_size, scale.validation_size)
    found: list[Tensor] = []
    for part in (*data.split(whole, sizes=sizes, seed=seed), test):
        x, y = data.to_tensors(part, device=device)
        found += [avg_pool2d(x, scale.shrink), y]
    return Pictures(*found, num_classes=len(whole.classes))


def network(images: Tensor, *, kind: str, width: int, num_classes: int) -> models.Classifier:
    """Return an untrained network that standardises its inputs as these pictures ask."""
    shape = tuple(images.shape[1:])
    if kind == "mlp":
        made = models.mlp(shape=shape, num_classes=num_classes)
    elif kind == "small-cnn":
        made = models.small_cnn(shape=shape, width=width, num_classes=num_classes)
    else:
        made = models.resnet(depth=int(kind.removeprefix("resnet-")), num_classes=num_classes)
    return models.standardised(made, images)


def taught(
    scale: Scale,
    criterion: Loss,
    p: Pictures,
    *,
    seed: int,
    name: str,
    workdir: Path | None,
    progress: bool,
    recipe: training.Config | None = None,
) -> models.Classifier:
    """Return the network of a scale and a seed, trained with a criterion.

    Parameters
    ----------
    scale, p : Scale, Pictures
        The pictures are those of the scale.
    criterion : callable
        As for `lsedu.training.fit`; a module is brought to the device of the pictures.
    seed, name, workdir, progress
        As for `trained`.
    recipe : Config, optional
        In the place of the scale's.
    """
    if isinstance(criterion, nn.Module):
        criterion.to(p.x.device)
    model, _ = trained(
        partial(network, p.x), criterion, p.x, p.y, seed=seed, recipe=recipe or scale.training, workdir=workdir,
        name=name, progress=progress, kind=scale.network, width=scale.width, num_classes=p.num_classes,
    )  # fmt: skip
    return model
