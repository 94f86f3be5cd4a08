"""Values as JSON text: numbers, strings, arrays, tensors and nestings of them, without pickle."""

import base64
import math
from typing import Any

import numpy as np

from lsedu.labs.compare import is_tensor


def encode(value: Any) -> Any:
    """Return `value` as something `json.dumps` can write; `decode` gives it back.

    Raises
    ------
    TypeError
        For a value of another kind, or an array whose dtype is not numeric or boolean.

    Examples
    --------
    >>> encode((1, 0.5, "a"))
    {'tuple': [1, 0.5, 'a']}
    >>> decode(encode({"x": np.arange(3)}))
    {'x': array([0, 1, 2])}
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(float(value))}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [encode(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[encode(key), encode(item)] for key, item in value.items()]}
    if is_tensor(value):
        return {"tensor": _buffer(value.detach().cpu().numpy())}
    if isinstance(value, (np.ndarray, np.generic)):
        return {"array": _buffer(np.asarray(value))}
    raise TypeError(f"a case can hold numbers, strings, arrays, tensors and nestings of them, got {type(value)}")


def _buffer(array: np.ndarray) -> list:
    if array.dtype.kind not in "biuf":
        raise TypeError(f"an array must be numeric or boolean, got dtype {array.dtype}")
    array = np.asarray(array, order="C", dtype=array.dtype.newbyteorder("<"))
    return [array.dtype.str, list(array.shape), base64.b64encode(array.tobytes()).decode("ascii")]


def decode(value: Any) -> Any:
    """Return what `encode` wrote; torch is imported only if there is a tensor."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((key, content),) = value.items()
    if key == "float":
        return float(content)
    if key == "tuple":
        return tuple(decode(item) for item in content)
    if key == "dict":
        return {decode(name): decode(item) for name, item in content}
    dtype, shape, text = content
    if np.dtype(dtype).kind not in "biuf":
        raise TypeError(f"an array must be numeric or boolean, got dtype {dtype}")
    array = np.frombuffer(base64.b64decode(text), dtype=dtype).reshape(shape).copy()
    if key == "array":
        return array
    import torch

    return torch.from_numpy(array)
