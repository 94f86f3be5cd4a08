"""Learnable label smoothing: values, both gradients, the ablation table, the criteria around it."""

import copy
import math
import re

import pytest
import torch

from lsedu import losses as L
from lsedu.targets import q_targets, smooth

F64 = torch.float64
# H(s, q), H(q, s), -H(q), -H(s) in the rows of the paper's ablation table
TABLE = {
    "no-fce": (0, 1, 1, 1),
    "no-rce": (1, 0, 1, 1),
    "no-pred-em": (1, 1, 0, 1),
    "no-targets-em": (1, 1, 1, 0),
    "fce-only": (1, 0, 0, 0),
    "symmetric-ce": (1, 1, 0, 0),
    "forward-kl": (1, 0, 0, 1),
    "reverse-kl": (0, 1, 1, 0),
    "lls": (1, 1, 1, 1),
}


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-13)


def terms(z, s):
    """Return the four terms in probabilities."""
    q = z.softmax(1)
    return (
        -(s * q.log()).sum(1),
        -(q * s.log()).sum(1),
        (q * q.log()).sum(1),
        torch.xlogy(s, s).sum(1),
    )


def naive(z, s, variant):
    return sum(c * term for c, term in zip(TABLE[variant], terms(z, s)) if c)


@pytest.mark.parametrize("alpha", [0.1, 0.6, 1.0])
@pytest.mark.parametrize("variant", TABLE)
def test_value_and_both_gradients_against_autograd(batch, variant, alpha):
    z, y, t = (x.clone() for x in batch)
    z.requires_grad_(), t.requires_grad_()
    assert tuple(L.VARIANTS[variant]) == TABLE[variant]
    upstream = torch.linspace(-1, 2, 6, dtype=F64)
    for rows in (slice(None), slice(0, 3)):  # more samples than classes, and fewer
        got = L.learnable_smoothing(z[rows], y[rows], t, alpha=alpha, variant=variant, reduction="none")
        want = naive(z[rows], q_targets(y[rows], t, alpha=alpha), variant)
        close(got, want)
        for reduce in (lambda x, r=rows: (x * upstream[r]).sum(), torch.sum, torch.mean):
            a = torch.autograd.grad(reduce(got), (z, t), retain_graph=True)
            b = torch.autograd.grad(reduce(want), (z, t), retain_graph=True)
            close(a[0], b[0])
            close(a[1], b[1])
        mean = L.learnable_smoothing(z[rows], y[rows], t, alpha=alpha, variant=variant)
        close(mean, want.mean())
        a = torch.autograd.grad(3 * mean, (z, t), retain_graph=True)
        b = torch.autograd.grad(3 * want.mean(), (z, t))
        close(a[0], b[0])
        close(a[1], b[1])
        again = torch.autograd.grad(3 * mean, (z, t))
        assert all(torch.equal(x, w) for x, w in zip(a, again))


@pytest.mark.parametrize("size", [1.0, 30.0])
@pytest.mark.parametrize("variant", TABLE)
def test_many_classes_and_large_logits_in_both_precisions(variant, size):
    g = torch.Generator().manual_seed(2)
    k = 70
    z = (size * torch.randn(150, k, generator=g)).double().requires_grad_()
    t = (size * torch.randn(k, k, generator=g)).double().requires_grad_()
    y = torch.randint(k, (150,), generator=g)
    for n in (9, 150):  # fewer samples than rows of Q, and more than twice as many
        for alpha in (0.2, 1.0):
            want = naive(z[:n], q_targets(y[:n], t, alpha=alpha), variant)
            slopes = torch.autograd.grad(want.sum(), (z, t))
            for dtype, rtol, atol in ((F64, 1e-9, 1e-11), (torch.float32, 1e-5, 1e-6)):
                live, table = z.detach()[:n].to(dtype).requires_grad_(), t.detach().to(dtype).requires_grad_()
                got = L.learnable_smoothing(live, y[:n], table, alpha=alpha, variant=variant, reduction="none")
                torch.testing.assert_close(got.double(), want, rtol=rtol, atol=atol)
                on_z, on_t = torch.autograd.grad(got.sum(), (live, table))
                torch.testing.assert_close(on_z.double(), slopes[0][:n], rtol=rtol, atol=atol)
                torch.testing.assert_close(on_t.double(), slopes[1], rtol=rtol, atol=atol)


