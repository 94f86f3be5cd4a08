"""Nats and bits: every quantity of information names its unit."""

import math
from typing import Literal

from lsedu import _check

Unit = Literal["nats", "bits"]

NATS: dict[str, float] = {"nats": 1.0, "bits": math.log(2.0)}
"""How many nats one unit holds."""


def nats_per(unit: Unit) -> float:
    """Return how many nats one `unit` holds."""
    return NATS[_check.one_of("unit", unit, ("nats", "bits"))]


def convert(value: float, *, source: Unit, target: Unit) -> float:
    r"""Return an amount of information in another unit.

    Parameters
    ----------
    value : float
        Amount in `source` units.
    source, target : {"nats", "bits"}
        1 bit is :math:`\ln 2` nats.

    Raises
    ------
    ValueError
        If a unit is neither of the two.

    Notes
    -----
    A multiplier of the bottleneck is a ratio of two amounts, so beta has no unit and never needs converting.

    Examples
    --------
    >>> round(convert(1.0, source="bits", target="nats"), 6)
    0.693147
    """
    return value * (nats_per(source) / nats_per(target))
