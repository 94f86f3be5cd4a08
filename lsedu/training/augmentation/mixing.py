r"""Two samples in one: Mixup blends them, CutMix pastes a rectangle of one into the other; their labels are shared out.

.. math:: L = \lambda \, L(z, y) + (1 - \lambda) \, L(z, y')

For a loss that is linear in the target, as smoothed cross-entropy is, this is the loss of the mixed target
:math:`\lambda p_y + (1 - \lambda) p_{y'}`; for another it is the mean of the two losses, as the published code of Mixup
has it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from lsedu import _check
from lsedu.training.augmentation.batch import Batch

CANDIDATES = 128


def beta(alpha: float, *, generator: torch.Generator) -> Tensor:
    r"""Draw one number from the distribution Beta(alpha, alpha), on the generator's device.

    Parameters
    ----------
    alpha : float
        In (0, 1].
    generator : torch.Generator

    Returns
    -------
    Tensor, shape ()
        In [0, 1].

    Notes
    -----
    For evenly drawn :math:`u, v` with :math:`u^{1/\alpha} + v^{1/\alpha} \le 1` the share of the first in that sum has
    the distribution (Jöhnk 1964). At least every second pair is accepted; 128 are drawn at once, so that nothing is
    read back from the device.
    """
    pairs = torch.rand(2, CANDIDATES, generator=generator, device=generator.device).log() / alpha
    accepted = torch.logaddexp(pairs[0], pairs[1]) <= 0
    first = accepted.to(torch.uint8).argmax(0, keepdim=True)
    return torch.sigmoid(pairs[0] - pairs[1]).gather(0, first)[0]  # an index in brackets would be read back


def _share(alpha: float, chance: float, generator: torch.Generator) -> Tensor:
    """Draw the weight of a batch's own labels; 1 in the batches left as they are."""
    mixed = torch.rand((), generator=generator, device=generator.device) < chance
    return torch.where(mixed, beta(alpha, generator=generator), 1.0)


def _check_fresh(batch: Batch) -> None:
    if batch.others is not None:
        raise ValueError("a batch can be mixed once, this one was mixed before")


@dataclass(frozen=True)
class _Mixing:
    """What both ways of mixing are told, and its bounds."""

    alpha: float = 1.0
    chance: float = 1.0

    def __post_init__(self) -> None:
        _check.real_in("alpha", self.alpha, 0.0, 1.0, open_low=True)
        _check.real_in("chance", self.chance, 0.0, 1.0)


@dataclass(frozen=True)
class Mixup(_Mixing):
    """Blend every image with a partner from the batch.

    Attributes
    ----------
    alpha : float
        Parameter of the Beta distribution of the weight, in (0, 1]; one weight a batch.
    chance : float
        Share of the batches that are mixed.

    Notes
    -----
    :cite:p:`zhang2018`, with alpha = 1 for CIFAR and 0.2 for ImageNet.
    """

    kind: str = field(default="mixup", init=False)

    def __call__(self, batch: Batch, *, generator: torch.Generator) -> Batch:
        """Return the batch blended with itself in another order.

        Raises
        ------
        ValueError
            If the batch was mixed before.
        """
        _check_fresh(batch)
        x = batch.images
        share = _share(self.alpha, self.chance, generator)
        partner = torch.randperm(len(x), generator=generator, device=x.device)
        return Batch(torch.lerp(x[partner], x, share.to(x)), batch.labels, batch.labels[partner], share)


@dataclass(frozen=True)
class CutMix(_Mixing):
    """Paste a rectangle of a partner into every image.

    Attributes
    ----------
    alpha : float
        Parameter of the Beta distribution of the area that stays, in (0, 1]; one rectangle a batch.
    chance : float
        Share of the batches that are mixed.

    Notes
    -----
    :cite:p:`yun2019`, with alpha = 1. Where the rectangle leaves the image it is cut off, and the labels are weighted
    by the area that was pasted in fact.
    """

    kind: str = field(default="cutmix", init=False)

    def __call__(self, batch: Batch, *, generator: torch.Generator) -> Batch:
        """Return the batch with a rectangle of itself, in another order, in every image.

        Raises
        ------
        ValueError
            If the batch was mixed before.
        """
        _check_fresh(batch)
        x = batch.images
        side = (1.0 - _share(self.alpha, self.chance, generator)).sqrt()
        partner = torch.randperm(len(x), generator=generator, device=x.device)

        def inside(length: int) -> Tensor:
            half = torch.floor(torch.floor(length * side) / 2)
            centre = torch.randint(length, (), generator=generator, device=x.device)
            at = torch.arange(length, device=x.device)
            return (at >= centre - half) & (at < centre + half)

        rows, columns = inside(x.shape[2]), inside(x.shape[3])
        pasted = rows[:, None] & columns
        share = 1.0 - pasted.float().mean()
        return Batch(torch.where(pasted, x[partner], x), batch.labels, batch.labels[partner], share)


def mixed_loss(criterion: Callable[..., Tensor], logits: Tensor, batch: Batch, **options: Any) -> Tensor:
    """Return the criterion's loss of a batch, shared out between both labels where it was mixed.

    Parameters
    ----------
    criterion : callable
        ``criterion(logits, labels, **options)`` gives a scalar.
    logits : Tensor, shape (N, K)
    batch : Batch
    """
    loss = criterion(logits, batch.labels, **options)
    if batch.others is None:
        return loss
    return batch.share * loss + (1.0 - batch.share) * criterion(logits, batch.others, **options)


def mixed_targets(targets: Tensor, others: Tensor, share: Tensor | float) -> Tensor:
    r"""Return the targets of mixed samples, :math:`\lambda p + (1 - \lambda) p'`.

    Parameters
    ----------
    targets, others : Tensor, shape (N, K)
        Targets of the samples and of their partners, smoothed or not.
    share : Tensor, shape (), or float
        Weight of the first in [0, 1].

    Examples
    --------
    >>> from lsedu.targets import smooth
    >>> p = smooth(torch.tensor([0, 1]), 2, alpha=0.2)
    >>> mixed_targets(p, p.flip(0), 0.75).mul(100).round().tolist()
    [[70.0, 30.0], [30.0, 70.0]]
    """
    return share * targets + (1.0 - share) * others
