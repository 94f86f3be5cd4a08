"""Temperature and number of bins against the reliability diagram, on the logits of one recorded network."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lsedu import calibration, plots
from lsedu.experiments import load_record

GRID = {"temperature": (0.25, 0.6, 1.0, 1.43, 3.0, 8.0), "bins": (2, 10, 15, 50)}
MODEL = "mlp"
DECIMALS = 3


def payload() -> dict[str, Any]:
    """Return what the page hands to the figure: test logits, labels and the temperature fitted on other images.

    Logits are those of the record's first seed, rounded to three decimals to keep the file small; the page and
    `compute` take the rounded values.
    """
    record = load_record("overconfidence")
    arrays, seed = record.arrays(), record.seeds[0]
    return {
        "logits": np.round(arrays[f"{seed}/{MODEL}/logits"].astype(np.float64), DECIMALS).tolist(),
        "labels": arrays[f"{seed}/labels"].tolist(),
        "fitted": round(record.results[str(seed)][f"{MODEL}/temperature"], 4),
    }


def compute(parameters: dict[str, float], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows at a temperature and a number of bins.

    Parameters
    ----------
    parameters : dict
        ``temperature`` (T > 0) and ``bins`` (M >= 1).
    data : dict
        As `payload` returns it.

    Returns
    -------
    dict
        ``ece``, ``nll``, ``accuracy``, ``confidence``, ``auroc`` and, by bin, ``counts``, ``bin_confidence`` and
        ``bin_accuracy`` (NaN where a bin is empty).

    Examples
    --------
    >>> data = {"logits": [[2.0, 0.0]] * 4, "labels": [0, 0, 0, 1]}
    >>> round(compute({"temperature": 1.820478, "bins": 10}, data)["ece"], 6)
    0.0
    """
    labels = np.asarray(data["labels"])
    probs = calibration.apply_temperature(np.asarray(data["logits"], dtype=np.float64), parameters["temperature"])
    table = calibration.reliability(probs, labels, bins=int(parameters["bins"]))
    return {
        "ece": calibration.ece(probs, labels, bins=int(parameters["bins"])),
        "nll": calibration.nll(probs, labels),
        "accuracy": calibration.accuracy(probs, labels),
        "confidence": calibration.mean_confidence(probs),
        "auroc": calibration.error_auroc(probs, labels),
        "counts": table.count.tolist(),
        "bin_confidence": table.confidence.tolist(),
        "bin_accuracy": table.accuracy.tolist(),
    }


def fallback() -> Figure:
    """Return the picture for pages without scripts: the diagram as trained, and at the fitted temperature."""
    data = payload()
    tables = {}
    for temperature in (1.0, data["fitted"]):
        probs = calibration.apply_temperature(data["logits"], temperature)
        error = calibration.ece(probs, data["labels"], bins=15)
        tables[f"T = {temperature:.2f}: ECE {error:.3f}"] = calibration.reliability(probs, data["labels"], bins=15)
    return plots.reliability_diagram(tables)