@pytest.mark.parametrize("variant", TABLE)
def test_finite_differences_on_both(batch, variant):
    z, y, t = batch
    for n in (6, 3):
        for half in (False, True):
            assert torch.autograd.gradcheck(
                lambda z, t, n=n, h=half: L.learnable_smoothing(z, y[:n], t, alpha=0.3, variant=variant, half=h),
                (z[:n].clone().requires_grad_(), t.clone().requires_grad_()),
            )


@pytest.mark.parametrize("size", [1.0, 30.0])
@pytest.mark.parametrize("k", [4, 70])
@pytest.mark.parametrize("variant", TABLE)
def test_the_given_tensors_are_left_alone(variant, k, size):
    for n in (3, 150):
        for dtype in (torch.float32, F64):
            z, t = size * torch.randn(n, k, dtype=dtype), size * torch.randn(k, k, dtype=dtype)
            before = z.clone(), t.clone()
            L.learnable_smoothing(
                z.requires_grad_(), torch.arange(n) % k, t.requires_grad_(), variant=variant
            ).backward()
            assert torch.equal(z, before[0]) and torch.equal(t, before[1])


def test_blocks_of_rows_are_put_together_in_order(batch, monkeypatch):
    z, y, t = (x.clone() for x in batch)
    z.requires_grad_(), t.requires_grad_()
    whole = L.learnable_smoothing(z, y, t, reduction="none")
    monkeypatch.setattr("lsedu.losses._lls._BLOCK", 8)  # two rows at a time
    parts = L.learnable_smoothing(z, y, t, reduction="none")
    close(parts, whole)
    weights = torch.arange(6.0, dtype=F64)
    for a, b in zip(
        torch.autograd.grad((parts * weights).sum(), (z, t)), torch.autograd.grad((whole * weights).sum(), (z, t))
    ):
        close(a, b)
    half = L.learnable_smoothing(z.half(), y, t.half(), reduction="none")
    torch.testing.assert_close(half, L.learnable_smoothing(z.half().float(), y, t.half().float(), reduction="none"))
    assert half.dtype == torch.float32
    monkeypatch.setattr("lsedu.losses._lls._BLOCK", 1)  # less than a row: one at a time
    close(L.learnable_smoothing(z, y, t, reduction="none"), whole)


def test_half_halves_and_the_default_does_not(batch):
    z, y, t = batch
    close(2 * L.learnable_smoothing(z, y, t, half=True), L.learnable_smoothing(z, y, t))
    close(L.learnable_smoothing(z, y, t), L.learnable_smoothing(z, y, t, alpha=0.1, variant="lls", half=False))


def test_symmetric_loss_is_both_divergences_and_zero_where_they_meet(batch):
    z, y, t = batch
    both = sum(L.learnable_smoothing(z, y, t, variant=v) for v in ("forward-kl", "reverse-kl"))
    close(L.learnable_smoothing(z, y, t), both)
    s = q_targets(y, t, alpha=0.1)
    met = s.log().requires_grad_()
    t.requires_grad_()
    value = L.learnable_smoothing(met, y, t)
    gradients = torch.autograd.grad(value, (met, t))
    assert abs(value.item()) < 1e-15 and all(g.abs().max() < 1e-15 for g in gradients)
    for variant in ("fce-only", "forward-kl"):
        a = torch.autograd.grad(L.learnable_smoothing(z.requires_grad_(), y, t, variant=variant), z)[0]
        close(a, (z.softmax(1) - s).detach() / 6)


def test_a_small_loss_keeps_digits_in_float32(batch):
    _, y, t = batch
    g = torch.Generator().manual_seed(0)
    z = (q_targets(y, t, alpha=0.1).log() + 1e-3 * torch.randn(6, 4, generator=g, dtype=F64)).float()
    want = L.learnable_smoothing(z.double(), y, t.float().double(), reduction="none")
    assert want.max() < 1e-6
    torch.testing.assert_close(
        L.learnable_smoothing(z, y, t.float(), reduction="none").double(), want, rtol=5e-3, atol=0
    )


