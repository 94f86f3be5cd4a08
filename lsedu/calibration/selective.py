"""Error detection and selective classification: how well confidence tells right answers from wrong ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lsedu._ranks import auroc
from lsedu.calibration._inputs import arrays, top


def error_auroc(probs: Any, labels: Any) -> float:
    """Return the probability that a correct prediction is more confident than a wrong one; ties count one half.

    Parameters
    ----------
    probs : array-like or Tensor, shape (N, K)
        Predicted distributions.
    labels : array-like or Tensor, shape (N,)
        Integer labels in [0, K).

    Returns
    -------
    float
        In [0, 1]; 0.5 is chance. NaN when all predictions are right or all are wrong: there is nothing to tell apart.

    Raises
    ------
    ValueError
        For rows that are no distributions or labels out of range.

    Notes
    -----
    The maximum-softmax baseline of :cite:p:`hendrycks2017`: area under the ROC curve by the rank-sum statistic with
    mid-ranks.

    Examples
    --------
    >>> error_auroc([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3]], [0, 1, 0])
    1.0
    """
    confidence, correct = top(*arrays(probs, labels))
    return auroc(confidence[correct], confidence[~correct])


@dataclass(frozen=True)
class RiskCoverage:
    """Error rate among the most confident samples, by the share of samples kept.

    Attributes
    ----------
    coverage : ndarray, shape (M,)
        Share of samples kept, increasing to 1; one point for each distinct confidence.
    risk : ndarray, shape (M,)
        Error rate among the samples kept.
    area : float
        Mean over all N samples of the risk at the coverage that keeps the sample (AURC).
    """

    coverage: np.ndarray
    risk: np.ndarray
    area: float


def risk_coverage(probs: Any, labels: Any) -> RiskCoverage:
    """Return the risk-coverage curve of rejecting the least confident samples first.

    Parameters
    ----------
    probs : array-like or Tensor, shape (N, K)
        Predicted distributions.
    labels : array-like or Tensor, shape (N,)
        Integer labels in [0, K).

    Returns
    -------
    RiskCoverage
        Samples of equal confidence are kept or rejected together: no order among ties is better than another.

    Raises
    ------
    ValueError
        For rows that are no distributions or labels out of range.

    Notes
    -----
    :cite:p:`geifman2017`; the area under the curve :cite:p:`geifman2019`.

    Examples
    --------
    >>> curve = risk_coverage([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]], [0, 0, 0, 1])
    >>> curve.risk.tolist(), curve.area
    ([0.0, 0.0, 0.0, 0.25], 0.0625)
    """
    confidence, correct = top(*arrays(probs, labels))
    _, inverse, counts = np.unique(-confidence, return_inverse=True, return_counts=True)
    errors = np.bincount(inverse, weights=(~correct).astype(float))
    kept = np.cumsum(counts)
    risk = np.cumsum(errors) / kept
    return RiskCoverage(kept / len(confidence), risk, float((risk * counts).sum() / len(confidence)))
