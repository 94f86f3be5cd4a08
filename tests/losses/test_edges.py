"""Where probabilities are 0, logits infinite, powers steep and terms cancel: right values, and no NaN."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from lsedu import losses as L
from lsedu.targets import smooth, zipf

F64 = torch.float64
INF = math.inf


def slope(value, *inputs):
    return torch.autograd.grad(value.sum(), inputs)


@pytest.mark.parametrize("weight", [None, torch.tensor([0.5, 2.0, 0.0, 1.5], dtype=F64)])
def test_targets_have_a_slope_where_they_are_0(batch, weight):
    z, y, _ = batch
    ours, theirs = (functional.one_hot(y, 4).to(F64).requires_grad_() for _ in range(2))
    (got,) = slope(L.cross_entropy(z, ours, weight=weight), ours)
    (want,) = slope(functional.cross_entropy(z, theirs, weight=weight), theirs)
    torch.testing.assert_close(got, want)
    # so has a prior, through the targets made of it
    prior = torch.tensor([0.5, 0.5, 0.0, 0.0], dtype=F64, requires_grad=True)
    (got,) = slope(L.label_smoothing(z, y, alpha=0.3, prior=prior), prior)
    torch.testing.assert_close(got, -0.3 * z.log_softmax(1).mean(0))
    # a class that is shut out and not asked for adds nothing, and pushes nothing
    z = torch.tensor([[0.0, 0.0, -INF]], dtype=F64, requires_grad=True)
    p = torch.tensor([[0.5, 0.5, 0.0]], dtype=F64, requires_grad=True)
    value = L.cross_entropy(z, p)
    assert value.item() == pytest.approx(math.log(2))
    for found in slope(value, z, p):
        assert torch.isfinite(found).all() and found[0, 2] == 0


def test_probability_targets_have_no_labels_to_ignore():
    z, p = torch.randn(3, 4), torch.randn(3, 4).softmax(1)
    for loss in (L.cross_entropy, lambda z, p, **o: L.learnable_smoothing(z, p, torch.zeros(4, 4), **o)):
        with pytest.raises(ValueError, match=r"^ignore_index must be negative for probability targets.* got 1$"):
            loss(z, p, ignore_index=1)
        assert torch.equal(loss(z, p, ignore_index=-1), loss(z, p))


@given(seed=st.integers(0, 40), k=st.integers(1, 6))
def test_divergences_are_never_negative(seed, k):
    g = torch.Generator().manual_seed(seed)
    z = torch.randn(64, k, generator=g) * torch.logspace(-8, 1, 64)[:, None]
    y = torch.zeros(64, dtype=torch.long)
    u = (1e-3 * torch.randn(k, generator=g)).softmax(0)
    for direction in ("prior||q", "q||prior"):
        for prior in (None, u):
            assert (L.prior_kl(z, direction=direction, prior=prior) >= 0).all()
    assert (L.confidence_penalty(z, y, alpha=1.0, reduction="none") >= 0).all()
    assert (L.distillation(z, z + 1e-6 * torch.randn(64, k, generator=g), reduction="none") >= 0).all()
    assert (L.gaussian_kl(1e-5 * z, 1e-4 * z) >= 0).all()
    t = torch.zeros(k, k)
    near = (0.9 * torch.eye(k) + 0.1 / k).log()[y] + 1e-5 * z
    for variant in ("lls", "forward-kl", "reverse-kl"):
        assert (L.learnable_smoothing(near, y, t, variant=variant, reduction="none") >= 0).all()


@pytest.mark.parametrize("prior", [None, torch.tensor([0.2, 0.3, 0.5], dtype=F64)])
def test_a_class_that_is_shut_out_adds_nothing_to_an_entropy(prior):
    z = torch.tensor([[1.0, -0.5, -INF], [0.3, 2.0, -INF]], dtype=F64, requires_grad=True)
    y = torch.tensor([0, 1])
    q = z.detach().softmax(1)
    u = torch.full((3,), 1 / 3, dtype=F64) if prior is None else prior
    rate = (q * (q.clamp(min=1e-300) / u).log()).sum(1)
    pair = z.detach()[:, :2].clone().requires_grad_()
    cases = [
        (L.prior_kl(z, direction="q||prior", prior=prior), rate),
        (L.confidence_penalty(z, y, alpha=0.3, prior=prior, reduction="none"), -0.7 * q[[0, 1], y].log() + 0.3 * rate),
        (L.vib_discrete(z, torch.eye(3, dtype=F64), y, beta=0.5, prior=prior, log_outside=True, reduction="none"),
         -q[[0, 1], y].log() + 0.5 * rate),
    ]  # fmt: skip
    if prior is None:
        cases.append((L.confidence_penalty(z, y, beta=0.3, reduction="none"), L.confidence_penalty(
            pair, y, beta=0.3, reduction="none")))  # fmt: skip
        for gamma in (0.5, 3.0):
            cases.append(
                (L.focal(z, y, gamma=gamma, reduction="none"), L.focal(pair, y, gamma=gamma, reduction="none"))
            )
    for got, want in cases:
        torch.testing.assert_close(got, want)
        (found,) = slope(got, z)
        assert torch.isfinite(found).all() and (found[:, 2] == 0).all()
        if want.requires_grad:
            torch.testing.assert_close(found[:, :2], slope(want, pair)[0])
    assert torch.isinf(L.prior_kl(z, direction="prior||q")).all()


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("alpha", [0.3, 1.0])
@pytest.mark.parametrize("variant", L.VARIANTS)
def test_a_learned_target_asks_for_a_class_that_is_shut_out(variant, alpha, dtype):
    z = torch.tensor([[2.0, 0.0, -INF], [1.0, 3.0, 0.5], [0.3, -INF, 0.1]], dtype=dtype)
    y, t = torch.tensor([0, 1, 1]), torch.tensor([[0.1, -0.4, 0.7], [0.2, 0.0, -1.0], [0.0, 0.0, 0.0]], dtype=dtype)
    options = {"alpha": alpha, "variant": variant}

    leaf, table = z.clone().requires_grad_(), t.clone().requires_grad_()
    losses = L.learnable_smoothing(leaf, y, table, reduction="none", **options)
    value = losses.detach()
    # the limit, by a logit so low that in float64 its class has no share to speak of
    low = z.double().masked_fill(z == -INF, -600.0)
    want = L.learnable_smoothing(low, y, t.double(), reduction="none", **options)
    asks = L.VARIANTS[variant].fce > 0
    assert value.isinf().tolist() == [asks, False, asks] and (value[value.isinf()] > 0).all()
    tight = {"rtol": 1e-5, "atol": 1e-6} if dtype == torch.float32 else {"rtol": 1e-12, "atol": 1e-12}
    torch.testing.assert_close(value[value.isfinite()].double(), want[value.isfinite()], **tight)
    # the slope on the logits is finite even where the value is not; Q learns from the samples that have a value
    limit, rows = low.clone().requires_grad_(), t.double().requires_grad_()
    want = L.learnable_smoothing(limit, y, rows, reduction="none", **options)
    on_z, on_t = slope(losses, leaf, table)
    torch.testing.assert_close(on_z.double(), slope(want.nan_to_num(), limit)[0], **tight)
    want = L.learnable_smoothing(limit, y, rows, reduction="none", **options)
    torch.testing.assert_close(on_t.double(), slope(want[value.isfinite()], rows)[0], **tight)
    # PyTorch's own way through the plain loss, as torch.func takes it, agrees
    plain = torch.func.vmap(lambda z, y: L.learnable_smoothing(z[None], y[None], t, reduction="sum", **options))(z, y)
    torch.testing.assert_close(plain, value, **tight)
    soft = L.learnable_smoothing(z, functional.one_hot(y, 3).to(dtype), t, reduction="none", **options)
    torch.testing.assert_close(soft, value, **tight)


@pytest.mark.parametrize("variant", L.VARIANTS)
def test_a_class_that_prediction_and_target_shut_out_is_not_there(variant):
    z = torch.tensor([[2.0, 0.0, -INF], [1.0, 3.0, -INF]], dtype=F64, requires_grad=True)
    t = torch.tensor([[0.1, -0.4, -INF], [0.2, 0.0, -INF], [0.0, 0.0, 0.0]], dtype=F64, requires_grad=True)
    y, options = torch.tensor([0, 1]), {"alpha": 0.3, "variant": variant}
    pair, square = (x.detach()[:2, :2].clone().requires_grad_() for x in (z, t))
    ours, theirs = L.learnable_smoothing(z, y, t, **options), L.learnable_smoothing(pair, y, square, **options)
    torch.testing.assert_close(ours, theirs)
    for got, want in zip(slope(ours, z, t), slope(theirs, pair, square)):
        torch.testing.assert_close(got[:2, :2], want)
        assert (got[:, 2] == 0).all()
    for name, term in L.lls_gradients(z.detach(), y, t.detach(), alpha=0.3).items():
        want = L.lls_gradients(pair.detach(), y, square.detach(), alpha=0.3)[name]
        torch.testing.assert_close(term.value, want.value)
        torch.testing.assert_close(term.on_q_logits[:, :2], want.on_q_logits)


def test_relatives_of_the_learned_target_are_infinite_there_too():
    z, y = torch.tensor([[2.0, 0.0, -INF]], requires_grad=True), torch.tensor([0])
    for criterion in (L.LabelSmoothingPlusPlus(3), L.LabelSmoothingPlusPlus(3, variant="lls"),
                      L.TopNSmoothing(torch.zeros(3, 3), 1)):  # fmt: skip
        value = criterion(z, y)
        assert value == INF and torch.isfinite(slope(value, z)[0]).all()


def test_a_sure_prediction_among_classes_that_are_shut_out():
    z = torch.tensor([[1.0, -INF]], requires_grad=True)
    for loss in (L.focal, L.focal_sample_dependent, L.cross_entropy):
        value = loss(z, torch.tensor([0]))
        assert value.item() == 0 and torch.equal(slope(value, z)[0], torch.zeros(1, 2))


def test_a_term_of_weight_0_adds_nothing_be_it_infinite():
    z, y = torch.tensor([[0.5, -INF, 0.0]]), torch.tensor([0])
    masked, even = torch.tensor([1]), torch.full((3, 3), 1 / 3)
    own = L.cross_entropy(z, y)
    assert L.tf_kd_reg(z, y, alpha=0.0) == L.tf_kd_self(z, even[:1], y, alpha=0.0) == own
    assert L.distillation(z, even[:1], y, beta=1.0) == L.zipf_smoothing(z, y, strength=0.0) == own
    assert L.online_smoothing(z, y, even, hard_weight=1.0) == own
    assert L.vib(z, y, torch.zeros(1, 1), torch.full((1, 1), -INF), beta=0.0) == own
    assert torch.isfinite(L.confidence_penalty(z, masked, alpha=1.0))
    for value in (L.label_smoothing(z, masked, alpha=1.0, prior=torch.tensor([0.5, 0.0, 0.5])),):
        assert torch.isfinite(value)
    # and one of some weight is infinite, not NaN
    for value in (
        L.distillation(z, even[:1]),
        L.tf_kd_reg(z, y),
        L.zipf_smoothing(z, y),
        L.online_smoothing(z, y, even),
    ):
        assert value == INF


@pytest.mark.parametrize("ranking", ["others", "all"])
@pytest.mark.parametrize("power", [0.0, 1.0, 40.0, 150.0, 1e30, 1e300])
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_zipf_of_a_steep_power_gives_all_to_the_best(ranking, power, dtype):
    z = torch.tensor([[5.0, 3.0, 2.0, 2.0, -1.0], [0.0, 0.0, 1.0, 2.0, 3.0]], dtype=dtype)
    y = torch.tensor([0, 1])
    p = zipf(z, y, power=power, ranking=ranking)
    assert torch.isfinite(p).all() and p[0, 0] == p[1, 1] == 0
    torch.testing.assert_close(p.sum(1), torch.ones(2, dtype=dtype))
    if power >= 150:
        torch.testing.assert_close(p, torch.eye(5, dtype=dtype)[[1, 4]], rtol=0, atol=1e-15)
    if power == 40.0 and ranking == "all":
        assert p[0, 2].item() == pytest.approx((2 / 3) ** 40 / (1 + 2 * (2 / 3) ** 40 + (2 / 5) ** 40), rel=1e-5)
    assert torch.isfinite(L.zipf_smoothing(z, y, power=power, ranking=ranking))


@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_the_gaussian_rate_from_one_end_to_the_other(dtype):
    def rate(mean, log_std):
        live = [torch.tensor([x], dtype=dtype, requires_grad=True) for x in (mean, log_std)]
        value = L.gaussian_kl(*live)
        return value.item(), [g.item() for g in slope(value, *live)]

    # log_std of size 1e-5 in float32: the terms agree to all its digits but the last
    for x in (1e-9, 1e-5, -1e-3, 0.1, -0.3, 1.0, -5.0, 20.0):
        exact = 0.5 * (math.expm1(2 * x) - 2 * x) if abs(x) > 1e-2 else x * x * (1 + 2 / 3 * x)
        value, (_, found) = rate(0.0, x)
        absolute = abs(x) * torch.finfo(dtype).eps
        assert 0 <= value == pytest.approx(exact, rel=1e-6, abs=2 * absolute)
        assert found == pytest.approx(math.expm1(2 * x), rel=1e-5, abs=4 * torch.finfo(dtype).eps)
    # no value is infinite before it has to be
    largest = torch.finfo(dtype).max
    assert rate(math.sqrt(largest) * 1.4, 0.0)[0] == pytest.approx(0.98 * largest, rel=1e-3)
    x = 0.5 * math.log(largest) + 0.3  # e^(2x) = 1.8 times the largest number
    assert rate(0.0, x)[0] == pytest.approx(0.5 * math.exp(0.6) * largest, rel=1e-3)
    assert rate(0.0, -1e4)[0] == pytest.approx(1e4 - 0.5)
    for mean, log_std in ((0.0, -INF), (0.0, INF), (INF, 0.0), (-INF, 0.0), (0.0, 1e5)):
        assert rate(mean, log_std)[0] == INF
    assert math.isnan(rate(math.nan, 0.0)[0]) and math.isnan(rate(0.0, math.nan)[0])


def test_tables_in_float64_keep_what_float32_would_lose():
    z, y = torch.randn(4, 2), torch.tensor([0, 1, 0, 1])
    tiny = torch.tensor([1.0 - 1e-50, 1e-50], dtype=F64)
    p, log_p = z.double().softmax(1), z.double().log_softmax(1)
    rate = (p * (log_p - tiny.log())).sum(1)
    for found, want in (
        (L.prior_kl(z, direction="q||prior", prior=tiny), rate),
        (L.confidence_penalty(z, y, alpha=1.0, prior=tiny, reduction="none"), rate),
        (L.vib_discrete(z, torch.full((2, 2), 0.5), y, beta=1.0, prior=tiny, reduction="none"), rate + math.log(2)),
        (L.vib_discrete(z, torch.stack([tiny, tiny.flip(0)]), y, beta=0.0, reduction="none"),
         -(p * torch.stack([tiny, tiny.flip(0)]).T.log()[y]).sum(1)),
    ):  # fmt: skip
        assert found.dtype == torch.float32
        torch.testing.assert_close(found.double(), want, rtol=1e-5, atol=1e-5)
    table = torch.tensor([[0.75, 0.25], [0.5, 0.5]])
    half = L.vib_discrete(z, table.half(), y, beta=0.1, prior=table[0].half())
    torch.testing.assert_close(half, L.vib_discrete(z, table, y, beta=0.1, prior=table[0]))


def test_discrete_encoders_and_classifiers_with_zeros_have_slopes():
    z = torch.tensor([[200.0, 0.0], [0.0, 0.0]], requires_grad=True)
    classifier = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    value = L.vib_discrete(z, classifier, torch.tensor([0, -100]), beta=0.5)
    assert value.item() == pytest.approx(0.5 * math.log(2))
    for found in slope(value, z, classifier):
        assert torch.isfinite(found).all()
    encoder = torch.eye(2, requires_grad=True)
    bounds = L.vib_bounds(encoder, torch.eye(2), torch.eye(2) / 2, torch.full((2,), 0.5))
    assert torch.isfinite(slope(bounds.rate, encoder)[0]).all()


def test_ignored_rows_ask_nothing_of_the_prior(batch):
    z, y, _ = batch
    y = torch.tensor([1, -100, 2, 3, -100, 1])
    kept = y >= 0
    sure = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=F64)  # no mass off class 0, which stands in for ignored labels
    z.requires_grad_()
    for prior in (sure, torch.eye(4, dtype=F64)[[0, 2, 1, 2]]):
        options = {"alpha": 0.3, "convention": "others", "prior": prior}
        found = L.label_smoothing(z, y, **options)
        want = L.cross_entropy(z[kept], smooth(y[kept], 4, dtype=F64, **options))
        torch.testing.assert_close(found, want)
        torch.testing.assert_close(*(slope(x, z)[0] for x in (found, want)))
    with pytest.raises(ValueError, match="needs prior mass on a class other than the label"):
        L.label_smoothing(z, y.clamp(min=0), **options)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 3.0, 5.0])
def test_focal_is_twice_differentiable_at_logits_of_100(gamma):
    for z in (torch.tensor([[100.0, -100.0, 0.0]]), torch.tensor([[-100.0, 100.0, 0.0]]), torch.zeros(1, 3)):
        for dtype in (torch.float32, F64):
            live = z.to(dtype)
            found = torch.autograd.functional.hessian(lambda z: L.focal(z, torch.tensor([0]), gamma=gamma), live)
            assert torch.isfinite(found).all()
            torch.testing.assert_close(found, found.permute(2, 3, 0, 1), rtol=1e-3, atol=1e-6)
    z = torch.tensor([[0.3, -0.2, 0.7]], dtype=F64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda z: L.focal(z, torch.tensor([0]), gamma=gamma), z)


@pytest.mark.parametrize("gamma", [1e38, 1e39, 1e300])
def test_focal_of_a_steep_exponent_lets_go_of_all_but_the_surely_wrong(gamma):
    z = torch.tensor([[100.0, -100.0, 0.0], [0.0, 0.0, 0.0], [-1e4, 0.0, 0.0]], requires_grad=True)
    y = torch.zeros(3, dtype=torch.long)
    for loss in (
        L.focal(z, y, gamma=gamma, reduction="none"),
        L.focal_sample_dependent(z, y, gammas=(gamma, gamma), reduction="none"),
    ):
        torch.testing.assert_close(loss, torch.tensor([0.0, 0.0, 1e4 + math.log(2)]))
        assert torch.isfinite(slope(loss, z)[0]).all()


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("alpha", [1e-13, 1e-30, 1e-40, 5e-324])
def test_a_learned_share_that_is_next_to_nothing(alpha, dtype):
    z = torch.tensor([[1.0, -0.5, 0.3], [15.0, -15.0, 0.0], [40.0, 0.0, -40.0]], dtype=dtype, requires_grad=True)
    t = torch.tensor([[-15.0, 15.0, 0.0], [0.2, -0.1, 0.0], [0.0, 0.0, 0.0]], dtype=dtype, requires_grad=True)
    y = torch.tensor([0, 1, 1])
    # s is one-hot but for logarithms: H(q, s) is the only term that sees log(alpha), and Q's row
    q, log_q = z.detach().double().softmax(1), z.detach().double().log_softmax(1)
    log_r = t.detach().double().log_softmax(1)[y]
    off = 1 - functional.one_hot(y, 3)
    want = (q * log_q - q * off * (log_r + math.log(alpha))).sum(1) - log_q.gather(1, y[:, None]).squeeze(1)
    on_t = (q * off).sum(1, keepdim=True) * log_r.exp() - q * off
    for reduction in ("none", "mean"):
        found = L.learnable_smoothing(z, y, t, alpha=alpha, reduction=reduction)
        torch.testing.assert_close(found.double(), want if reduction == "none" else want.mean(), rtol=1e-6, atol=0)
        on_z, on_q = slope(found, z, t)
        scale = 1 if reduction == "none" else 3
        assert torch.isfinite(on_z).all()
        summed = torch.zeros(3, 3, dtype=F64).index_add(0, y, on_t)
        torch.testing.assert_close(scale * on_q.double(), summed, rtol=1e-5, atol=1e-9)
    for name, term in L.lls_gradients(z, y, t, alpha=alpha).items():
        assert all(torch.isfinite(x).all() for x in term), name


def test_a_prior_without_values_is_named_by_its_shape():
    z, y = torch.zeros(2, 3, device="meta"), torch.zeros(2, dtype=torch.long, device="meta")
    with pytest.raises(ValueError, match=r"^prior must have shape \(3,\), got \(4,\)$"):
        L.vib_discrete(z, torch.zeros(3, 3, device="meta"), y, beta=1.0, prior=torch.zeros(4, device="meta"))
