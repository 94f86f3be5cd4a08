"""How a model is trained, as one frozen value that can be hashed and written into a record."""

from dataclasses import dataclass
from typing import Literal

from lsedu import _check
from lsedu.training.augmentation import Augmentation, CutMix, Mixup


@dataclass(frozen=True, kw_only=True)
class Config:
    """A training recipe.

    Attributes
    ----------
    epochs : int
        Passes over the training set, >= 1.
    batch_size : int
        Samples a step, >= 1; the last batch of an epoch may be smaller.
    optimizer : {"sgd", "adam", "adamw"}
    lr : float
        Peak learning rate, > 0.
    momentum : float
        Momentum of SGD in [0, 1).
    weight_decay : float
        L2 penalty on the model's parameters, >= 0; with "adamw" it shrinks the parameters apart from the gradient.
    schedule : {"constant", "cosine", "multistep"}
        Shape of the learning rate after warm-up.
    milestones : tuple of int
        Epochs at which "multistep" multiplies the rate by `gamma`.
    gamma : float
        Factor of "multistep", >= 0.
    min_lr : float
        Where "cosine" ends, in [0, lr].
    warmup : int
        Epochs of linear warm-up from 0.
    augment : tuple of Augmentation
        What is done to every training batch, in order; at most one of them mixes samples.
    precision : {"float32", "bfloat16"}
        Of the forward pass and its gradients; parameters, losses and predictions stay float32.
    channels_last : bool
        Whether images and convolutions lie in memory with the channels last.
    compile : bool
        Whether the network is compiled by torch.compile.
    cuda_graphs : bool
        Whether the network's forward and backward pass are recorded once and replayed; needs CUDA.
    deterministic : bool
        Whether only operations that give the same bits each time are allowed.
    seed : int
        Seed of batch order, augmentation and any noise in the model.
    """

    epochs: int = 40
    batch_size: int = 128
    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 1e-4
    schedule: Literal["constant", "cosine", "multistep"] = "cosine"
    milestones: tuple[int, ...] = ()
    gamma: float = 0.1
    min_lr: float = 0.0
    warmup: int = 0
    augment: tuple[Augmentation, ...] = ()
    precision: Literal["float32", "bfloat16"] = "float32"
    channels_last: bool = False
    compile: bool = False
    cuda_graphs: bool = False
    deterministic: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            _check.whole(name, getattr(self, name), low=1)
        for name in ("warmup", "seed"):
            _check.whole(name, getattr(self, name))
        if not isinstance(self.milestones, tuple | list):
            raise ValueError(f"milestones must be a tuple of epochs, got {self.milestones!r}")
        for epoch in self.milestones:
            _check.whole("milestones", epoch, low=0)
        _check.one_of("optimizer", self.optimizer, ("sgd", "adam", "adamw"))
        _check.one_of("schedule", self.schedule, ("constant", "cosine", "multistep"))
        _check.one_of("precision", self.precision, ("float32", "bfloat16"))
        _check.real_in("lr", self.lr, 0.0, float("inf"), open_low=True, open_high=True)
        _check.real_in("min_lr", self.min_lr, 0.0, self.lr)
        _check.real_in("momentum", self.momentum, 0.0, 1.0, open_high=True)
        _check.real_in("weight_decay", self.weight_decay, 0.0, float("inf"), open_high=True)
        _check.real_in("gamma", self.gamma, 0.0, float("inf"), open_high=True)
        if not 0 <= self.warmup < self.epochs:
            raise ValueError(f"warmup must be in [0, epochs={self.epochs}), got {self.warmup}")
        if not all(callable(step) and hasattr(step, "kind") for step in self.augment):
            raise ValueError(f"augment must hold augmentations of lsedu.training.augmentation, got {self.augment!r}")
        if sum(isinstance(step, Mixup | CutMix) for step in self.augment) > 1:
            raise ValueError(f"augment may mix samples once, got {self.augment!r}")