def test_fresh_q_is_uniform_smoothing(batch):
    z, y, _ = batch
    zero = torch.zeros(4, 4, dtype=F64)
    close(L.learnable_smoothing(z, y, zero, variant="fce-only"), L.label_smoothing(z, y, alpha=0.1))


def test_alpha_zero_where_it_is_finite(batch):
    z, y, t = (x.clone() for x in batch)
    z.requires_grad_(), t.requires_grad_()
    q = z.softmax(1)
    own = -q.log()[torch.arange(6), y]
    close(L.learnable_smoothing(z, y, t, alpha=0, variant="fce-only", reduction="none"), own)
    close(L.learnable_smoothing(z, y, t, alpha=0, variant="forward-kl", reduction="none"), own)
    sure = L.learnable_smoothing(z, y, t, alpha=0, variant="no-rce", half=True)
    close(sure, (own + (q * q.log()).sum(1)).mean() / 2)
    g = torch.autograd.grad(sure, (z, t))
    assert g[1].abs().max() == 0
    limit = L.learnable_smoothing(z, y, t, alpha=1e-13, variant="no-rce", half=True)
    torch.testing.assert_close(sure, limit, rtol=1e-10, atol=1e-10)
    for variant in ("lls", "no-fce", "no-pred-em", "no-targets-em", "symmetric-ce", "reverse-kl"):
        message = f"alpha must be in (0, 1] for variant {variant!r}, got 0: H(q, s) is infinite for one-hot s"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            L.learnable_smoothing(z, y, t, alpha=0, variant=variant)
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            L.LearnableLabelSmoothing(4, alpha=0, variant=variant)


def test_sparse_gradient_equals_the_dense_one(batch):
    z, y, t = batch
    for rows in (slice(None), slice(0, 3)):
        dense = t.clone().requires_grad_()
        L.learnable_smoothing(z[rows], y[rows], dense).backward()
        sparse = t.clone().requires_grad_()
        L.learnable_smoothing(z[rows], y[rows], sparse, sparse=True).backward()
        assert sparse.grad.is_sparse and not dense.grad.is_sparse
        close(sparse.grad.to_dense(), dense.grad)
        assert sparse.grad.shape == (4, 4)


def test_only_what_needs_a_gradient_gets_one(batch):
    z, y, t = (x.clone() for x in batch)
    L.learnable_smoothing(z, y, t.requires_grad_()).backward()
    assert z.grad is None and t.grad is not None
    t = t.detach()
    L.learnable_smoothing(z.requires_grad_(), y, t).backward()
    assert z.grad is not None and t.grad is None


def test_class_weights_weigh_the_labels(batch):
    z, y, t = batch
    w = torch.tensor([0.5, 2.0, 0.0, 1.5], dtype=F64)
    each = L.learnable_smoothing(z, y, t, reduction="none")
    close(L.learnable_smoothing(z, y, t, weight=w, reduction="none"), each * w[y])
    close(L.learnable_smoothing(z, y, t, weight=w), (each * w[y]).sum() / w[y].sum())
    close(L.learnable_smoothing(z, y, t, weight=w, reduction="sum"), (each * w[y]).sum())
    kept = y != 1
    got = L.learnable_smoothing(z, y, t, weight=w, ignore_index=1)
    close(got, (each * w[y])[kept].sum() / w[y][kept].sum())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("variant", TABLE)
def test_extreme_q_stays_finite(variant, dtype):
    corner = 1e4 * torch.tensor([[1, -1, 0], [-1, 1, 1], [0, 0, 1]], dtype=dtype)
    for alpha in (1e-6, 0.1, 1.0):
        z, t = corner.clone().requires_grad_(), (-corner).clone().requires_grad_()
        value = L.learnable_smoothing(z, torch.tensor([0, 1, 2]), t, alpha=alpha, variant=variant)
        value.backward()
        assert torch.isfinite(value) and torch.isfinite(z.grad).all() and torch.isfinite(t.grad).all()


