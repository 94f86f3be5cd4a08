"""What a task forbids is seen while the function runs, by whatever name and on whatever way it is called."""

import functools
import operator
import statistics
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.special
import torch
import torch.nn.functional as F
from scipy.special import softmax as scipys
from torch import softmax as s

from lsedu.labs.watch import FAMILIES, Watch, follow, unwatchable

Z, Y = torch.linspace(-2, 2, 12).reshape(3, 4), torch.tensor([0, 3, 1])
LEAF = Z.clone().requires_grad_()
ONE = torch.eye(4)[None, None]


def imported_inside():
    from torch.nn.functional import log_softmax as inner

    return inner(Z, 1)


def in_a_thread(call=lambda: Z.softmax(1)):
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


SOFTMAX = {
    "by another name": lambda: s(Z, 1),
    "a method": lambda: Z.softmax(1),
    "F": lambda: F.softmax(Z, dim=1),
    "special": lambda: torch.special.softmax(Z, 1),
    "a module": lambda: torch.nn.Softmax(1)(Z),
    "a module of logarithms": lambda: torch.nn.LogSoftmax(1)(Z).exp(),
    "imported inside": imported_inside,
    "partial": lambda: functools.partial(torch.softmax, dim=1)(Z),
    "mapped": lambda: list(map(functools.partial(s, dim=0), Z)),
    "methodcaller": lambda: operator.methodcaller("softmax", 1)(Z),
    "an operation": lambda: torch.ops.aten._softmax(Z, 1, False),
    "softmin": lambda: F.softmin(-Z, 1),
    "gumbel": lambda: F.gumbel_softmax(Z),
    "a distribution": lambda: torch.distributions.Categorical(logits=Z).probs,
    "attention": lambda: F.scaled_dot_product_attention(ONE, ONE, ONE),
    "vmap": lambda: torch.func.vmap(lambda row: row.softmax(0))(Z),
    "a thread": in_a_thread,
    "an operation in a thread": lambda: in_a_thread(lambda: torch.ops.aten._softmax(Z, 1, False)),
    "a sparse one": lambda: torch.sparse.softmax(Z.to_sparse(), 1),
    "a compiled script": lambda: torch.jit.trace(lambda z: z.softmax(1), Z)(Z),
    "scipy": lambda: scipys(Z.numpy(), axis=1),
    "scipy's logarithm": lambda: scipy.special.log_softmax(Z.numpy(), axis=1),
}
LOGSUMEXP = {
    "a method": lambda: Z.logsumexp(1),
    "special": lambda: torch.special.logsumexp(Z, 1),
    "cumulative": lambda: Z.logcumsumexp(1)[:, -1],
    "a distribution": lambda: torch.distributions.Categorical(logits=Z).log_prob(Y),
    "scipy": lambda: scipy.special.logsumexp(Z.numpy(), axis=1),
    "two by two": lambda: functools.reduce(torch.logaddexp, Z.unbind(1)),
    "NumPy's sum": lambda add=np.logaddexp: add.reduce(Z.numpy(), axis=1),
}
CROSS_ENTROPY = {
    "F": lambda: F.cross_entropy(Z, Y),
    "a module": lambda: torch.nn.CrossEntropyLoss()(Z, Y),
    "likelihood": lambda: F.nll_loss(Z, Y),
    "a module of likelihood": lambda: torch.nn.NLLLoss()(Z, Y),
    "divergence": lambda: F.kl_div(Z, torch.eye(4)[Y], reduction="batchmean"),
}
AUTOGRAD = {
    "backward": lambda: (LEAF**2).sum().backward(),
    "grad": lambda: torch.autograd.grad((LEAF**2).sum(), LEAF),
    "partial": lambda: functools.partial(torch.autograd.grad, inputs=LEAF)((LEAF**2).sum()),
    "one step by hand": lambda: LEAF.log_softmax(1).grad_fn(ONE[0, 0, :3]),
    "torch.func.grad": lambda: torch.func.grad(lambda z: (z**2).sum())(Z),
    "torch.func.jacrev": lambda: torch.func.jacrev(lambda z: (z**2).sum())(Z),
    "torch.func.jvp": lambda: torch.func.jvp(lambda z: z**2, (Z,), (Z,)),
    "torch.func.jacfwd": lambda: torch.func.jacfwd(lambda z: (z**2).sum())(Z),
    "jacobian": lambda: torch.autograd.functional.jacobian(lambda z: (z**2).sum(), Z),
}
TRIES = [
    # torch.func imports PyTorch's compiler, which takes seconds
    pytest.param(family, call, id=f"{family} by {name}", marks=[pytest.mark.slow] * name.startswith("torch.func"))
    for family, calls in zip(FAMILIES, (SOFTMAX, LOGSUMEXP, CROSS_ENTROPY, AUTOGRAD), strict=True)
    for name, call in calls.items()
]


