import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lsedu.labs.codec import decode, encode
from lsedu.labs.compare import explain

leaves = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=5)
nested = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def same(a, b):
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


@given(nested)
def test_round_trip(value):
    text = json.dumps(encode(value), allow_nan=False)
    assert same(decode(json.loads(text)), value)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int64", "uint8", "bool", ">f4"])
def test_arrays_keep_dtype_shape_and_bits(dtype):
    array = (np.arange(6).reshape(2, 3) % 2).astype(dtype)
    back = decode(json.loads(json.dumps(encode(array))))
    assert back.dtype == np.dtype(dtype).newbyteorder("=") and back.shape == (2, 3)
    assert (back == array).all()
    back[0, 0] = 1  # the copy is the student's own


def test_tensors_stay_tensors():
    back = decode(encode((torch.eye(2, dtype=torch.float32), torch.tensor([1, 2]))))
    assert explain(back[0], torch.eye(2), dtype="exact") is None
    assert back[1].dtype == torch.int64


@pytest.mark.parametrize("value", [object(), np.array([object()]), {1, 2}, 1j])
def test_anything_else_is_refused(value):
    with pytest.raises(TypeError):
        encode(value)


def test_an_array_of_objects_cannot_be_smuggled_in():
    with pytest.raises(TypeError):
        decode({"array": ["|O", [1], "AAAAAAAAAAA="]})
