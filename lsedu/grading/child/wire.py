"""Values on a socket: a JSON header and raw buffers, capped in size, never pickled.

A frame is two 32-bit lengths (header, body), the header as UTF-8 JSON, and the body: the buffers one after the other.
The header holds ``kind``, whatever else the sender says, and for a value its ``tree`` and the list of its ``buffers``
as pairs (dtype, shape). The reader believes nothing: it checks every length against its cap before it allocates.
"""

import json
import math
import os
import select
import socket
import struct
import time
from typing import Any, NamedTuple

import numpy as np

from .values import MAX_BODY, UnsendableError, WireError, build, flatten

__all__ = ["MAX_BODY", "WHOLE", "ClosedError", "LateError", "Room", "UnsendableError", "WireError", "build", "flatten"]

MAX_HEADER = 2 * 2**20
_LENGTHS = struct.Struct("<II")
_dumps, _loads = json.dumps, json.loads


class Room(NamedTuple):
    """How many bytes a frame may have, in its header and in its body."""

    header: int = MAX_HEADER
    body: int = MAX_BODY


WHOLE = Room()


class ClosedError(EOFError):
    """The other side is gone."""


class LateError(TimeoutError):
    """The deadline has passed."""


def pack(kind: str, *, value: Any = None, has_value: bool = False, room: Room = WHOLE, **fields: Any) -> bytes:
    """Return a frame; `value` is sent if `has_value`, and `fields` must be plain JSON.

    Raises
    ------
    UnsendableError
        If the value is of a kind that cannot be sent, or too large for `room`.
    """
    header: dict[str, Any] = {"kind": kind, **fields}
    buffers: list[np.ndarray] = []
    if has_value:
        header["tree"], buffers, header["buffers"] = flatten(value, most=room.body)
    text = _dumps(header).encode("utf-8", "backslashreplace")
    if len(text) > room.header:
        raise UnsendableError("too many values")
    body = b"".join(array.tobytes() for array in buffers)
    return _LENGTHS.pack(len(text), len(body)) + text + body


def send(channel: socket.socket, frame: bytes, *, until: float) -> None:
    """Send a frame before the monotonic time `until`.

    Raises
    ------
    LateError
        If the other side does not read in time.
    ClosedError
        If it is gone.
    """
    view = memoryview(frame)
    while view:
        _in_time(until)
        try:
            view = view[channel.send(view, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL) :]
        except BlockingIOError:
            _wait(channel, select.POLLOUT, until)
        except OSError as error:
            raise ClosedError("the other side is gone") from error


def receive(channel: socket.socket, *, until: float, room: Room = WHOLE) -> tuple[dict[str, Any], bytes]:
    """Return the header and the body of the next frame.

    Parameters
    ----------
    channel
        A socket.
    until
        The monotonic time by which the frame must be there.
    room
        The largest frame that is taken.

    Raises
    ------
    LateError
        If it is not there in time.
    ClosedError
        If the other side is gone.
    WireError
        If what arrives is no frame.
    """
    header_size, body_size = _LENGTHS.unpack(_exactly(channel, _LENGTHS.size, until))
    if header_size > room.header or body_size > room.body:
        raise WireError("a frame is over its cap")
    text = _exactly(channel, header_size, until)
    body = _exactly(channel, body_size, until)
    try:
        header = _loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError("a header is not JSON") from error
    if not isinstance(header, dict) or not isinstance(header.get("kind"), str):
        raise WireError("a header has no kind")
    return header, body


def _exactly(channel: socket.socket, size: int, until: float) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        _in_time(until)
        try:
            part = channel.recv(min(size - len(parts), 2**20), socket.MSG_DONTWAIT)
        except BlockingIOError:
            _wait(channel, select.POLLIN, until)
            continue
        except OSError as error:
            raise ClosedError("the other side is gone") from error
        if not part:
            raise ClosedError("the other side is gone")
        parts += part
    return bytes(parts)


def _in_time(until: float) -> None:
    if time.monotonic() >= until:
        raise LateError("the deadline has passed")


def _wait(channel: socket.socket, event: int, until: float) -> None:
    poll = select.poll()
    poll.register(channel, event)
    left = until - time.monotonic()
    if left <= 0 or not poll.poll(None if left == math.inf else math.ceil(left * 1000)):
        raise LateError("the deadline has passed")


def close_all_but(keep: set[int]) -> None:
    """Close every file descriptor above 2 but those in `keep`."""
    low = 3
    for number in sorted(item for item in keep if item > 2):
        os.closerange(low, number)
        low = number + 1
    os.closerange(low, 4096)
