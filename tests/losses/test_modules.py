"""Losses as modules: the functions with their options given once, and what PyTorch's users expect of a module."""

import copy
import inspect
import pickle

import pytest
import torch
from every_loss import criteria, table
from torch.profiler import ProfilerActivity, profile

from lsedu import losses as L
from lsedu.losses._module import Criterion
from lsedu.targets import OnlineTable

F64 = torch.float64
CRITERIA = criteria(4)
FORMS = Criterion.__subclasses__()


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-13)


def test_every_function_has_its_form_as_module():
    functions = {
        f for f in vars(L).values() if inspect.isfunction(f) and "reduction" in inspect.signature(f).parameters
    }
    owners = {L.online_smoothing, L.learnable_smoothing}  # their criteria own a table
    assert {form._loss for form in FORMS} == functions - owners
    for form in FORMS:
        options = [p for p in inspect.signature(form._loss).parameters.values() if p.kind is p.KEYWORD_ONLY]
        assert set(inspect.signature(form).parameters) == {p.name for p in options} - {"scores"}


@pytest.mark.parametrize(
    ("criterion", "call"),
    [
        (L.CrossEntropy(ignore_index=2), lambda z, y: L.cross_entropy(z, y, ignore_index=2)),
        (L.LabelSmoothing(alpha=0.2), lambda z, y: L.label_smoothing(z, y, alpha=0.2)),
        (L.ConfidencePenalty(beta=0.2), lambda z, y: L.confidence_penalty(z, y, beta=0.2)),
        (L.Focal(gamma=1.0), lambda z, y: L.focal(z, y, gamma=1.0)),
        (L.FocalSampleDependent(threshold=0.4), lambda z, y: L.focal_sample_dependent(z, y, threshold=0.4)),
        (L.TfKdReg(form="code"), lambda z, y: L.tf_kd_reg(z, y, form="code")),
        (L.ZipfSmoothing(power=2.0), lambda z, y: L.zipf_smoothing(z, y, power=2.0)),
    ],
)  # fmt: skip
def test_a_module_is_its_function(batch, criterion, call):
    z, y, _ = batch
    assert torch.equal(criterion(z, y), call(z, y))
    assert torch.equal(pickle.loads(pickle.dumps(copy.deepcopy(criterion)))(z, y), call(z, y))
    assert list(criterion.parameters()) == []


