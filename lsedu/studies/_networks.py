"""Networks by the words that configurations have for them."""

from torch import Tensor

from lsedu import _check, models

#: Depths of the residual networks made for ImageNet; those of other depths are the thin ones made for CIFAR (he2016).
DEEP = (18, 34, 50, 101)


def network(
    images: Tensor, *, kind: str, num_classes: int = 10, width: int = 8, hidden: tuple[int, ...] = (256, 256)
) -> models.Classifier:
    """Return an untrained network for such images.

    Parameters
    ----------
    images : Tensor, shape (N, C, H, W)
    kind : str
        ``softmax``, ``mlp``, ``lenet``, ``small-cnn``, ``alexnet`` or ``resnet-DEPTH``; ``thin-resnet-DEPTH`` is thin
        at any depth. The word itself may have the widths of an MLP, ``mlp-256-256``, and that of the small CNN,
        ``small-cnn-8``.
    num_classes : int
        Number of classes K.
    width, hidden
        Of the small CNN and of the MLP, where their words have none.

    Raises
    ------
    ValueError
        If no network is called so; the message lists the names.

    Examples
    --------
    >>> import torch
    >>> [layer.out_features for layer in network(torch.rand(2, 1, 4, 4), kind="mlp-8-5").body if hasattr(layer, "bias")]
    [8, 5]
    """
    shape = tuple(images.shape[1:])
    words = kind.split("-")
    sizes = [int(word) for word in words if word.isdigit()]
    colours = {"channels": shape[0], "num_classes": num_classes}
    makers = {
        "softmax": lambda: models.softmax_regression(shape=shape, num_classes=num_classes),
        "mlp": lambda *widths: models.mlp(shape=shape, hidden=widths or hidden, num_classes=num_classes),
        "lenet": lambda: models.lenet(size=shape[1], **colours),
        "small-cnn": lambda own=width: models.small_cnn(shape=shape, width=own, num_classes=num_classes),
        "alexnet": lambda: models.alexnet(**colours),
        "resnet": lambda depth: (models.resnet if depth in DEEP else models.thin_resnet)(depth=depth, **colours),
        "thin-resnet": lambda depth: models.thin_resnet(depth=depth, **colours),
    }
    name = _check.one_of("network", "-".join(word for word in words if not word.isdigit()), tuple(makers))
    return makers[name](*sizes)


def standardising(images: Tensor, **options: object) -> models.Classifier:
    """Return a `network` that standardises its inputs as these images ask; `options` are those of `network`."""
    return models.standardised(network(images, **options), images)
