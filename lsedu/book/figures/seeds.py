"""Number of seeds against false discoveries: how often two equal methods look different by luck."""

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lsedu import plots
from lsedu.experiments import interval, load_record, t_quantile

GRID = {"seeds": (2, 3, 11, 20), "threshold": (0.0, 0.2, 0.35, 1.0), "draw": (1, 17, 1000)}
MOST = 20
DRAWS = 1000
START = 7


def payload() -> dict[str, Any]:
    """Return what the page hands to the figure: the recorded spread and the quantiles of Student's t.

    The spread is the standard deviation over seeds of accuracy with alpha = 0.1 minus accuracy without smoothing, the
    seeds being paired, in points.
    """
    record = load_record("smoothing")
    differences = 100 * (record.values("0.1/before/accuracy") - record.values("0.0/before/accuracy"))
    found = interval(differences)
    return {
        "sd": round(found.sd, 4),
        "t": [round(t_quantile(0.95, n - 1), 9) for n in range(2, MOST + 1)],
        "record": {"n": found.n, "mean": round(found.mean, 4)},
    }


def uniform(state: int) -> Iterator[float]:
    """Yield numbers in [0, 1): the generator mulberry32, which a browser computes exactly alike."""
    mask = 0xFFFFFFFF
    while True:
        state = (state + 0x6D2B79F5) & mask
        t = ((state ^ (state >> 15)) * (1 | state)) & mask
        t ^= (t + (((t ^ (t >> 7)) * (61 | t)) & mask)) & mask
        yield (t ^ (t >> 14)) / (mask + 1)


@functools.cache
def normals() -> np.ndarray:
    """Return standard normal numbers, shape (DRAWS, MOST), by Box and Muller."""
    numbers = uniform(START)
    pairs = np.array([next(numbers) for _ in range(DRAWS * MOST)]).reshape(DRAWS, MOST // 2, 2)
    radius, angle = np.sqrt(-2 * np.log(1 - pairs[..., 0])), 2 * np.pi * pairs[..., 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1).reshape(DRAWS, MOST)


def chance(seeds: int, threshold: float, sd: float) -> float:
    """Return the probability that noise alone brings the mean of `seeds` differences to the threshold."""
    return 0.5 * math.erfc(threshold * math.sqrt(seeds) / sd / math.sqrt(2))


def compute(parameters: dict[str, float], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows.

    Parameters
    ----------
    parameters : dict
        ``seeds`` from 2 to 20, ``threshold`` >= 0 in points of accuracy, and ``draw``, the experiment's number from 1.
    data : dict
        As `payload` returns it.

    Returns
    -------
    dict
        Of the experiment: ``differences``, ``mean``, ``low`` and ``high``. Of all experiments, the shares in which
        noise looks like a gain: the mean is ``ahead``, it reaches the ``threshold``, the ``interval`` is above 0, or
        it was so at some smaller number of seeds (``peeking``); and ``exact_threshold``.

    Examples
    --------
    >>> data = {"sd": 0.35, "t": [round(t_quantile(0.95, n), 9) for n in range(1, 20)]}
    >>> shown = compute({"seeds": 5, "threshold": 0.0, "draw": 1}, data)
    >>> len(shown["differences"]), shown["exact_threshold"]
    (5, 0.5)
    """
    seeds, threshold = int(parameters["seeds"]), parameters["threshold"]
    differences = data["sd"] * normals()
    counts = np.arange(2, seeds + 1)
    means = np.stack([differences[:, :n].mean(1) for n in counts])
    spreads = np.stack([differences[:, :n].std(1, ddof=1) for n in counts])
    low = means - (np.array(data["t"])[counts - 2] / np.sqrt(counts))[:, None] * spreads
    mine = differences[int(parameters["draw"]) - 1, :seeds]
    found = interval(mine)
    return {
        "differences": mine.tolist(),
        "mean": found.mean,
        "low": found.low,
        "high": found.high,
        "ahead": float((means[-1] > 0).mean()),
        "threshold": float((means[-1] >= threshold).mean()),
        "interval": float((low[-1] > 0).mean()),
        "peeking": float((low > 0).any(0).mean()),
        "exact_threshold": chance(seeds, threshold, data["sd"]),
    }


def fallback() -> Figure:
    """Return the picture for pages without scripts: the shares of false discoveries over the number of seeds."""
    data = payload()
    counts = range(2, MOST + 1)
    shown = [compute({"seeds": n, "threshold": 0.2, "draw": 1}, data) for n in counts]
    titles = {
        "ahead": "mean above 0",
        "threshold": "mean at least 0.2 points",
        "interval": "95% interval above 0",
        "peeking": "the same, looking after each seed",
    }
    lines = {title: np.array([result[key] for result in shown]) for key, title in titles.items()}
    panel = f"share of {DRAWS:,} experiments without any gain"
    meanings = {titles["ahead"]: "fourth", titles["threshold"]: "third", titles["interval"]: "first"}
    meanings[titles["peeking"]] = "text"
    return plots.curves(
        list(counts), {panel: lines}, xlabel="seeds", dashed=[titles["peeking"]], meanings=meanings
    )  # fmt: skip
