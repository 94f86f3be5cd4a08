"""The recipes of the papers' experiments: what they state, and what they leave out, told apart in the data itself.

Beside them the one in whose short form the course repeats those on CIFAR (`card`).
"""

from dataclasses import dataclass, fields, replace

from lsedu._errors import UnknownNameError
from lsedu.training import Config, HorizontalFlip, RandAugment, RandomCrop, RandomResizedCrop


@dataclass(frozen=True)
class Recipe:
    """How a paper trains on one set.

    Attributes
    ----------
    name : str
        Key: the paper, then the set.
    source : str
        Bib key and place.
    data : str
        Name in `lsedu.data.SETS` or of a layout of `lsedu.data.load_folder`, with what is made of it.
    networks : tuple of str
        As the paper names them.
    image_size : int
        Side of the images that the network sees, in pixels.
    training : Config
        With the seed left at its default: seeds belong to an experiment.
    assumed : frozenset of str
        Fields of this class, and of `training` behind "training.", that the paper does not state: our choice.
    alpha : float
        Smoothing strength in [0, 1].
    pretrained : bool
        Whether the network starts from weights learned on ImageNet.
    standardised : bool
        Whether inputs are standardised channel by channel.
    stem : str
        First layers of residual networks, "cifar" or "imagenet".
    map_size : int
        Side of the pooled map before the last layer of residual networks.
    differs : tuple of str
        What the source does and this recipe cannot say.
    """

    name: str
    source: str
    data: str
    networks: tuple[str, ...]
    image_size: int
    training: Config
    assumed: frozenset[str]
    alpha: float = 0.1
    pretrained: bool = False
    standardised: bool = True
    stem: str = "cifar"
    map_size: int = 1
    differs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = {f.name for f in fields(self)} | {f"training.{f.name}" for f in fields(Config)}
        if unknown := self.assumed - known:
            raise ValueError(f"assumed names no field of a recipe: {', '.join(sorted(unknown))}")


_CROP_AND_FLIP = (RandomCrop(4), HorizontalFlip())

#: What neither paper states for any set.
_LEFT_OUT = frozenset({"standardised", "stem", "map_size", "training.precision"})


def _sgd(epochs: int, batch: int, decay: float, lr: float, warmup: int, milestones: tuple, augment: tuple) -> Config:
    """Return a recipe with steps by a factor of 0.1 and momentum 0.9: what all of these have in common."""
    return Config(
        epochs=epochs,
        batch_size=batch,
        lr=lr,
        momentum=0.9,
        weight_decay=decay,
        schedule="multistep",
        milestones=milestones,
        gamma=0.1,
        warmup=warmup,
        augment=augment,
    )


def _lls(
    name: str, data: str, networks: tuple, size: int, training: Config, assumed: set = frozenset(), **more
) -> Recipe:
    source = "lls, appendix I.1 and section 4.1"
    return Recipe(f"lls/{name}", source, data, networks, size, training, _LEFT_OUT | assumed, **more)


def _ib(name: str, data: str, networks: tuple, size: int, training: Config, assumed: set, **more) -> Recipe:
    return Recipe(
        f"pragmatic-ib/{name}", "pragmatic-ib, section 5.1", data, networks, size, training,
        _LEFT_OUT | {"alpha"} | assumed, **more,
    )  # fmt: skip


