"""How many seeds a difference needs: the chance that an interval settles it, for the paper's differences."""

from math import erfc
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lsedu import plots
from lsedu.experiments import t_quantile
from lsedu.experiments.planning import MOST, planned, power
from lsedu.studies.learnable._published import TABLES

GRID = {
    "which": ("cub", "cifar10", "cifar100"), "spread": (0.1, 0.3, 1.0), "margin": (0.0, 0.2), "seeds": (2, 3, 20, 60),
}  # fmt: skip
#: The choices: a column of a table each, and whom LLS is compared with there.
CHOSEN = {
    "cub": (1, 0, "ols"),
    "svhn": (3, 0, "tf-kd"),
    "cifar10": (3, 1, "tf-kd"),
    "fashion": (3, 2, "tf-kd"),
    "animals": (3, 3, "ols"),
    "fashion-plain": (3, 2, "one-hot"),
    "cifar100": (2, 0, "zipf"),
}
#: Seeds on the axis.
SHOWN = 60


def payload() -> dict[str, Any]:
    """Return what the page hands to the figure: the paper's differences, in points, and the quantiles of Student's t.

    ``printed`` is the spread of a difference that follows from the paper's plus-minus signs, were they standard
    deviations over independent seeds; 0 where it has none.
    """
    found = {}
    for key, (number, column, rival) in CHOSEN.items():
        table = TABLES[number - 1]
        name, network = table.columns[column]
        spreads = [table.spreads.get(method, ())[column : column + 1] for method in ("lls", rival)]
        found[key] = {
            "difference": round(table.rows["lls"][column] - table.rows[rival][column], 2),
            "printed": round(sum(one[0] ** 2 for one in spreads) ** 0.5, 3) if all(spreads) else 0.0,
            "place": f"table {number}, {name}, {network}",
            "rival": rival,
        }
    return {"chosen": found, "t": [round(t_quantile(0.95, n - 1), 9) for n in range(2, MOST + 1)]}


def compute(parameters: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows.

    Parameters
    ----------
    parameters : dict
        ``which`` of the differences; ``spread``, the standard deviation of the difference over seeds, and ``margin``,
        in points; ``seeds`` from 2 to 60.
    data : dict
        As `payload` returns it.

    Returns
    -------
    dict
        The ``difference``, taken for the truth, without its sign; ``beyond``, whether it exceeds the margin; the
        ``chance`` that the interval of these seeds settles it, lies beyond the margin or within it; ``curve``, the
        same for 2, 5, 10, 20, 40 and 60 seeds; ``needed``, the least number of seeds for four times in five, one more
        than 500 where these do not do; and ``turned``, the chance that the mean has the other sign.

    Examples
    --------
    >>> shown = compute({"which": "cifar10", "spread": 0.3, "margin": 0.0, "seeds": 20}, payload())
    >>> shown["difference"], shown["needed"]
    (0.1, 73)
    """
    effect = abs(data["chosen"][parameters["which"]]["difference"])
    given = {"effect": effect, "sd": parameters["spread"], "margin": parameters["margin"]}
    seeds = int(parameters["seeds"])
    z = effect * seeds**0.5 / parameters["spread"]
    return {
        "difference": effect,
        "beyond": effect > parameters["margin"],
        "chance": power(seeds, **given),
        "curve": [power(n, **given) for n in (2, 5, 10, 20, 40, 60)],
        "needed": planned(**given) or MOST + 1,
        "turned": 0.5 * erfc(z / 2**0.5),
    }


def fallback() -> Figure:
    """Return the picture for pages without scripts: the chance over the number of seeds, for three differences."""
    data = payload()
    counts = np.array([*range(2, 10), *range(10, SHOWN + 1, 5)])
    lines = {}
    for key, name in (("cifar10", "CIFAR-10: 0.10"), ("animals", "Animals-10N: 0.34"), ("cifar100", "CIFAR-100: 2.31")):
        effect = data["chosen"][key]["difference"]
        lines[name] = np.array([power(int(n), effect=effect, sd=0.3, margin=0.0) for n in counts])
    meanings = dict(zip(lines, ("first", "third", "fourth")))
    return plots.curves(
        counts, {"chance that the interval is above 0, spread 0.3 points": lines}, xlabel="seeds", meanings=meanings
    )
