"""Calibration: does a stated probability mean what it says? Arrays or tensors in, floats or plain arrays out."""

from lsedu.calibration.binned import Reliability, adaptive_ece, classwise_ece, ece, mce, reliability
from lsedu.calibration.scores import accuracy, brier, mean_confidence, nll, overconfidence
from lsedu.calibration.selective import RiskCoverage, error_auroc, risk_coverage
from lsedu.calibration.temperature import apply_temperature, fit_temperature

__all__ = [
    "Reliability",
    "RiskCoverage",
    "accuracy",
    "adaptive_ece",
    "apply_temperature",
    "brier",
    "classwise_ece",
    "ece",
    "error_auroc",
    "fit_temperature",
    "mce",
    "mean_confidence",
    "nll",
    "overconfidence",
    "reliability",
    "risk_coverage",
]
