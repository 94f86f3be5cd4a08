"""The twenty groups of CIFAR-100, and how much of a table's rows stays within them."""

import numpy as np

from lsedu.data.cifar import CIFAR100_CLASSES, CIFAR100_GROUPS

#: What a row without any preference has within its group: four of the 99 other classes.
EVEN = 4 / 99


def group_of() -> np.ndarray:
    """Return the group (0 to 19, in the order of `data.CIFAR100_GROUPS`) of each class, int64 (100,)."""
    found = {name: i for i, names in enumerate(CIFAR100_GROUPS.values()) for name in names}
    return np.array([found[name] for name in CIFAR100_CLASSES])


def within_group(table: np.ndarray) -> float:
    """Return the share of the rows (100, 100) that lies in the label's own group, the label left out of both.

    Examples
    --------
    >>> round(within_group(np.ones((100, 100))), 6) == round(EVEN, 6)
    True
    """
    group = group_of()
    others = ~np.eye(len(table), dtype=bool)
    near = others & (group[:, None] == group)
    sums = (table * others).sum(1)
    parts = (table * near).sum(1)
    return float(np.divide(parts, sums, out=np.zeros(len(table)), where=sums > 0).mean())


def entry(table: np.ndarray, label: str, other: str) -> float:
    """Return what the row of one class of CIFAR-100 gives another."""
    return float(table[CIFAR100_CLASSES.index(label), CIFAR100_CLASSES.index(other)])
