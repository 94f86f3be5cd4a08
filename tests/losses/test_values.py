"""Each loss against its formula written out in probabilities, and against PyTorch where PyTorch has it."""

import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from lsedu import losses as L
from lsedu.targets import OnlineTable, q_targets, smooth, zipf

F64 = torch.float64


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-13)


def kl(p, q):
    return torch.where(p > 0, p * (p / q).log(), 0.0).sum(1)


def entropy(p):
    return -torch.xlogy(p, p).sum(1)


WEIGHT = torch.tensor([0.5, 2.0, 0.0, 1.5], dtype=F64)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_cross_entropy_and_smoothing_agree_with_torch(batch, reduction, weight):
    z, y, _ = batch
    for ignore_index in (-100, 1):
        options = {"reduction": reduction, "weight": weight, "ignore_index": ignore_index}
        close(L.cross_entropy(z, y, **options), functional.cross_entropy(z, y, **options))
        for alpha in (0.0, 0.1, 1.0):
            want = functional.cross_entropy(z, y, label_smoothing=alpha, **options)
            close(L.label_smoothing(z, y, alpha=alpha, **options), want)
    p = torch.rand(6, 4, dtype=F64, generator=torch.Generator().manual_seed(1)).softmax(1)
    options = {"reduction": reduction, "weight": weight}
    close(L.cross_entropy(z, p, **options), functional.cross_entropy(z, p, **options))
    assert L.cross_entropy(z, p.float()).dtype == F64 and L.cross_entropy(z.float(), p).dtype == torch.float32
    if weight is not None:
        # weights that sum to less than one still divide the mean
        options = {"reduction": reduction, "weight": weight / 100}
        close(L.cross_entropy(z, y, **options), functional.cross_entropy(z, y, **options))
        close(
            L.label_smoothing(z, y, alpha=0.1, **options),
            functional.cross_entropy(z, y, label_smoothing=0.1, **options),
        )


def test_smoothing_is_cross_entropy_to_its_target(batch):
    z, y, t = batch
    u = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=F64)
    for options in ({}, {"convention": "others"}, {"prior": u}, {"prior": u, "convention": "others"}):
        for alpha in (0.0, 0.3, 1.0):
            want = L.cross_entropy(z, smooth(y, 4, alpha=alpha, dtype=F64, **options))
            close(L.label_smoothing(z, y, alpha=alpha, **options), want)
    q = t.softmax(1)
    close(L.label_smoothing(z, y, alpha=0.3, prior=q), L.cross_entropy(z, q_targets(y, t, alpha=0.3)))


def test_a_class_without_mass_adds_nothing():
    z = torch.tensor([[0.0, -torch.inf]], requires_grad=True)
    value = L.cross_entropy(z, torch.tensor([[1.0, 0.0]]))
    assert value.item() == 0


@pytest.mark.parametrize("weight", [None, torch.ones(3)])
def test_without_smoothing_a_class_may_be_shut_out(weight):
    z, y = torch.tensor([[1.0, -torch.inf, 0.5]], requires_grad=True), torch.tensor([0])
    loss = L.label_smoothing(z, y, alpha=0.0, weight=weight)
    assert loss.item() == L.cross_entropy(z, y).item()
    assert torch.equal(torch.autograd.grad(loss, z)[0], torch.autograd.grad(L.cross_entropy(z, y), z)[0])


def test_confidence_penalty_and_its_tie_to_smoothing(batch):
    z, y, _ = batch
    q = z.softmax(1)
    own = -q.log()[torch.arange(6), y]
    u = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=F64)
    none = {"reduction": "none"}
    close(L.confidence_penalty(z, y, beta=0.7, **none), own - 0.7 * entropy(q))
    close(L.confidence_penalty(z, y, alpha=0.3, **none), 0.7 * own + 0.3 * (math.log(4) - entropy(q)))
    close(L.confidence_penalty(z, y, alpha=0.3, prior=u, **none), 0.7 * own + 0.3 * kl(q, u.expand_as(q)))
    close(L.prior_kl(z, direction="q||prior", prior=u), kl(q, u.expand_as(q)))
    assert L.prior_kl(z.float(), direction="q||prior", prior=u).dtype == torch.float32
    close(L.prior_kl(z, direction="prior||q", prior=u), kl(u.expand_as(q), q))
    corner = torch.tensor([0.5, 0.5, 0.0, 0.0], dtype=F64)
    close(L.prior_kl(z, direction="prior||q", prior=corner), kl(corner.expand_as(q), q))
    # the additive form is the mixture up to scale and a constant
    close(
        (1 - 0.3) * L.confidence_penalty(z, y, beta=0.3 / 0.7, **none) + 0.3 * math.log(4),
        L.confidence_penalty(z, y, alpha=0.3, **none),
    )
    # smoothing is the mixture with the arguments of KL exchanged, plus the prior's entropy
    for prior in (None, u):
        constant = 0.3 * (math.log(4) if prior is None else -(prior * prior.log()).sum().item())
        forward = L.prior_kl(z, direction="prior||q", prior=prior)
        close(L.label_smoothing(z, y, alpha=0.3, prior=prior, **none), 0.7 * own + 0.3 * forward + constant)


@given(seed=st.integers(0, 200), k=st.integers(1, 6))
def test_divergence_from_the_prior_is_never_negative(seed, k):
    z = 5 * torch.randn(3, k, generator=torch.Generator().manual_seed(seed), dtype=F64)
    for direction in ("prior||q", "q||prior"):
        assert (L.prior_kl(z, direction=direction) >= -1e-14).all()


