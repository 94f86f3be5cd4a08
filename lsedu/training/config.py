"""How a model is trained, as one frozen value that can be hashed and written into a record."""

from dataclasses import dataclass
from typing import Literal

from lsedu import _check


@dataclass(frozen=True)
class Config:
    """A training recipe.

    Attributes
    ----------
    epochs : int
        Passes over the training set, >= 1.
    batch_size : int
        Samples a step, >= 1; the last batch of an epoch may be smaller.
    optimizer : {"sgd", "adam"}
    lr : float
        Peak learning rate, > 0.
    momentum : float
        Momentum of SGD in [0, 1).
    weight_decay : float
        L2 penalty on the model's parameters, >= 0.
    schedule : {"constant", "cosine", "multistep"}
        Shape of the learning rate after warm-up; cosine falls to 0.
    milestones : tuple of int
        Epochs at which "multistep" multiplies the rate by `gamma`.
    gamma : float
        Factor of "multistep".
    warmup : int
        Epochs of linear warm-up from 0.
    seed : int
        Seed of batch order and of any noise in the model.
    """

    epochs: int = 40
    batch_size: int = 128
    optimizer: Literal["sgd", "adam"] = "sgd"
    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 1e-4
    schedule: Literal["constant", "cosine", "multistep"] = "cosine"
    milestones: tuple[int, ...] = ()
    gamma: float = 0.1
    warmup: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        _check.one_of("optimizer", self.optimizer, ("sgd", "adam"))
        _check.one_of("schedule", self.schedule, ("constant", "cosine", "multistep"))
        _check.real_in("lr", self.lr, 0.0, float("inf"), open_low=True, open_high=True)
        _check.real_in("momentum", self.momentum, 0.0, 1.0, open_high=True)
        _check.real_in("weight_decay", self.weight_decay, 0.0, float("inf"), open_high=True)
        if not 0 <= self.warmup < self.epochs:
            raise ValueError(f"warmup must be in [0, epochs={self.epochs}), got {self.warmup}")
