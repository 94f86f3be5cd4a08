"""The time that one submission may take in all, shared by its questions so that none can use up what others need."""

import contextlib
import time
from collections.abc import Callable, Iterator

_KEPT = 2.0
"""The seconds that every question still has, whatever the ones before it took."""


class Budget:
    """Counts the seconds that a submission's code has had.

    Parameters
    ----------
    seconds
        What it may have in all.
    questions
        How many questions it has to answer.

    Examples
    --------
    >>> budget = Budget(60.0, 3)
    >>> budget.begin()
    >>> budget.left
    56.0
    """

    def __init__(self, seconds: float, questions: int) -> None:
        self.seconds, self.waiting, self.spent = seconds, questions, 0.0
        self._kept = min(_KEPT, seconds / max(2 * questions, 1))

    def begin(self) -> None:
        """Begin the next question."""
        self.waiting = max(self.waiting - 1, 0)

    @property
    def left(self) -> float:
        """The seconds that the question begun last may still take."""
        return self.seconds - self.spent - self._kept * self.waiting

    @contextlib.contextmanager
    def charged(self, waited: Callable[[], float]) -> Iterator[None]:
        """Charge the block's time, less what its process was kept waiting for a processor, of which `waited` tells.

        At least a quarter is charged: a process can keep itself waiting, by threads of its own.
        """
        begin, before = time.monotonic(), waited()
        try:
            yield
        finally:
            elapsed = time.monotonic() - begin
            self.spent += max(elapsed - max(waited() - before, 0.0), elapsed / 4)
