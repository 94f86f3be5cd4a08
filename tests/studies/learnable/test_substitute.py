"""What teaches in a network's place, by hand; which pictures a half has; and that the card's profile runs."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lsedu import losses
from lsedu.studies._pictures import Pictures
from lsedu.studies.learnable import _teaching, subsets, substitute


def test_an_even_q_is_smoothing():
    z, y = torch.randn(6, 4, generator=torch.manual_seed(0), requires_grad=True), torch.tensor([0, 1, 2, 3, 0, 1])
    even = _teaching.substitute(torch.full((4, 4), 3.0))(z, y)
    assert even.item() == pytest.approx(losses.label_smoothing(z, y, alpha=0.1).item(), abs=1e-6)


def test_rows_that_are_mixed_up_keep_their_diagonal_and_their_entries_and_lose_their_places():
    table = torch.randn(8, 8, generator=torch.manual_seed(1))
    mixed = _teaching.mixed_up(table, seed=3)
    assert torch.equal(mixed.diagonal(), table.diagonal())
    assert torch.equal(mixed.sort(1).values, table.sort(1).values)
    moved = (mixed != table).float().mean(1)
    assert (moved > 0).all()
    # the rows are mixed up apart: one order for all of them would keep which classes are popular
    orders = {
        tuple(table[i].tolist().index(v) - (j > i) for j, v in enumerate(mixed[i].tolist()) if j != i) for i in range(8)
    }
    assert len(orders) > 1
    assert torch.equal(mixed, _teaching.mixed_up(table, seed=3))
    assert not torch.equal(mixed, _teaching.mixed_up(table, seed=4))


def test_a_counted_q_gives_others_what_the_network_gave_them_and_the_label_nothing():
    means = np.array([[0.90, 0.08, 0.02], [0.30, 0.40, 0.30], [0.00, 0.10, 0.90]])
    teacher = _teaching.substitute(_teaching.counted(means))
    expected = [[0.90, 0.08, 0.02], [0.05, 0.90, 0.05], [0.00, 0.10, 0.90]]
    assert teacher.log_targets.exp().numpy() == pytest.approx(np.array(expected), abs=1e-6)
    loss = teacher(torch.zeros(3, 3, requires_grad=True), torch.tensor([0, 1, 2]))
    assert loss.item() == pytest.approx(np.log(3))


def test_criteria_differ_in_what_their_names_say():
    lls, half, own = (_teaching.criterion(name, 10) for name in ("lls", "half", "own"))
    assert (lls.half, lls.lr_factor, lls.weight_decay) == (False, 1, None)
    assert (half.half, half.lr_factor, half.weight_decay) == (True, 1, None)
    assert (own.half, own.lr_factor, own.weight_decay) == (True, 20, 0)
    assert _teaching.criterion("own", 100).lr_factor == 200
    assert {made.alpha for made in (lls, half, own)} == {0.1}


def test_a_half_of_the_samples_has_all_classes_and_a_half_of_the_classes_all_their_samples():
    y = torch.arange(400) % 10
    x = torch.arange(400.0).view(-1, 1, 1, 1)
    p = Pictures(x, y, x[:5], y[:5], x[:50], y[:50], num_classes=10)
    found = subsets.halves(p, seed=1)
    samples, classes = found["samples"], found["classes"]
    assert (
        len(samples.y) == 200
        and len(set(samples.x.flatten().tolist())) == 200
        and set(samples.y.tolist()) == set(range(10))
    )
    assert (samples.x.flatten() % 10 == samples.y).all() and len(samples.y_test) == 50
    assert len(classes.y) == 200 and set(classes.y.tolist()) == set(range(5)) == set(classes.y_test.tolist())
    assert (classes.x.flatten() % 10 == classes.y).all() and len(classes.y_test) == 25
    assert samples.classes.tolist() == list(range(10)) and classes.classes.tolist() == list(range(5))
    assert not torch.equal(samples.x, subsets.halves(p, seed=2)["samples"].x)


def test_the_student_of_a_half_of_the_classes_has_the_softmax_of_the_chosen_logits(monkeypatch):
    taught = []
    monkeypatch.setattr(
        subsets, "substitute", lambda table: taught.append(table.detach().clone()) or _teaching.substitute(table)
    )
    config = subsets.EXPERIMENT.configs["smoke"]
    found = subsets.measure(config, 0, device="cpu", workdir=None, progress=False)
    kept = {name: found.arrays[f"whole/{name}"].astype(float) for name in ("half", "own")}
    for half, tables in (("samples", taught[:4]), ("classes", taught[4:])):
        k = {"samples": 10, "classes": 5}[half]
        for name, table in zip(("half", "own"), tables, strict=False):
            part = kept[name][:k, :k]
            assert table.softmax(1).numpy() == pytest.approx(part / part.sum(1, keepdims=True), abs=2e-3)
        again = found.arrays[f"{half}/own/q"]
        assert tables[3].softmax(1).numpy() == pytest.approx(again, abs=1e-3) and again.shape == (k, k)


def test_students_learn_from_a_teacher_that_stays_as_it_is(monkeypatch):
    seen = []

    def noted(factory, loss, x, y, **options):
        model, history = trained(factory, loss, x, y, **options)
        seen.append((options["kind"], loss, model))
        return model, history

    trained = substitute.trained
    monkeypatch.setattr(substitute, "trained", noted)
    config = substitute.EXPERIMENT.configs["smoke"]
    substitute.measure(config, 0, device="cpu", workdir=None, progress=False)
    taught = [loss for _, loss, _ in seen if isinstance(loss, losses.Distillation)]
    # the last of this kind of network is trained for its Q alone
    assert [loss.teacher for loss in taught] == [model for kind, _, model in seen if kind == config.teacher][:4]
    assert {kind for kind, loss, _ in seen if isinstance(loss, losses.SubstituteTeacher)} == {config.student}
    assert sum(kind == config.other for kind, _, _ in seen) == 1


@pytest.mark.usefixtures("made_up")
def test_the_card_s_profile_runs_on_a_few_pictures():
    gpu = substitute.EXPERIMENT.configs["gpu"]
    few = replace(
        gpu, train_size=50, test_size=50, other_epochs=1,
        teacher="thin-resnet-8", other="thin-resnet-14", student="thin-resnet-8",
        training=replace(gpu.training, epochs=1, warmup=0, batch_size=50, cuda_graphs=False),
    )  # fmt: skip
    found = substitute.measure(few, 0, device="cpu", workdir=None, progress=False)
    assert found.arrays["q/own"].shape == (100, 100)
    assert 0 <= found.results["st/other/accuracy"] <= 1
    images = torch.rand(4, 3, 32, 32)
    for kind in (gpu.teacher, gpu.other, gpu.student):
        assert substitute.network(images, kind=kind, num_classes=100)(images).shape == (4, 100)
