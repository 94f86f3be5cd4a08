"""Augmentation of whole batches on the device: frozen values that a recipe holds, called with a device's generator.

An augmentation is a frozen dataclass with a ``kind`` (so that a record tells which it was) that maps a `Batch` to a
`Batch`. Images are floats in [0, 1], shape (N, C, H, W). Nothing is drawn but from the generator that is given, and no
value is read back from the device.
"""

from lsedu.training.augmentation.batch import Augmentation, Batch, augment
from lsedu.training.augmentation.mixing import CutMix, Mixup, mixed_loss, mixed_targets
from lsedu.training.augmentation.places import Cutout, HorizontalFlip, RandomCrop, RandomResizedCrop
from lsedu.training.augmentation.randaugment import RandAugment

__all__ = [
    "Augmentation",
    "Batch",
    "CutMix",
    "Cutout",
    "HorizontalFlip",
    "Mixup",
    "RandAugment",
    "RandomCrop",
    "RandomResizedCrop",
    "augment",
    "mixed_loss",
    "mixed_targets",
]
