"""Interleaved timing: every contender runs once per round, so that a noisy machine disturbs all of them alike."""

import ctypes
import math
import statistics
import time
from collections.abc import Callable


def keep_memory() -> bool:
    """Tell the C library to keep freed memory, and return whether it could be told.

    By default glibc hands large blocks back to the system as they are freed and asks for them again a moment later, in
    a pattern that depends on what lies beside them: a few per cent of the time of a training step, for one loop and not
    for the other, by chance.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    trim_threshold, mmap_max = -1, -4
    return bool(mallopt(mmap_max, 0) and mallopt(trim_threshold, 2**31 - 1))


def interleave(
    contenders: dict[str, Callable[[], object]],
    *,
    rounds: int,
    warm_up: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Return each contender's seconds a call, one entry a round; every second round goes through them backwards.

    With `time.process_time` for a clock, what else runs on the machine hardly counts.
    """
    for _ in range(warm_up):
        for call in contenders.values():
            call()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for i in range(rounds):
        for name, call in list(contenders.items())[:: -1 if i % 2 else 1]:
            start = clock()
            call()
            seconds[name].append(clock() - start)
    return seconds


def ratio(seconds: dict[str, list[float]], name: str, base: str) -> tuple[float, float]:
    """Return the ratio of medians and the ratio of minima of two contenders."""
    a, b = seconds[name], seconds[base]
    return statistics.median(a) / statistics.median(b), min(a) / min(b)


def paired(a: list[float], b: list[float]) -> tuple[float, float, float]:
    """Return the median of the ratios of paired times, and the ends of an interval for it.

    The interval goes from the r-th smallest ratio to the r-th largest: whatever the distribution, its median lies
    outside with the chance that a fair coin falls on one side fewer than r times of n, twice. The largest r with a
    chance of at most 5% is taken; of fewer than 6 pairs there is none, and all ratios lie within.
    """
    ratios = sorted(x / y for x, y in zip(a, b, strict=True))
    n, r, outside = len(ratios), 0, 2 * 0.5 ** len(ratios)
    while outside <= 0.05:
        r += 1
        outside += 2 * math.comb(n, r) * 0.5**n
    r = max(r, 1)
    return statistics.median(ratios), ratios[r - 1], ratios[-r]
