"""What a verdict does not say: settings at the end of their grid, sides with no room to differ, counts cut off."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, float]


@dataclass(frozen=True)
class Choice:
    """A setting that is chosen among a few values, seed by seed.

    Attributes
    ----------
    prefix : str
        Results whose names begin so depend on the choice.
    grid : str
        The field of the configuration that holds the values there are.
    value : callable
        The chosen value, from the results of a seed.
    limits : tuple of float
        Values beyond which there is nothing, such as a strength of 0: to be there is not to be at an edge.
    """

    prefix: str
    grid: str
    value: Callable[[Row], float]
    limits: tuple[float, ...] = ()

    def edges(self, configs: Mapping[str, Any]) -> set[float]:
        """Return the values that a wider grid could go beyond."""
        grid = [float(value) for value in configs[self.grid]]
        return {min(grid), max(grid)} - set(self.limits)


def flags(
    keys: tuple[str, ...],
    configs: Mapping[str, Any],
    results: Mapping[str, Row],
    *,
    choices: tuple[Choice, ...] = (),
    missed: Callable[[Row, str], bool] | None = None,
) -> list[str]:
    """Return what is to be said beside the verdict on a contrast, a sentence each, without capital and full stop.

    Parameters
    ----------
    keys : tuple of str
        The results that the contrast is read from.
    configs : mapping
        The configuration of the record, as plain values.
    results : mapping
        By seed, the results.
    choices, missed
        Those of the study, see `lsedu.experiments.Experiment`.
    """
    rows, told = list(results.values()), []
    for choice in choices:
        if any(key.startswith(choice.prefix) for key in keys):
            edges = choice.edges(configs)
            there = [value for value in map(choice.value, rows) if value in edges]
            if there:
                which = " or ".join(f"{value:g}" for value in sorted(set(there)))
                name = choice.prefix.strip("/")
                told.append(f"`{name}` chosen at the edge of its grid ({which}) in {len(there)} of {len(rows)} seeds")
    sides = [[row[key] for key in keys] for row in rows]
    for bound in (0.0, 1.0):
        full = sum(len(values) > 1 and all(value == bound for value in values) for values in sides)
        if 2 * full >= len(rows):
            told.append(f"no room to differ: all sides are {bound:g} in {full} of {len(rows)} seeds")
    if missed is not None:
        cut = sum(missed(row, key) for row in rows for key in keys)
        if cut:
            told.append(f"cut off: in {cut} of {len(rows) * len(keys)} cases the true value is larger")
    return told
