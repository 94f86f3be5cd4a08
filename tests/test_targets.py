import math
import re
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import distributed

from lsedu.targets import OnlineTable, one_hot, q_targets, smooth, zipf

F64 = torch.float64


@given(k=st.integers(1, 7), alpha=st.floats(0, 1), seed=st.integers(0, 99))
def test_smoothed_targets_are_distributions_with_the_stated_masses(k, alpha, seed):
    labels = torch.randint(k, (5,), generator=torch.Generator().manual_seed(seed))
    p = smooth(labels, k, alpha=alpha, dtype=F64)
    assert p.shape == (5, k) and p.dtype == F64
    torch.testing.assert_close(p.sum(1), torch.ones(5, dtype=F64), rtol=0, atol=1e-14)
    for row, y in zip(p, labels.tolist()):
        for j in range(k):
            assert row[j].item() == pytest.approx((1 - alpha) * (j == y) + alpha / k, abs=1e-15)


@given(k=st.integers(2, 7), alpha=st.floats(0, 0.5))
def test_the_conventions_are_one_family(k, alpha):
    labels = torch.arange(k)
    others = smooth(labels, k, alpha=alpha, convention="others", dtype=F64)
    assert others[0, 0].item() == pytest.approx(1 - alpha, abs=1e-15)
    assert others[0, 1].item() == pytest.approx(alpha / (k - 1), abs=1e-15)
    torch.testing.assert_close(others, smooth(labels, k, alpha=min(1.0, alpha * k / (k - 1)), dtype=F64))


def test_limits_and_dtypes():
    y = torch.tensor([2, 0], dtype=torch.int32)
    assert one_hot(y, 3).dtype == torch.float32
    assert one_hot(y, 3, dtype=torch.float16).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert torch.equal(smooth(y, 3, alpha=0), one_hot(y, 3))
    assert (
        smooth(y, 3, alpha=0).dtype == torch.float32 and smooth(y, 3, alpha=0, dtype=torch.float16).dtype == torch.half
    )
    assert smooth(y, 3, alpha=0.1).dtype == torch.float32
    torch.testing.assert_close(smooth(y, 3, alpha=1), torch.full((2, 3), 1 / 3))
    assert smooth(y, 3, alpha=1, convention="others").tolist() == [[0.5, 0.5, 0], [0, 0.5, 0.5]]
    assert smooth(torch.tensor([0]), 1, alpha=0.5).tolist() == [[1.0]]
    assert smooth(torch.tensor([0]), 1, alpha=0, convention="others").tolist() == [[1.0]]
    assert smooth(torch.empty(0, dtype=torch.long), 3, alpha=0.1).shape == (0, 3)


def test_priors_one_for_all_or_one_for_each_label():
    y = torch.tensor([1, 2])
    u = torch.tensor([0.5, 0.25, 0.25], dtype=F64)
    torch.testing.assert_close(
        smooth(y, 3, alpha=0.4, prior=u, dtype=F64), torch.tensor([[0.2, 0.7, 0.1], [0.2, 0.1, 0.7]], dtype=F64)
    )
    torch.testing.assert_close(
        smooth(y, 3, alpha=0.4, prior=u, convention="others", dtype=F64),
        torch.tensor([[0.4 * 2 / 3, 0.6, 0.4 / 3], [0.4 * 2 / 3, 0.4 / 3, 0.6]], dtype=F64),
    )
    narrow = smooth(y, 3, alpha=0.1, prior=u.float(), dtype=F64)
    torch.testing.assert_close(narrow, smooth(y, 3, alpha=0.1, prior=u, dtype=F64), rtol=1e-15, atol=0)
    table = torch.eye(3, dtype=F64).roll(1, 0)
    torch.testing.assert_close(
        smooth(y, 3, alpha=0.4, prior=table, dtype=F64), torch.tensor([[0.4, 0.6, 0], [0, 0.4, 0.6]], dtype=F64)
    )


def test_q_targets_mix_the_label_with_its_row():
    t = torch.tensor([[0.0, 0.0], [0.0, math.log(3.0)]], dtype=F64, requires_grad=True)
    p = q_targets(torch.tensor([1, 0]), t, alpha=0.4)
    torch.testing.assert_close(p.detach(), torch.tensor([[0.1, 0.9], [0.8, 0.2]], dtype=F64))
    assert torch.autograd.gradcheck(lambda t: q_targets(torch.tensor([1, 0, 1]), t, alpha=0.4), t)
    half = q_targets(torch.tensor([1]), t.detach().half(), alpha=0.4)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, torch.tensor([[0.1, 0.9]]), rtol=0, atol=1e-4)
    zero = torch.zeros(3, 3, dtype=F64)
    y = torch.arange(3)
    torch.testing.assert_close(q_targets(y, zero, alpha=0.2), smooth(y, 3, alpha=0.2, dtype=F64))


