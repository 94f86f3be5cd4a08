"""Adding up the losses of an epoch and noticing the first that is no number, without stopping the device each step."""

import math

import torch
from torch import Tensor

#: Steps between two looks at the losses on a device that computes on its own while the program goes ahead.
EVERY = 50


class LossWatch:
    """Losses of an epoch, step by step.

    Parameters
    ----------
    device : torch.device
        On a CPU every loss is looked at once; elsewhere every `EVERY` steps, since each look waits for the device.
    """

    def __init__(self, device: torch.device) -> None:
        self.every = 1 if device.type == "cpu" else EVERY
        self.waiting: list[Tensor] = []
        self.values: list[float] = []
        self.sizes: list[int] = []

    def add(self, loss: Tensor, size: int) -> int | None:
        """Take the mean loss of `size` samples; return the first step of the epoch whose loss is no finite number.

        None where all are finite or not looked at yet: `look` settles it.
        """
        self.waiting.append(loss.detach())
        self.sizes.append(size)
        return self.look() if len(self.waiting) >= self.every else None

    def look(self) -> int | None:
        """Read what is waiting; return the first step of the epoch whose loss is no finite number, or None."""
        if len(self.waiting) == 1:
            read = [self.waiting[0].item()]
        else:
            read = torch.stack(self.waiting).tolist() if self.waiting else []
        first = next((i for i, value in enumerate(read) if not math.isfinite(value)), None)
        before = len(self.values)
        self.values += read
        self.waiting.clear()
        return None if first is None else before + first

    def total(self) -> float:
        """Return the sum over all samples of what was looked at."""
        total = 0.0
        for value, size in zip(self.values, self.sizes):
            total += value * size
        return total
