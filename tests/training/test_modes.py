"""The ways of training: augmented, in bfloat16, channels last, compiled, deterministic; what a device cannot do."""

import os
import shutil
import signal
from dataclasses import replace

import pytest
import torch
from torch import nn

from lsedu import _check, _look, losses, models, training
from lsedu.training import acceleration, loop, watch

STEPS = (
    training.RandomCrop(1),
    training.HorizontalFlip(),
    training.RandAugment(1),
    training.Cutout(2),
    training.CutMix(chance=0.7),
)
CONFIG = training.Config(epochs=4, batch_size=16, lr=0.05, seed=3, augment=STEPS)


def problem(n=72):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(n, 3, 8, 8, generator=generator)
    return images, (images[:, 0].sum((1, 2)) > 32).long()


def network():
    torch.manual_seed(11)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(144, 2)
    )


def trained(config, *, images=None, criterion=None, **options):
    model = network()
    criterion = criterion or losses.LearnableLabelSmoothing(2, alpha=0.1)
    x, y = problem()
    history = training.fit(
        model, criterion, x if images is None else images, y, config=config, progress=False, **options
    )
    return [p.detach().clone() for p in (*model.parameters(), *criterion.parameters())], history


def same(a, b):
    return all(torch.equal(one, other) for one, other in zip(a, b))


def test_augmentation_follows_the_seed_and_changes_the_run():
    first, second = trained(CONFIG)[0], trained(CONFIG)[0]
    assert same(first, second)
    assert not same(first, trained(replace(CONFIG, seed=4))[0])
    assert not same(first, trained(replace(CONFIG, augment=STEPS[:-1]))[0])


def test_without_augmentation_the_order_of_batches_is_what_it_was():
    seen = []

    def watching(logits, labels):
        seen.append(labels)
        return losses.cross_entropy(logits, labels)

    trained(training.Config(epochs=1, batch_size=16, seed=3), criterion=Wrapped(watching))
    order = torch.randperm(72, generator=torch.Generator().manual_seed(4 * 1_000_003))
    assert torch.equal(torch.cat(seen), problem()[1][order])


class Wrapped(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, logits, labels):
        return self.function(logits, labels)


def _train_and_die(path, after, threads):
    torch.set_num_threads(threads)
    calls = 0
    crop = training.RandomCrop.__call__

    def deadly(self, batch, *, generator):
        nonlocal calls
        calls += 1
        if calls == after:
            os.kill(os.getpid(), signal.SIGKILL)
        return crop(self, batch, generator=generator)

    training.RandomCrop.__call__ = deadly
    trained(CONFIG, checkpoint=path)


@pytest.mark.parametrize("after", [3, 14])
def test_a_kill_while_augmenting_changes_nothing(dies, tmp_path, after):
    path = tmp_path / "state.pt"
    dies(_train_and_die, path, after, torch.get_num_threads())
    assert path.exists() == (after > 6)
    torch.rand(3)
    assert same(trained(CONFIG, checkpoint=path)[0], trained(CONFIG)[0])


def test_a_checkpoint_of_another_augmentation_is_refused(tmp_path):
    path = tmp_path / "state.pt"
    trained(CONFIG, checkpoint=path)
    with pytest.raises(training.CheckpointError, match="'kind': 'cutmix'"):
        trained(replace(CONFIG, augment=STEPS[:2]), checkpoint=path)


def test_a_loss_of_inputs_gets_the_images_that_the_network_gets():
    seen = []

    class Looking(nn.Module):
        needs_inputs = True

        def forward(self, logits, labels, *, inputs):
            seen.append(inputs)
            return losses.cross_entropy(logits, labels)

    class Keeping(nn.Module):
        def __init__(self):
            super().__init__()
            self.net, self.got = network(), []

        def forward(self, x):
            self.got.append(x)
            return self.net(x)

    model = Keeping()
    config = training.Config(epochs=1, batch_size=16, augment=(training.Cutout(4),))
    training.fit(model, Looking(), *problem(), config=config, progress=False)
    assert len(seen) == 5 and all(torch.equal(a, b) for a, b in zip(seen, model.got))
    assert (seen[0] == 0).any()


