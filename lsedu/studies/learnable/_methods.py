"""The methods that are compared, and what is measured of a network trained with one of them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from lsedu import analysis, losses
from lsedu.experiments.experiment import Contrast
from lsedu.studies._contrasts import against
from lsedu.studies.learnable._reading import confusion, likeness, off_diagonal

ALPHA = 0.1
#: Q's own learning rate in the network's, for each class, where it has one.
RATE = 2.0


def makers(num_classes: int) -> dict[str, Callable[[], Any]]:
    """Return a maker of each method's criterion; the settings are the methods' own published ones.

    ``lls-half`` takes half of the symmetric loss, as the paper's pseudo-code does and its equation 5 does not (lls).
    """
    return {
        "one-hot": lambda: losses.cross_entropy,
        "ls": lambda: partial(losses.label_smoothing, alpha=ALPHA),
        "ols": lambda: losses.OnlineLabelSmoothing(num_classes),
        "tf-kd": lambda: partial(losses.tf_kd_reg, alpha=ALPHA),
        "zipf": lambda: losses.zipf_smoothing,
        "focal": lambda: losses.focal,
        "lls": lambda: losses.LearnableLabelSmoothing(num_classes, alpha=ALPHA),
        "lls-half": lambda: losses.LearnableLabelSmoothing(num_classes, alpha=ALPHA, half=True),
        "ls++": lambda: losses.LabelSmoothingPlusPlus(num_classes, alpha=ALPHA),
    }


METHODS = tuple(makers(2))


def _more_accurate(name: str, base: str) -> Contrast:
    told = f"{name} is more accurate than {base}"
    return against(
        f"{name}-accuracy-over-{base}", told, "before/accuracy", plus=name, minus=base, claimed="positive", margin=0.002
    )


#: Every method against one-hot targets, and LLS against every other.
ACCURACY = (
    *(_more_accurate(name, "one-hot") for name in METHODS if name != "one-hot"),
    *(_more_accurate("lls", name) for name in METHODS if name not in ("one-hot", "lls")),
)

#: What the papers claim of it: LLS ahead of every other method.
PRIMARY = tuple(one.name for one in ACCURACY if one.name.startswith("lls-accuracy-over-"))


def unevenness(distances: np.ndarray) -> float:
    """Return the standard deviation of the distances between classes over their mean: 0 where all are equally far.

    Examples
    --------
    >>> unevenness(np.array([[0.0, 2.0, 2.0], [2.0, 0.0, 2.0], [2.0, 2.0, 0.0]]))
    0.0
    """
    values = off_diagonal(np.asarray(distances))
    return float(values.std() / values.mean())


def geometry(
    name: str, made: Any, logits: Tensor, features: Tensor, labels: Tensor
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Return what a method did to the classes: confusion, distances of their centres, and the Q-matrix if it has one.

    Parameters
    ----------
    name : str
        The method's; names of results and arrays begin with it.
    made : callable
        Its criterion after training.
    logits, features, labels : Tensor, shapes (N, K), (N, F) and (N,)
        Of the test set.
    """
    k = logits.shape[1]
    taken = confusion(logits, labels)
    distances = np.asarray(analysis.centre_distances(analysis.class_centres(features, labels, k), normalise=False))
    results = {f"{name}/unevenness": unevenness(distances)}
    arrays = {f"{name}/confusion": taken, f"{name}/distances": distances.astype(np.float32)}
    if hasattr(made, "q"):
        table = made.q().detach().cpu().numpy()
        results[f"{name}/likeness"] = likeness(table, taken)
        results[f"{name}/q_diagonal_less_uniform"] = float(np.diag(table).mean() - 1.0 / k)
        arrays[f"{name}/q"] = table.astype(np.float32)
    return results, arrays
