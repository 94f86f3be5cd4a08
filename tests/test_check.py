import re

import numpy as np
import pytest
import torch

from lsedu import _check


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: _check.real_in("a", "x", 0, 1), "a must be a number in [0, 1], got 'x'"),
        (lambda: _check.real_in("a", "0.5", 0, 1), "a must be a number in [0, 1], got '0.5'"),
        (lambda: _check.real_in("a", True, 0, 1), "a must be a number in [0, 1], got True"),
        (lambda: _check.real_in("a", 10**400, 0, 1), f"a must be a number in [0, 1], got {10**400}"),
        (lambda: _check.real_in("a", None, 0, 1), "a must be a number in [0, 1], got None"),
        (lambda: _check.real_in("a", float("nan"), 0, 1), "a must be in [0, 1], got nan"),
        (lambda: _check.real_in("a", -0.1, 0, 1), "a must be in [0, 1], got -0.1"),
        (lambda: _check.real_in("a", 1.1, 0, 1), "a must be in [0, 1], got 1.1"),
        (lambda: _check.real_in("a", 0.0, 0, 1, open_low=True), "a must be in (0, 1], got 0.0"),
        (lambda: _check.real_in("a", 1, 0, 1, open_high=True), "a must be in [0, 1), got 1"),
        (lambda: _check.one_of("a", "x", ("y", "z")), "a must be one of 'y', 'z', got 'x'"),
        (lambda: _check.logits("z", [[1.0]]), "z must be a torch.Tensor of shape (N, K), got list"),
        (lambda: _check.logits("z", torch.zeros(2, 2).long()), "z must have a floating-point dtype, got torch.int64"),
        (lambda: _check.logits("z", torch.zeros(2)), "z must have shape (N, K) with K >= 1, got (2,)"),
        (lambda: _check.logits("z", torch.zeros(2, 0)), "z must have shape (N, K) with K >= 1, got (2, 0)"),
        (lambda: _check.labels("y", [0], 2), "y must be a torch.Tensor of shape (N,), got list"),
        (lambda: _check.labels("y", torch.zeros(1), 2), "y must have an integer dtype, got torch.float32"),
        (lambda: _check.labels("y", torch.zeros(1) > 0, 2), "y must have an integer dtype, got torch.bool"),
        (lambda: _check.labels("y", torch.tensor([1j]), 2), "y must have an integer dtype, got torch.complex64"),
        (lambda: _check.labels("y", torch.zeros(1, 1).long(), 2), "y must have shape (N,), got (1, 1)"),
        (lambda: _check.labels("y", torch.zeros(1).long(), 2, size=2), "y must have shape (2,), got (1,)"),
        (lambda: _check.labels("y", torch.tensor([0, 2]), 2), "y must be integers in [0, 2), got 2"),
        (lambda: _check.labels("y", torch.tensor([0, -1]), 2), "y must be integers in [0, 2), got -1"),
        (
            lambda: _check.labels("y", torch.tensor([-5, -1]), 2, ignore_index=-5),
            "y must be integers in [0, 2) or ignore_index=-5, got -1",
        ),
        (lambda: _check.distributions("p", [1.0]), "p must be a floating-point torch.Tensor, got list"),
        (
            lambda: _check.distributions("p", torch.tensor([1])),
            "p must be a floating-point torch.Tensor, got torch.int64",
        ),
        (lambda: _check.distributions("p", torch.tensor([torch.nan])), "p must be finite, got a NaN or an infinity"),
        (lambda: _check.distributions("p", torch.tensor([1.5, -0.5])), "p must be >= 0, got -0.5"),
        (
            lambda: _check.distributions("p", torch.tensor([0.5, 0.25])),
            "p must sum to 1 along its last axis, got a sum of 0.75",
        ),
        (lambda: _check.array("p", [[1.0]], ndim=1), "p must have 1 axes, got shape (1, 1)"),
        (lambda: _check.array("p", ["x"], ndim=1), "p must be numeric with 1 axes, got list"),
        (lambda: _check.array("p", ["1"], ndim=1), "p must be numeric with 1 axes, got list"),
        (lambda: _check.array("p", torch.tensor([1j]), ndim=1), "p must be numeric with 1 axes, got complex64"),
        (lambda: _check.array("p", [1j], ndim=1), "p must be numeric with 1 axes, got complex128"),
        (lambda: _check.array("p", [[1.0], [0.5, 0.5]], ndim=2), "p must have rows of one length, got a ragged list"),
        (lambda: _check.array("p", [-np.inf], ndim=1, nan=True), "p must be finite or NaN, got an infinity"),
        (lambda: _check.label_array("y", [[0], [0, 1]], 2), "y must have rows of one length, got a ragged list"),
        (
            lambda: _check.label_array("y", torch.zeros(1, dtype=torch.bfloat16), 2),
            "y must have an integer dtype, got float32",
        ),
        (lambda: _check.array("p", [np.inf], ndim=1), "p must be finite, got a NaN or an infinity"),
        (lambda: _check.label_array("y", [0.5], 2), "y must have an integer dtype, got float64"),
        (lambda: _check.label_array("y", [[0]], 2), "y must have shape (N,), got (1, 1)"),
        (lambda: _check.label_array("y", [0], 2, size=3), "y must have shape (3,), got (1,)"),
        (lambda: _check.label_array("y", [0, 2], 2), "y must be integers in [0, 2), got 2"),
    ],
)
def test_the_message_names_what_came_and_what_was_wanted(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def test_what_is_right_comes_back():
    assert _check.real_in("a", 0, 0, 1) == 0.0
    assert _check.real_in("a", torch.tensor(1.0), 0, 1) == 1.0
    assert _check.one_of("a", "y", ("y", "z")) == "y"
    z = torch.zeros(2, 1)
    assert _check.logits("z", z) is z
    y = torch.tensor([0, 1])
    assert _check.labels("y", y, 2, size=2) is y
    assert _check.labels("y", torch.tensor([-100, 1]), 2, ignore_index=-100).tolist() == [-100, 1]
    assert _check.labels("y", torch.tensor([7, 1]), 2, ignore_index=7).tolist() == [7, 1]
    assert _check.labels("y", torch.tensor([], dtype=torch.long), 2).shape == (0,)
    assert _check.array("p", torch.ones(2, requires_grad=True), ndim=1).dtype == np.float64
    assert _check.label_array("y", torch.tensor([1]), 2).dtype == np.int64
    assert _check.label_array("y", [], 2).shape == (0,)


def test_sums_may_be_off_by_rounding_only():
    for dtype, tolerance in (
        (torch.float64, 1e-4),
        (torch.float32, 1e-4),
        (torch.bfloat16, 1e-2),
        (torch.float16, 1e-2),
    ):
        _check.distributions("p", torch.tensor([0.5, 0.5 + 0.7 * tolerance], dtype=dtype))
        with pytest.raises(ValueError, match="sum to 1"):
            _check.distributions("p", torch.tensor([0.5, 0.5 + 2 * tolerance], dtype=dtype))


def test_arrays_are_checked_where_torch_is_not(without_torch):
    without_torch("""
        from lsedu import _check

        assert _check.array("p", [[1, 2]], ndim=2).tolist() == [[1.0, 2.0]]
        assert _check.label_array("y", [1], 2).tolist() == [1]
        assert _check.real_in("a", 0.5, 0, 1) == 0.5
    """)