def test_bytes_train_like_the_floats_they_stand_for():
    images = (problem()[0] * 255).round().byte()
    assert same(trained(CONFIG, images=images)[0], trained(CONFIG, images=images.float() / 255)[0])
    model = network()
    assert torch.equal(training.predict(model, images), training.predict(model, images.float() / 255))


def test_channels_last_changes_the_layout_and_nothing_else():
    seen = []

    def watching(module, args):
        seen.append(args[0].is_contiguous(memory_format=torch.channels_last) and not args[0].is_contiguous())

    model = network()
    model[0].register_forward_pre_hook(watching)
    config = replace(CONFIG, channels_last=True)
    training.fit(model, losses.LearnableLabelSmoothing(2), *problem(), config=config, progress=False)
    assert all(seen) and len(seen) == 20
    plain, _ = trained(CONFIG)
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(model.parameters(), plain))


def test_bfloat16_is_in_the_forward_pass_and_nowhere_else():
    seen = []

    def watching(logits, labels):
        seen.append(logits.dtype)
        return losses.cross_entropy(logits, labels)

    weights, history = trained(replace(CONFIG, precision="bfloat16"), criterion=Wrapped(watching))
    assert set(seen) == {torch.bfloat16} and all(p.dtype == torch.float32 for p in weights)
    assert history.column("loss")[-1] == pytest.approx(
        trained(CONFIG, criterion=Wrapped(losses.cross_entropy))[1].column("loss")[-1], rel=0.1
    )


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU")
def test_a_compiled_network_trains_like_the_plain_one():
    config = replace(CONFIG, compile=True, epochs=2, batch_size=24, augment=(training.HorizontalFlip(),))
    without = replace(config, compile=False)
    model, plain = (models.build(models.mlp, seed=0, shape=(3, 8, 8), num_classes=2) for _ in range(2))
    training.fit(model, losses.cross_entropy, *problem(), config=config, progress=False)
    training.fit(plain, losses.cross_entropy, *problem(), config=without, progress=False)
    assert model.state_dict().keys() == plain.state_dict().keys()
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(model.parameters(), plain.parameters()))


def test_replayed_graphs_are_refused_without_cuda():
    with pytest.raises(ValueError, match="cuda_graphs needs a CUDA device, this one is cpu"):
        trained(replace(CONFIG, cuda_graphs=True))


def test_recording_leaves_the_model_as_it_was_and_odd_batches_are_not_replayed(monkeypatch):
    replayed = []

    def recorded(module, sample):  # what CUDA does while it records: it runs the network some times
        for _ in range(3):
            module(*sample)
        torch.rand(5)
        return lambda x: (replayed.append(len(x)), module(x))[1]

    monkeypatch.setattr(acceleration.torch.cuda, "make_graphed_callables", recorded)
    monkeypatch.setattr(acceleration, "check", lambda config, device: None)
    assert same(trained(replace(CONFIG, cuda_graphs=True))[0], trained(CONFIG)[0])
    assert replayed == [16, 16, 16, 16] * CONFIG.epochs  # the last batch of an epoch has 8
    model = network()
    state = torch.random.get_rng_state()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    acceleration.prepare(model, replace(CONFIG, cuda_graphs=True), problem()[0][:16])
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_card_without_bfloat16_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "an old card")
    with pytest.raises(ValueError, match="an old card has no bfloat16; train with precision='float32'"):
        acceleration.check(replace(CONFIG, precision="bfloat16"), torch.device("cuda", 0))


def settings():
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.benchmark,
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    )


@pytest.mark.parametrize("given", [None, ":16:8"])
@pytest.mark.parametrize("fails", [False, True])
def test_deterministic_mode_is_on_inside_and_restored_after(monkeypatch, given, fails):
    if given is None:
        monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    else:
        monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", given)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    before, inside = settings(), []

    def watching(logits, labels):
        inside.append(settings())
        if fails:
            raise KeyError("stop")
        return losses.cross_entropy(logits, labels)

    config = replace(CONFIG, deterministic=True, epochs=1)
    if fails:
        with pytest.raises(KeyError, match="stop"):
            trained(config, criterion=Wrapped(watching))
    else:
        trained(config, criterion=Wrapped(watching))
    assert set(inside) == {(True, False, True, False, given or ":4096:8")}
    assert settings() == before
    with acceleration.deterministic(False):
        assert settings() == before