def test_focal_in_probabilities(batch):
    z, y, _ = batch
    q = z.softmax(1)[torch.arange(6), y]
    none = {"reduction": "none"}
    for gamma in (0.0, 0.5, 1.0, 3.0):
        close(L.focal(z, y, gamma=gamma, **none), -((1 - q) ** gamma) * q.log())
    close(L.focal(z, y, gamma=0), L.cross_entropy(z, y))
    close(L.focal(z, y, **none), L.focal(z, y, gamma=3, **none))
    weighted = L.focal(z, y, weight=WEIGHT, **none)
    close(weighted, WEIGHT[y] * L.focal(z, y, **none))
    close(L.focal(z, y, weight=WEIGHT), weighted.sum() / WEIGHT[y].sum())


def test_sample_dependent_focal_switches_at_the_threshold():
    q = torch.tensor([0.1, 0.199, 0.2001, 0.5, 0.9], dtype=F64)
    z = torch.stack([q, 1 - q], 1).log()
    y = torch.zeros(5, dtype=torch.long)
    gamma = torch.tensor([5.0, 5, 3, 3, 3], dtype=F64)
    close(L.focal_sample_dependent(z, y, reduction="none"), -((1 - q) ** gamma) * q.log())
    gamma = torch.tensor([2.0, 2, 2, 1, 1], dtype=F64)
    got = L.focal_sample_dependent(z, y, gammas=(2, 1), threshold=0.4, reduction="none")
    close(got, -((1 - q) ** gamma) * q.log())
    # just below is below, and what rounding makes of 1/5 is at it
    below = torch.tensor([[0.2 - 1e-5, 0.8 + 1e-5]], dtype=F64).log()
    got = L.focal_sample_dependent(below.float(), y[:1]).item()
    assert got == pytest.approx(-((0.8 + 1e-5) ** 5) * math.log(0.2 - 1e-5), rel=1e-5)
    for k, dtype in ((5, torch.float32), (5, F64), (25, F64)):
        got = L.focal_sample_dependent(torch.zeros(1, k, dtype=dtype), y[:1], threshold=1 / k).item()
        assert got == pytest.approx((1 - 1 / k) ** 3 * math.log(k), rel=1e-6)
    even = torch.zeros(1, 2, dtype=F64)
    at = L.focal_sample_dependent(even, torch.tensor([0]), threshold=0.5)
    close(at, -(torch.tensor(0.5, dtype=F64) ** 3) * math.log(0.5))


def test_distillation_in_probabilities(batch):
    z, y, t = batch
    teacher = t[y] + 0.1 * z.flip(0)
    own = -z.log_softmax(1)[torch.arange(6), y]
    none = {"reduction": "none"}
    for T in (1.0, 4.0):
        p, q = (teacher / T).softmax(1), (z / T).softmax(1)
        close(L.distillation(z, teacher, temperature=T, **none), T * T * kl(p, q))
        close(L.distillation(z, teacher, temperature=T, scaled=False, **none), kl(p, q))
        close(
            L.distillation(z, teacher, temperature=T, divergence="cross-entropy", scaled=False, **none),
            -(p * q.log()).sum(1),
        )
        close(L.distillation(z, teacher, y, temperature=T, beta=0.3, **none), 0.3 * own + 0.7 * T * T * kl(p, q))
    close(L.distillation(z, teacher, y, beta=1), L.cross_entropy(z, y))
    close(L.distillation(z, teacher, **none), kl(teacher.softmax(1), z.softmax(1)))
    teacher.requires_grad_()
    assert not L.distillation(z, teacher).requires_grad
    assert L.distillation(z.float(), teacher).dtype == torch.float32


@pytest.mark.parametrize("k", [2, 10, 100])
@pytest.mark.parametrize("temperature", [10.0, 20.0, 50.0])
def test_a_high_temperature_keeps_the_digits_of_float32(k, temperature):
    generator = torch.Generator().manual_seed(k)
    z, t = torch.randn(2, 50, k, generator=generator)
    y = torch.randint(0, k, (50,), generator=generator)
    for loss in (
        lambda z, t: L.distillation(z, t, temperature=temperature, reduction="none"),
        lambda z, t: L.tf_kd_self(z, t, y, alpha=1.0, temperature=temperature, form="code", reduction="none"),
    ):
        torch.testing.assert_close(loss(z, t).double(), loss(z.double(), t.double()), rtol=1e-5, atol=1e-5)


def test_distillation_where_student_and_teacher_share_no_class():
    z, t = torch.tensor([[90.0, 0.0, -90.0]], dtype=F64), torch.tensor([[-90.0, 0.0, 90.0]], dtype=F64)
    each = L.distillation(z, t, reduction="none")
    torch.testing.assert_close(each, torch.tensor([180.0], dtype=F64))
    torch.testing.assert_close(L.distillation(1e4 * z, 1e4 * t), torch.tensor(1.8e6, dtype=F64))


def test_distillation_criterion_asks_the_teacher_without_gradient():
    weight = torch.nn.Linear(3, 4)
    x, y = torch.randn(5, 3), torch.tensor([0, 1, 2, 3, -100])
    z = torch.randn(5, 4, requires_grad=True)
    criterion = L.Distillation(weight, lambda z, t, y: L.distillation(z, t, y, temperature=2.0, beta=0.5))
    assert criterion.needs_inputs
    value = criterion(z, y, inputs=x)
    value.backward()
    assert weight.weight.grad is None
    torch.testing.assert_close(value, L.distillation(z, weight(x), y, temperature=2.0, beta=0.5))