def test_zipf_by_hand():
    z = torch.tensor([[0.1, 5.0, 3.0, 3.0, -1.0]], dtype=F64)
    y = torch.tensor([1])
    # others: ranks 3, -, 1, 1, 4
    mass = torch.tensor([1 / 3, 0, 1, 1, 1 / 4], dtype=F64)
    torch.testing.assert_close(zipf(z, y)[0], mass / mass.sum())
    # all: the label holds rank 1, ranks 4, -, 2, 2, 5
    mass = torch.tensor([1 / 4, 0, 1 / 2, 1 / 2, 1 / 5], dtype=F64) ** 2
    torch.testing.assert_close(zipf(z, y, ranking="all", power=2)[0], mass / mass.sum())
    torch.testing.assert_close(zipf(z, y, power=0)[0], torch.tensor([0.25, 0, 0.25, 0.25, 0.25], dtype=F64))
    assert not zipf(z.requires_grad_(), y).requires_grad
    assert zipf(z.detach().half(), y).dtype == torch.float32
    before = z.detach().clone()
    zipf(z.detach(), y)
    assert torch.equal(z.detach(), before)


@given(seed=st.integers(0, 200), k=st.integers(2, 6))
def test_zipf_follows_a_permutation_of_the_classes(seed, k):
    g = torch.Generator().manual_seed(seed)
    z = torch.randint(-3, 3, (4, k), generator=g).double()
    y = torch.randint(k, (4,), generator=g)
    order = torch.randperm(k, generator=g)
    p = zipf(z, y)
    torch.testing.assert_close(p.sum(1), torch.ones(4, dtype=F64))
    assert (p.gather(1, y[:, None]) == 0).all()
    torch.testing.assert_close(zipf(z[:, order], order.argsort()[y]), p[:, order])


def test_online_table_averages_correct_predictions_by_class():
    online = OnlineTable(3, dtype=F64)
    assert online.table.tolist() == [[1 / 3] * 3] * 3
    z = torch.tensor([[2.0, 0, 0], [1.0, 0, 0], [0, 3.0, 0], [9.0, 0, 0], [9.0, 0, 0]], dtype=F64)
    y = torch.tensor([0, 0, 1, 1, -100])
    online.update(z[:2], y[:2])
    online.update(z[2:], y[2:])
    assert online.counts.tolist() == [2, 1, 0]
    assert online.table.tolist() == [[1 / 3] * 3] * 3
    online.end_of_epoch()
    q = z.softmax(1)
    torch.testing.assert_close(online.table[0], (q[0] + q[1]) / 2)
    torch.testing.assert_close(online.table[1], q[2])
    torch.testing.assert_close(online.table[2], torch.full((3,), 1 / 3, dtype=F64))
    assert online.counts.sum() == 0 and online.sums.sum() == 0
    online.end_of_epoch()
    assert online.table.tolist() == [[1 / 3] * 3] * 3


def test_online_table_of_one_class():
    online = OnlineTable(1)
    online.update(torch.zeros(2, 1), torch.tensor([0, 0]))
    online.end_of_epoch()
    assert online.table.tolist() == [[1.0]] and online.counts.shape == (1,)


def test_online_table_variants_of_the_released_code():
    assert OnlineTable(2, start="zeros").table.sum() == 0
    online = OnlineTable(2, keep_above=0.8)
    online.table.copy_(torch.tensor([[0.8, 0.2], [0.3, 0.7]]))
    z, y = torch.tensor([[0.1, 0.0], [0.0, 0.1]]), torch.tensor([0, 1])
    online.update(z, y)
    online.end_of_epoch()
    torch.testing.assert_close(online.table[0], torch.tensor([0.8, 0.2]))
    torch.testing.assert_close(online.table[1], z[1].softmax(0))
    online.end_of_epoch()
    assert online.table.tolist() == [[0.5, 0.5]] * 2
    assert OnlineTable(2, device="meta").counts.is_meta
    copy = OnlineTable(2)
    copy.load_state_dict(online.state_dict())
    assert set(online.state_dict()) == {"table", "sums", "counts"}


