"""The time that a function has when it is marked, held to in the student's own notebook too."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from lsedu._errors import LseduError

GRACE = 2.0
"""Seconds that a case has beyond its question's own, as in marking."""


class TooSlowError(LseduError, TimeoutError):
    """A function took longer than it may when it is marked; the message is for the student."""


class _Stop(BaseException):
    """Ends a call that is late; no `except Exception` of the student's catches it."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Stop the block when it takes longer than `seconds`; where it cannot be stopped, say so when it is done.

    It can be where the system has timers and this is the main thread: in notebooks on Linux and macOS.

    Raises
    ------
    TooSlowError
        If it took longer.
    """
    begin = time.monotonic()
    late = f"your function took longer than {seconds:g} s; when it is marked, it is stopped then"
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
    else:

        def stop(number: int, frame: FrameType | None) -> None:
            raise _Stop

        before = signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # again each second, for a bare `except:` would go on
        try:
            try:
                yield
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except _Stop:
            raise TooSlowError(late) from None
        finally:
            signal.signal(signal.SIGALRM, before)
    if time.monotonic() - begin > seconds:
        raise TooSlowError(late)