_TINY = _sgd(100, 64, 1e-4, 0.1, 5, (40, 60), _CROP_AND_FLIP)
_FINE = _sgd(100, 64, 1e-4, 0.01, 5, (45, 80), (RandomCrop(0, size=224), HorizontalFlip()))
_IMAGENET = _sgd(90, 64, 1e-4, 0.1, 5, (30, 60, 80), (RandomResizedCrop(224), HorizontalFlip()))
_CIFAR = _sgd(300, 128, 5e-4, 0.1, 10, (150, 225), _CROP_AND_FLIP)
_RESIDUAL = ("resnet-18", "resnet-50", "resnet-101")
_HE = ("Batch and augmentation are those of he2016, to whose set-up the text refers.",)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        _lls("cifar10", "cifar10", ("alexnet",), 32, _CIFAR, {"networks"}),
        _lls("cifar100", "cifar100", ("resnet-18", "resnet-34", "resnet-50", "resnet-101"), 32, _CIFAR),
        _lls(
            "fashion-mnist", "fashion-mnist", ("alexnet", "lenet"), 28,
            _sgd(200, 128, 1e-4, 0.1, 5, (100, 150), (RandomCrop(2),)), {"networks", "image_size"},
            differs=("The text gives the images as 32 x 32; the margin of 2 may be what makes them so.",),
        ),
        _lls("svhn", "svhn", ("lenet",), 32, _sgd(200, 128, 1e-4, 0.1, 5, (100, 150), ()), {"networks"}),
        _lls("tiny-imagenet", "tiny-imagenet", _RESIDUAL, 64, _TINY, map_size=2,
             differs=("The parameter counts of table 9 fit a flattened 2 x 2 map.",)),
        _lls("animals-10n", "animals-10n", ("resnet-18",), 64, _TINY),
        _lls("imagenet-100", "imagenet-100", ("resnet-18", "resnet-50"), 224, _IMAGENET, stem="imagenet"),
        _lls(
            "imagenet-100-randaugment", "imagenet-100", ("resnet-18",), 224,
            _sgd(90, 64, 1e-4, 0.1, 5, (30, 60, 80), (RandomResizedCrop(224), HorizontalFlip(), RandAugment())),
            {"training.augment"}, stem="imagenet",
            differs=("Number and strength of the operations are not given.",),
        ),
        *(
            _lls(name, name, ("mobilenet-v2", *_RESIDUAL), 224, _FINE, pretrained=True, stem="imagenet",
                 differs=("Images are scaled to 256 first; for the test the centre is cut out (assumed).",))
            for name in ("cub-200", "flowers-102")
        ),
        _ib("cifar10", "cifar10", ("resnet-56",), 32, _sgd(160, 128, 0.0, 0.1, 0, (80, 120), _CROP_AND_FLIP),
            {"training.batch_size", "training.augment", "training.warmup"}, differs=_HE),
        _ib("occluded-cifar", "cifar10 occluded by mnist", ("resnet-56",), 32,
            _sgd(160, 128, 0.0, 0.1, 0, (80, 120), _CROP_AND_FLIP),
            {"training.batch_size", "training.augment", "training.warmup"}, differs=_HE),
        _ib("cluttered-mnist", "mnist cluttered by itself", ("resnet-20",), 56,
            _sgd(160, 128, 0.0, 0.1, 0, (80, 120), ()),
            {"training.batch_size", "training.augment", "training.warmup"},
            differs=("The side of the crops is not given; digits are not mirrored.",)),
        _ib("flowers-102", "flowers-102", ("cct-7/7x2",), 224,
            Config(epochs=300, batch_size=96, optimizer="adamw", lr=5e-4, weight_decay=0.06, schedule="cosine",
                   min_lr=1e-5, warmup=10, augment=(RandomResizedCrop(224, scale=(0.8, 1.0)), HorizontalFlip())),
            {f"training.{name}" for name in ("epochs", "batch_size", "optimizer", "lr", "weight_decay", "schedule",
                                             "min_lr", "warmup", "augment")},
            differs=("The text refers to hassani2021; the values are those of its published configuration.",
                     "That one warms up from 1e-6, goes on for 10 epochs at the least rate, and has fixed positions.")),
    )
}  # fmt: skip


_CARD = Config(
    epochs=30, batch_size=500, lr=0.4, weight_decay=5e-4, schedule="cosine", warmup=2, augment=_CROP_AND_FLIP,
    precision="bfloat16", channels_last=True, cuda_graphs=True,
)  # fmt: skip


def card(epochs: int, **changed: object) -> Config:
    """Return how studies train on CIFAR on one card: large batches for a tenth of the papers' epochs, more or less.

    Parameters
    ----------
    epochs : int
    **changed
        Fields of `lsedu.training.Config` in which a study differs.

    Examples
    --------
    >>> found = card(15, lr=0.1)
    >>> found.epochs, found.lr, found.batch_size
    (15, 0.1, 500)
    """
    return replace(_CARD, epochs=epochs, **changed)


def recipe(name: str) -> Recipe:
    """Return the recipe called `name`.

    Raises
    ------
    KeyError
        If there is none; the message lists the names that exist.

    Examples
    --------
    >>> found = recipe("lls/cifar100")
    >>> found.training.epochs, found.training.milestones, "training.epochs" in found.assumed
    (300, (150, 225), False)
    """
    if name not in RECIPES:
        raise UnknownNameError(f"no recipe is called {name!r}; there are {', '.join(RECIPES)}")
    return RECIPES[name]
