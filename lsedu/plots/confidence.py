"""Confidence histograms: how sure a model is, and which of those answers are right."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from lsedu.calibration import accuracy, mean_confidence, reliability
from lsedu.plots.colours import COLOURS
from lsedu.plots.style import WIDTH, style


def confidence_histogram(predictions: Mapping[str, tuple[Any, Any]], *, bins: int = 15) -> Figure:
    """Return one histogram of confidence a model, right answers below and wrong ones above.

    Parameters
    ----------
    predictions : mapping of str to tuple
        By title: probabilities of shape (N, K) and labels of shape (N,).
    bins : int
        Number of bins of equal width over [0, 1].

    Returns
    -------
    Figure
        Bars are shares of all samples. The dashed line is the mean confidence, the solid one the accuracy.

    Raises
    ------
    ValueError
        If there is nothing to draw.

    Notes
    -----
    After the upper row of figure 1 of :cite:p:`guo2017`: where the model is overconfident, the dashed line stands to
    the right of the solid one.

    Examples
    --------
    >>> figure = confidence_histogram({"two samples": ([[0.9, 0.1], [0.8, 0.2]], [0, 1])}, bins=5)
    >>> [round(line.get_xdata()[0], 2) for line in figure.axes[0].lines]
    [0.85, 0.5]
    """
    if not predictions:
        raise ValueError("confidence_histogram needs at least one model, got an empty mapping")
    with rc_context(style()):
        figure = Figure(figsize=(max(WIDTH * min(len(predictions), 2) / 2, 4.2), 3.2))
        panels = figure.subplots(1, len(predictions), sharex=True, sharey=True, squeeze=False)[0]
        for axes, (title, (probs, labels)) in zip(panels, predictions.items()):
            table = reliability(probs, labels, bins=bins)
            right = table.share * np.nan_to_num(table.accuracy)
            left, width = table.edges[:-1], np.diff(table.edges)
            edge = {"align": "edge", "linewidth": 0.8}
            axes.bar(
                left,
                right,
                width,
                color=to_rgba(COLOURS["accuracy"], 0.35),
                edgecolor=COLOURS["accuracy"],
                label="right",
                **edge,
            )
            axes.bar(
                left, table.share - right, width, right, color=COLOURS["grid"], edgecolor=COLOURS["muted"], hatch="xx",
                label="wrong", **edge,
            )  # fmt: skip
            axes.axvline(mean_confidence(probs), linestyle="--", color=COLOURS["confidence"], label="mean confidence")
            axes.axvline(accuracy(probs, labels), color=COLOURS["accuracy"], label="accuracy")
            axes.set(title=title, xlabel="confidence", xlim=(0, 1))
        panels[0].set_ylabel("share of the samples")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure
