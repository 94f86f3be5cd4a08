"""Every loss under torch.compile, torch.func, forward-mode differentiation and on meta tensors, as PyTorch's own."""

import shutil

import pytest
import torch
from every_loss import FUNCTIONS, LOSSES, criteria
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd import forward_ad
from torch.fx.experimental.proxy_tensor import make_fx

from lsedu import losses as L
from lsedu.losses import learnable

K = 7
CRITERIA = criteria(K)
# what the criteria below do not go through
PLAIN = ["cross_entropy", "distillation", "tf_kd_self code", "online", "vib", "vib discrete"]


@pytest.fixture(autouse=True)
def fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def samples(n, k=K, *, ignored=False):
    g = torch.Generator().manual_seed(n)
    z, y = torch.randn(n, k, generator=g), torch.randint(k, (n,), generator=g)
    if ignored and n > 1:
        y[1] = -100
    return z, y


def slopes(loss, z, y):
    z = z.clone().requires_grad_()
    value = loss(z, y)
    value.backward()
    return value.detach(), z.grad


def agrees(compiled, plain, batches, k):
    """Compare a module's value and gradients over changing batch sizes."""
    for n in batches:
        z, y = samples(n, k)
        for got, want in zip(slopes(compiled, z, y), slopes(plain, z, y)):
            torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-6)
        for got, want in zip(compiled.parameters(), plain.parameters()):
            torch.testing.assert_close(got.grad, want.grad, rtol=1e-5, atol=1e-6)


class Together(torch.nn.Module):
    """Criteria, and losses that no criterion goes through, in one graph: what all share is traced once."""

    def __init__(self, criteria, losses):
        super().__init__()
        self.names, self.losses = [*criteria, *losses], losses
        self.criteria = torch.nn.ModuleList(CRITERIA[name]() for name in criteria)

    def forward(self, z, y):
        return [criterion(z, y) for criterion in self.criteria] + [LOSSES[name](z, y) for name in self.losses]


@pytest.mark.parametrize(
    ("criteria", "losses"),
    [
        (["label smoothing", "focal", "online", "lls", "label smoothing++"], ["vib discrete"]),
        pytest.param(list(CRITERIA), PLAIN, marks=pytest.mark.slow),
    ],
    ids=["some", "all"],
)
def test_losses_compile_whole_and_agree_at_every_size(criteria, losses):
    plain, together = (Together(criteria, losses) for _ in range(2))
    compiled = torch.compile(together, backend="eager", fullgraph=True)
    for i, n in enumerate((6, 3, 9)):
        z, y = samples(n, ignored=i == 1)
        found = []
        for loss in (plain, compiled):
            live = z.clone().requires_grad_()
            values = loss(live, y)
            found.append([(v, torch.autograd.grad(v, live, retain_graph=True)[0]) for v in values])
            sum(values).backward()
        for name, wanted, got in zip(plain.names, *found):
            for a, b in zip(got, wanted):
                torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6, msg=lambda m, name=name: f"{name}: {m}")
        for a, b in zip(together.parameters(), plain.parameters()):
            torch.testing.assert_close(a.grad.to_dense(), b.grad.to_dense(), rtol=1e-5, atol=1e-6)
        for a, b in zip(together.buffers(), plain.buffers()):
            torch.testing.assert_close(a, b)


def test_options_may_change_from_call_to_call_where_compiled():
    t = torch.randn(K, K)

    def both(z, y, alpha):
        return L.label_smoothing(z, y, alpha=alpha) + L.learnable_smoothing(z, y, t, alpha=alpha)

    compiled = torch.compile(both, backend="eager", fullgraph=True)
    for n, alpha in ((5, 0.1), (4, 0.2), (3, 0.35)):
        z, y = samples(n)
        torch.testing.assert_close(compiled(z, y, alpha), both(z, y, alpha))


def test_the_kernels_are_not_compiled(monkeypatch):
    """Their writes in place were, wrongly, from the third batch size on; see the slow test below."""

    def refuse(*inputs):
        raise AssertionError("the kernel ran")

    monkeypatch.setattr(learnable.LearnableSmoothing, "apply", refuse)
    compiled = torch.compile(L.LearnableLabelSmoothing(K), backend="eager")
    assert torch.isfinite(compiled(*samples(4)))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU")
