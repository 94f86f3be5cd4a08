"""The learning rate as a pure function of the step: nothing to save, nothing to restore."""

import math

from lsedu.training.config import Config


def factor(config: Config, step: int, steps_per_epoch: int) -> float:
    """Return the multiple of the peak learning rate for a step.

    Parameters
    ----------
    config : Config
        Names the schedule.
    step : int
        Steps taken before this one, from 0.
    steps_per_epoch : int
        Steps in an epoch.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> config = Config(epochs=2, schedule="cosine")
    >>> [round(factor(config, step, 2), 3) for step in range(4)]
    [1.0, 0.854, 0.5, 0.146]
    """
    warm = config.warmup * steps_per_epoch
    if step < warm:
        return (step + 1) / warm
    if config.schedule == "cosine":
        total = config.epochs * steps_per_epoch
        low = config.min_lr / config.lr
        return low + (1.0 - low) * (0.5 * (1.0 + math.cos(math.pi * (step - warm) / (total - warm))))
    if config.schedule == "multistep":
        return config.gamma ** sum(step >= epoch * steps_per_epoch for epoch in config.milestones)
    return 1.0