def test_substitute_teacher_gives_its_row_as_target(batch):
    z, y, t = batch
    s = q_targets(y, t, alpha=0.2)
    own = -z.log_softmax(1)[torch.arange(6), y]
    teacher = L.SubstituteTeacher(t, alpha=0.2)
    close(teacher(z, y), -(s * z.log_softmax(1)).sum(1).mean())
    assert list(teacher.parameters()) == []
    T = 3.0
    soft = s ** (1 / T) / (s ** (1 / T)).sum(1, keepdim=True)
    teacher = L.SubstituteTeacher(t, alpha=0.2, beta=0.3, temperature=T, divergence="kl", reduction="none")
    close(teacher(z, y), 0.3 * own + 0.7 * T * T * kl(soft, (z / T).softmax(1)))
    assert L.SubstituteTeacher(t.half())(z.half(), y).dtype == torch.float32
    # shares of e^-200 would underflow in float32, yet at temperature 20 they count
    steep = torch.tensor([[0.0, -200.0, -190.0]] * 3)
    teacher = L.SubstituteTeacher(steep, alpha=0.2, temperature=20.0, scaled=False, reduction="none")
    s = (torch.tensor([[1.0, 0.2, 0.2]], dtype=F64).log() + steep[:1].double()) / 20
    even = torch.zeros(1, 3, requires_grad=True)
    value = teacher(even, torch.tensor([0]))
    assert value.item() == pytest.approx(math.log(3), rel=1e-6)
    torch.testing.assert_close(
        torch.autograd.grad(value.sum(), even)[0], ((1 / 3 - s.softmax(1)) / 20).float(), rtol=1e-5, atol=1e-9
    )
    teacher = L.SubstituteTeacher(t, alpha=0.2, temperature=T, scaled=False, reduction="none")
    close(teacher(z, y), -(soft * (z / T).log_softmax(1)).sum(1))
    close(L.SubstituteTeacher(t, alpha=0.0)(z, y), L.cross_entropy(z, y))
    assert L.SubstituteTeacher(t).alpha == 0.1


def test_virtual_teacher_in_both_forms():
    paper = L.virtual_teacher(4, correct=0.91, temperature=2.0, form="paper")
    row = torch.tensor([0.91, 0.03, 0.03, 0.03], dtype=F64) ** 0.5
    close(paper[0], row / row.sum())
    pair = L.virtual_teacher(2, correct=0.9, temperature=1.0, form="paper")
    close(pair, torch.tensor([[0.9, 0.1], [0.1, 0.9]], dtype=F64))
    code = L.virtual_teacher(4, correct=0.91, temperature=2.0, form="code")
    close(code[2], torch.softmax(torch.tensor([0.03, 0.03, 0.91, 0.03], dtype=F64) / 2, 0))


def test_teacher_free_regularisation_as_published_and_as_released(batch):
    z, y, _ = batch
    own = -z.log_softmax(1)[torch.arange(6), y]
    p = L.virtual_teacher(4, correct=0.99, temperature=20.0, form="paper")[y]
    close(L.tf_kd_reg(z, y, reduction="none"), 0.9 * own + 0.1 * kl(p, (z / 20).softmax(1)))
    hand = torch.full((6, 4), 0.05 / 3, dtype=F64).scatter(1, y[:, None], 0.95)
    released = functional.kl_div(z.log_softmax(1), (hand / 6).softmax(1), reduction="none").mean() * 50
    got = L.tf_kd_reg(z, y, alpha=0.4, temperature=6, correct=0.95, form="code", multiplier=50)
    close(got, 0.6 * own.mean() + 0.4 * released)
    default = L.tf_kd_reg(z, y, form="code")
    close(default, L.tf_kd_reg(z, y, form="code", multiplier=100, alpha=0.1, temperature=20, correct=0.99))


def test_teacher_free_self_training_as_published_and_as_released(batch):
    z, y, t = batch
    teacher = t[y]
    own = -z.log_softmax(1)[torch.arange(6), y]
    soft = kl((teacher / 5).softmax(1), (z / 5).softmax(1))
    close(L.tf_kd_self(z, teacher, y, alpha=0.4, temperature=5, reduction="none"), 0.6 * own + 0.4 * soft)
    released = functional.kl_div((z / 5).log_softmax(1), (teacher / 5).softmax(1), reduction="none").mean() * 25 * 10
    got = L.tf_kd_self(z, teacher, y, alpha=0.4, temperature=5, form="code", multiplier=10)
    close(got, 0.6 * own.mean() + 0.4 * released)
    close(L.tf_kd_self(z, teacher, y), L.tf_kd_self(z, teacher, y, alpha=0.1, temperature=20, form="paper"))
    close(L.tf_kd_self(z, teacher, y, form="code"), L.tf_kd_self(z, teacher, y, form="code", multiplier=1))
    assert not L.tf_kd_self(z, teacher.requires_grad_(), y).requires_grad


def test_online_smoothing_in_both_weightings(batch):
    z, y, t = batch
    table = t.softmax(1)
    log_q = z.log_softmax(1)
    own, soft = -log_q[torch.arange(6), y], -(table[y] * log_q).sum(1)
    none = {"reduction": "none"}
    close(L.online_smoothing(z, y, table, **none), 0.5 * own + 0.5 * soft)
    close(L.online_smoothing(z, y, table, hard_weight=0.2, **none), 0.2 * own + 0.8 * soft)
    close(L.online_smoothing(z, y, table, weighting="sum", hard_weight=0.2, **none), own + soft)
    close(L.online_smoothing(z, y, 0 * table, **none), 0.5 * own)


