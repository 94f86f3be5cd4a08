"""A made-up table of four classes in two pairs that look alike, for the figures on contradicting labels."""

import numpy as np

from lsedu import information
from lsedu.information import Merged

CLASSES = ("cat", "dog", "car", "truck")
PARTNER = np.array([1, 0, 3, 2])
DOUBTS = (0.1, 0.2, 0.3, 0.4)
"""The shares of annotators who take a doubtful picture for the class's partner."""


def table(doubtful: float) -> Merged:
    """Return p(y|x) and p(x): of each class clear pictures, and a share of `doubtful` ones, a sort for each doubt."""
    rows, weights = [], []
    for k in range(4):
        for doubt, share in ((0.0, 1.0 - doubtful), *((d, doubtful / len(DOUBTS)) for d in DOUBTS)):
            row = np.zeros(4)
            row[k], row[PARTNER[k]] = 1.0 - doubt, doubt
            rows.append(row)
            weights.append(share / 4)
    return Merged(np.array(rows), np.array(weights), np.arange(len(rows)))


def prior(name: str) -> np.ndarray:
    """Return a smoothing distribution for each label, shape (4, 4): uniform, all on the partner, or on the others."""
    partner = np.eye(4)[PARTNER]
    return {
        "uniform": np.full((4, 4), 0.25),
        "alike": partner,
        "unlike": (1.0 - np.eye(4) - partner) / 2,
    }[name]


def point(made: Merged, encoder: np.ndarray) -> information.Point:
    """Return the point of an encoder of the table, in bits."""
    return information.plane_point(encoder, made.rows, p_x=made.p_x, unit="bits")
