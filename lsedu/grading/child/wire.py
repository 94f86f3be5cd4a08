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
import sys
import time
from typing import Any

import numpy as np

MAX_HEADER = 2 * 2**20
MAX_BODY = 64 * 2**20
MAX_NODES = 20_000
MAX_DEPTH = 32

_DTYPES = {"|b1", "|i1", "|u1", *(f"<{kind}{size}" for kind in "iu" for size in (2, 4, 8))}
_DTYPES |= {"<f2", "<f4", "<f8", "<c8", "<c16"}
_DTYPES |= {np.dtype(kind).newbyteorder("<").str for kind in (np.longdouble, np.clongdouble)}
_LENGTHS = struct.Struct("<II")
_dumps, _loads, _asarray = json.dumps, json.loads, np.asarray


class WireError(ValueError):
    """What arrived is not a frame."""


class UnsendableError(TypeError):
    """A value that no frame can hold; the message says what kind of value."""


class ClosedError(EOFError):
    """The other side is gone."""


class LateError(TimeoutError):
    """The deadline has passed."""


def flatten(value: Any) -> tuple[Any, list[np.ndarray], list[tuple[str, list[int]]]]:
    """Return the tree of a value, its buffers, and what they are.

    Parameters
    ----------
    value
        None, bool, int, float, str, NumPy array or scalar, torch tensor, or lists, tuples and dicts of them.

    Raises
    ------
    UnsendableError
        For any other value, or one that is too large or too deep.

    Examples
    --------
    >>> flatten((1, float("inf")))[0]
    {'t': [1, {'f': 'inf'}]}
    """
    buffers: list[np.ndarray] = []
    kinds: list[tuple[str, list[int]]] = []
    left = [MAX_NODES, MAX_BODY]
    return _node(value, buffers, kinds, left, 0), buffers, kinds


def _node(value: Any, buffers: list, kinds: list, left: list[int], depth: int) -> Any:
    left[0] -= 1
    if left[0] < 0 or depth > MAX_DEPTH:
        raise UnsendableError("too many or too deeply nested values")
    kind = type(value)
    if value is None or kind is bool:
        return value
    if isinstance(value, np.generic):
        return {"s": _buffer(value, buffers, kinds, left)}
    if isinstance(value, int):
        value = int(value)
        if value.bit_length() > 4096:
            raise UnsendableError("an integer of more than a thousand digits")
        return value
    if isinstance(value, float):
        value = float(value)
        return value if math.isfinite(value) else {"f": repr(value)}
    if isinstance(value, str):
        if len(value) > MAX_HEADER // 8:
            raise UnsendableError("a very long string")
        return str.__str__(value)
    if isinstance(value, list):
        return {"l": [_node(item, buffers, kinds, left, depth + 1) for item in list.__iter__(value)]}
    if isinstance(value, tuple):
        return {"t": [_node(item, buffers, kinds, left, depth + 1) for item in tuple.__iter__(value)]}
    if isinstance(value, dict):
        pairs = dict.items(value)
        return {"d": [[_node(item, buffers, kinds, left, depth + 1) for item in pair] for pair in pairs]}
    if isinstance(value, np.ndarray):
        return {"a": _buffer(value, buffers, kinds, left)}
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return {"T": _tensor(value, torch, buffers, kinds, left)}
    raise UnsendableError(f"a value of type {kind.__name__[:40]!r}")


def _buffer(value: Any, buffers: list, kinds: list, left: list[int]) -> int:
    array = _asarray(value)
    if type(array) is not np.ndarray:
        array = array.view(np.ndarray)
    if array.dtype.newbyteorder("<").str not in _DTYPES:
        raise UnsendableError(f"an array of dtype {array.dtype.name[:40]!r}")
    left[1] -= array.nbytes
    if left[1] < 0:
        raise UnsendableError(f"more than {MAX_BODY // 2**20} MiB")
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)
    kinds.append((array.dtype.str, [int(size) for size in array.shape]))
    buffers.append(array)
    return len(buffers) - 1


def _tensor(value: Any, torch: Any, buffers: list, kinds: list, left: list[int]) -> int:
    if value.layout is not torch.strided or value.is_quantized:
        raise UnsendableError("a sparse or quantised tensor")
    if value.numel() * value.element_size() > left[1]:
        raise UnsendableError(f"more than {MAX_BODY // 2**20} MiB")
    value = torch.Tensor.detach(value).as_subclass(torch.Tensor).cpu().resolve_conj().resolve_neg()
    if value.dtype == torch.bfloat16:
        place = _buffer(value.contiguous().view(torch.int16).numpy(), buffers, kinds, left)
        kinds[place] = ("bfloat16", kinds[place][1])
        return place
    try:
        return _buffer(value.numpy(), buffers, kinds, left)
    except TypeError as error:
        raise UnsendableError(f"a tensor of dtype {value.dtype}") from error