def test_online_criterion_learns_its_table_in_training_only(batch):
    z, y, _ = batch
    z = z.float()
    criterion = L.OnlineLabelSmoothing(4, weighting="sum", start="zeros", keep_above=0.88)
    torch.testing.assert_close(criterion(z, y), L.cross_entropy(z, y))
    other = OnlineTable(4)
    other.update(z, y)
    criterion.eval()
    criterion(z, y)
    assert torch.equal(criterion.online.sums, other.sums) and criterion.online.keep_above == 0.88
    criterion.train()
    criterion.end_of_epoch()
    other.end_of_epoch()
    torch.testing.assert_close(criterion.online.table, other.table)
    torch.testing.assert_close(criterion(z, y), L.online_smoothing(z, y, other.table, weighting="sum"))
    criterion = L.OnlineLabelSmoothing(4, hard_weight=0.3, ignore_index=1, reduction="none")
    uniform = torch.full((4, 4), 0.25)
    want = L.online_smoothing(z, y, uniform, hard_weight=0.3, ignore_index=1, reduction="none")
    torch.testing.assert_close(criterion(z, y), want)
    assert criterion.online.counts[1] == 0


def test_zipf_smoothing_in_probabilities(batch):
    z, y, _ = batch
    q = z.softmax(1).scatter(1, y[:, None], 0.0)
    q = q / q.sum(1, keepdim=True)
    own = -z.log_softmax(1)[torch.arange(6), y]
    none = {"reduction": "none"}
    close(L.zipf_smoothing(z, y, **none), own + 0.1 * kl(zipf(z, y), q))
    close(
        L.zipf_smoothing(z, y, strength=2, power=0.5, ranking="all", **none),
        own + 2 * kl(zipf(z, y, power=0.5, ranking="all"), q),
    )
    votes = z.flip(1)
    close(L.zipf_smoothing(z, y, scores=votes, **none), own + 0.1 * kl(zipf(votes, y), q))
    assert L.zipf_smoothing(z.float(), y, scores=votes).dtype == torch.float32


def test_gaussian_kl_against_torch():
    mean, log_std = torch.randn(5, 3, dtype=F64), torch.randn(5, 3, dtype=F64)
    a = torch.distributions.Normal(mean, log_std.exp())
    b = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    close(L.gaussian_kl(mean, log_std), torch.distributions.kl_divergence(a, b).sum(1))
    assert L.gaussian_kl(mean.half(), log_std.half()).dtype == torch.float32
    mean.requires_grad_(), log_std.requires_grad_()
    assert torch.autograd.gradcheck(L.gaussian_kl, (mean, log_std))


def test_reparametrised_draws_have_their_moments_and_their_gradient():
    mean, log_std = torch.tensor([[1.0, -2.0]], dtype=F64), torch.tensor([[0.0, 0.7]], dtype=F64)
    g = torch.Generator().manual_seed(0)
    x = L.reparametrise(mean, log_std, samples=40_000, generator=g)
    assert x.shape == (40_000, 1, 2)
    torch.testing.assert_close(x.mean(0), mean, rtol=0, atol=0.04)
    torch.testing.assert_close(x.std(0), log_std.exp(), rtol=0.02, atol=0)
    noise = (x - mean) / log_std.exp()
    mean.requires_grad_(), log_std.requires_grad_()
    x = L.reparametrise(mean, log_std, samples=5, generator=torch.Generator().manual_seed(0))
    got = torch.autograd.grad(x.sum(), (mean, log_std))
    close(got[0], torch.full((1, 2), 5.0, dtype=F64))
    close(got[1], ((x - mean).sum(0)).detach())
    assert noise.shape[0] == 40_000


def test_stochastic_encoder_is_linear_in_both_parameters():
    torch.manual_seed(0)
    encoder = L.StochasticEncoder(4, 2)
    x = torch.randn(3, 4)
    g = torch.Generator().manual_seed(1)
    sample, mean, log_std = encoder(x, generator=g)
    torch.testing.assert_close(mean, encoder.mean(x))
    torch.testing.assert_close(log_std, encoder.log_std(x))
    g = torch.Generator().manual_seed(1)
    torch.testing.assert_close(sample, L.reparametrise(mean, log_std, generator=g)[0])
    assert encoder.log_std.bias.abs().max() == 0


def test_vib_adds_distortion_and_rate(batch):
    z, y, t = batch
    mean, log_std = t[y], 0.1 * t[y].flip(1)
    draws = torch.stack([z, z.flip(0), -z])
    want = torch.stack([functional.cross_entropy(d, y, reduction="none") for d in draws]).mean(0)
    got = L.vib(draws, y, mean, log_std, beta=0.3, reduction="none")
    close(got, want + 0.3 * L.gaussian_kl(mean, log_std))
    close(L.vib(z, y, mean, log_std, beta=0), L.cross_entropy(z, y))


