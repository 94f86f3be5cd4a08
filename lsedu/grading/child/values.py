"""Values taken apart into JSON and raw buffers, and put together again from parts that nobody vouches for.

Whatever a check in the notebook takes for an answer can be sent: `lsedu.labs.explain` and this file agree on what a
number, a text, a list, a dict and an array are.
"""

import math
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

MAX_BODY = 64 * 2**20
MAX_NODES = 20_000
MAX_DEPTH = 32
MAX_TEXT = 2**18

_DTYPES = {"|b1", "|i1", "|u1", *(f"<{kind}{size}" for kind in "iu" for size in (2, 4, 8))}
_DTYPES |= {"<f2", "<f4", "<f8", "<c8", "<c16"}
_DTYPES |= {np.dtype(kind).newbyteorder("<").str for kind in (np.longdouble, np.clongdouble)}
_asarray = np.asarray


class WireError(ValueError):
    """What arrived is not a frame."""


class UnsendableError(TypeError):
    """A value that no frame can hold; the message says what kind of value."""


def flatten(value: Any, *, most: int = MAX_BODY) -> tuple[Any, list[np.ndarray], list[tuple[str, list[int]]]]:
    """Return the tree of a value, its buffers, and what they are.

    Parameters
    ----------
    value
        None, bool, int, float, str, NumPy array or scalar, torch tensor, or lists, tuples and mappings of them.
    most
        The bytes that all buffers may have together.

    Raises
    ------
    UnsendableError
        For any other value, or one that is too large or too deep.

    Examples
    --------
    >>> flatten((1, float("inf"), np.str_("a")))[0]
    {'t': [1, {'f': 'inf'}, 'a']}
    """
    buffers: list[np.ndarray] = []
    kinds: list[tuple[str, list[int]]] = []
    left = [MAX_NODES, most]
    return _node(value, buffers, kinds, left, 0), buffers, kinds


def _node(value: Any, buffers: list, kinds: list, left: list[int], depth: int) -> Any:
    left[0] -= 1
    if left[0] < 0 or depth > MAX_DEPTH:
        raise UnsendableError("too many or too deeply nested values")
    kind = type(value)
    if value is None or kind is bool:
        return value
    if isinstance(value, str):  # before NumPy's scalars, whose texts are strings too
        if len(value) > MAX_TEXT:
            raise UnsendableError("a very long string")
        return str.__str__(value)
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
    if isinstance(value, list):
        return {"l": [_node(item, buffers, kinds, left, depth + 1) for item in list.__iter__(value)]}
    if isinstance(value, tuple):
        return {"t": [_node(item, buffers, kinds, left, depth + 1) for item in tuple.__iter__(value)]}
    if isinstance(value, Mapping):
        pairs = dict.items(value) if isinstance(value, dict) else value.items()
        items = [(_key(name), item) for name, item in pairs]
        return {"d": [[_node(item, buffers, kinds, left, depth + 1) for item in pair] for pair in items]}
    if isinstance(value, np.ndarray):
        return {"a": _buffer(value, buffers, kinds, left)}
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return {"T": _tensor(value, torch, buffers, kinds, left)}
    raise UnsendableError(f"a value of type {kind.__name__[:40]!r}")


def _key(name: Any) -> Any:
    """Return a key as the plain value that it equals: what `np.unique` counts is a key of NumPy's kind."""
    if isinstance(name, np.generic):
        name = name.item()
    if isinstance(name, tuple):
        return tuple(map(_key, name))
    if name is None or isinstance(name, (bool, int, float, str)):
        return name
    raise UnsendableError(f"a key of type {type(name).__name__[:40]!r}")


def _buffer(value: Any, buffers: list, kinds: list, left: list[int]) -> int:
    array = _asarray(value)
    if type(array) is not np.ndarray:
        array = array.view(np.ndarray)
    if array.dtype.newbyteorder("<").str not in _DTYPES:
        raise UnsendableError(f"an array of dtype {array.dtype.name[:40]!r}")
    left[1] -= array.nbytes
    if left[1] < 0:
        raise UnsendableError("a value of many more bytes than a right one")
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)
    kinds.append((array.dtype.str, [int(size) for size in array.shape]))
    buffers.append(array)
    return len(buffers) - 1


def _tensor(value: Any, torch: Any, buffers: list, kinds: list, left: list[int]) -> int:
    if value.layout is not torch.strided or value.is_quantized:
        raise UnsendableError("a sparse or quantised tensor")
    if value.numel() * value.element_size() > left[1]:
        raise UnsendableError("a value of many more bytes than a right one")
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
        if type(name) is not str or (name != "bfloat16" and name not in _DTYPES):
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
        if not all(_is_key(name) for name, _ in pairs):
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


def _is_key(name: Any) -> bool:
    plain = name is None or type(name) in (bool, int, float, str)
    return plain or (type(name) is tuple and all(map(_is_key, name)))


def _torch(name: str, array: np.ndarray) -> Any:
    import torch

    try:
        tensor = torch.from_numpy(array)
    except TypeError as error:
        raise WireError("a tensor cannot have this dtype") from error
    return tensor.view(torch.bfloat16) if name == "bfloat16" else tensor
