"""Each loss against its formula in 50 digits, from tiny logits to 1e4 and with ties: float64 to 1e-9, float32 to 1e-5.

The inputs are exact in float32, so that both precisions are held to the same value; gradients in float32 are held to
those in float64, which finite differences check elsewhere.
"""

import math

import mpmath as mp
import pytest
import torch

from lsedu import losses as L

F64 = torch.float64
NONE = {"reduction": "none"}
SIZES = (1e-3, 1.0, 30.0, 100.0, 1e3, 1e4)
ALPHA, HIT = 0.1, 0.99


@pytest.fixture(autouse=True)
def fifty_digits():
    with mp.workdps(50):
        yield


def inputs(size, k=5):
    """Return logits with random, tied, all equal, leading and trailing rows, labels, and a K x K table, in float64."""
    g = torch.Generator().manual_seed(k)
    z = torch.randn(7, k, generator=g)
    z[1] = z[1].round()
    z[2] = 0.5
    y = torch.tensor([0, 1, 2, 3, 0, k - 1, 1]) % k
    z[3, y[3]] = z[3].max() + 1
    z[4, y[4]] = z[4].min() - 1
    return (size * z).double(), y, torch.randn(k, k, generator=g).double()


def soft(z):
    """Return the distribution of logits."""
    top = max(z)
    e = [mp.exp(x - top) for x in z]
    return [x / mp.fsum(e) for x in e]


def xlog(x, y):
    return mp.mpf(0) if x == 0 else x * mp.log(y)


def cross(p, q):
    return -mp.fsum(xlog(a, b) for a, b in zip(p, q))


def kl(p, q):
    return cross(p, q) - cross(p, p)


def hot(y, k, share=1.0):
    return [mp.mpf(share) if j == y else mp.mpf(0) for j in range(k)]


def mixed(y, row, alpha):
    return [(1 - mp.mpf(alpha)) * h + mp.mpf(alpha) * r for h, r in zip(hot(y, len(row)), row)]


def even(k):
    return [mp.mpf(1) / k] * k


def without(y, row):
    rest = mp.fsum(r for j, r in enumerate(row) if j != y)
    return [mp.mpf(0) if j == y else r / rest for j, r in enumerate(row)]


def cooled(z, temperature):
    return soft([x / temperature for x in z])


def focal(z, y, t, gamma):
    q = soft(z)
    # 1 - q_y from the other classes: 50 digits are not enough for the difference
    return -(mp.fsum(x for j, x in enumerate(q) if j != y) ** gamma) * mp.log(q[y])


def flsd(z, y, t):
    return focal(z, y, t, 5 if soft(z)[y] < mp.mpf("0.2") else 3)


def virtual(y, k, temperature, form):
    a = [mp.mpf(HIT) if j == y else (1 - mp.mpf(HIT)) / (k - 1) for j in range(k)]
    return soft([(mp.log(x) if form == "paper" else x) / temperature for x in a])


def zipf(z, y, t):
    ranks = [1 + sum(other > x for j, other in enumerate(z) if j != y) for x in z]
    target = without(y, [1 / mp.mpf(r) for r in ranks])
    return cross(hot(y, len(z)), soft(z)) + mp.mpf("0.5") * kl(target, without(y, soft(z)))


def lls(variant):
    fce, rce, prediction, target = L.VARIANTS[variant]

    def value(z, y, t, row=soft):
        q, s = soft(z), mixed(y, row(t[y]), ALPHA)
        return fce * cross(s, q) + rce * cross(q, s) - prediction * cross(q, q) - target * cross(s, s)

    return value


def plus_plus(z, y, t):
    q, s = soft(z), mixed(y, without(y, soft(t[y])), ALPHA)
    return cross(s, q) + cross(q, s)


def with_shares(z, y, t):
    criterion = L.LabelSmoothingPlusPlus(len(t), dtype=t.dtype, reduction="none")
    with torch.no_grad():
        criterion.c_logits.copy_(t)
    return criterion(z, y)


