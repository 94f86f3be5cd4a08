"""Where in a scene the whole piece lies, as masks."""

import numpy as np


def inside(boxes: np.ndarray, side: int) -> np.ndarray:
    """Return masks (N, side, side) that are true inside the boxes (N, 4): top, left, bottom and right.

    Examples
    --------
    >>> int(inside(np.array([[3, 4, 17, 18]]), 28).sum())
    196
    """
    rows = np.arange(side)
    tall = (rows >= boxes[:, :1]) & (rows < boxes[:, 2:3])
    wide = (rows >= boxes[:, 1:2]) & (rows < boxes[:, 3:])
    return tall[:, :, None] & wide[:, None, :]
