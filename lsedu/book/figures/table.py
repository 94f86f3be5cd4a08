"""A table of three pictures and three words, and its point on the information plane below the bottleneck curve."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lsedu import bottleneck, information, plots

#: p(y|x) of the three pictures, by how they are labelled; the classes are shirt, coat and bag.
LABELS = {
    "pair": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 1.0, 0.0)),
    "own": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "torn": ((1.0, 0.0, 0.0), (0.5, 0.5, 0.0), (0.0, 1.0, 0.0)),
}
ROWS = ("one", "two", "three")
GRID = {
    "one": ("100 0 0", "34 33 33"),
    "two": ("0 100 0", "50 50 0", "34 33 33"),
    "three": ("0 0 100", "0 100 0", "34 33 33", "7 80 13"),
    "labels": tuple(LABELS),
}
POINTS = 120


def payload() -> dict[str, Any]:
    """Return the bottleneck curve for each way to label the pictures, in bits: ``{labels: {x, y}}``, x rising."""
    found = {}
    for name, rows in LABELS.items():
        p_y = np.mean(rows, axis=0)
        rates = np.linspace(0, np.log2(3), POINTS)
        if name == "torn":
            solved = bottleneck.curve(rows, betas=np.geomspace(1.05, 2000, POINTS), codes=3, restarts=2, unit="bits")
            order = np.argsort(solved.i_x)
            x = np.concatenate([[0.0], solved.i_x[order]])
            y = np.concatenate([[0.0], solved.i_y[order]])
        else:
            x, y = rates, bottleneck.deterministic_curve(rates, p_y, unit="bits")
        found[name] = {"x": np.round(x, 6).tolist(), "y": np.round(y, 6).tolist()}
    return found


def compute(parameters: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows of a table.

    Parameters
    ----------
    parameters : dict
        ``one``, ``two`` and ``three``: the rows, each three whole percentages, "100 0 0", that sum to 100; ``labels``:
        one of `LABELS`.
    data : dict
        Unused here; the browser draws the curve from it.

    Returns
    -------
    dict
        ``i_x`` and ``i_y`` in bits, ``ceiling``, which is I(X;Y), the share ``right`` of words that are the label, and
        the ``joint`` table p(y, z), shape (3, 3).

    Examples
    --------
    >>> rows = {"one": "100 0 0", "two": "0 100 0", "three": "0 100 0"}
    >>> shown = compute({**rows, "labels": "pair"}, {})
    >>> round(shown["i_x"], 4), round(shown["i_y"], 4), shown["right"]
    (0.9183, 0.9183, 1.0)
    """
    table = np.array([[int(cell) for cell in parameters[row].split()] for row in ROWS]) / 100
    target = np.array(LABELS[parameters["labels"]])
    point = information.plane_point(table, target, unit="bits")
    joint = target.T @ table / 3
    return {
        "i_x": point.i_x,
        "i_y": point.i_y,
        "ceiling": information.target_information(np.eye(3), target, unit="bits"),
        "right": float(np.trace(joint)),
        "joint": joint.tolist(),
    }


def fallback() -> Figure:
    """Return the picture for pages without scripts: three tables and the curve, two pictures sharing a label."""
    rows = {"one": "100 0 0", "two": "0 100 0"}
    shown = {
        "a word a picture": {**rows, "three": "0 0 100"},
        "a word a label": {**rows, "three": "0 100 0"},
        "torn on all three": {"one": "60 20 20", "two": "20 60 20", "three": "20 20 60"},
    }
    points = {name: compute({**table, "labels": "pair"}, {}) for name, table in shown.items()}
    line = payload()["pair"]
    return plots.information_plane(
        {name: (point["i_x"], point["i_y"]) for name, point in points.items()},
        ceiling=points["a word a label"]["ceiling"],
        curves={"the curve": (line["x"], line["y"])},
    )
