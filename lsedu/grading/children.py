"""A locked process as the grader sees it: spoken to over a socket, watched, ended."""

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsedu._errors import LseduError
from lsedu.grading.child import wire

_PROMPT = 0.1


class LostError(LseduError, RuntimeError):
    """A zygote has ended unexpectedly."""


class Child:
    """One locked process: a channel for frames and a handle by which to end it.

    Parameters
    ----------
    watch
        The descriptor by which the kernel knows the process.
    channel
        The socket to it.
    status
        Tells how it has ended.
    """

    def __init__(self, watch: int, channel: socket.socket, status: Callable[[], int | None]) -> None:
        self.watch, self.channel, self._status = watch, channel, status
        self._times: int | None = None

    def send(self, frame: bytes, *, seconds: float) -> None:
        """Send a frame; raises `wire.LateError` or `wire.ClosedError`."""
        wire.send(self.channel, frame, until=time.monotonic() + seconds)

    def receive(self, *, seconds: float, room: wire.Room = wire.WHOLE) -> tuple[dict[str, Any], bytes]:
        """Return the next frame; raises `wire.LateError`, `wire.ClosedError` or `wire.WireError`.

        A process that is ready to run but was kept from the processor by others gets more time, up to the CPU seconds
        that it may use and four times the wall time: marks must not depend on what else the machine does.
        """
        seconds = max(seconds, 0.0)  # a negative time would mean for ever
        until, prompt = time.monotonic() + 4 * seconds, min(seconds, _PROMPT)
        poll = select.poll()
        poll.register(self.channel, select.POLLIN)
        if not poll.poll(prompt * 1000):  # most answers come at once, and are not worth a look at the process
            begin, left = self._busy()[1], seconds - prompt
            while not poll.poll(left * 1000):
                state, used = self._busy()
                if state != "R" or used - begin > 0.9 * seconds or time.monotonic() > until:
                    raise wire.LateError("the deadline has passed")
                left = min(seconds, 1.0)
        return wire.receive(self.channel, until=time.monotonic() + max(seconds, 1.0), room=room)

    def _busy(self) -> tuple[str, float]:
        """Return the state of the process ("R": running or ready to) and its CPU seconds, as the kernel counts them."""
        try:
            fields = Path(f"/proc/{self._pid()}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return "?", 0.0
        return fields[0], (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def waited(self) -> float:
        """Return the seconds in which the process was ready to run and had no processor; 0 where nobody counts them."""
        try:
            if self._times is None:
                self._times = os.open(f"/proc/{self._pid()}/schedstat", os.O_RDONLY)
            fields = os.pread(self._times, 128, 0).split()
        except OSError:
            return 0.0
        return int(fields[1]) / 1e9 if len(fields) > 1 else 0.0

    def _pid(self) -> str:
        """Return the number of the process; raises OSError when it is gone."""
        about = Path(f"/proc/self/fdinfo/{self.watch}").read_text()
        return next((line.split()[1] for line in about.splitlines() if line.startswith("Pid:")), "-1")

    def end(self) -> int | None:
        """End the process and all it started; return its exit status if it had ended by itself, negative: a signal.

        Once it is ended, nothing more happens.
        """
        if self.channel.fileno() < 0:
            return None
        poll = select.poll()
        poll.register(self.watch, select.POLLIN)
        alive = not poll.poll(50 if self._hung_up() else 0)
        self.channel.close()
        if alive:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.watch, signal.SIGKILL)
            poll.poll(10_000)
        for number in (self.watch, self._times):
            if number is not None:
                os.close(number)
        self._times = None
        return None if alive else self._status()

    def _hung_up(self) -> bool:
        poll = select.poll()
        poll.register(self.channel, 0)
        return bool(poll.poll(0))

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: Any) -> None:
        self.end()
