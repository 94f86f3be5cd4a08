"""Interleaved timing: every contender runs once per round, so that a noisy machine disturbs all of them alike."""

import ctypes
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