# the library's call, and the formula of one sample; both are given logits, label and table
LOSSES = {
    "cross_entropy": (
        lambda z, y, t: L.cross_entropy(z, y, **NONE),
        lambda z, y, t: cross(hot(y, len(z)), soft(z)),
    ),
    "cross_entropy soft": (
        lambda z, y, t: L.cross_entropy(z, t[y].softmax(1), **NONE),
        lambda z, y, t: cross(soft(t[y]), soft(z)),
    ),
    "label_smoothing": (
        lambda z, y, t: L.label_smoothing(z, y, alpha=ALPHA, **NONE),
        lambda z, y, t: cross(mixed(y, even(len(z)), ALPHA), soft(z)),
    ),
    "label_smoothing others": (
        lambda z, y, t: L.label_smoothing(z, y, alpha=ALPHA, convention="others", **NONE),
        lambda z, y, t: cross(mixed(y, without(y, even(len(z))), ALPHA), soft(z)),
    ),
    "label_smoothing prior": (
        lambda z, y, t: L.label_smoothing(z, y, alpha=ALPHA, prior=t.softmax(1), **NONE),
        lambda z, y, t: cross(mixed(y, soft(t[y]), ALPHA), soft(z)),
    ),
    "prior_kl prior||q": (
        lambda z, y, t: L.prior_kl(z, direction="prior||q", prior=t[0].softmax(0)),
        lambda z, y, t: kl(soft(t[0]), soft(z)),
    ),
    "prior_kl q||prior": (
        lambda z, y, t: L.prior_kl(z, direction="q||prior", prior=t[0].softmax(0)),
        lambda z, y, t: kl(soft(z), soft(t[0])),
    ),
    "confidence beta": (
        lambda z, y, t: L.confidence_penalty(z, y, beta=0.7, **NONE),
        lambda z, y, t: cross(hot(y, len(z)), soft(z)) - mp.mpf(0.7) * cross(soft(z), soft(z)),
    ),
    "confidence alpha": (
        lambda z, y, t: L.confidence_penalty(z, y, alpha=0.3, **NONE),
        lambda z, y, t: (1 - mp.mpf(0.3)) * cross(hot(y, len(z)), soft(z)) + mp.mpf(0.3) * kl(soft(z), even(len(z))),
    ),
    **{
        f"focal {gamma}": (
            lambda z, y, t, gamma=gamma: L.focal(z, y, gamma=gamma, **NONE),
            lambda z, y, t, gamma=gamma: focal(z, y, t, gamma),
        )
        for gamma in (0.5, 1.0, 3.0)
    },
    "flsd": (lambda z, y, t: L.focal_sample_dependent(z, y, **NONE), flsd),
    "distillation": (
        lambda z, y, t: L.distillation(z, t[y], y, temperature=4.0, beta=0.25, **NONE),
        lambda z, y, t: (
            mp.mpf(0.25) * cross(hot(y, len(z)), soft(z)) + mp.mpf(0.75) * 16 * kl(cooled(t[y], 4), cooled(z, 4))
        ),
    ),
    "substitute": (
        lambda z, y, t: L.SubstituteTeacher(t, alpha=ALPHA, beta=0.25, reduction="none")(z, y),
        lambda z, y, t: (
            mp.mpf(0.25) * cross(hot(y, len(z)), soft(z)) + mp.mpf(0.75) * cross(mixed(y, soft(t[y]), ALPHA), soft(z))
        ),
    ),
    "tf_kd_reg paper": (
        lambda z, y, t: L.tf_kd_reg(z, y, correct=HIT, **NONE),
        lambda z, y, t: (
            (1 - mp.mpf(ALPHA)) * cross(hot(y, len(z)), soft(z))
            + mp.mpf(ALPHA) * kl(virtual(y, len(z), 20, "paper"), cooled(z, 20))
        ),
    ),
    "tf_kd_reg code": (
        lambda z, y, t: L.tf_kd_reg(z, y, correct=HIT, form="code", **NONE),
        lambda z, y, t: (
            (1 - mp.mpf(ALPHA)) * cross(hot(y, len(z)), soft(z))
            + mp.mpf(ALPHA) * 100 / len(z) * kl(virtual(y, len(z), 20, "code"), soft(z))
        ),
    ),
    "tf_kd_self": (
        lambda z, y, t: L.tf_kd_self(z, t[y], y, temperature=4.0, **NONE),
        lambda z, y, t: (
            (1 - mp.mpf(ALPHA)) * cross(hot(y, len(z)), soft(z)) + mp.mpf(ALPHA) * kl(cooled(t[y], 4), cooled(z, 4))
        ),
    ),
    "online": (
        lambda z, y, t: L.online_smoothing(z, y, t.softmax(1), hard_weight=0.25, **NONE),
        lambda z, y, t: mp.mpf(0.25) * cross(hot(y, len(z)), soft(z)) + mp.mpf(0.75) * cross(soft(t[y]), soft(z)),
    ),
    "zipf": (lambda z, y, t: L.zipf_smoothing(z, y, strength=0.5, **NONE), zipf),
    "vib discrete": (
        lambda z, y, t: L.vib_discrete(z, t.softmax(1), y, beta=0.25, **NONE),
        lambda z, y, t: (
            -mp.fsum(a * mp.log(soft(row)[y]) for a, row in zip(soft(z), t)) + kl(soft(z), even(len(z))) / 4
        ),
    ),
    "vib discrete outside": (
        lambda z, y, t: L.vib_discrete(z, t.softmax(1), y, beta=0.25, log_outside=True, **NONE),
        lambda z, y, t: (
            -mp.log(mp.fsum(a * soft(row)[y] for a, row in zip(soft(z), t))) + kl(soft(z), even(len(z))) / 4
        ),
    ),
    **{
        f"lls {v}": (
            lambda z, y, t, v=v: L.learnable_smoothing(z, y, t, alpha=ALPHA, variant=v, **NONE),
            lls(v),
        )
        for v in L.VARIANTS
    },
    "label smoothing++": (with_shares, plus_plus),
}
TOLERANCE = {F64: {"rel": 1e-9, "abs": 1e-12}, torch.float32: {"rel": 1e-5, "abs": 1e-7}}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", LOSSES)
def test_values(name, size):
    call, formula = LOSSES[name]
    z, y, t = inputs(size)
    rows = [[mp.mpf(x) for x in row] for row in z.tolist()]
    table = [[mp.mpf(x) for x in row] for row in t.tolist()]
    want = [float(formula(row, label, table)) for row, label in zip(rows, y.tolist())]
    for dtype, tolerance in TOLERANCE.items():
        got = call(z.to(dtype), y, t.to(dtype))
        assert got.dtype == dtype
        assert got.tolist() == pytest.approx(want, **tolerance)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_in_float32(name, size):
    call, _ = LOSSES[name]
    z, y, t = inputs(size)
    gradients = []
    for dtype in (F64, torch.float32):
        live = z.to(dtype).requires_grad_()
        gradients.append(torch.autograd.grad(call(live, y, t.to(dtype)).sum(), live)[0].double())
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-5, atol=1e-7 * max(1.0, math.sqrt(size)))


