"""Noise rate, smoothing strength and temperature against accuracy and calibration, as the record has them."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lsedu import plots
from lsedu.experiments import load_record

GRID = {"rate": (0.0, 0.4), "alpha": (0.0, 0.1, 0.8), "temperature": ("before", "noisy", "clean")}
STATES = ("before", "noisy", "clean")
SCORES = ("overconfidence", "ece", "nll")


def payload() -> dict[str, Any]:
    """Return what the page hands to the figure: the record's values, seed by seed.

    Returns
    -------
    dict
        ``rates`` and ``alphas``; ``accuracy`` and ``memorised`` (None where no label is wrong), and by state the
        ``scores``, each nested by rate, strength and seed, to four decimals.
    """
    record = load_record("noise")
    rates, alphas = record.configs["rates"], record.configs["alphas"]

    def table(name: str) -> list[list[list[float]]]:
        return [[np.round(record.values(f"{rate}/{alpha}/{name}"), 4).tolist() for alpha in alphas] for rate in rates]

    return {
        "rates": rates,
        "alphas": alphas,
        "accuracy": table("accuracy"),
        "memorised": [
            None
            if rate == 0
            else [np.round(record.values(f"{rate}/{alpha}/memorised"), 4).tolist() for alpha in alphas]
            for rate in rates
        ],
        "scores": {state: {score: table(f"{state}/{score}") for score in SCORES} for state in STATES},
    }


def compute(parameters: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows.

    Parameters
    ----------
    parameters : dict
        ``rate`` and ``alpha``, both in the data, and ``temperature``: "before" for none, "noisy" or "clean" for one
        fitted on held-out labels with the same share of errors, or with none.
    data : dict
        As `payload` returns it.

    Returns
    -------
    dict
        Means over the seeds: ``accuracy``, ``confidence``, ``overconfidence``, ``ece``, ``nll`` and ``memorised`` (NaN
        where no label is wrong); ``best``, the strength of the largest mean accuracy at this rate, and
        ``best_ece``, that of the least mean ECE in this state. Over the strengths: ``accuracies`` with their least
        (``lowest``) and largest (``highest``) over the seeds, ``confidences`` and ``shares`` memorised.

    Examples
    --------
    >>> data = {"rates": [0.0], "alphas": [0.0, 0.1], "accuracy": [[[0.7, 0.8], [0.8, 0.8]]], "memorised": [None]}
    >>> scores = {"overconfidence": [[[0.1, 0.1], [0.0, 0.0]]], "ece": [[[0.1, 0.1], [0.0, 0.0]]]}
    >>> data["scores"] = {"before": {**scores, "nll": scores["ece"]}}
    >>> shown = compute({"rate": 0.0, "alpha": 0.0, "temperature": "before"}, data)
    >>> round(shown["confidence"], 4), shown["best"]
    (0.85, 0.1)
    """
    row = data["rates"].index(parameters["rate"])
    column = data["alphas"].index(parameters["alpha"])
    accuracy = np.array(data["accuracy"][row], dtype=float)
    scores = {name: np.array(data["scores"][parameters["temperature"]][name][row], dtype=float) for name in SCORES}
    confidences = (accuracy + scores["overconfidence"]).mean(1)
    learnt = data["memorised"][row]
    shares = np.full(len(accuracy), np.nan) if learnt is None else np.array(learnt, dtype=float).mean(1)
    return {
        "accuracy": float(accuracy[column].mean()),
        "confidence": float(confidences[column]),
        **{name: float(values[column].mean()) for name, values in scores.items()},
        "memorised": float(shares[column]),
        "best": data["alphas"][int(accuracy.mean(1).argmax())],
        "best_ece": data["alphas"][int(scores["ece"].mean(1).argmin())],
        "accuracies": accuracy.mean(1).tolist(),
        "lowest": accuracy.min(1).tolist(),
        "highest": accuracy.max(1).tolist(),
        "confidences": confidences.tolist(),
        "shares": shares.tolist(),
    }


def fallback() -> Figure:
    """Return the picture for pages without scripts: accuracy, and confidence as trained, at two rates."""
    data = payload()
    panels = {}
    for rate in (0.0, 0.4):
        shown = compute({"rate": rate, "alpha": 0.0, "temperature": "before"}, data)
        panels[f"{rate:.0%} of the labels wrong"] = {
            "accuracy": np.array(shown["accuracies"]),
            "mean confidence": np.array(shown["confidences"]),
        }
    return plots.curves(data["alphas"], panels, xlabel="alpha")
