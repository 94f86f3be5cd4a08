"""Seeds of a probe arriving one by one: the mean and its interval so far, and how often the first few agree by luck."""

from math import comb
from typing import Any

from matplotlib.figure import Figure

from lsedu import plots
from lsedu.experiments import interval, load_record, t_quantile

GRID = {
    "alpha": (0.1, 0.4), "probe": ("linear", "network"), "order": (1.0, 2.0, 37.0, 100.0), "seeds": (2.0, 3.0, 20.0),
    "rest": ("hidden", "shown"),
}  # fmt: skip
PROBES = {"linear": "the linear probe", "network": "a new network"}
#: A prime above the number of seeds and the number of orders, see `arrival`.
PRIME = 101


def payload() -> dict[str, Any]:
    """Return what the page hands to the figure: each seed's effect in points, the margin, and Student's quantiles.

    An effect is how often the probe finds the digit with smoothing minus how often without, of the same seed.
    """
    record = load_record("occluded")
    effects = {
        name: {
            f"{alpha:g}": (100 * (record.values(f"{alpha}/{name}") - record.values(f"0.0/{name}"))).round(4).tolist()
            for alpha in record.configs["alphas"][1:]
        }
        for name in PROBES
    }
    return {
        "effects": effects,
        "margin": 100 * record.question("linear-0.1").margin,
        "t": [round(t_quantile(0.95, n - 1), 9) for n in range(2, len(record.seeds) + 1)],
    }


def arrival(order: int, count: int) -> list[int]:
    """Return in which order so many seeds arrive, from 0: the multiples of `order` modulo a prime pass all of them.

    Examples
    --------
    >>> arrival(1, 4), arrival(50, 4)
    ([0, 1, 2, 3], [3, 2, 1, 0])
    """
    places = (order * step % PRIME for step in range(1, PRIME))
    return [place - 1 for place in places if place <= count]


def agreeing(values: list[float], first: int) -> tuple[float, float]:
    """Return the shares of all orders in which the first few values are all below 0, and all above.

    Examples
    --------
    >>> agreeing([-1.0, -2.0, 3.0, 4.0], 2)
    (0.16666666666666666, 0.16666666666666666)
    """
    ways = comb(len(values), first)
    return comb(sum(v < 0 for v in values), first) / ways, comb(sum(v > 0 for v in values), first) / ways


def compute(parameters: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows.

    Parameters
    ----------
    parameters : dict
        ``alpha`` and ``probe``, whose effects arrive; ``order`` from 1 to 100, 1 being that of the record; ``seeds``,
        how many have arrived, from 2; ``rest``, whether the others are "hidden" or "shown", of which nothing depends.
    data : dict
        As `payload` returns it.

    Returns
    -------
    dict
        ``values``, all effects in the order of arrival (points); ``mean``, ``low`` and ``high`` of those arrived, and
        ``all_mean``, ``all_low``, ``all_high`` of all; ``below`` and ``above``, the shares of all orders in which as
        many first seeds are all below 0, and all above.

    Examples
    --------
    >>> data = {"effects": {"linear": {"0.1": [-1.0, -2.0, 4.0]}}, "margin": 2.0, "t": [12.706, 4.303]}
    >>> shown = compute({"alpha": 0.1, "probe": "linear", "order": 1, "seeds": 2}, data)
    >>> shown["mean"], round(shown["all_mean"], 6), round(shown["below"], 6)
    (-1.5, 0.333333, 0.333333)
    """
    given = data["effects"][parameters["probe"]][f"{parameters['alpha']:g}"]
    values = [given[place] for place in arrival(round(parameters["order"]), len(given))]
    first = min(round(parameters["seeds"]), len(values))
    found, whole = interval(values[:first]), interval(values)
    below, above = agreeing(values, first)
    return {
        "values": values,
        "mean": found.mean, "low": found.low, "high": found.high,
        "all_mean": whole.mean, "all_low": whole.low, "all_high": whole.high,
        "below": below, "above": above,
    }  # fmt: skip


def fallback() -> Figure:
    """Return the picture for pages without scripts: the first two seeds at each strength, and all of them."""
    data = payload()
    rows = {}
    for alpha, values in data["effects"]["linear"].items():
        for title, some in ((f"\u03b1 = {alpha}, all", values), (f"\u03b1 = {alpha}, first 4", values[:4])):
            found = interval(some)
            rows[title] = (some, (found.low, found.high))
    return plots.seeds_with_interval(rows, xlabel="digit found: smoothed minus not, points")
