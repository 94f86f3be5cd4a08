import json
import math
import socket
import struct
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lsedu.grading.child import wire
from lsedu.labs import explain

plain = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=20)
nested = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


def there_and_back(value):
    frame = wire.pack("value", value=value, has_value=True)
    header_size, body_size = struct.unpack_from("<II", frame)
    header = json.loads(frame[8 : 8 + header_size])
    assert len(frame) == 8 + header_size + body_size
    return wire.build(header["tree"], header["buffers"], frame[8 + header_size :])


def same(a, b):
    if isinstance(a, float) and math.isnan(a):
        return isinstance(b, float) and math.isnan(b)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


@given(nested)
@settings(deadline=None)
def test_plain_values_survive(value):
    value = json.loads(json.dumps(value)) if isinstance(value, str) else value
    assert same(there_and_back(value), value)


@pytest.mark.parametrize("dtype", ["?", "i1", "u2", "i8", "f2", "f4", ">f8", "c16", "g", "G"])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_arrays_survive(dtype, shape):
    array = (np.arange(6).reshape(2, 3) if shape == (2, 3) else np.ones(shape)).astype(dtype)
    back = there_and_back(array)
    assert back.shape == array.shape
    assert np.array_equal(back, array)
    assert back.dtype == array.dtype.newbyteorder("=")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.int64, torch.bool])
def test_tensors_survive(dtype):
    tensor = torch.tensor([[1, 0], [2, 3]]).to(dtype).requires_grad_(dtype.is_floating_point)
    back = there_and_back({"t": (tensor.t(), 1)})
    assert back["t"][0].dtype == dtype
    assert torch.equal(back["t"][0], tensor.detach().t())


@pytest.mark.parametrize(
    "value",
    [
        object(),
        np.array([object()]),
        np.array(["text"]),
        np.broadcast_to(np.float64(0), (10**6, 10**6)),
        10**5000,
        [0] * (wire.MAX_NODES + 1),
        torch.eye(2).to_sparse(),
        "x" * wire.MAX_HEADER,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_sent_is_refused(value):
    with pytest.raises(wire.UnsendableError):
        wire.pack("value", value=value, has_value=True)


@pytest.mark.parametrize(
    ("tree", "kinds", "body"),
    [
        ({"a": 0}, [["<f8", [2]]], b"\0" * 15),
        ({"a": 0}, [["<f8", [2]]], b"\0" * 17),
        ({"a": 0}, [["|O", [1]]], b"\0" * 8),
        ({"a": 0}, [["<f8", [-1]]], b""),
        ({"a": 0}, [["<f8", [2**40, 2**40]]], b""),
        ({"a": 0}, [["<f8", [0] + [2**26] * 20]], b""),
        ({"a": 0}, [["<f8", [True]]], b"\0" * 8),
        ({"a": 1}, [], b""),
        ({"a": 0, "l": []}, [["<f8", []]], b"\0" * 8),
        ({"f": "1e5"}, [], b""),
        ({"d": [[[], 1]]}, [], b""),
        ({"l": 3}, [], b""),
        ([1], [], b""),
        ({"s": 0}, [["<f8", [2]]], b"\0" * 16),
        ({"T": 0}, [["<u8", [1]], 3], b"\0" * 8),
        (None, None, b""),
        (None, {}, b""),
    ],
)
def test_forged_parts_are_refused(tree, kinds, body):
    with pytest.raises(wire.WireError):
        wire.build(tree, kinds, body)


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=200)
def test_noise_is_an_error_of_the_wire_and_nothing_else(noise):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(noise)
        theirs.shutdown(socket.SHUT_WR)
        try:
            header, body = wire.receive(ours, until=time.monotonic() + 5)
            wire.build(header.get("tree"), header.get("buffers"), body)
        except (wire.WireError, wire.ClosedError):
            pass


def test_a_claim_over_the_cap_is_refused_before_anything_is_read():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(struct.pack("<II", 10, wire.MAX_BODY + 1))
        with pytest.raises(wire.WireError, match="cap"):
            wire.receive(ours, until=time.monotonic() + 5)


def test_deadlines_hold_for_silent_and_slow_senders():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"\1")
        with pytest.raises(wire.LateError):
            wire.receive(ours, until=time.monotonic() + 0.05)
        with pytest.raises(wire.LateError):
            wire.send(ours, b"\0" * 10**8, until=time.monotonic() + 0.05)


def test_a_frame_is_what_explain_can_compare():
    assert explain(there_and_back(np.float32(0.5)), 0.5) is None