def test_modules_of_more_than_logits_and_labels(batch):
    z, y, t = batch
    q, u = t.softmax(1), torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=F64)
    mean = t[y]
    for got, want in [
        (L.TfKdSelf(alpha=0.4)(z, -z, y), L.tf_kd_self(z, -z, y, alpha=0.4)),
        (L.KnowledgeDistillation(temperature=2.0)(z, -z), L.distillation(z, -z, temperature=2.0)),
        (L.Vib(beta=0.3)(z, y, mean, -mean), L.vib(z, y, mean, -mean, beta=0.3)),
        (L.VibDiscrete(beta=0.3, prior=u)(z, q, y), L.vib_discrete(z, q, y, beta=0.3, prior=u)),
        (L.ZipfSmoothing()(z, y, scores=-z), L.zipf_smoothing(z, y, scores=-z)),
        (L.CrossEntropy()(z, q[y]), L.cross_entropy(z, q[y])),
    ]:
        assert torch.equal(got, want)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.Focal(gamma=-1), r"gamma must be in \[0, inf\), got -1"),
        (lambda: L.LabelSmoothing(alpha=2), r"alpha must be in \[0, 1\], got 2"),
        (lambda: L.LabelSmoothing(alpha=0.1, prior=torch.ones(3)), "prior must sum to 1"),
        (lambda: L.CrossEntropy(weight=torch.tensor([1.0, -1.0])), "weight must be finite and >= 0"),
        (lambda: L.CrossEntropy(weight=[1.0]), r"weight must be a tensor of shape \(2,\), got list"),
        (lambda: L.CrossEntropy(reduction="x"), "reduction must be one of"),
        (lambda: L.ConfidencePenalty(), "exactly one of beta and alpha must be given"),
        (lambda: L.VibDiscrete(beta=-1), r"beta must be in \[0, inf\), got -1"),
        (lambda: L.Vib(beta=-1), r"beta must be in \[0, inf\), got -1"),
        (lambda: L.KnowledgeDistillation(temperature=0), r"temperature must be in \(0, inf\), got 0"),
        (lambda: L.TfKdReg(correct=1), r"correct must be in \(0, 1\), got 1"),
        (lambda: L.LearnableLabelSmoothing(3, weight=torch.ones(2)), r"weight must be a tensor of shape \(3,\)"),
        (lambda: L.TopNSmoothing(torch.zeros(3, 3), 1, weight=-torch.ones(3)), "weight must be finite and >= 0"),
        (lambda: L.LabelSmoothingPlusPlus(3, weight=torch.ones(4)), r"weight must be a tensor of shape \(3,\)"),
        (lambda: L.OnlineLabelSmoothing(3, dtype=torch.int64), "dtype must be a floating-point torch.dtype"),
        (lambda: L.StochasticEncoder(3, 2, dtype=int), "dtype must be a floating-point torch.dtype"),
        (lambda: L.SubstituteTeacher(torch.eye(2), device="no"), "device must be a device of this machine"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_named_where_it_is_given(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_unknown_and_missing_options_are_python_s_own_errors():
    with pytest.raises(TypeError, match="missing a required argument: 'alpha'"):
        L.LabelSmoothing()
    with pytest.raises(TypeError, match="unexpected keyword argument 'scores'"):
        L.ZipfSmoothing(scores=torch.zeros(1, 3))
    # OLS weighs the label's own term: it is called that, and `alpha` is the share of what smooths everywhere
    with pytest.raises(TypeError, match="unexpected keyword argument 'alpha'"):
        L.online_smoothing(torch.zeros(1, 2), torch.tensor([0]), torch.eye(2), alpha=0.5)


@pytest.mark.parametrize("name", CRITERIA)
def test_criteria_move_are_cast_copied_and_shown(name):
    criterion = CRITERIA[name]()
    z, y = torch.randn(6, 4), torch.arange(6) % 4
    want = criterion.eval()(z, y)
    assert torch.equal(pickle.loads(pickle.dumps(criterion))(z, y), want)
    other = CRITERIA[name]().eval()
    other.load_state_dict(criterion.state_dict())
    assert torch.equal(other(z, y), want)
    assert type(criterion).__name__ in repr(criterion) and "object at" not in repr(criterion)
    torch.testing.assert_close(copy.deepcopy(criterion).double()(z.double(), y), want.double(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(copy.deepcopy(criterion).bfloat16()(z, y), want, rtol=3e-2, atol=3e-2)
    meta = criterion.to("meta")
    assert all(x.is_meta for x in (*meta.parameters(), *meta.buffers()))
    assert meta(z.to("meta"), y.to("meta")).is_meta


def test_what_was_chosen_is_shown():
    assert repr(L.Focal(gamma=2.0)) == "Focal(gamma=2.0)"
    assert (
        repr(L.LabelSmoothing(alpha=0.1, weight=torch.ones(2), reduction="sum"))
        == "LabelSmoothing(alpha=0.1, reduction='sum')"
    )
    assert repr(L.CrossEntropy()) == "CrossEntropy()"
    assert L.TopNSmoothing(torch.eye(3), 2).extra_repr() == "num_classes=3, n=2, alpha=0.1, variant='lls', half=False"
    assert L.LabelSmoothingPlusPlus(3).extra_repr() == "num_classes=3, alpha=0.1, variant=None, half=False"
    assert L.OnlineLabelSmoothing(3).extra_repr() == "weighting='average', hard_weight=0.5"
    assert OnlineTable(3).extra_repr() == "num_classes=3, start='uniform', keep_above=None"
    assert L.SubstituteTeacher(torch.eye(2)).extra_repr() == (
        "num_classes=2, alpha=0.1, beta=0.0, temperature=1.0, divergence='cross-entropy', scaled=True"
    )


def test_device_dtype_and_a_fresh_start():
    for dtype in (None, torch.float64, torch.bfloat16):
        made = [
            L.LearnableLabelSmoothing(3, dtype=dtype),
            L.LabelSmoothingPlusPlus(3, dtype=dtype),
            L.TopNSmoothing(torch.eye(3), 1, dtype=dtype),
            L.OnlineLabelSmoothing(3, dtype=dtype).online,
            L.StochasticEncoder(3, 2, dtype=dtype),
            L.SubstituteTeacher(torch.eye(3), dtype=dtype),
        ]
        held = [next(iter((*m.parameters(), *m.buffers()))) for m in made if not isinstance(m, L.TopNSmoothing)]
        assert {x.dtype for x in (*held, made[2].kept_logits)} == {dtype or torch.get_default_dtype()}
    for make in (
        lambda device: L.LearnableLabelSmoothing(3, device=device),
        lambda device: L.LabelSmoothingPlusPlus(3, device=device),
        lambda device: L.OnlineLabelSmoothing(3, start="zeros", device=device),
        lambda device: L.StochasticEncoder(3, 2, device=device),
        lambda device: L.TopNSmoothing(torch.zeros(3, 3), 1, device=device),
    ):
        # made without memory, given some, filled: what sharded training does
        late, early = make("meta"), make(None)
        assert all(x.is_meta for x in (*late.parameters(), *late.buffers()))
        late = late.to_empty(device="cpu")
        for criterion in (late, early):
            torch.manual_seed(0)
            getattr(criterion, "online", criterion).reset_parameters()
        state = early.state_dict()
        state.pop("kept", None)  # which classes are kept is no parameter
        for key, value in state.items():
            assert torch.equal(late.state_dict()[key], value), key
    learned = L.TopNSmoothing(table(5, torch.zeros(1)), 2)
    learned.reset_parameters()
    torch.testing.assert_close(learned.q(), torch.full((5, 5), 0.2))
    criterion = L.LearnableLabelSmoothing(2)
    with torch.no_grad():
        criterion.q_logits.fill_(3.0)
    criterion.reset_parameters()
    assert criterion.q_logits.abs().max() == 0


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_weights_of_learned_criteria(batch, half, reduction):
    z, y, _ = batch
    y = torch.where(y == 3, -100, y)
    w = torch.tensor([0.5, 2.0, 0.0, 1.5], dtype=F64)
    options = {"weight": w, "half": half, "reduction": reduction}
    lls = L.LearnableLabelSmoothing(4, dtype=F64, **options)
    top = L.TopNSmoothing(torch.zeros(4, 4, dtype=F64), 2, **options)
    want = L.learnable_smoothing(z, y, torch.zeros(4, 4, dtype=F64), **options)
    close(lls(z, y), want)
    close(top(z, y), want)
    plus = L.LabelSmoothingPlusPlus(4, dtype=F64, **options)
    each = L.LabelSmoothingPlusPlus(4, dtype=F64, half=half, reduction="none")(z, y) * w[y.clamp(min=0)]
    share = (w[y.clamp(min=0)] * (y >= 0)).sum()
    close(plus(z, y), {"none": each, "sum": each.sum(), "mean": each.sum() / share}[reduction])
    part = L.restrict(lls, torch.tensor([3, 1]))
    assert part.weight.tolist() == [1.5, 2.0]


def test_a_teacher_is_kept_in_evaluation_mode_and_untrained():
    teacher = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Dropout(0.5), torch.nn.BatchNorm1d(4))
    criterion = L.Distillation(teacher, L.KnowledgeDistillation(temperature=2.0))
    criterion.train()
    assert criterion.training and not teacher.training and not teacher[2].training
    x, z = torch.randn(5, 3), torch.randn(5, 4, requires_grad=True)
    first, second = (criterion(z, torch.arange(5) % 4, inputs=x) for _ in range(2))
    assert torch.equal(first, second) and torch.equal(first, L.distillation(z, teacher(x).detach(), temperature=2.0))
    first.backward()
    assert z.grad is not None and all(p.grad is None for p in teacher.parameters())
    assert criterion.parameter_groups(lr=0.1, weight_decay=0.1) == []
    assert criterion.to(F64).teacher[0].weight.dtype == F64


def largest_allocation(call):
    """Return the bytes of the largest tensor allocated in a call."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        call()
    return max(e.nbytes() for e in record.profiler.kineto_results.events() if e.name() == "[memory]")


@pytest.mark.parametrize("options", [{}, {"reduction": "sum"}, {"alpha": 0.0, "variant": "forward-kl"}])
def test_a_sparse_gradient_makes_nothing_of_all_classes(options):
    k, n = 1500, 8
    criterion = L.LearnableLabelSmoothing(k, sparse=True, **options)
    optimizer = torch.optim.SGD(criterion.parameter_groups(lr=0.1, weight_decay=1e-4), momentum=0.9)
    z, y = torch.randn(n, k), torch.randint(k, (n,))

    def step():
        optimizer.zero_grad()
        criterion(z, y).backward()
        optimizer.step()

    step()
    assert largest_allocation(step) <= 4 * n * k * 4
    assert criterion.q_logits.grad.is_sparse and not optimizer.state[criterion.q_logits].get("momentum_buffer")