def test_mixed_dtypes_promote(batch):
    z, y, t = batch
    assert L.learnable_smoothing(z.float(), y, t).dtype == F64
    table = t.float().requires_grad_()
    logits = z.bfloat16().requires_grad_()
    value = L.learnable_smoothing(logits, y, table)
    value.backward()
    assert (value.dtype, logits.grad.dtype, table.grad.dtype) == (torch.float32, torch.bfloat16, torch.float32)
    for n in (6, 12):  # each sample's row by itself, and each row once
        half = t.half().requires_grad_()
        logits, labels = z.repeat(2, 1)[:n].half(), y.repeat(2)[:n]
        value = L.learnable_smoothing(logits, labels, half)
        value.backward()
        assert half.grad.dtype == torch.float16 and value.dtype == torch.float32
        torch.testing.assert_close(
            value, L.learnable_smoothing(logits.float(), labels, half.detach().float()), rtol=1e-6, atol=1e-6
        )


def test_a_second_derivative_is_refused(batch):
    z, y, t = batch
    value = L.learnable_smoothing(z.clone().requires_grad_(), y, t.requires_grad_())
    message = "^learnable label smoothing has no second derivative: leave out create_graph=True$"
    with pytest.raises(RuntimeError, match=message):
        torch.autograd.grad(value, t, create_graph=True)


def test_one_class():
    z, t = torch.randn(3, 1, requires_grad=True), torch.randn(1, 1, requires_grad=True)
    value = L.learnable_smoothing(z, torch.zeros(3, dtype=torch.long), t)
    value.backward()
    assert max(abs(value.item()), z.grad.abs().max().item(), t.grad.abs().max().item()) < 1e-6
    assert L.LearnableLabelSmoothing(1).q().tolist() == [[1.0]]


@pytest.mark.parametrize("alpha", [0.1, 0.7, 1.0])
def test_closed_forms_term_by_term(batch, alpha):
    z, y, t = batch
    z.requires_grad_()
    rows = t[y].requires_grad_()
    hot = torch.nn.functional.one_hot(y, 4).to(F64)
    s = (1 - alpha) * hot + alpha * rows.softmax(1)
    fce, rce, pem, tem = terms(z, s)
    want = {
        "fce": fce,
        "rce": rce,
        "pred-em": pem,
        "targets-em": tem,
        "forward-kl": fce + tem,
        "reverse-kl": rce + pem,
        "lls": fce + rce + pem + tem,
    }
    got = L.lls_gradients(z, y, t, alpha=alpha)
    assert got.keys() == want.keys() == L.TERMS.keys()
    for name, value in want.items():
        close(got[name].value, value.detach())
        a = torch.autograd.grad(value.sum(), (z, rows), retain_graph=True, allow_unused=True)
        for closed, auto in zip((got[name].on_logits, got[name].on_q_logits), a):
            close(closed, torch.zeros_like(z) if auto is None else auto)
    # the reverse KL on the logits, which the paper leaves out
    q, s = z.detach().softmax(1), s.detach()
    divergence = (q * (q / s).log()).sum(1, keepdim=True)
    close(got["reverse-kl"].on_logits, q * ((q / s).log() - divergence))
    assert L.lls_gradients(z.half(), y, t.half(), alpha=alpha)["lls"].value.dtype == torch.float32


@pytest.mark.parametrize("size", [0.01, 30.0, 100.0])
def test_closed_forms_keep_the_digits_of_float32(size):
    g = torch.Generator().manual_seed(0)
    z, t = (size * torch.randn(5, 5, generator=g) for _ in range(2))
    y = torch.arange(5)
    wanted = L.lls_gradients(z.double(), y, t.double(), alpha=0.1)
    for name, term in L.lls_gradients(z, y, t, alpha=0.1).items():
        for got, want in zip(term, wanted[name]):
            assert got.dtype == torch.float32
            torch.testing.assert_close(got.double(), want, rtol=1e-6, atol=1e-30)


def test_reverse_kl_moves_q_off_the_label_where_forward_kl_does_not():
    z, y = torch.tensor([[0.0, 0.0, 0.0]], dtype=F64), torch.tensor([0])
    t = torch.tensor([[0.0, -40.0, 0.0]] * 3, dtype=F64)
    got = L.lls_gradients(z, y, t, alpha=0.1)
    assert abs(got["forward-kl"].on_q_logits[0, 1]) < 1e-15
    assert got["reverse-kl"].on_q_logits[0, 1].item() == pytest.approx(-1 / 3, abs=1e-12)


