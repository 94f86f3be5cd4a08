"""Wrong answers of one recorded network, the pictures beside what it said and how sure it was."""

from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from lsedu import calibration, data
from lsedu.experiments import load_record
from lsedu.plots.style import WIDTH, style

#: How sure the network is at least: where the slider stops.
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
GRID = {"sure": LEVELS}
SHOWN = 6
MODEL = "mlp"


def payload() -> dict[str, Any]:
    """Return the wrong answers of the record's first seed that are at least as sure as the lowest level, surest last.

    Each has the class that the network named, the true one, its confidence, and, where a level shows it, its picture:
    28 rows of 28 greys in 16 steps, a digit of the hexadecimal system each.
    """
    record = load_record("overconfidence")
    arrays, seed = record.arrays(), record.seeds[0]
    labels = arrays[f"{seed}/labels"].astype(int)
    probs = calibration.apply_temperature(arrays[f"{seed}/{MODEL}/logits"].astype(np.float64), 1.0)
    said, sure = probs.argmax(1), probs.max(1)
    wrong = [i for i in np.argsort(sure, kind="stable") if said[i] != labels[i] and sure[i] >= min(LEVELS)]
    first = [np.searchsorted(sure[wrong], level) for level in LEVELS]
    needed = {wrong[n] for start in first for n in range(start, min(start + SHOWN, len(wrong)))}
    test = data.load("fashion-mnist-mini", split="test")
    return {
        "classes": list(test.classes),
        "wrong": [
            {
                "picture": "".join(f"{grey >> 4:x}" for grey in test.images[i].ravel()) if i in needed else "",
                "said": int(said[i]),
                "label": int(labels[i]),
                "sure": round(float(sure[i]), 4),
            }
            for i in wrong
        ],
    }


def compute(parameters: dict[str, float], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows of the wrong answers that are at least so sure.

    Parameters
    ----------
    parameters : dict
        ``sure``, one of `LEVELS`.
    data : dict
        As `payload` returns it.

    Returns
    -------
    dict
        ``count`` of such answers, and of the `SHOWN` least sure of them the confidence, ``sure``.

    Examples
    --------
    >>> data = {"wrong": [{"sure": 0.5}, {"sure": 0.7}, {"sure": 0.9}]}
    >>> compute({"sure": 0.6}, data)
    {'count': 2, 'sure': [0.7, 0.9]}
    """
    found = [one["sure"] for one in data["wrong"] if one["sure"] >= parameters["sure"]]
    return {"count": len(found), "sure": found[:SHOWN]}


def fallback() -> Figure:
    """Return the picture for pages without scripts: six wrong answers, with what was said and what is so."""
    known = payload()
    shown = [one for one in known["wrong"] if one["sure"] >= LEVELS[-1]][:SHOWN]
    with rc_context(style()):
        figure = Figure(figsize=(WIDTH, 0.78 * WIDTH))
        for one, axes in zip(shown, figure.subplots(2, 3).flat):
            greys = np.array([int(digit, 16) for digit in one["picture"]]).reshape(28, 28)
            axes.imshow(greys, cmap="gray_r", interpolation="nearest")
            said, label = (known["classes"][one[key]] for key in ("said", "label"))
            axes.set_title(f"says: {said}, {100 * one['sure']:.0f}%\nis: {label}", fontsize=9)
            axes.set_axis_off()
    return figure