def test_losses_are_looked_at_together_where_looking_stops_the_device(monkeypatch):
    reads = []
    stack = torch.stack
    monkeypatch.setattr(watch.torch, "stack", lambda waiting: (reads.append(len(waiting)), stack(waiting))[1])
    seen = watch.LossWatch(torch.device("meta"))
    for i in range(120):
        assert seen.add(torch.tensor(float(i)), 2) is None
    assert reads == [50, 50] and seen.look() is None and reads == [50, 50, 20]
    assert seen.total() == 2 * sum(range(120))
    late = watch.LossWatch(torch.device("meta"))
    found = [late.add(torch.tensor(float("nan") if i in (63, 70) else 1.0), 1) for i in range(100)]
    assert found == [None] * 99 + [63]
    assert late.look() is None


def test_a_late_look_still_names_the_step_and_the_last_good_checkpoint(tmp_path, monkeypatch):
    class Late(watch.LossWatch):
        def __init__(self, device):
            super().__init__(torch.device("meta"))

    monkeypatch.setattr(loop, "LossWatch", Late)
    calls = []

    def failing(logits, labels):
        calls.append(1)
        return losses.cross_entropy(logits, labels) * (float("nan") if len(calls) == 8 else 1.0)

    path = tmp_path / "state.pt"
    config = replace(CONFIG, augment=())
    with pytest.raises(training.DivergedError, match=rf"nan at step 7 \(epoch 2 of 4.*checkpoint is {path}"):
        trained(config, criterion=Wrapped(failing), checkpoint=path)
    assert len(calls) == 10  # the rest of the epoch ran on
    assert all(torch.isfinite(value).all() for value in torch.load(path)["model"].values())


def test_trust_is_in_values_and_ends_with_its_block():
    with _look.trusted():
        assert _check.labels_inside("labels", torch.tensor([7]), 2)
        with pytest.raises(ValueError, match="integer dtype"):
            _check.labels("labels", torch.tensor([0.5]), 2)
        assert _check.distributions("p", torch.tensor([[0.3, 0.3]])) is not None
    with pytest.raises(ValueError, match="got 7"):
        _check.labels("labels", torch.tensor([7]), 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "float16"}, "'float32', 'bfloat16', got 'float16'"),
        ({"min_lr": 0.2, "lr": 0.1}, r"min_lr must be in \[0, 0\.1\], got 0\.2"),
        ({"augment": (training.Mixup(), training.CutMix())}, "mix samples once"),
        ({"augment": ("flip",)}, "augmentations of lsedu.training.augmentation, got \\('flip',\\)"),
    ],
)
def test_bad_recipes_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        training.Config(**options)


def test_adamw_shrinks_weights_apart_from_the_gradient():
    x, y = problem(8)
    model = models.build(models.softmax_regression, seed=0, shape=(3, 8, 8), num_classes=2)
    before = model.head.weight.detach().clone()
    config = training.Config(epochs=1, batch_size=8, optimizer="adamw", lr=0.01, weight_decay=0.5, schedule="constant")
    training.fit(model, losses.cross_entropy, x, y, config=config, progress=False)
    # Adam's first step is the learning rate against the sign of the gradient
    assert torch.allclose((model.head.weight - (1 - 0.01 * 0.5) * before).abs(), torch.tensor(0.01), atol=1e-5)


def test_cosine_ends_at_the_least_rate():
    config = training.Config(epochs=10, lr=0.5, min_lr=0.05, schedule="cosine")
    assert training.factor(config, 0, 100) == 1.0
    assert training.factor(config, 500, 100) == pytest.approx(0.55)
    assert training.factor(config, 1000, 100) == pytest.approx(0.1)


def test_the_fastest_algorithms_are_chosen_inside_and_nothing_else_is_set(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    before = settings()
    with pytest.raises(KeyError), acceleration.fastest():
        assert torch.backends.cudnn.benchmark and not torch.backends.cudnn.allow_tf32
        raise KeyError("stop")
    assert settings() == before
