"""The scores by which trained networks are compared: probabilities at one or more temperatures, and gaps of logits."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from torch import Tensor

from lsedu import calibration
from lsedu.experiments.keeping import per_picture

#: Each maps probabilities (N, K) and labels (N,) to a float; its name is its key in the results.
SCORES = (
    calibration.accuracy,
    calibration.overconfidence,
    calibration.ece,
    calibration.nll,
    calibration.brier,
    calibration.error_auroc,
)


def fitted(held: Tensor, labels: Tensor) -> dict[str, float]:
    """Return the temperatures of a network ``before`` and ``after`` one is fitted on held-out logits (N, K)."""
    return {"before": 1.0, "after": calibration.fit_temperature(held, labels)}


def scored(
    logits: Tensor,
    labels: Tensor,
    temperatures: Mapping[str, float],
    *,
    scores: Iterable[Callable[[Tensor, Tensor], float]] = SCORES,
) -> dict[str, float]:
    """Return the scores of logits (N, K), called ``STATE/SCORE``, at the temperature of each state."""
    found = {}
    for state, temperature in temperatures.items():
        probs = calibration.apply_temperature(logits, temperature)
        found |= {f"{state}/{score.__name__}": score(probs, labels) for score in scores}
    return found


def kept(name: str, logits: Tensor, labels: Tensor, temperatures: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Return what is kept of each test picture at the temperature of each state, called ``NAME/STATE/...``."""
    found: dict[str, np.ndarray] = {}
    for state, temperature in temperatures.items():
        found |= per_picture(f"{name}/{state}", logits / temperature, labels)
    return found


def right(answers: Tensor, labels: Tensor) -> float:
    """Return the share of rows of logits or probabilities (N, K) whose largest entry is the label's."""
    return (answers.argmax(1) == labels).double().mean().item()


def leads(logits: Tensor, labels: Tensor) -> Tensor:
    """Return by how much the label's logit leads the largest other, shape (N,): below 0 where the answer is wrong."""
    own = logits.gather(1, labels[:, None])
    return own[:, 0] - logits.scatter(1, labels[:, None], float("-inf")).max(1).values


def gaps(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    """Return the mean gap from the label's logit to the mean, and to the largest, of the others."""
    own = logits.gather(1, labels[:, None])
    mean = (logits.sum(1, keepdim=True) - own) / (logits.shape[1] - 1)
    return (own - mean).mean().item(), leads(logits, labels).mean().item()


def under(name: object, found: Mapping[str, float]) -> dict[str, float]:
    """Return results called ``NAME/KEY`` instead of ``KEY``: those of one network among several."""
    return {f"{name}/{key}": value for key, value in found.items()}