def test_a_prediction_that_is_no_number_is_not_counted():
    # as in a step that overflows, which mixed precision then skips
    z = torch.tensor([[3.0, 0.0], [math.nan, 0.0], [math.inf, 0.0], [0.0, math.nan], [0.0, -math.inf]])
    online = OnlineTable(2)
    online.update(z, torch.tensor([0, 0, 0, 1, 0]))
    assert online.counts.tolist() == [2, 0]
    torch.testing.assert_close(online.sums[0], z[0].softmax(0) + torch.tensor([1.0, 0.0]))
    online.end_of_epoch()
    assert torch.isfinite(online.table).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_an_online_table_in_half_precision_counts_on(dtype):
    z = torch.tensor([[1.0, 0.0], [0.0, 2.0]]).repeat(1500, 1)
    y = torch.tensor([0, 1]).repeat(1500)
    wide = OnlineTable(2)
    made, cast, moved = OnlineTable(2, dtype=dtype), OnlineTable(2).to(dtype), torch.nn.Sequential(OnlineTable(2))
    moved.to(dtype)
    for online in (wide, made, cast, moved[0]):
        for _ in range(3):
            online.update(z.to(dtype), y)
        assert online.counts.tolist() == [4500, 4500] and online.counts.dtype == torch.int64
        torch.testing.assert_close(online.sums.sum(1), torch.full((2,), 4500.0), rtol=1e-4, atol=0)
        online.end_of_epoch()
    for online in (made, cast, moved[0]):
        assert online.table.dtype == dtype and online.sums.dtype == torch.float32
        assert torch.equal(online.table, wide.table.to(dtype))
    # what was counted is cast with nothing lost, and goes along to other places
    wide.update(z, y)
    before = wide.sums.clone()
    assert torch.equal(wide.half().sums, before) and wide.double().sums.dtype == F64
    assert wide.to("meta").sums.is_meta
    old = {"table": torch.eye(2), "sums": torch.ones(2, 2), "counts": torch.tensor([3.0, 4.0])}
    wide = OnlineTable(2)
    wide.load_state_dict(old)  # as kept when counts were floats
    assert wide.counts.tolist() == [3, 4]


def test_an_online_table_adds_up_what_all_processes_saw(monkeypatch):
    z, y = torch.randn(40, 3), torch.randint(3, (40,))
    whole, mine, other = (OnlineTable(3) for _ in range(3))
    whole.update(z, y)
    mine.update(z[:15], y[:15])
    other.update(z[15:], y[15:])
    whole.end_of_epoch()
    asked = []

    def all_reduce(tensor, group=None):
        asked.append(group)
        tensor += other.sums if tensor.ndim == 2 else other.counts

    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "all_reduce", all_reduce)
    mine.process_group = "some"
    mine.end_of_epoch()
    torch.testing.assert_close(mine.table, whole.table)
    assert asked == ["some", "some"] and mine.counts.sum() == 0


