"""The recipe of the network that trains in seconds, as one frozen value."""

from dataclasses import dataclass
from typing import Literal

import torch

from lsedu import _check

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, kw_only=True)
class FastConfig:
    """The recipe; every field is >= 0."""

    epochs: int = 12
    batch_size: int = 1024
    #: Of SGD with Nesterov's momentum, for the mean loss of a batch.
    lr: float = 1.5
    momentum: float = 0.85
    weight_decay: float = 1.33e-3
    #: Multiple of the learning rate, and divisor of the weight decay, for the biases of the norms.
    bias_factor: float = 64.0
    #: The rate rises from ``start * lr`` to `lr` over the share `peak` of all steps and falls to ``end * lr``.
    start: float = 0.2
    peak: float = 0.23
    end: float = 0.07
    #: Epochs after which the bias of the first layer stays.
    whitening_epochs: int = 3
    #: Largest shift of a picture, in pixels.
    shift: int = 2
    #: Every so many steps the weights become their running average, whose decay grows to `average_decay`.
    average_every: int = 5
    average_decay: float = 0.95**5
    #: Channels of the three blocks, the first at least 8 times a picture's.
    widths: tuple[int, int, int] = (64, 256, 256)
    #: Of data and convolutions while training; parameters, losses and predictions stay float32.
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    #: Whether the network is compiled, and whether steps are recorded where the device is CUDA.
    compile: bool = False
    record: bool = True

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "average_every"):
            _check.whole(name, getattr(self, name), low=1)
        for name in ("shift", "whitening_epochs"):
            _check.whole(name, getattr(self, name), low=0)
        _check.real_in("lr", self.lr, 0.0, float("inf"), open_low=True, open_high=True)
        _check.real_in("bias_factor", self.bias_factor, 0.0, float("inf"), open_low=True, open_high=True)
        for name in ("weight_decay", "start", "end"):
            _check.real_in(name, getattr(self, name), 0.0, float("inf"), open_high=True)
        _check.real_in("momentum", self.momentum, 0.0, 1.0, open_high=True)
        _check.real_in("peak", self.peak, 0.0, 1.0, open_low=True, open_high=True)
        _check.real_in("average_decay", self.average_decay, 0.0, 1.0)
        _check.one_of("precision", self.precision, tuple(DTYPES))