def build(tree: Any, kinds: list, body: bytes) -> Any:
    """Return the value that `flatten` took apart, from untrusted parts.

    Raises
    ------
    WireError
        If the parts do not fit together exactly.
    """
    arrays = _arrays(kinds, body)
    return _value(tree, arrays, [MAX_NODES], 0)


def _arrays(kinds: Any, body: bytes) -> list[Any]:
    if not isinstance(kinds, list) or len(kinds) > MAX_NODES:
        raise WireError("buffers are not a list")
    arrays, start = [], 0
    for entry in kinds:
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], list) and len(entry[1]) <= 32):
            raise WireError("a buffer is not described by dtype and shape")
        name, shape = entry
        if not all(type(size) is int and 0 <= size <= MAX_BODY for size in shape):
            raise WireError("a shape is not made of sizes")
        if name != "bfloat16" and name not in _DTYPES:
            raise WireError("unknown dtype")
        dtype = np.dtype("<i2" if name == "bfloat16" else name)
        size = math.prod(shape) * dtype.itemsize
        if size > len(body) - start:
            raise WireError("a buffer is longer than the body")
        try:
            array = np.frombuffer(body, dtype=dtype, count=math.prod(shape), offset=start).reshape(shape).copy()
        except ValueError as error:  # no bytes, but axes whose sizes overflow when multiplied
            raise WireError("a shape cannot be had") from error
        arrays.append((name, array))
        start += size
    if start != len(body):
        raise WireError("the body is longer than its buffers")
    return arrays


def _value(node: Any, arrays: list, left: list[int], depth: int) -> Any:
    left[0] -= 1
    if left[0] < 0 or depth > MAX_DEPTH:
        raise WireError("too many or too deep nodes")
    if node is None or type(node) in (bool, int, float, str):
        return node
    if type(node) is not dict or len(node) != 1:
        raise WireError("a node of the tree is malformed")
    ((key, content),) = node.items()
    if key == "f" and content in ("inf", "-inf", "nan"):
        return float(content)
    if key in ("l", "t") and type(content) is list:
        items = [_value(item, arrays, left, depth + 1) for item in content]
        return items if key == "l" else tuple(items)
    if key == "d" and type(content) is list and all(type(pair) is list and len(pair) == 2 for pair in content):
        pairs = [[_value(item, arrays, left, depth + 1) for item in pair] for pair in content]
        if not all(name is None or type(name) in (bool, int, float, str) for name, _ in pairs):
            raise WireError("a key is not a plain value")
        return dict(pairs)
    if key in ("a", "s", "T") and type(content) is int and 0 <= content < len(arrays):
        name, array = arrays[content]
        if key == "T":
            return _torch(name, array)
        if name == "bfloat16" or (key == "s" and array.ndim):
            raise WireError("an array is malformed")
        return array if key == "a" else array[()]
    raise WireError("a node of the tree is malformed")


def _torch(name: str, array: np.ndarray) -> Any:
    import torch

    try:
        tensor = torch.from_numpy(array)
    except TypeError as error:
        raise WireError("a tensor cannot have this dtype") from error
    return tensor.view(torch.bfloat16) if name == "bfloat16" else tensor


def pack(kind: str, *, value: Any = None, has_value: bool = False, **fields: Any) -> bytes:
    """Return a frame; `value` is sent if `has_value`, and `fields` must be plain JSON."""
    header: dict[str, Any] = {"kind": kind, **fields}
    buffers: list[np.ndarray] = []
    if has_value:
        header["tree"], buffers, header["buffers"] = flatten(value)
    text = _dumps(header).encode("utf-8", "backslashreplace")
    if len(text) > MAX_HEADER:
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
        _wait(channel, select.POLLOUT, until)
        try:
            view = view[channel.send(view, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL) :]
        except BlockingIOError:
            continue
        except OSError as error:
            raise ClosedError("the other side is gone") from error


def receive(channel: socket.socket, *, until: float) -> tuple[dict[str, Any], bytes]:
    """Return the header and the body of the next frame.

    Raises
    ------
    LateError
        If it is not there by the monotonic time `until`.
    ClosedError
        If the other side is gone.
    WireError
        If what arrives is no frame.
    """
    header_size, body_size = _LENGTHS.unpack(_exactly(channel, _LENGTHS.size, until))
    if header_size > MAX_HEADER or body_size > MAX_BODY:
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
        _wait(channel, select.POLLIN, until)
        try:
            part = channel.recv(min(size - len(parts), 2**20), socket.MSG_DONTWAIT)
        except BlockingIOError:
            continue
        except OSError as error:
            raise ClosedError("the other side is gone") from error
        if not part:
            raise ClosedError("the other side is gone")
        parts += part
    return bytes(parts)


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
