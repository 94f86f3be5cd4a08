"""Training: a recipe in, a trained model and its history out."""

from lsedu.training.augmentation import (
    CutMix,
    Cutout,
    HorizontalFlip,
    Mixup,
    RandAugment,
    RandomCrop,
    RandomResizedCrop,
)
from lsedu.training.checkpoint import CheckpointError
from lsedu.training.config import Config
from lsedu.training.fast import FastConfig, FastTrainer
from lsedu.training.history import History
from lsedu.training.loop import DivergedError, fit
from lsedu.training.predict import as_floats, predict
from lsedu.training.schedule import factor

__all__ = [
    "CheckpointError",
    "Config",
    "CutMix",
    "Cutout",
    "DivergedError",
    "FastConfig",
    "FastTrainer",
    "History",
    "HorizontalFlip",
    "Mixup",
    "RandAugment",
    "RandomCrop",
    "RandomResizedCrop",
    "as_floats",
    "factor",
    "fit",
    "predict",
]
