"""What was measured of GPUs: how fast each is, and how long steps and whole runs took on it."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsedu import _reads
from lsedu.experiments.record import RecordError, book_dir


@dataclass(frozen=True, kw_only=True)
class Card:
    """One GPU, and what was measured on it.

    Attributes
    ----------
    device, torch : str
        Its name, and the version of PyTorch.
    folder : str
        Of the measurements, in ``benchmarks/results`` of the repository.
    revisions : dict
        By file in that folder, the commit whose code was measured; empty where it was not written down.
    product : float
        Rate of a large bfloat16 matrix product, in 10^12 operations a second.
    copy : float
        Rate of a large copy on the card, read and written, in 10^12 bytes a second.
    checks, failed : int
        Comparisons of losses, gradients and runs with float64 and with one another, and how many failed.
    windows : dict
        By way of running (``plain``, ``recorded``, ``compiled``): the network, ``batch`` and ``steps`` of a window, and
        the ``seconds`` of each window by contender (``by hand, LS``; ``LS``; ``LLS``). Contenders took turns.
    fast : dict
        By way of running the fast network, one after the other: seconds until it was ``ready``, seconds an ``epoch`` of
        50,000 pictures, and the ``loss`` after 20 steps in float32.
    compiled_runs : list
        Whole runs of the fast network, compiled and recorded: seconds, and accuracy over six views.
    runs : dict
        By study: seed, part and seconds of each run, in the order in which they were made.
    """

    device: str
    torch: str
    folder: str
    revisions: dict[str, str]
    product: float
    copy: float
    checks: int
    failed: int
    windows: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: dict[str, list[list[Any]]] = field(default_factory=dict)
    fast: dict[str, dict[str, float]] = field(default_factory=dict)
    compiled_runs: list[list[float]] = field(default_factory=list)


def load_cards(path: Path | None = None) -> dict[str, Card]:
    """Return the cards that something was measured on, by name.

    Raises
    ------
    RecordError
        If the file is missing or cannot be read.

    Examples
    --------
    >>> [(name, card.failed) for name, card in load_cards().items()]
    [('NVIDIA H100 80GB HBM3', 0), ('NVIDIA H200', 0)]
    """
    path = path or book_dir() / "cards.json"
    sys.audit(_reads.LOOKED_FOR, str(path))
    try:
        return {card["device"]: Card(**card) for card in json.loads(path.read_text(encoding="utf-8"))}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RecordError(f"{path} cannot be read ({error}); `python benchmarks/cards.py` makes it anew") from error