def test_vib_bounds_hold_and_are_tight(batch):
    g = torch.Generator().manual_seed(5)
    encoder = torch.randn(5, 3, generator=g, dtype=F64).softmax(1)
    joint = torch.rand(5, 4, generator=g, dtype=F64)
    joint /= joint.sum()
    p_z, p_zy = encoder.T @ joint.sum(1), encoder.T @ joint
    p_y = joint.sum(0)
    i_xz = (joint.sum(1)[:, None] * encoder * (encoder / p_z).log()).sum()
    i_yz = (p_zy * (p_zy / (p_z[:, None] * p_y)).log()).sum()
    tight = L.vib_bounds(encoder, p_zy / p_z[:, None], joint, p_z)
    close(tight.relevance, i_yz)
    close(tight.rate, i_xz)
    for seed in range(20):
        g = torch.Generator().manual_seed(seed)
        classifier = torch.randn(3, 4, generator=g, dtype=F64).softmax(1)
        prior = torch.randn(3, generator=g, dtype=F64).softmax(0)
        loose = L.vib_bounds(encoder, classifier, joint, prior)
        assert loose.relevance < i_yz and loose.rate > i_xz
    # an input that never occurs costs nothing, though the prior shuts its code out
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=F64)
    prior, never = torch.tensor([1.0, 0.0], dtype=F64), torch.tensor([[0.5, 0.5], [0.0, 0.0]], dtype=F64)
    assert L.vib_bounds(rows, torch.full((2, 2), 0.5, dtype=F64), never, prior).rate == 0
    assert torch.isinf(L.vib_bounds(rows, torch.full((2, 2), 0.5, dtype=F64), never.flip(0), prior).rate)
    mixed = L.vib_bounds(rows.half(), rows.bfloat16(), torch.eye(2) / 2, torch.ones(2, dtype=torch.float16) / 2)
    assert mixed.rate.dtype == mixed.relevance.dtype == torch.float32
    assert mixed.rate.item() == pytest.approx(math.log(2), rel=1e-6)
    one_hot = L.vib_bounds(torch.eye(3, dtype=F64), torch.eye(3, dtype=F64), torch.eye(3, dtype=F64) / 3, p_z)
    close(one_hot.relevance, torch.tensor(math.log(3), dtype=F64))


def test_discrete_vib_and_its_swap(batch):
    z, y, t = batch
    p, classifier = z.softmax(1), t.softmax(1)
    u = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=F64)
    fit = classifier.T[y]
    none = {"reduction": "none"}
    rate = kl(p, u.expand_as(p))
    close(L.vib_discrete(z, classifier, y, beta=0.3, prior=u, **none), -(p * fit.log()).sum(1) + 0.3 * rate)
    got = L.vib_discrete(z, classifier, y, beta=0.3, prior=u, log_outside=True, **none)
    close(got, -(p * fit).sum(1).log() + 0.3 * rate)
    # identity classifier, logarithm outside: the confidence penalty
    eye = torch.eye(4, dtype=F64)
    got = L.vib_discrete(z, eye, y, beta=0.3 / 0.7, log_outside=True, **none)
    close(0.7 * got, L.confidence_penalty(z, y, alpha=0.3, **none))
    # logarithm inside: infinite, unless the encoder is one-hot
    assert torch.isinf(L.vib_discrete(z, eye, y, beta=0.0, **none)).all()
    sure = torch.where(eye[y] > 0, 0.0, -torch.inf).to(F64)
    fine = -torch.xlogy(eye[y], eye.T[y]).sum(1)
    assert fine.abs().max() == 0 and torch.isneginf(sure).any()
    close(L.vib_discrete(2e3 * eye[y], eye, y, beta=0.0, **none), torch.zeros(6, dtype=F64))
    # a sample left out does not bring in the infinite slope of the class that stands in for its label
    live, shut = torch.zeros(2, 2, dtype=F64, requires_grad=True), torch.tensor([[0.0, 1.0], [0.0, 1.0]], dtype=F64)
    value = L.vib_discrete(live, shut, torch.tensor([1, -100]), beta=0.5)
    assert torch.autograd.grad(value, live)[0].abs().max() < 1e-15
    rectangular = L.vib_discrete(z, torch.ones(4, 2, dtype=F64) / 2, y % 2, beta=0.0)
    close(rectangular, torch.tensor(math.log(2), dtype=F64))