@pytest.mark.parametrize("size", [1.0, 100.0])
@pytest.mark.parametrize("samples", [2, 7, 14])  # more rows of Q than samples, or at most half as many
@pytest.mark.parametrize("name", [f"lls {v}" for v in L.VARIANTS] + ["label smoothing++"])
def test_a_large_q(name, samples, size):
    call, formula = LOSSES[name]
    z, y, t = inputs(size)
    z, y = torch.cat([z, -z])[:samples], torch.cat([y, y])[:samples]
    t = 100 * t
    rows = [[mp.mpf(x) for x in row] for row in z.tolist()]
    table = [[mp.mpf(x) for x in row] for row in t.tolist()]
    want = [float(formula(row, label, table)) for row, label in zip(rows, y.tolist())]
    gradients = []
    for dtype, tolerance in TOLERANCE.items():
        live, q = z.to(dtype).requires_grad_(), t.to(dtype).requires_grad_()
        got = call(live, y, q)
        assert got.tolist() == pytest.approx(want, **tolerance)
        if name != "label smoothing++":  # its shares are a copy of the table
            gradients.append(torch.autograd.grad(got.sum(), (live, q)))
    for exact, narrow in zip(*gradients):
        torch.testing.assert_close(narrow.double(), exact, rtol=1e-5, atol=1e-6)
