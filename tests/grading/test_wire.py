import contextlib
import json
import math
import socket
import struct
import time
from collections import OrderedDict, UserDict
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lsedu.grading.child import values, wire
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
        {frozenset(): 1},
        np.broadcast_to(np.float64(0), (10**6, 10**6)),
        10**5000,
        [0] * (values.MAX_NODES + 1),
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
        ({"d": [[{"t": [{"l": []}]}, 1]]}, [], b""),
        ({"a": 0}, [[["<f8"], [1]]], b"\0" * 8),
        ({"a": 0}, [[{}, [1]]], b"\0" * 8),
        ({"a": 0.0}, [["<f8", [1]]], b"\0" * 8),
        ({"a": False}, [["<f8", [1]]], b"\0" * 8),
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


class Pair(NamedTuple):
    first: float
    second: float


class Colour(StrEnum):
    RED = "red"


NAMES = np.array(["red", "blue"])
ANSWERS = [
    ("red", NAMES[0]),
    ("red", NAMES.tolist()[0]),
    ("red", Colour.RED),
    (["red", "blue"], list(NAMES)),
    (("red", 1), (NAMES[0], np.int64(1))),
    ({"red": 1}, {NAMES[0]: np.uint8(1)}),
    ({0: 2, 1: 3}, dict(zip(*np.unique([0, 0, 1, 1, 1], return_counts=True)))),
    ({(0, 1): 0.5}, {(np.int64(0), np.int8(1)): np.float32(0.5)}),
    ({"a": 1.0}, MappingProxyType({"a": 1.0})),
    ({"a": 1.0}, UserDict({"a": 1.0})),
    ({"a": 1.0}, OrderedDict(a=1.0)),
    ({True: 1.0}, {np.bool_(True): 1.0}),
    ((1.0, 2.0), Pair(1.0, 2.0)),
    ((2, 3), torch.ones(2, 3).shape),
    ((2.0, 1), torch.tensor([1.0, 2.0]).max(0)),
    (0.5, np.float16(0.5)),
    (0.5, np.longdouble(0.5)),
    (0.5, np.array(0.5)),
    (0.5, torch.tensor(0.5, dtype=torch.bfloat16)),
    (True, np.bool_(True)),
    (None, None),
    (np.ones(3), np.ma.ones(3)),
    (np.ones(3), np.ones(3, dtype=">f4")),
    (np.ones((2, 3)), np.broadcast_to(np.float32(1), (2, 3))),
    (np.ones((2, 3)), np.asfortranarray(np.ones((2, 3)))),
    (torch.ones(2, 3), torch.nn.Parameter(torch.ones(3, 2)).t()),
    (torch.ones(3), torch.ones(1).expand(3)),
]


@pytest.mark.parametrize(("expected", "got"), ANSWERS, ids=lambda value: type(value).__name__)
def test_what_a_check_takes_for_an_answer_can_be_sent_and_stays_one(expected, got):
    assert explain(got, expected) is None
    assert explain(there_and_back(got), expected) is None


parts = st.recursive(
    plain | st.sampled_from(["<f8", "bfloat16", "|b1", "<U3"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ltdfasTx"), inner, min_size=1, max_size=2)
    ),
    max_leaves=8,
)


@given(parts, st.lists(st.lists(parts, max_size=3), max_size=2) | parts, st.binary(max_size=24))
@settings(deadline=None, max_examples=300)
def test_parts_of_any_kind_make_a_value_or_an_error_of_the_wire(tree, kinds, body):
    tree, kinds = json.loads(json.dumps([tree, kinds]).encode("utf-8", "backslashreplace"))
    with contextlib.suppress(wire.WireError):
        wire.build(tree, kinds, body)


def test_an_answer_has_the_room_that_it_is_given():
    with pytest.raises(wire.UnsendableError, match="many more bytes"):
        wire.pack("value", value=np.zeros(100, "u1"), has_value=True, room=wire.Room(1000, 99))
    frame = wire.pack("value", value=np.zeros(100, "u1"), has_value=True, room=wire.Room(1000, 100))
    for room in (wire.Room(10, 100), wire.Room(1000, 99)):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(frame)
            with pytest.raises(wire.WireError, match="cap"):
                wire.receive(ours, until=time.monotonic() + 5, room=room)
