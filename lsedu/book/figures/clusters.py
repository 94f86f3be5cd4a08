"""Clusters of features on a plane against tightness: the picture, its scale, and what all features say."""

from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from lsedu import plots
from lsedu.analysis import compactness
from lsedu.experiments import load_record
from lsedu.plots.style import WIDTH

GRID = {"network": (100, 104), "part": ("test", "train"), "scale": ("same", "distance")}
PARTS = ("test", "train")
STRENGTHS = {"plain": "0.0", "smoothed": "0.1"}
CLASSES = ("T-shirt", "shirt", "bag")
"""The record's ``shown`` classes, in words."""


def payload() -> dict[str, Any]:
    """Return what the page hands to the figure.

    Returns
    -------
    dict
        ``seeds``; ``classes``, their names; ``points`` by part ("test", "train") and by name ("plain", "smoothed"): by
        seed the features on the plane, shape (classes * points, 2), class by class, to three decimals; ``within`` and
        ``ratio`` in the same nesting: by seed what `lsedu.analysis.compactness` has for all classes and features.
    """
    record = load_record("features")
    arrays = record.arrays()

    def nested(read: Any) -> dict[str, dict[str, list]]:
        return {part: {name: read(f"{alpha}/{part}") for name, alpha in STRENGTHS.items()} for part in PARTS}

    return {
        "seeds": list(record.seeds),
        "classes": list(CLASSES),
        "points": nested(
            lambda key: [
                np.round(arrays[f"{seed}/{key}/plane"].astype(float).reshape(-1, 2), 3).tolist()
                for seed in record.seeds
            ]
        ),
        "within": nested(lambda key: record.values(f"{key}/within").tolist()),
        "ratio": nested(lambda key: record.values(f"{key}/ratio").tolist()),
    }


def compute(parameters: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows.

    Parameters
    ----------
    parameters : dict
        ``network``, one of the seeds; ``part``, "test" or "train"; ``scale``, "same" for points as they are or
        "distance" for points in units of the root mean square distance of the class centres from their mean.
    data : dict
        As `payload` returns it.

    Returns
    -------
    dict
        For "plain" and "smoothed": ``NAME_points`` about their mean, shape (N, 2); on the plane ``NAME_within`` and
        ``NAME_ratio``; of all features ``NAME_all_within`` and ``NAME_all_ratio``. By seed, smoothed over plain:
        ``plane_within``, ``plane_ratio``, ``all_within`` and ``all_ratio``.

    Examples
    --------
    >>> line = [[[0.0, 0.0], [2.0, 0.0], [10.0, 0.0], [12.0, 0.0]]]
    >>> half = (np.array(line) / 2).tolist()
    >>> data = {"seeds": [0], "classes": ["a", "b"], "points": {"test": {"plain": line, "smoothed": half}}}
    >>> data |= {key: {"test": {"plain": [0.4], "smoothed": [0.5]}} for key in ("within", "ratio")}
    >>> shown = compute({"network": 0, "part": "test", "scale": "same"}, data)
    >>> shown["plane_within"], shown["plane_ratio"], shown["all_ratio"]
    ([0.25], [1.0], [1.25])
    """
    part, row = parameters["part"], data["seeds"].index(parameters["network"])
    shown: dict[str, Any] = {}
    tight: dict[str, list[Any]] = {}
    for name, clouds in data["points"][part].items():
        labels = np.repeat(np.arange(len(data["classes"])), len(clouds[row]) // len(data["classes"]))
        tight[name] = [compactness(points, labels, len(data["classes"])) for points in clouds]
        mine = tight[name][row]
        points = np.array(clouds[row]) - np.mean(clouds[row], axis=0)
        unit = np.sqrt(mine.between) if parameters["scale"] == "distance" else 1.0
        shown |= {
            f"{name}_points": (points / unit).tolist(),
            f"{name}_within": mine.within,
            f"{name}_ratio": mine.ratio,
            f"{name}_all_within": data["within"][part][name][row],
            f"{name}_all_ratio": data["ratio"][part][name][row],
        }
    pairs = list(zip(tight["plain"], tight["smoothed"], strict=True))
    shown["plane_within"] = [smoothed.within / plain.within for plain, smoothed in pairs]
    shown["plane_ratio"] = [smoothed.ratio / plain.ratio for plain, smoothed in pairs]
    for key in ("within", "ratio"):
        values = data[key][part]
        shown[f"all_{key}"] = (np.array(values["smoothed"]) / np.array(values["plain"])).tolist()
    return shown


def fallback() -> Figure:
    """Return the picture for pages without scripts: both networks of the first seed, on the same axes."""
    data = payload()
    shown = compute({"network": data["seeds"][0], "part": "test", "scale": "same"}, data)
    with rc_context(plots.style()):
        figure = Figure(figsize=(WIDTH, 2.8))
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, name, title in zip(panels, STRENGTHS, ("one-hot", "alpha = 0.1")):
            clouds = np.array(shown[f"{name}_points"]).reshape(len(CLASSES), -1, 2)
            for cloud, label, marker in zip(clouds, CLASSES, "os^"):
                axes.plot(*cloud.T, marker, label=label, markersize=3.5, alpha=0.7)
            axes.set(title=title, aspect="equal")
        panels[1].legend(loc="lower right")
    return figure
