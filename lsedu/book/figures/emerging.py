"""A Q-matrix emerging beside the confusion of its own network: epoch, Q's learning rate and row."""

from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from lsedu.experiments import load_record
from lsedu.plots.colours import COLOURS
from lsedu.plots.style import WIDTH, style

FACTORS = ("1", "5", "20", "80")
GRID = {"epoch": (0, 1, 5, 40), "factor": FACTORS, "row": ("T-shirt/top", "Shirt", "Bag")}


def payload() -> dict[str, Any]:
    """Return what the page hands to the figure: means over the seeds of Q and of the confusion's rows."""
    from lsedu.studies._loaded import loaded

    record = load_record("learning_q")
    kept = {
        name: {f: record.over_seeds(f"{f}/path/{name}").astype(float).mean(0).round(5).tolist() for f in FACTORS}
        for name in ("q", "confusion")
    }
    return {
        "classes": list(loaded("fashion-mnist-mini", "test").classes),
        "factors": list(FACTORS),
        "epochs": [*record.configs["epochs"], record.configs["training"]["epochs"]],
        **kept,
    }


def compute(parameters: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows of one row.

    Parameters
    ----------
    parameters : dict
        ``epoch``, one of those kept; ``factor``, one of `FACTORS`; ``row``, a class's name.
    data : dict
        As `payload` returns it.

    Returns
    -------
    dict
        ``own``, what Q gives the label, and ``most``, what it gives another class at most; ``right``, the share of the
        class's test pictures that are answered rightly; ``like``, the rank correlation of Q's row with the confusion's,
        the label left out, its ``path`` over the epochs, and its mean over ``all`` rows.
    """
    from lsedu.studies.learnable import _reading

    label, at = data["classes"].index(parameters["row"]), data["epochs"].index(parameters["epoch"])
    tables = {name: np.array(data[name][parameters["factor"]]) for name in ("q", "confusion")}
    others = ~np.eye(len(data["classes"]), dtype=bool)

    def like(epoch: int, k: int) -> float:
        return _reading.rank_correlation(*(table[epoch, k][others[k]] for table in tables.values()))

    here, seen = (table[at] for table in tables.values())
    return {
        "own": here[label, label],
        "most": here[label][others[label]].max(),
        "right": seen[label, label],
        "like": like(at, label),
        "all": float(np.mean([like(at, k) for k in range(len(here))])),
        "row_of_q": _reading.to_others(here)[label].tolist(),
        "row_of_confusion": _reading.to_others(seen)[label].tolist(),
        "path": [like(epoch, label) for epoch in range(len(data["epochs"]))],
    }


def fallback() -> Figure:
    """Return the picture for pages without scripts: Q at two rates, and the confusion of a network, after training."""
    from lsedu.studies.learnable import _reading

    data = payload()
    shown = (("Q, as published", "q", "1"), ("Q, 20 times the rate", "q", "20"), ("wrong answers", "confusion", "20"))
    with rc_context(style()):
        figure = Figure(figsize=(WIDTH, 0.46 * WIDTH))
        for axes, (title, name, factor) in zip(figure.subplots(1, 3, sharey=True), shown):
            axes.imshow(_reading.to_others(np.array(data[name][factor][-1])), cmap="Greys", vmin=0, vmax=0.6)
            axes.set_title(title, fontsize=9, color=COLOURS["text"])
            ticks = range(len(data["classes"]))
            axes.set(xticks=ticks, yticks=ticks)
            axes.set_xticklabels(data["classes"], rotation=90, fontsize=8)
            axes.set_yticklabels(data["classes"], fontsize=8)
            axes.grid(visible=False)
    return figure
