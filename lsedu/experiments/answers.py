"""What is kept of each test picture, and contrasts whose intervals cover other seeds and other pictures."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from lsedu.experiments import weighted
from lsedu.experiments.crossed import crossed, resampled
from lsedu.experiments.experiment import Contrast
from lsedu.experiments.interval import Interval

#: What an interval is over.
SEEDS, PICTURES = "seeds", "seeds and test pictures"

#: What `lsedu.experiments.keeping.per_picture` keeps under a name.
KEPT = ("hits", "top", "label")


@dataclass(frozen=True)
class Answers:
    """The answers of the networks of a method, seed by seed, to the same pictures.

    Attributes
    ----------
    hits : ndarray of bool, shape (seeds, pictures)
        Whether the answer is right.
    top : ndarray, shape (seeds, pictures)
        Its probability, in [0, 1]; without pictures where it was not kept.
    label : ndarray, shape (seeds, pictures)
        The log-probability of the label, in nats; without pictures where it was not kept.
    """

    hits: np.ndarray
    top: np.ndarray
    label: np.ndarray


Values = Callable[[Answers], np.ndarray]
Weighted = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]

#: Scores that are means over pictures: what is averaged, shape (seeds, pictures), and what it is read from.
MEANS: dict[str, tuple[Values, tuple[str, ...]]] = {
    "accuracy": (lambda a: a.hits.astype(float), ("hits",)),
    "overconfidence": (lambda a: a.top - a.hits, ("hits", "top")),
    "nll": (lambda a: -a.label, ("hits", "label")),
}
#: Scores that are not: they are drawn again.
OTHERS: dict[str, Weighted] = {"ece": weighted.ece, "error_auroc": weighted.error_auroc, "aurc": weighted.aurc}


def _parts(score: str) -> tuple[str, ...]:
    """Return what of `KEPT` a score is read from."""
    return MEANS[score][1] if score in MEANS else ("hits", "top")


def _score(key: str, names: set[str]) -> tuple[str, str] | None:
    """Return under which name the answers of a result are kept, and which score of them it is; None if they are not.

    A result ``NAME/SCORE`` belongs to the answers called NAME; one that is called as answers are is their accuracy.
    """
    name, _, score = key.rpartition("/")
    if score in MEANS or score in OTHERS:
        return (name, score) if names.issuperset(f"{name}/{part}" for part in _parts(score)) else None
    return (key, "accuracy") if f"{key}/hits" in names else None


def _terms(contrast: Contrast, names: set[str]) -> list[tuple[float, str, str]] | None:
    """Return the signs, names and scores that a contrast adds up, or None if one of its results has no answers."""
    signs = (1.0, *((-1.0,) if isinstance(contrast.minus, str) else ()), *((-1.0, 1.0) if contrast.plain else ()))
    found = [_score(key, names) for key in contrast.keys]
    return None if None in found else [(sign, *one) for sign, one in zip(signs, found, strict=True)]


def _names(arrays: Iterable[str]) -> set[str]:
    """Return the names of arrays without the seed before them."""
    return {key.partition("/")[2] for key in arrays}


def answers(arrays: Mapping[str, np.ndarray], seeds: Iterable[int], name: str) -> Answers:
    """Return the answers that were kept under a name, from arrays ``SEED/NAME/...`` of all seeds.

    Hits are bits in whole bytes: where neither probability was kept, up to seven pictures that nobody got right follow
    the last, which change no difference of two methods.

    Raises
    ------
    KeyError
        If a seed has none of that name.
    """

    def rows(part: str) -> np.ndarray:
        return np.stack([arrays.get(f"{seed}/{name}/{part}", np.zeros(0)) for seed in seeds]).astype(float)

    top, label = rows("top"), rows("label")
    bits = np.stack([arrays[f"{seed}/{name}/hits"] for seed in seeds])
    hits = np.unpackbits(bits, axis=1, count=max(top.shape[1], label.shape[1]) or None).astype(bool)
    return Answers(hits, top, label)


def needed(contrasts: Iterable[Contrast], arrays: Iterable[str]) -> set[str]:
    """Return the names of the arrays that a record has to keep: all but answers from which no contrast is read."""
    names = _names(arrays)
    kept = {name for name in names if f"{name.rpartition('/')[0]}/hits" in names and name.rpartition("/")[2] in KEPT}
    read = set()
    for contrast in contrasts:
        for _, name, score in _terms(contrast, names) or ():
            read |= {f"{name}/{part}" for part in _parts(score)}
    return names - (kept - read)


def over_pictures(
    contrast: Contrast, arrays: Mapping[str, np.ndarray], seeds: list[int], *, mean: float, draws: int = 400
) -> Interval | None:
    """Return a contrast with its interval over seeds and test pictures, or None where its answers were not kept.

    Parameters
    ----------
    contrast : Contrast
        The contrast; its number to compare with, if it has one, does not widen anything.
    arrays : mapping
        Of all seeds, as ``SEED/NAME/...``.
    seeds : list of int
        Two or more.
    mean : float
        The mean over the seeds from the results, which the interval lies around: answers are kept in half precision.
    draws : int
        How often pictures are drawn again for scores that are no means.
    """
    terms = _terms(contrast, _names(arrays)) if len(seeds) > 1 else None
    if terms is None:
        return None
    of = {name: answers(arrays, seeds, name) for _, name, _ in terms}
    if all(score in MEANS for *_, score in terms):
        parts = [sign * MEANS[score][0](of[name]) for sign, name, score in terms]
        size = min(part.shape[1] for part in parts)
        found = crossed(sum(part[:, :size] for part in parts))
    elif all(score in OTHERS for *_, score in terms):

        def effects(weights: np.ndarray) -> np.ndarray:
            rows = [
                [OTHERS[score](t, h, weights) for t, h in zip(of[name].top, of[name].hits)] for _, name, score in terms
            ]
            return sum(sign * np.stack(row, 1) for (sign, _, _), row in zip(terms, rows))

        found = resampled(effects, of[terms[0][1]].hits.shape[1], draws=draws)
    else:
        return None
    shift = mean - found.mean
    return replace(found, mean=mean, low=found.low + shift, high=found.high + shift)
