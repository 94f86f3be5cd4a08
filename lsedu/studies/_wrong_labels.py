"""Wrong labels: what became of them in training, and temperatures fitted on labels that are as wrong."""

from torch import Tensor

from lsedu import calibration
from lsedu.studies._scores import scored

#: A temperature of 1, one fitted on labels as wrong as those of training, and one fitted on true labels.
STATES = ("before", "noisy", "clean")


def shares(predicted: Tensor, given: Tensor, true: Tensor) -> dict[str, float]:
    """Return what became of the wrong labels: the shares of them `memorised` and `recovered`.

    Parameters
    ----------
    predicted, given, true : Tensor, shape (N,)
        Classes predicted for the training images, their labels in training, and their true ones.

    Returns
    -------
    dict
        Of the images whose given label is wrong, the share for which it is predicted, and that for which the true one
        is. Empty if no label is wrong.
    """
    wrong = given != true
    if not wrong.any():
        return {}
    predicted, given, true = predicted[wrong], given[wrong], true[wrong]
    return {
        "memorised": (predicted == given).double().mean().item(),
        "recovered": (predicted == true).double().mean().item(),
    }


def temperatures(held: Tensor, given: Tensor, true: Tensor) -> dict[str, float]:
    """Return the temperature of each of `STATES`, fitted on held-out logits (N, K), their given and true labels."""
    fit = calibration.fit_temperature
    return dict(zip(STATES, (1.0, fit(held, given), fit(held, true)), strict=True))


def calibrated(logits: Tensor, labels: Tensor, temperatures: dict[str, float]) -> dict[str, float]:
    """Return accuracy, and by state (a name of a temperature) the scores on clean labels."""
    sure = (calibration.overconfidence, calibration.ece, calibration.nll)
    right = calibration.accuracy(calibration.apply_temperature(logits, [*temperatures.values()][-1]), labels)
    return {"accuracy": right} | scored(logits, labels, temperatures, scores=sure)