@pytest.mark.parametrize("size", [0.1, 1.0, 8.0])
@pytest.mark.parametrize("alpha", [0.1, 0.7, 1.0])
def test_reverse_kl_pulls_at_q_as_forward_kl_at_the_logits_or_less(alpha, size):
    rng = torch.Generator().manual_seed(0)
    z, t = (size * torch.randn(60, 6, generator=rng, dtype=torch.float64) for _ in range(2))
    y, r = torch.arange(60) % 6, t[:6].softmax(1)
    terms = L.lls_gradients(z, y, t[:6], alpha=alpha)
    lack = -terms["forward-kl"].on_logits
    own, own_r = lack.gather(1, y[:, None]), r[y].gather(1, y[:, None])
    share = 1 - alpha + alpha * own_r
    expected = (lack + (1 - alpha) * own / share * r[y]).scatter(1, y[:, None], own_r / share * own)
    assert torch.allclose(terms["reverse-kl"].on_q_logits, expected, atol=1e-12)
    assert (terms["reverse-kl"].on_q_logits.abs().sum(1) <= lack.abs().sum(1) + 1e-12).all()


@pytest.mark.parametrize("gap", [20.0, 60.0])
def test_in_a_wrong_corner_the_forward_cross_entropy_alone_moves_the_network(gap):
    z = torch.tensor([[0.0, gap, 1.0, -1.0]], dtype=torch.float64)
    terms = L.lls_gradients(z, torch.tensor([0]), torch.zeros(4, 4, dtype=torch.float64), alpha=0.1)
    for name in ("rce", "pred-em", "targets-em", "reverse-kl"):
        assert terms[name].on_logits.abs().max() < 3 * gap * math.exp(1 - gap), name
    for name in ("fce", "forward-kl", "lls"):
        assert terms[name].on_logits[0, 0].item() == pytest.approx(-0.925, abs=1e-5), name


def test_criterion_owns_q_and_its_group(batch):
    z, y, _ = batch
    criterion = L.LearnableLabelSmoothing(4, alpha=0.3, variant="no-rce", half=True, lr_factor=20, weight_decay=0.0)
    assert torch.equal(criterion.q_logits, torch.zeros(4, 4))
    torch.testing.assert_close(criterion.q(), torch.full((4, 4), 0.25))
    torch.testing.assert_close(criterion.targets(y), smooth(y, 4, alpha=0.3))
    zero = torch.zeros(4, 4)
    close(criterion(z, y), L.learnable_smoothing(z, y, zero, alpha=0.3, variant="no-rce", half=True))
    (group,) = criterion.parameter_groups(lr=0.05, weight_decay=1e-4)
    assert group["params"][0] is criterion.q_logits and group["lr"] == 1.0 and group["weight_decay"] == 0.0
    (group,) = L.LearnableLabelSmoothing(4).parameter_groups(lr=0.05, weight_decay=1e-4)
    assert group["lr"] == 0.05 and group["weight_decay"] == 1e-4
    assert criterion.extra_repr() == "num_classes=4, alpha=0.3, variant='no-rce', half=True"
    criterion = L.LearnableLabelSmoothing(4, ignore_index=1, reduction="none", dtype=F64)
    assert criterion.q_logits.dtype == F64 and criterion.alpha == 0.1
    close(criterion(z, y), L.learnable_smoothing(z, y, zero, ignore_index=1, reduction="none"))
    assert L.LearnableLabelSmoothing(4, device="meta").q_logits.is_meta
    assert L.LabelSmoothingPlusPlus(4, device="meta").c_logits.is_meta
    criterion = L.LearnableLabelSmoothing(4, sparse=True)
    criterion(z, y).backward()
    assert criterion.q_logits.grad.is_sparse


