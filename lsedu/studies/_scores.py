"""The scores by which trained networks are compared on a test set."""

from lsedu import calibration

#: Each maps probabilities (N, K) and labels (N,) to a float; its name is its key in the results.
SCORES = (
    calibration.accuracy,
    calibration.overconfidence,
    calibration.ece,
    calibration.nll,
    calibration.brier,
    calibration.error_auroc,
)