@pytest.mark.parametrize(
    ("make", "k"),
    [
        (lambda: L.LearnableLabelSmoothing(100), 100),
        (lambda: L.LabelSmoothingPlusPlus(10), 10),
        (lambda: L.OnlineLabelSmoothing(10), 10),
    ],
)
def test_compiled_code_agrees_at_every_size(make, k):
    agrees(torch.compile(make()), make(), (128, 80, 50, 100), k)


@pytest.mark.parametrize("name", LOSSES)
def test_mapped_over_batches_and_over_samples(name):
    loss = LOSSES[name]
    z, y = samples(6, 4, ignored=True)
    pair, labels = torch.stack([z, z.flip(0)]), torch.stack([y, y.flip(0)])
    got = torch.func.vmap(loss)(pair, labels)
    torch.testing.assert_close(got, torch.stack([loss(a, b) for a, b in zip(pair, labels)]))
    y = y.clamp(min=0)
    each = torch.func.vmap(torch.func.grad(loss))(z, y)
    _, whole = slopes(lambda z, y: loss(z, y, reduction="sum"), z, y)
    torch.testing.assert_close(each, whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_forward_mode_agrees_with_backward_mode(name):
    z, y = samples(5, 4)
    direction = torch.randn(5, 4)
    want = (slopes(LOSSES[name], z, y)[1] * direction).sum()
    _, slope = torch.func.jvp(lambda z: LOSSES[name](z, y), (z,), (direction,))
    with forward_ad.dual_level():
        dual = forward_ad.unpack_dual(LOSSES[name](forward_ad.make_dual(z, direction), y)).tangent
    if name == "label smoothing++":
        return  # its slope on the logits is not that of its value, on purpose
    torch.testing.assert_close(slope, want, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(dual, want, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if not n.startswith("vib")])
def test_hessians_are_finite_at_large_logits_too(name):
    z = torch.tensor([[1.0, 0.0, -0.5, 0.2], [100.0, 0.0, -100.0, 0.0], [-100.0, 100.0, 0.0, 0.0]])
    y = torch.tensor([0, 0, 0])
    hessian = torch.func.hessian(lambda z: LOSSES[name](z, y))(z)
    assert torch.isfinite(hessian).all()
    torch.testing.assert_close(hessian, hessian.permute(2, 3, 0, 1), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_meta_and_fake_tensors_give_shapes(name):
    z, y = (x.to("meta") for x in samples(3, 4))
    z.requires_grad_()
    value = LOSSES[name](z, y)
    value.backward()
    assert value.is_meta and value.shape == () and z.grad.shape == (3, 4)
    assert LOSSES[name](z, y, reduction="none").shape == (3,)
    with FakeTensorMode() as mode:
        fake = LOSSES[name](*(mode.from_tensor(x) for x in samples(3, 4)))
    assert fake.shape == () and fake.dtype == torch.float32


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", [*FUNCTIONS, *(f"module: {name}" for name in CRITERIA)])
def test_a_trace_keeps_nothing_of_the_values_it_was_made_with(name):
    """Traced where no sample is ignored and all logits are small, it is right where they are not."""
    loss = LOSSES[name] if name in LOSSES else CRITERIA[name.removeprefix("module: ")]().eval()
    z, y = samples(5)
    traced = torch.jit.trace(loss, (z, y), check_trace=False)
    for n, size in ((8, 1.0), (3, 40.0)):
        z, y = samples(n, ignored=True)
        torch.testing.assert_close(traced(size * z, y), loss(size * z, y), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_recorded_graph_keeps_nothing_of_them_either(name):
    graph = make_fx(lambda z, y: LOSSES[name](z, y))(*samples(5))
    z, y = samples(5, ignored=True)
    for size in (1.0, 40.0):
        torch.testing.assert_close(graph(size * z, y), LOSSES[name](size * z, y), rtol=1e-4, atol=1e-6)


class Criterion(torch.nn.Module):
    """What torch.export takes: a module, here of one loss."""

    def __init__(self, loss):
        super().__init__()
        self.loss = loss

    def forward(self, z, y):
        return self.loss(z, y)


@pytest.mark.parametrize("name", ["label smoothing, weights", "zipf", "substitute, cooled", "lls", "top n", "tf-kd"])
def test_an_exported_loss_takes_batches_of_every_size(name):
    criterion, size = Criterion(CRITERIA[name]()), torch.export.Dim("n", min=2, max=64)
    exported = torch.export.export(criterion, samples(6), dynamic_shapes=({0: size}, {0: size})).module()
    for n in (3, 9):
        z, y = samples(n, ignored=True)
        torch.testing.assert_close(exported(z, y), criterion(z, y), rtol=1e-4, atol=1e-6)