def test_training_learns_which_classes_are_alike():
    g = torch.Generator().manual_seed(0)
    criterion = L.LearnableLabelSmoothing(3)
    z = torch.tensor([4.0, 2.0, 0.0]) + 0.1 * torch.randn(64, 3, generator=g)
    y = torch.zeros(64, dtype=torch.long)
    optimiser = torch.optim.SGD(criterion.parameter_groups(lr=1.0, weight_decay=0.0))
    before = criterion(z, y).item()
    for _ in range(50):
        optimiser.zero_grad()
        criterion(z, y).backward()
        optimiser.step()
    q = criterion.q()
    assert criterion(z, y).item() < before and q[0, 1] > 3 * q[0, 2]
    assert torch.equal(q[1:], torch.full((2, 3), 1 / 3))


def test_restriction_to_a_subset_renormalises(batch):
    _, _, t = batch
    criterion = L.LearnableLabelSmoothing(
        4, alpha=0.3, variant="no-rce", half=True, sparse=True, lr_factor=3, weight_decay=0.1, ignore_index=-1,
        reduction="sum", dtype=F64,
    )  # fmt: skip
    with torch.no_grad():
        criterion.q_logits.copy_(t)
    part = L.restrict(criterion, torch.tensor([3, 1]))
    close(part.q_logits.detach(), t[[3, 1]][:, [3, 1]])
    q = t.softmax(1)[[3, 1]][:, [3, 1]]
    close(part.q(), q / q.sum(1, keepdim=True))
    for name in ("alpha", "variant", "half", "sparse", "lr_factor", "weight_decay", "ignore_index", "reduction"):
        assert getattr(part, name) == getattr(criterion, name)
    elsewhere = L.restrict(L.LearnableLabelSmoothing(4, device="meta"), torch.tensor([3, 1]))
    assert elsewhere.q_logits.is_meta
    with torch.no_grad():
        part.q_logits.zero_()
    close(criterion.q_logits.detach(), t)


def test_top_n_keeps_the_similar_and_merges_the_rest(batch):
    z, y, t = batch
    criterion = L.TopNSmoothing(t, 2, alpha=0.3, half=True)
    q = t.softmax(1)
    got = criterion.q()
    close(got.sum(1), torch.ones(4, dtype=F64))
    for k in range(4):
        order = [j for j in q[k].argsort(descending=True).tolist() if j != k][:2]
        assert sorted(criterion.kept[k].tolist()) == sorted(order)
        rest = [j for j in range(4) if j not in order]
        close(got[k, order], q[k, order])
        close(got[k, rest], q[k, rest].mean().expand(2))
    rows = got.log()
    close(criterion(z, y), L.learnable_smoothing(z, y, rows, alpha=0.3, half=True))
    assert torch.autograd.gradcheck(
        lambda a, b: torch.func.functional_call(criterion, {"kept_logits": a, "rest_logits": b}, (z, y)),
        (criterion.kept_logits.detach().requires_grad_(), criterion.rest_logits.detach().requires_grad_()),
    )
    assert sum(p.numel() for p in criterion.parameters()) == 4 * 3
    whole = L.TopNSmoothing(t, 3)
    close(whole.q(), q)
    close(whole(z, y), L.learnable_smoothing(z, y, t))
    pair = L.TopNSmoothing(torch.tensor([[0.0, 1.0], [2.0, 0.0]]), 1)
    assert pair.kept.tolist() == [[1], [0]]
    labels = torch.tensor([2, 0])
    close(whole.rows(labels).softmax(1), q[labels])
    close(whole.rows(labels.to(torch.uint8)).softmax(1), q[labels])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_top_n_of_half_precision_is_spread_out_in_full(dtype):
    half = L.TopNSmoothing(torch.randn(10, 10), 3).to(dtype)
    wide = copy.deepcopy(half).double()
    z, y = torch.randn(20, 10), torch.arange(20) % 10
    torch.testing.assert_close(half(z, y).double(), wide(z.double(), y), rtol=1e-6, atol=0)
    torch.testing.assert_close(half.q().double(), wide.q(), rtol=1e-6, atol=0)


