"""Interleaved timing: every contender runs once per round, so that a noisy machine disturbs all of them alike."""

import statistics
import time
from collections.abc import Callable


def interleave(contenders: dict[str, Callable[[], object]], *, rounds: int, warm_up: int = 3) -> dict[str, list[float]]:
    """Return each contender's seconds a call, one entry a round."""
    for _ in range(warm_up):
        for call in contenders.values():
            call()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(seconds: dict[str, list[float]], name: str, base: str) -> tuple[float, float]:
    """Return the ratio of medians and the ratio of minima of two contenders."""
    a, b = seconds[name], seconds[base]
    return statistics.median(a) / statistics.median(b), min(a) / min(b)
