"""The training loop: the same bits after a kill, clear ends, and gradients that are the ones we think."""

import os
import signal

import pytest
import torch
from torch import nn

from lsedu import models, training
from lsedu.losses import cross_entropy

CONFIG = training.Config(epochs=5, batch_size=16, lr=0.1, warmup=1, seed=3)


def problem(n=96):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(n, 1, 4, 4, generator=generator)
    return images, (images.sum((1, 2, 3)) > 8).long()


class Noisy(nn.Module):
    """Dropout draws from the global generator, a stray parameter of the criterion is trained along."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Dropout(0.3), nn.Linear(8, 2))

    def forward(self, x):
        return self.net(x)


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.epochs = 0

    def forward(self, logits, labels):
        return cross_entropy(self.scale * logits, labels)

    def end_of_epoch(self):
        self.epochs += 1


def fresh():
    torch.manual_seed(11)
    return Noisy(), Scaled()


def bits(model, criterion):
    return [p.detach().clone() for p in (*model.parameters(), *criterion.parameters())]


def whole():
    model, criterion = fresh()
    history = training.fit(model, criterion, *problem(), config=CONFIG, progress=False)
    return bits(model, criterion), history


class Stopped(Exception):
    pass


@pytest.mark.parametrize("epochs", [1, 3])
def test_resuming_gives_the_same_bits(tmp_path, epochs):
    wanted, history = whole()
    path = tmp_path / "run" / "state.pt"
    model, criterion = fresh()

    def stop(model):
        stop.count += 1
        if stop.count > epochs:
            raise Stopped
        return {}

    stop.count = 0
    with pytest.raises(Stopped):
        training.fit(model, criterion, *problem(), config=CONFIG, metrics=stop, checkpoint=path, progress=False)
    model, criterion = fresh()
    torch.rand(5)  # the global generator has moved on since
    again = training.fit(model, criterion, *problem(), config=CONFIG, checkpoint=path, progress=False)
    assert all(torch.equal(a, b) for a, b in zip(bits(model, criterion), wanted))
    assert again.column("loss").tolist() == history.column("loss").tolist()
    assert criterion.epochs == CONFIG.epochs - epochs


def _train_and_die(path, after, threads):
    torch.set_num_threads(threads)
    model, criterion = fresh()
    steps = 0
    forward = model.forward

    def deadly(x):
        nonlocal steps
        steps += 1
        if steps == after:
            os.kill(os.getpid(), signal.SIGKILL)
        return forward(x)

    model.forward = deadly
    training.fit(model, criterion, *problem(), config=CONFIG, checkpoint=path, progress=False)


@pytest.mark.parametrize("after", [2, 9, 29])
def test_a_kill_in_the_middle_of_a_step_changes_nothing(dies, tmp_path, after):
    path = tmp_path / "state.pt"
    dies(_train_and_die, path, after, torch.get_num_threads())
    model, criterion = fresh()
    training.fit(model, criterion, *problem(), config=CONFIG, checkpoint=path, progress=False)
    assert all(torch.equal(a, b) for a, b in zip(bits(model, criterion), whole()[0]))


def test_the_global_generator_is_left_alone():
    model, criterion = fresh()
    state = torch.random.get_rng_state()
    training.fit(model, criterion, *problem(), config=CONFIG, progress=False)
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_checkpoint_of_another_recipe_or_a_damaged_one_is_refused(tmp_path):
    path = tmp_path / "state.pt"
    model, criterion = fresh()
    training.fit(model, criterion, *problem(), config=CONFIG, checkpoint=path, progress=False)
    other = training.Config(epochs=5, batch_size=16, lr=0.2, warmup=1, seed=3)
    with pytest.raises(training.CheckpointError, match=r"'lr': 0\.1.*'lr': 0\.2"):
        training.fit(model, criterion, *problem(), config=other, checkpoint=path, progress=False)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(training.CheckpointError, match="cannot be read"):
        training.fit(model, criterion, *problem(), config=CONFIG, checkpoint=path, progress=False)


def test_a_checkpoint_of_another_model_or_criterion_is_refused_and_nothing_changed(tmp_path):
    path = tmp_path / "state.pt"
    model, criterion = fresh()
    training.fit(model, criterion, *problem(), config=CONFIG, checkpoint=path, progress=False)
    with pytest.raises(training.CheckpointError, match=r"another criterion: .* there and absent here"):
        training.fit(model, cross_entropy, *problem(), config=CONFIG, checkpoint=path, progress=False)
    wider = Noisy()
    wider.net[1] = nn.Linear(16, 9)
    before = [value.clone() for value in wider.state_dict().values()]
    with pytest.raises(training.CheckpointError, match=r"another model: net\.1\.bias is \(8,\) there and \(9,\) here"):
        training.fit(wider, criterion, *problem(), config=CONFIG, checkpoint=path, progress=False)
    assert all(torch.equal(a, b) for a, b in zip(before, wider.state_dict().values()))


def test_a_loss_that_is_no_number_stops_with_the_step():
    model, _ = fresh()
    calls = []

    def failing(logits, labels):
        calls.append(1)
        return cross_entropy(logits, labels) * (float("nan") if len(calls) == 8 else 1.0)

    with pytest.raises(training.DivergedError, match=r"step 7 \(epoch 2 of 5.*no checkpoint"):
        training.fit(model, failing, *problem(), config=CONFIG, progress=False)


def test_one_step_of_sgd_is_the_formula():
    images, labels = problem(8)
    model = models.build(models.softmax_regression, seed=0, shape=(1, 4, 4), num_classes=2)
    before = model.head.weight.detach().clone()
    q = torch.softmax(model(images), 1)
    error = (q - torch.nn.functional.one_hot(labels, 2)).T @ images.flatten(1) / 8
    config = training.Config(epochs=1, batch_size=8, lr=0.5, momentum=0.0, weight_decay=0.01, schedule="constant")
    training.fit(model, cross_entropy, images, labels, config=config, progress=False)
    assert torch.allclose(model.head.weight, before - 0.5 * (error + 0.01 * before), atol=1e-6)


def test_schedules_are_the_formulas():
    cosine = training.Config(epochs=4, schedule="cosine", warmup=1)
    assert [round(training.factor(cosine, s, 2), 4) for s in range(8)] == [0.5, 1.0, 1.0, 0.933, 0.75, 0.5, 0.25, 0.067]
    steps = training.Config(epochs=4, schedule="multistep", milestones=(1, 3), gamma=0.1)
    assert [training.factor(steps, s, 1) for s in range(4)] == pytest.approx([1, 0.1, 0.1, 0.01])
    assert training.factor(training.Config(schedule="constant"), 5, 2) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"epochs": 1.5}, "epochs must be an integer, got 1.5"),
        ({"batch_size": True}, "batch_size must be an integer, got True"),
        ({"seed": 0.5}, "seed must be an integer, got 0.5"),
        ({"warmup": 0.5}, "warmup must be an integer, got 0.5"),
        ({"milestones": 3}, "milestones must be a tuple of epochs, got 3"),
        ({"milestones": (1, 2.5)}, "milestones must be an integer, got 2.5"),
        ({"gamma": float("nan")}, r"gamma must be in \[0, inf\), got nan"),
        ({"lr": -1.0}, r"lr must be in \(0, inf\), got -1"),
        ({"optimizer": "lion"}, "optimizer must be one of 'sgd', 'adam', 'adamw', got 'lion'"),
        ({"epochs": 2, "warmup": 2}, r"warmup must be in \[0, epochs=2\), got 2"),
        ({"momentum": 1.0}, r"momentum must be in \[0, 1\), got 1"),
    ],
)
def test_bad_recipes_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        training.Config(**options)


def test_empty_or_uneven_data_are_refused():
    model, criterion = fresh()
    images, labels = problem()
    with pytest.raises(ValueError, match="got 96 and 95"):
        training.fit(model, criterion, images, labels[:-1], config=CONFIG)
    with pytest.raises(ValueError, match="got 0 and 0"):
        training.fit(model, criterion, images[:0], labels[:0], config=CONFIG)


def test_history_names_what_it_has():
    _, history = whole()
    assert len(history) == CONFIG.epochs and history.column("accuracy")[-1] > 0.5
    with pytest.raises(KeyError, match="epoch, loss, accuracy"):
        history.column("ece")


def test_predictions_do_not_depend_on_the_batch_size():
    model, _ = fresh()
    images, _ = problem()
    model.train()
    assert torch.allclose(
        training.predict(model, images, batch_size=7), training.predict(model, images, batch_size=96), atol=1e-6
    )
    assert model.training


@pytest.mark.parametrize("half", [False, True])
def test_a_frozen_norm_stays_frozen_and_a_model_at_rest_is_trained_whole(half):
    images, labels = problem()
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.BatchNorm1d(16), nn.Linear(16, 2))
    config = training.Config(epochs=2, batch_size=16, precision="bfloat16" if half else "float32")
    seen = []

    def modes(logits, labels):
        seen.append((net[1].training, net[3].training))
        return cross_entropy(logits, labels)

    def fit():
        seen.clear()
        training.fit(net, modes, images, labels, config=config, metrics=lambda model: {}, progress=False)
        assert len(set(seen)) == 1 and not any(module.training for module in net.modules())
        return seen[0]

    net.train()
    net[1].eval()
    before = [net[1].running_mean.clone(), net[3].running_mean.clone()]
    assert fit() == (False, True)
    assert torch.equal(net[1].running_mean, before[0]) and not torch.equal(net[3].running_mean, before[1])
    assert fit() == (True, True)
    assert not torch.equal(net[1].running_mean, before[0])