Z, Y, B = torch.zeros(1, 3), torch.tensor([0]), torch.zeros(1, 2)
EYE = torch.eye(3)
BAD = [
    (lambda: L.cross_entropy([0], Y), "logits must be a torch.Tensor of shape (N, K), got list"),
    (lambda: L.cross_entropy(Z, [0]), "target must be a torch.Tensor of shape (N,) or (N, K), got list"),
    (lambda: L.cross_entropy(Z, torch.ones(1, 2)), "target must have shape (1, 3), got (1, 2)"),
    (lambda: L.cross_entropy(Z, torch.ones(1, 3)), "target must sum to 1 along its last axis, got a sum of 3"),
    (lambda: L.cross_entropy(Z, Y, weight=torch.ones(2)), "weight must be a tensor of shape (3,), got (2,)"),
    (lambda: L.cross_entropy(Z, Y, weight=[1, 1, 1]), "weight must be a tensor of shape (3,), got list"),
    (
        lambda: L.cross_entropy(Z, Y, weight=torch.tensor([1.0, -1.0, 0.0])),
        "weight must be finite and >= 0, got -1",
    ),
    (
        lambda: L.focal(Z, Y, weight=torch.tensor([1.0, torch.inf, 0.0])),
        "weight must be finite and >= 0, got inf",
    ),
    (lambda: L.label_smoothing([0], Y, alpha=0.1), "logits must be a torch.Tensor of shape (N, K), got list"),
    (lambda: L.label_smoothing(Z, Y, alpha=-0.1), "alpha must be in [0, 1], got -0.1"),
    (lambda: L.label_smoothing(Z, Y, alpha=1.5), "alpha must be in [0, 1], got 1.5"),
    (lambda: L.label_smoothing(Z, Y, alpha=0, convention="x"), "convention must be one of 'all', 'others', got 'x'"),
    (lambda: L.confidence_penalty(Z, Y), "exactly one of beta and alpha must be given, got beta=None and alpha=None"),
    (
        lambda: L.confidence_penalty(Z, Y, beta=1, alpha=0.5),
        "exactly one of beta and alpha must be given, got beta=1 and alpha=0.5",
    ),
    (lambda: L.confidence_penalty(Z, Y, beta=-1), "beta must be in [0, inf), got -1"),
    (lambda: L.confidence_penalty(Z, Y, beta=math.inf), "beta must be in [0, inf), got inf"),
    (lambda: L.confidence_penalty(Z, Y, alpha=1.5), "alpha must be in [0, 1], got 1.5"),
    (
        lambda: L.confidence_penalty(Z, Y, beta=1, prior=torch.ones(3) / 3),
        "prior belongs to the form with alpha, got it with beta",
    ),
    (lambda: L.prior_kl(Z, direction="x"), "direction must be one of 'prior||q', 'q||prior', got 'x'"),
    (lambda: L.prior_kl([0], direction="q||prior"), "logits must be a torch.Tensor of shape (N, K), got list"),
    (lambda: L.prior_kl(Z, direction="q||prior", prior=torch.ones(1)), "prior must have shape (3,), got (1,)"),
    (
        lambda: L.prior_kl(Z, direction="q||prior", prior=torch.tensor([0.5, 0.5, 0])),
        "prior must be > 0 for direction 'q||prior', got an entry of 0",
    ),
    (
        lambda: L.prior_kl(Z, direction="q||prior", prior=torch.ones(3)),
        "prior must sum to 1 along its last axis, got a sum of 3",
    ),
    (lambda: L.focal([0], Y), "logits must be a torch.Tensor of shape (N, K), got list"),
    (lambda: L.focal(Z, [0]), "labels must be a torch.Tensor of shape (N,), got list"),
    (lambda: L.focal(Z, Y, gamma=-1), "gamma must be in [0, inf), got -1"),
    (lambda: L.focal(Z, Y, gamma=math.inf), "gamma must be in [0, inf), got inf"),
    (lambda: L.focal_sample_dependent(Z, Y, gammas=(-1, 3)), "gammas must be in [0, inf), got -1"),
    (lambda: L.focal_sample_dependent(Z, Y, gammas=(1, math.inf)), "gammas must be in [0, inf), got inf"),
    (lambda: L.focal_sample_dependent(Z, Y, gammas=3.0), "gammas must be a pair of exponents, got 3.0"),
    (lambda: L.focal_sample_dependent(Z, Y, gammas=(1, 2, 3)), "gammas must be a pair of exponents, got (1, 2, 3)"),
    (lambda: L.focal_sample_dependent(Z, Y, threshold=1.5), "threshold must be in [0, 1], got 1.5"),
    (lambda: L.focal_sample_dependent(Z, Y, threshold=-0.5), "threshold must be in [0, 1], got -0.5"),
    (lambda: L.distillation(Z, torch.zeros(1, 2)), "teacher_logits must have shape (1, 3), got (1, 2)"),
    (lambda: L.distillation([0], Z), "logits must be a torch.Tensor of shape (N, K), got list"),
    (lambda: L.distillation(Z, [0]), "teacher_logits must be a torch.Tensor of shape (N, K), got list"),
    (lambda: L.distillation(Z, Z, temperature=0), "temperature must be in (0, inf), got 0"),
    (lambda: L.distillation(Z, Z, temperature=math.inf), "temperature must be in (0, inf), got inf"),
    (lambda: L.distillation(Z, Z, Y, beta=1.5), "beta must be in [0, 1], got 1.5"),
    (lambda: L.distillation(Z, Z, Y, beta=-1), "beta must be in [0, 1], got -1"),
    (lambda: L.distillation(Z, Z, beta=0.5), "labels must be given for beta > 0, got None with beta=0.5"),
    (lambda: L.distillation(Z, Z, divergence="x"), "divergence must be one of 'kl', 'cross-entropy', got 'x'"),
    (lambda: L.SubstituteTeacher(EYE)(torch.zeros(1, 2), Y), "logits must have 3 classes, got 2"),
    (lambda: L.SubstituteTeacher([0]), "q_logits must be a torch.Tensor of shape (N, K), got list"),
    (lambda: L.SubstituteTeacher(EYE[:2]), "q_logits must be square, got shape (2, 3)"),
    (lambda: L.SubstituteTeacher(EYE, alpha=2), "alpha must be in [0, 1], got 2"),
    (lambda: L.SubstituteTeacher(EYE, beta=2), "beta must be in [0, 1], got 2"),
    (lambda: L.SubstituteTeacher(EYE, beta=-1), "beta must be in [0, 1], got -1"),
    (lambda: L.SubstituteTeacher(EYE, temperature=0), "temperature must be in (0, inf), got 0"),
    (lambda: L.SubstituteTeacher(EYE, temperature=math.inf), "temperature must be in (0, inf), got inf"),
    (lambda: L.SubstituteTeacher(EYE, divergence="x"), "divergence must be one of 'kl', 'cross-entropy', got 'x'"),
    (lambda: L.SubstituteTeacher(EYE, reduction="x"), "reduction must be one of 'mean', 'sum', 'none', got 'x'"),
    (lambda: L.tf_kd_reg(torch.zeros(1, 1), Y), "teacher-free distillation needs at least 2 classes, got K = 1"),
    (
        lambda: L.virtual_teacher(2.5, correct=0.9, temperature=1.0, form="paper"),
        "num_classes must be an integer, got 2.5",
    ),
    (lambda: L.tf_kd_reg(Z, Y, alpha=2), "alpha must be in [0, 1], got 2"),
    (lambda: L.tf_kd_reg(Z, Y, alpha=-1), "alpha must be in [0, 1], got -1"),
    (lambda: L.tf_kd_reg(Z, Y, temperature=0), "temperature must be in (0, inf), got 0"),
    (lambda: L.tf_kd_reg(Z, Y, temperature=math.inf), "temperature must be in (0, inf), got inf"),
    (lambda: L.tf_kd_reg(Z, Y, correct=1), "correct must be in (0, 1), got 1"),
    (lambda: L.tf_kd_reg(Z, Y, correct=0), "correct must be in (0, 1), got 0"),
    (lambda: L.tf_kd_reg(Z, Y, form="x"), "form must be one of 'paper', 'code', got 'x'"),
    (lambda: L.tf_kd_reg(Z, Y, multiplier=0), "multiplier must be in (0, inf), got 0"),
    (lambda: L.tf_kd_reg(Z, Y, multiplier=math.inf), "multiplier must be in (0, inf), got inf"),
    (lambda: L.tf_kd_self(Z, torch.zeros(1, 2), Y), "teacher_logits must have shape (1, 3), got (1, 2)"),
    (lambda: L.tf_kd_self(Z, [0], Y), "teacher_logits must be a torch.Tensor of shape (N, K), got list"),
    (lambda: L.tf_kd_self(Z, Z, Y, alpha=2), "alpha must be in [0, 1], got 2"),
    (lambda: L.tf_kd_self(Z, Z, Y, alpha=-1), "alpha must be in [0, 1], got -1"),
    (lambda: L.tf_kd_self(Z, Z, Y, temperature=0), "temperature must be in (0, inf), got 0"),
    (lambda: L.tf_kd_self(Z, Z, Y, temperature=math.inf), "temperature must be in (0, inf), got inf"),
    (lambda: L.tf_kd_self(Z, Z, Y, multiplier=0), "multiplier must be in (0, inf), got 0"),
    (lambda: L.tf_kd_self(Z, Z, Y, multiplier=math.inf), "multiplier must be in (0, inf), got inf"),
    (lambda: L.tf_kd_self(Z, Z, Y, form="x"), "form must be one of 'paper', 'code', got 'x'"),
    (lambda: L.online_smoothing(Z, Y, [0]), "table must be a torch.Tensor of shape (3, 3), got list"),
    (lambda: L.online_smoothing(Z, Y, torch.eye(2)), "table must have shape (3, 3), got (2, 2) of torch.float32"),
    (
        lambda: L.online_smoothing(Z, Y, torch.full((3, 3), 1j)),
        "table must have shape (3, 3), got (3, 3) of torch.complex64",
    ),
    (lambda: L.online_smoothing(Z, Y, EYE - 1), "table must be finite and >= 0, got -1"),
    (lambda: L.online_smoothing(Z, Y, EYE / 0), "table must be finite and >= 0, got inf"),
    (lambda: L.online_smoothing(Z, Y, EYE, weighting="x"), "weighting must be one of 'average', 'sum', got 'x'"),
    (lambda: L.online_smoothing(Z, Y, EYE, hard_weight=2), "hard_weight must be in [0, 1], got 2"),
    (lambda: L.online_smoothing(Z, Y, EYE, hard_weight=-1), "hard_weight must be in [0, 1], got -1"),
    (lambda: L.OnlineLabelSmoothing(2, weighting="x"), "weighting must be one of 'average', 'sum', got 'x'"),
    (lambda: L.OnlineLabelSmoothing(2, hard_weight=2), "hard_weight must be in [0, 1], got 2"),
    (lambda: L.OnlineLabelSmoothing(2, hard_weight=-1), "hard_weight must be in [0, 1], got -1"),
    (lambda: L.OnlineLabelSmoothing(2, reduction="x"), "reduction must be one of 'mean', 'sum', 'none', got 'x'"),
    (lambda: L.zipf_smoothing(Z, Y, strength=-1), "strength must be in [0, inf), got -1"),
    (lambda: L.zipf_smoothing(Z, Y, strength=math.inf), "strength must be in [0, inf), got inf"),
    (lambda: L.zipf_smoothing(Z, Y, scores=[0]), "scores must be a torch.Tensor of shape (N, K), got list"),
    (lambda: L.zipf_smoothing(Z, Y, scores=torch.zeros(1, 2)), "scores must have shape (1, 3), got (1, 2)"),
    (lambda: L.gaussian_kl([0], B), "mean must be a floating-point tensor of shape (N, D), got list"),
    (lambda: L.gaussian_kl(B, torch.zeros(2)), "log_std must have shape (1, 2), got (2,)"),
    (lambda: L.gaussian_kl(B[0, 0], B), "mean must be a floating-point tensor of shape (N, D), got ()"),
    (lambda: L.gaussian_kl(B.long(), B), "mean must be a floating-point tensor of shape (N, D), got torch.int64"),
    (lambda: L.gaussian_kl(B, Z), "log_std must have shape (1, 2), got (1, 3)"),
    (lambda: L.vib([0], Y, B, B, beta=1), "logits must be a torch.Tensor of shape (N, K) or (S, N, K), got list"),
    (lambda: L.reparametrise(B, B, samples=1.5), "samples must be an integer, got 1.5"),
    (lambda: L.reparametrise(B, B, samples=0), "samples must be at least 1, got 0"),
    (lambda: L.StochasticEncoder(0, 1), "features must be at least 1, got 0"),
    (lambda: L.StochasticEncoder(1, 0), "dim must be at least 1, got 0"),
    (lambda: L.StochasticEncoder(2, 1)(Z), "features must have 2 columns, got shape (1, 3)"),
    (lambda: L.StochasticEncoder(3, 1)([0.0]), "features must be a torch.Tensor of shape (N, K), got list"),
    (lambda: L.focal(Z, Y, weight=torch.ones(3) * 1j), "weight must be a tensor of real numbers, got torch.complex64"),
    (lambda: L.vib(Z, Y, B, B, beta=-1), "beta must be in [0, inf), got -1"),
    (lambda: L.vib(Z, Y, B, B, beta=math.inf), "beta must be in [0, inf), got inf"),
    (lambda: L.vib(Z[0], Y, B, B, beta=1), "labels must have shape (), got (1,)"),
    (
        lambda: L.vib(Z[0, 0], Y, B, B, beta=1),
        "logits must have shape (N, K) or (S, N, K) with S >= 1, got ()",
    ),
    (
        lambda: L.vib(Z[None][:0], Y, B, B, beta=1),
        "logits must have shape (N, K) or (S, N, K) with S >= 1, got (0, 1, 3)",
    ),
    (lambda: L.vib(Z, Y, torch.zeros(2, 2), torch.zeros(2, 2), beta=1), "mean must have 1 rows, got 2"),
    (lambda: L.vib_bounds(EYE, torch.tensor(1.0), EYE / 3, EYE[0]), "classifier must have 2 axes, got shape ()"),
    (lambda: L.vib_bounds(torch.ones(1), EYE, EYE / 3, EYE[0]), "encoder must have 2 axes, got shape (1,)"),
    (lambda: L.Distillation(3), "teacher must be callable, got 3"),
    (lambda: L.Distillation(lambda x: x, "kl"), "loss must be callable, got 'kl'"),
    (lambda: L.distillation(Z, Z, temperature=1e200), "temperature must be in [1e-18, 1e+18], got 1e+200"),
    (lambda: L.tf_kd_self(Z, Z, Y, temperature=1e-160), "temperature must be in [1e-18, 1e+18], got 1e-160"),
    (lambda: L.tf_kd_reg(Z, Y, temperature=1e-160), "temperature must be in [1e-18, 1e+18], got 1e-160"),
    (lambda: L.SubstituteTeacher(EYE, temperature=1e160), "temperature must be in [1e-18, 1e+18], got 1e+160"),
    (lambda: L.vib_bounds(EYE, EYE, EYE / 3, torch.ones(1)), "prior must have shape (3,), got (1,)"),
    (
        lambda: L.vib_bounds(EYE, torch.eye(2), EYE / 3, torch.ones(3) / 3),
        "classifier must have shape (3, 2), got (2, 2)",
    ),
    (
        lambda: L.vib_bounds(EYE, EYE, torch.ones(1, 3) / 3, torch.ones(3) / 3),
        "joint must have shape (3, 3), got (1, 3)",
    ),
    (
        lambda: L.vib_bounds(2 * EYE, EYE, EYE / 3, torch.ones(3) / 3),
        "encoder must sum to 1 along its last axis, got a sum of 2",
    ),
    (
        lambda: L.vib_bounds(EYE, 2 * EYE, EYE / 3, torch.ones(3) / 3),
        "classifier must sum to 1 along its last axis, got a sum of 2",
    ),
    (lambda: L.vib_bounds(EYE, EYE, [0], torch.ones(3) / 3), "joint must be a floating-point torch.Tensor, got list"),
    (lambda: L.vib_bounds(EYE, EYE, EYE, torch.ones(3) / 3), "joint must sum to 1 along its last axis, got a sum of 3"),
    (lambda: L.vib_bounds(EYE, EYE, EYE / 3, torch.ones(3)), "prior must sum to 1 along its last axis, got a sum of 3"),
    (lambda: L.vib_discrete([0], EYE, Y, beta=1), "encoder_logits must be a torch.Tensor of shape (N, K), got list"),
    (lambda: L.vib_discrete(Z, EYE, Y, beta=-1), "beta must be in [0, inf), got -1"),
    (lambda: L.vib_discrete(Z, EYE, Y, beta=math.inf), "beta must be in [0, inf), got inf"),
    (lambda: L.vib_discrete(Z, torch.eye(2), Y, beta=1), "classifier must have shape (3, K), got (2, 2)"),
    (lambda: L.vib_discrete(Z, torch.ones(3) / 3, Y, beta=1), "classifier must have shape (3, K), got (3,)"),
    (lambda: L.vib_discrete(Z, 2 * EYE, Y, beta=1), "classifier must sum to 1 along its last axis, got a sum of 2"),
    (
        lambda: L.vib_discrete(Z, EYE, Y, beta=1, prior=torch.tensor([0.5, 0.5, 0.0])),
        "prior must be > 0, got an entry of 0",
    ),
    (
        lambda: L.vib_discrete(Z, EYE, Y, beta=1, prior=torch.ones(1)),
        "prior must have shape (3,), got (1,)",
    ),
    (
        lambda: L.vib_discrete(Z, EYE, Y, beta=1, prior=torch.ones(3)),
        "prior must sum to 1 along its last axis, got a sum of 3",
    ),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda i: L.cross_entropy(Z, Y, ignore_index=i),
        lambda i: L.label_smoothing(Z, Y, alpha=0.1, ignore_index=i),
        lambda i: L.focal(Z, Y, ignore_index=i),
        lambda i: L.learnable_smoothing(Z, Y, EYE, ignore_index=i),
        lambda i: L.vib_discrete(Z, EYE, Y, beta=1.0, ignore_index=i),
        lambda i: L.LearnableLabelSmoothing(3, ignore_index=i),
        lambda i: L.LabelSmoothingPlusPlus(3, ignore_index=i),
        lambda i: L.TopNSmoothing(EYE, 1, ignore_index=i),
        lambda i: L.OnlineLabelSmoothing(3, ignore_index=i),
        lambda i: L.SubstituteTeacher(EYE, ignore_index=i),
    ],
)
@pytest.mark.parametrize("ignore_index", [None, "1", 0.5, True])
def test_ignore_index_is_an_integer(call, ignore_index):
    with pytest.raises(ValueError, match=f"^ignore_index must be an integer, got {ignore_index!r}$"):
        call(ignore_index)
