"""The answers of trained networks to each test picture, as records keep them, and scores of any of the pictures."""

from dataclasses import dataclass

import numpy as np

from lsedu.calibration.binned import bin_index
from lsedu.experiments.crossed import crossed, resampled
from lsedu.experiments.interval import Interval
from lsedu.experiments.record import Record


@dataclass(frozen=True)
class Answers:
    """The answers of the networks of a method, seed by seed, to the same pictures.

    Attributes
    ----------
    hits : ndarray of bool, shape (seeds, pictures)
        Whether the answer is right.
    top : ndarray, shape (seeds, pictures)
        Its probability, in [0, 1].
    label : ndarray, shape (seeds, pictures)
        The log-probability of the label, in nats.
    """

    hits: np.ndarray
    top: np.ndarray
    label: np.ndarray

    def ece(self, pictures: np.ndarray | None = None, *, bins: int = 15) -> np.ndarray:
        """Return the calibration error of each seed, shape (seeds,), on these pictures (indices) or on all."""
        off = self.top - self.hits
        index = bin_index(self.top, bins, "right") + bins * np.arange(len(off))[:, None]
        if pictures is not None:
            off, index = off[:, pictures], index[:, pictures]
        sums = np.bincount(index.ravel(), weights=off.ravel(), minlength=bins * len(off)).reshape(-1, bins)
        return np.abs(sums).sum(1) / off.shape[1]


def answers(record: Record, name: str) -> Answers:
    """Return the answers that `lsedu.experiments.keeping.per_picture` kept of the method `name`.

    Raises
    ------
    KeyError
        If the record kept none of it.
    RecordError
        If its arrays are missing or damaged.
    """
    top = record.over_seeds(f"{name}/top").astype(float)
    hits = np.unpackbits(record.over_seeds(f"{name}/hits"), axis=1, count=top.shape[1]).astype(bool)
    return Answers(hits, top, record.over_seeds(f"{name}/label").astype(float))


def accuracy_effect(plus: Answers, minus: Answers) -> Interval:
    """Return the gain in accuracy of one method over another with its interval over seeds and pictures."""
    return crossed(plus.hits.astype(float) - minus.hits)


def nll_effect(plus: Answers, minus: Answers) -> Interval:
    """Return by how much the negative log-likelihood of one method is larger, in nats, over seeds and pictures."""
    return crossed(minus.label - plus.label)


def overconfidence_effect(plus: Answers, minus: Answers | None = None) -> Interval:
    """Return the overconfidence of a method, or by how much it is larger than another's, over seeds and pictures."""
    values = plus.top - plus.hits
    return crossed(values if minus is None else values - (minus.top - minus.hits))


def ece_effect(plus: Answers, minus: Answers, *, draws: int = 400) -> Interval:
    """Return by how much the calibration error of one method is larger, over seeds and pictures, by drawing again."""
    return resampled(
        lambda pictures: plus.ece(pictures) - minus.ece(pictures), plus.hits.shape[1], draws=draws
    )  # fmt: skip