def test_label_smoothing_plus_plus_fixes_the_label(batch):
    z, y, t = batch
    criterion = L.LabelSmoothingPlusPlus(4, alpha=0.3, dtype=F64)
    with torch.no_grad():
        criterion.c_logits.copy_(t)
    share = t.clone().fill_diagonal_(-torch.inf).softmax(1)
    close(criterion.c(), share)
    s = 0.7 * torch.eye(4, dtype=F64)[y] + 0.3 * share[y]
    for variant in TABLE:
        criterion.variant = variant
        close(criterion(z, y), naive(z, s, variant).mean())
        for rows in (slice(None), slice(0, 2)):
            assert torch.autograd.gradcheck(
                lambda z, t, r=rows: torch.func.functional_call(criterion, {"c_logits": t}, (z, y[r])),
                (z[rows].clone().requires_grad_(), t.clone().requires_grad_()),
            )
    criterion.variant = None
    for half, factor in ((False, 1.0), (True, 0.5)):
        criterion.half = half
        live = z.clone().requires_grad_()
        value = criterion(live, y)
        close(value.detach(), factor * naive(z, s, "symmetric-ce").mean())
        on_logits, on_shares = torch.autograd.grad(value, (live, criterion.c_logits))
        close(on_logits, factor * (z.softmax(1) - s) / 6)
        free = t.clone().requires_grad_()
        row = free.masked_fill(torch.eye(4, dtype=torch.bool), -torch.inf).softmax(1)[y]
        reverse = -(z.softmax(1) * (0.7 * torch.eye(4, dtype=F64)[y] + 0.3 * row).log()).sum(1).mean()
        close(on_shares, factor * torch.autograd.grad(reverse, free)[0])
    fresh = L.LabelSmoothingPlusPlus(4, alpha=0.3, variant="fce-only", half=True, dtype=F64)
    close(2 * fresh(z, y), L.label_smoothing(z, y, alpha=0.3, convention="others"))
    assert L.LabelSmoothingPlusPlus(4).alpha == 0.1 and L.LabelSmoothingPlusPlus(4).c_logits.dtype == torch.float32