def _epoch_of_a_process(rank, folder):
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    generator = torch.Generator().manual_seed(0)
    z, y = torch.randn(40, 3, generator=generator), torch.randint(3, (40,), generator=generator)
    online = OnlineTable(3)
    online.update(z[rank::2], y[rank::2])
    online.end_of_epoch()
    torch.save(online.table, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
@pytest.mark.skipif(not distributed.is_available(), reason="this PyTorch has no torch.distributed")
def test_two_processes_have_the_table_of_one(tmp_path):
    torch.multiprocessing.spawn(_epoch_of_a_process, (tmp_path,), nprocs=2)
    generator = torch.Generator().manual_seed(0)
    whole = OnlineTable(3)
    whole.update(torch.randn(40, 3, generator=generator), torch.randint(3, (40,), generator=generator))
    whole.end_of_epoch()
    for rank in range(2):
        torch.testing.assert_close(torch.load(tmp_path / f"{rank}.pt"), whole.table)


Y, Z = torch.tensor([0]), torch.zeros(1, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: one_hot(Y, 2.0), "num_classes must be an integer, got 2.0"),
        (lambda: one_hot(Y, True), "num_classes must be an integer, got True"),
        (lambda: one_hot(Y, 2, dtype=torch.int64), "dtype must be a floating-point torch.dtype, got torch.int64"),
        (
            lambda: smooth(Y, 2, alpha=0.1, dtype=float),
            "dtype must be a floating-point torch.dtype, got <class 'float'>",
        ),
        (lambda: one_hot(Y, 0), "num_classes must be at least 1, got 0"),
        (lambda: one_hot(torch.tensor([3]), 3), "labels must be integers in [0, 3), got 3"),
        (lambda: smooth(Y, 3, alpha=-0.1), "alpha must be in [0, 1], got -0.1"),
        (lambda: smooth(Y, 3, alpha=1.1), "alpha must be in [0, 1], got 1.1"),
        (lambda: smooth(Y, 3, alpha=0.1, convention="x"), "convention must be one of 'all', 'others', got 'x'"),
        (lambda: smooth(Y, 3, alpha=0.1, prior=torch.ones(1)), "prior must have shape (3,) or (3, 3), got (1,)"),
        (
            lambda: smooth(Y, 2, alpha=0.1, prior=torch.ones(2)),
            "prior must sum to 1 along its last axis, got a sum of 2",
        ),
        (
            lambda: smooth(Y, 2, alpha=0.1, convention="others", prior=torch.tensor([1.0, 0.0])),
            "convention 'others' needs prior mass on a class other than the label, got none (num_classes=2)",
        ),
        (
            lambda: smooth(Y, 1, alpha=0.1, convention="others"),
            "convention 'others' needs prior mass on a class other than the label, got none (num_classes=1)",
        ),
        (lambda: zipf(torch.zeros(1, 1), Y), "Zipf targets need at least 2 classes, got K = 1"),
        (lambda: zipf([0.0], Y), "logits must be a torch.Tensor of shape (N, K), got list"),
        (lambda: zipf(Z, torch.tensor([3])), "labels must be integers in [0, 3), got 3"),
        (lambda: zipf(Z, torch.tensor([0, 1])), "labels must have shape (1,), got (2,)"),
        (lambda: zipf(Z, Y, power=-1), "power must be in [0, inf), got -1"),
        (lambda: zipf(Z, Y, power=math.inf), "power must be in [0, inf), got inf"),
        (lambda: zipf(Z, Y, ranking="x"), "ranking must be one of 'others', 'all', got 'x'"),
        (lambda: q_targets(Y, torch.zeros(2, 3), alpha=0.1), "q_logits must be square, got shape (2, 3)"),
        (lambda: q_targets(Y, torch.zeros(2), alpha=0.1), "q_logits must have shape (N, K) with K >= 1, got (2,)"),
        (
            lambda: q_targets(torch.tensor([2]), torch.zeros(2, 2), alpha=0.1),
            "labels must be integers in [0, 2), got 2",
        ),
        (lambda: q_targets(Y, torch.zeros(2, 2), alpha=2), "alpha must be in [0, 1], got 2"),
        (lambda: OnlineTable(2, dtype=torch.int64), "dtype must be a floating-point torch.dtype, got torch.int64"),
        (lambda: OnlineTable(3).update(Z, Y, ignore_index=None), "ignore_index must be an integer, got None"),
        (lambda: OnlineTable(0), "num_classes must be at least 1, got 0"),
        (lambda: OnlineTable(2, start="x"), "start must be one of 'uniform', 'zeros', got 'x'"),
        (lambda: OnlineTable(2, keep_above=0), "keep_above must be in (0, 1], got 0"),
        (lambda: OnlineTable(2, keep_above=1.1), "keep_above must be in (0, 1], got 1.1"),
        (lambda: OnlineTable(2).update(Z, Y), "logits must have 2 classes, got 3"),
        (
            lambda: OnlineTable(3).update(Z, torch.tensor([3])),
            "labels must be integers in [0, 3) or ignore_index=-100, got 3",
        ),
        (lambda: OnlineTable(3).update(Z, torch.tensor([0, 0])), "labels must have shape (1,), got (2,)"),
        (lambda: OnlineTable(3).update([0], Y), "logits must be a torch.Tensor of shape (N, K), got list"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def test_the_online_table_names_a_device_that_is_not_there():
    with pytest.raises(ValueError, match=r"^device must be a device of this machine, .* got 'no': "):
        OnlineTable(2, device="no")


@pytest.mark.parametrize("ranking", ["others", "all"])
def test_zipf_ranks_a_transposed_tensor_without_a_warning(ranking):
    z = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).t()
    y = torch.tensor([0, 1, 3])
    torch.set_warn_always(True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            got = zipf(z, y, ranking=ranking)
    finally:
        torch.set_warn_always(False)
    assert torch.equal(got, zipf(z.contiguous(), y, ranking=ranking))
