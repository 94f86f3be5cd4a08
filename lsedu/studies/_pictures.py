"""The small grey pictures that most studies are about: how many, and which of them a seed takes."""

from dataclasses import dataclass

from torch import Tensor

from lsedu import data, training


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How many pictures a study takes and how it trains: what most configurations begin with."""

    train_size: int
    validation_size: int
    test_size: int
    training: training.Config


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


def brought(parts: tuple[data.Dataset, data.Dataset, data.Dataset], *, device: str, as_bytes: bool = False) -> Pictures:
    """Return training, validation and test pictures on a device; as bytes they are bytes there, too."""
    tensors = [tensor for part in parts for tensor in data.to_tensors(part, device=device, as_bytes=as_bytes)]
    return Pictures(*tensors, num_classes=len(parts[0].classes))


def pictures(scale: Scale, *, seed: int, device: str) -> Pictures:
    """Return the training, validation and test pictures of a seed, class-balanced.

    Up to 2,000 test pictures are drawn from the balanced part; a larger `test_size` draws from all 10,000. All of them
    come in the order of the set, in which the balanced part is the first.
    """
    whole = data.load("fashion-mnist-mini")
    train, held_out = data.split(whole, sizes=(scale.train_size, scale.validation_size), seed=seed)
    test = data.load("fashion-mnist-mini", split="test")
    if scale.test_size > len(test):
        test = data.load("fashion-mnist-mini", split="test-all")
    if scale.test_size < len(test):
        (test,) = data.split(test, sizes=(scale.test_size,), seed=0)
    return brought((train, held_out, test), device=device)