Z, Y, Q = torch.zeros(1, 3), torch.tensor([0]), torch.zeros(3, 3)
LLS = L.LearnableLabelSmoothing


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: L.learnable_smoothing([0], Y, Q), "logits must be a torch.Tensor of shape (N, K), got list"),
        (lambda: L.learnable_smoothing(Z, Y, [0]), "q_logits must be a torch.Tensor of shape (N, K), got list"),
        (lambda: L.learnable_smoothing(Z, Y, Q[:2]), "q_logits must have shape (3, 3), got (2, 3)"),
        (lambda: L.learnable_smoothing(Z, Y, Q, alpha=-1), "alpha must be in [0, 1], got -1"),
        (lambda: L.learnable_smoothing(Z, Y, Q, alpha=1.5), "alpha must be in [0, 1], got 1.5"),
        (
            lambda: L.learnable_smoothing(Z, Y, Q, weight=torch.ones(2)),
            "weight must be a tensor of shape (3,), got (2,)",
        ),
        (
            lambda: L.learnable_smoothing(Z, Y, Q, variant="x"),
            f"variant must be one of {', '.join(map(repr, TABLE))}, got 'x'",
        ),
        (lambda: LLS(0), "num_classes must be at least 1, got 0"),
        (lambda: LLS(None), "num_classes must be an integer, got None"),
        (lambda: LLS(3, dtype=torch.int64), "dtype must be a floating-point torch.dtype, got torch.int64"),
        (
            lambda: L.LabelSmoothingPlusPlus(3, dtype="x"),
            "dtype must be a floating-point torch.dtype, got 'x'",
        ),
        (lambda: L.restrict(None, Y), "criterion must be a LearnableLabelSmoothing, got NoneType"),
        (lambda: LLS(3, alpha=1.5), "alpha must be in [0, 1], got 1.5"),
        (lambda: LLS(3, variant="x"), f"variant must be one of {', '.join(map(repr, TABLE))}, got 'x'"),
        (lambda: LLS(3, lr_factor=-1), "lr_factor must be in [0, inf), got -1"),
        (lambda: LLS(3, lr_factor=math.inf), "lr_factor must be in [0, inf), got inf"),
        (lambda: LLS(3, weight_decay=-1), "weight_decay must be in [0, inf), got -1"),
        (lambda: LLS(3, weight_decay=math.inf), "weight_decay must be in [0, inf), got inf"),
        (lambda: LLS(3, reduction="x"), "reduction must be one of 'mean', 'sum', 'none', got 'x'"),
        (lambda: L.restrict(LLS(3), torch.tensor([3])), "classes must be integers in [0, 3), got 3"),
        (lambda: L.restrict(LLS(3), torch.tensor([1, 1])), "classes must be distinct and at least one, got [1, 1]"),
        (lambda: L.restrict(LLS(3), Y[:0]), "classes must be distinct and at least one, got []"),
        (lambda: L.TopNSmoothing([0], 1), "q_logits must be a torch.Tensor of shape (N, K), got list"),
        (lambda: L.TopNSmoothing(Q[:2], 1), "q_logits must be square with K >= 2, got shape (2, 3)"),
        (lambda: L.TopNSmoothing(torch.zeros(1, 1), 1), "q_logits must be square with K >= 2, got shape (1, 1)"),
        (lambda: L.TopNSmoothing(Q, 0), "n must be in [1, 2], got 0"),
        (lambda: L.TopNSmoothing(Q, 1.5), "n must be an integer, got 1.5"),
        (lambda: L.TopNSmoothing(Q, 1).rows(torch.tensor([3])), "labels must be integers in [0, 3), got 3"),
        (lambda: L.TopNSmoothing(Q, 3), "n must be in [1, 2], got 3"),
        (lambda: L.TopNSmoothing(Q, 1, alpha=0), "alpha must be in (0, 1], got 0"),
        (lambda: L.TopNSmoothing(Q, 1, alpha=1.1), "alpha must be in (0, 1], got 1.1"),
        (lambda: L.TopNSmoothing(Q, 1, variant="x"), f"variant must be one of {', '.join(map(repr, TABLE))}, got 'x'"),
        (lambda: L.TopNSmoothing(Q, 1, reduction="x"), "reduction must be one of 'mean', 'sum', 'none', got 'x'"),
        (lambda: L.TopNSmoothing(Q, 1)(torch.zeros(1, 2), Y), "logits must have 3 classes, got 2"),
        (lambda: L.TopNSmoothing(Q, 1)([0], Y), "logits must be a torch.Tensor of shape (N, K), got list"),
        (lambda: L.LabelSmoothingPlusPlus(1), "num_classes must be at least 2, got 1"),
        (lambda: L.LabelSmoothingPlusPlus(3, alpha=1), "alpha must be in (0, 1), got 1"),
        (lambda: L.LabelSmoothingPlusPlus(3, alpha=0), "alpha must be in (0, 1), got 0"),
        (
            lambda: L.LabelSmoothingPlusPlus(3, variant="x"),
            f"variant must be one of {', '.join(map(repr, TABLE))}, got 'x'",
        ),
        (
            lambda: L.LabelSmoothingPlusPlus(3, reduction="x"),
            "reduction must be one of 'mean', 'sum', 'none', got 'x'",
        ),
        (lambda: L.LabelSmoothingPlusPlus(3)(torch.zeros(1, 2), Y), "logits must have 3 classes, got 2"),
        (lambda: L.lls_gradients([0], Y, Q, alpha=0.1), "logits must be a torch.Tensor of shape (N, K), got list"),
        (lambda: L.lls_gradients(Z, Y, [0], alpha=0.1), "q_logits must be a torch.Tensor of shape (N, K), got list"),
        (lambda: L.lls_gradients(Z, Y, Q[:2], alpha=0.1), "q_logits must have shape (3, 3), got (2, 3)"),
        (lambda: L.lls_gradients(Z, torch.tensor([3]), Q, alpha=0.1), "labels must be integers in [0, 3), got 3"),
        (lambda: L.lls_gradients(Z, torch.tensor([0, 0]), Q, alpha=0.1), "labels must have shape (1,), got (2,)"),
        (lambda: L.lls_gradients(Z, Y, Q, alpha=0), "alpha must be in (0, 1], got 0"),
        (lambda: L.lls_gradients(Z, Y, Q, alpha=1.5), "alpha must be in (0, 1], got 1.5"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize("make", [LLS, L.LabelSmoothingPlusPlus])
def test_a_device_that_is_not_there_is_named(make):
    with pytest.raises(ValueError, match=r"^device must be a device of this machine, .* got 'no': "):
        make(3, device="no")