@pytest.mark.parametrize(("family", "call"), TRIES)
def test_a_forbidden_call_is_seen(family, call):
    with Watch([family]) as watch:
        call()
    assert watch.called and set(watch.called) <= set(FAMILIES[family])


def test_what_is_written_by_hand_is_fair():
    with Watch(list(FAMILIES)) as watch:
        m = LEAF.max(1, keepdim=True).values.detach()
        (m + (LEAF - m).exp().sum(1, keepdim=True).log() - LEAF)[torch.arange(3), Y].mean()
        z = Z.numpy()
        w = np.exp(z - z.max(axis=1, keepdims=True))
        w / w.sum(axis=1, keepdims=True)
        np.add.reduce(w, axis=1)
    assert watch.called == []


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("numpy.linalg.inv", lambda inv=np.linalg.inv: inv(np.eye(2))),
        ("numpy.mean", lambda mean=np.mean: mean(np.ones(2))),
        ("numpy.ndarray.argsort", lambda: np.ones(2).argsort()),
        ("statistics.mean", lambda mean=statistics.mean: mean([1, 2])),
        ("torch.einsum", lambda: functools.partial(torch.einsum, "ij->i")(Z)),
        ("torch.nn.Linear", lambda: torch.nn.Linear(4, 2)(Z)),
        ("torch.cumsum", lambda: Z.cumsum(0)),
    ],
)
def test_any_function_can_be_forbidden_by_its_dotted_name(name, call):
    with Watch([name]) as watch:
        call()
        np.ones(2).mean()
    assert watch.called == [name]


def test_who_ends_the_watch_is_seen():
    with Watch(["numpy.linalg.inv"]) as watch:
        sys.setprofile(None)
        np.linalg.inv(np.eye(2))
    assert watch.called == ["sys.setprofile"]


def test_threads_from_before_are_seen_where_they_are_followed():
    before = threading.getprofile()
    follow()
    try:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(int).result()
            with Watch(["softmax"]) as watch:
                pool.submit(s, Z, 1).result()
            with Watch(["logsumexp"]) as other:
                pool.submit(s, Z, 1).result()
    finally:
        threading.setprofile(before)
    assert watch.called == ["torch.softmax"] and other.called == []


def test_nothing_is_left_behind_whatever_the_function_raises():
    with pytest.raises(ValueError, match="mine"), Watch(["softmax"]) as watch:
        Z.softmax(1)
        raise ValueError("mine")
    Z.log_softmax(1)
    assert watch.called == ["torch.softmax"] and sys.getprofile() is None and threading.getprofile() is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sotfmax", "there is no 'sotfmax'; families are softmax, logsumexp"),
        ("numpy.nothing", "there is no 'numpy.nothing'"),
        ("numpy.exp", "calls of 'numpy.exp', of type ufunc, cannot be seen"),
    ],
)
def test_what_cannot_be_watched_is_refused(name, said):
    assert said in unwatchable([name]) and unwatchable(list(FAMILIES)) == ""
