"""The network that trains in seconds: its first layer, its epochs, its schedule, and one step run in every way."""

from functools import partial

import pytest
import torch
from torch import nn
from waits import Device

from lsedu import losses, models
from lsedu.studies.learnable._methods import METHODS, makers
from lsedu.training import CheckpointError, DivergedError, FastConfig, FastTrainer

SMALL = {"batch_size": 20, "widths": (24, 16, 16)}
SMOOTHED = partial(losses.label_smoothing, alpha=0.2)


def pictures(n=60, *, size=16):
    draws = torch.Generator().manual_seed(0)
    labels = torch.randint(10, (n,), generator=draws)
    noise = torch.rand(n, 3, size, size, generator=draws) * 160
    return (noise + 9 * labels[:, None, None, None]).to(torch.uint8), labels


def trainer(criterion=SMOOTHED, *, epochs=2, n=60, size=16, **config):
    return FastTrainer(*pictures(n, size=size), criterion, config=FastConfig(epochs=epochs, **{**SMALL, **config}))


def test_whitened_patches_are_uncorrelated_and_of_one_variance():
    draws = torch.Generator().manual_seed(0)
    mixed = torch.einsum(
        "ij,njhw->nihw", torch.tensor([[1.0, 0.4], [0.0, 0.3]]), torch.randn(50, 2, 9, 9, generator=draws)
    )
    filters = models.whitening(mixed, eps=0.0)
    assert filters.shape == (16, 2, 2, 2) and torch.equal(filters[8:], -filters[:8])
    answers = nn.functional.conv2d(mixed, filters[:8]).transpose(0, 1).flatten(1)
    assert torch.allclose(answers @ answers.T / answers.shape[1], torch.eye(8), atol=1e-4)


def test_blocks_begin_as_the_identity_on_their_first_channels():
    net = models.FastNet(widths=(24, 30, 30))
    x = torch.randn(2, 24, 8, 8)
    assert torch.allclose(net.blocks[1][0](x)[:, :24], x, atol=1e-6)


def test_the_published_size():
    weights = sum(p.numel() for p in models.FastNet().parameters() if p.requires_grad and p.ndim > 1)
    convolutions = 9 * (24 * 64 + 64 * 64 + 64 * 256 + 256 * 256 + 256 * 256 + 256 * 256)
    assert weights == convolutions + 2560 and round(weights / 1e6, 1) == 2.0


def test_an_epoch_shows_every_picture_once_shifted_and_mirrored_in_turns():
    run = trainer(n=47, shift=2)
    marked = torch.arange(47).float()[:, None, None, None].expand(47, 20, 20, 3)
    ramp = torch.arange(20.0)
    run.padded = marked * 1000 + ramp[:, None, None] * 30 + ramp[:, None]  # number, row and column of each pixel
    run._begin(3)
    run.padded, seen = run.padded.contiguous(), []
    for epoch in range(2):
        run._shuffle(3, epoch)
        number, rest = run.x[..., 0] // 1000, run.x[..., 0] % 1000
        row, column = rest // 30, rest % 30
        assert len(number) == 40 and len(set(number[:, 0, 0].tolist())) == 40  # the ragged rest is dropped
        assert torch.equal(number, number[:, :1, :1].expand_as(number))
        assert torch.equal(run.labels[number[:, 0, 0].long()], run.y)
        down, right = row[:, 1, 0] - row[:, 0, 0], column[:, 0, 1] - column[:, 0, 0]
        assert (down == 1).all() and set(right.tolist()) == {-1.0, 1.0}
        corner = torch.stack([row[:, 0, 0], column.flatten(1).min(1).values])
        assert corner.min() == 0 and corner.max() == 4
        seen.append(dict(zip(number[:, 0, 0].tolist(), right.tolist())))
    both = seen[0].keys() & seen[1].keys()
    assert len(both) > 30 and all(seen[0][i] == -seen[1][i] for i in both)


def test_the_learning_rate_rises_and_falls_and_the_first_bias_stops():
    run = trainer(epochs=10, lr=2.0, peak=0.5, start=0.25, end=0.0, bias_factor=8.0, whitening_epochs=4)
    weights, biases, first = (rates * 20 for rates in run.rates)  # for the sum over a batch of 20
    assert weights[0].item() == pytest.approx(0.5) and weights[15].item() == pytest.approx(2.0)
    assert weights[-1].item() == pytest.approx(2.0 / 15)
    assert torch.allclose(biases, 8 * weights)
    assert torch.allclose(first[:12], weights[:12]) and not first[12:].any()


def test_a_step_is_that_of_plain_sgd_on_the_mean_loss():
    run = trainer(epochs=1, momentum=0.9, weight_decay=0.01, bias_factor=1.0, whitening_epochs=1)
    run._begin(0)
    run._shuffle(0, 0)
    twin = models.FastNet(widths=SMALL["widths"])
    twin.load_state_dict(run.net.state_dict())
    sgd = torch.optim.SGD(
        [p for p in twin.parameters() if p.requires_grad], lr=1.0, momentum=0.9, nesterov=True, weight_decay=0.01
    )
    for i in range(3):
        run.step()
        sgd.param_groups[0]["lr"] = run.rates[0][i].item() * 20
        sgd.zero_grad()
        batch = slice(20 * i, 20 * (i + 1))
        SMOOTHED(twin(run.x[batch].permute(0, 3, 1, 2)), run.y[batch]).backward()
        sgd.step()
    for ours, plain in zip(run.net.parameters(), twin.parameters()):
        assert torch.allclose(ours, plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_depends_on_its_seed_alone_and_leaves_nothing_behind(precision):
    run = trainer(losses.LearnableLabelSmoothing(10), precision=precision)
    state = torch.get_rng_state()
    first = run.run(0)
    answers, table = run.predict(pictures()[0]), run.criterion.q().clone()
    assert run.run(1) != first
    assert run.run(0) == first and torch.equal(run.predict(pictures()[0]), answers)
    assert torch.equal(run.criterion.q(), table) and not torch.equal(table, losses.LearnableLabelSmoothing(10).q())
    assert torch.equal(torch.get_rng_state(), state)


def test_an_interrupted_run_goes_on_to_the_same_end(tmp_path, monkeypatch):
    path, table = tmp_path / "run.pt", losses.LearnableLabelSmoothing(10)
    whole = trainer(table, epochs=3)
    told = whole.run(0)
    cut, shuffle = trainer(losses.LearnableLabelSmoothing(10), epochs=3), FastTrainer._shuffle

    def stopped(self, seed, epoch):
        if epoch == 2:
            raise KeyboardInterrupt
        shuffle(self, seed, epoch)

    monkeypatch.setattr(FastTrainer, "_shuffle", stopped)
    with pytest.raises(KeyboardInterrupt):
        cut.run(0, checkpoint=path)
    monkeypatch.undo()
    later = trainer(losses.LearnableLabelSmoothing(10), epochs=3)
    assert later.run(0, checkpoint=path) == told
    assert torch.equal(later.predict(pictures()[0]), whole.predict(pictures()[0]))
    assert torch.equal(later.criterion.q(), table.q())
    assert later.run(0, checkpoint=path) == told  # it was at its end
    for other, seed in ((later, 1), (trainer(epochs=2), 0), (trainer(epochs=3), 0)):
        with pytest.raises(CheckpointError, match="give another checkpoint path or remove the file"):
            other.run(seed, checkpoint=path)


def test_it_learns():
    run = trainer(epochs=12)
    losses_ = run.run(0)
    x, y = pictures()
    assert losses_[-1] < 0.8 * losses_[0]
    assert (run.predict(x).argmax(1) == y).double().mean() > 0.5


def test_six_views_are_the_mean_over_mirrors_and_shifts():
    run = trainer()
    x, _ = pictures(5)
    shifted = nn.functional.pad(run._standard(x), (1, 1, 1, 1), mode="reflect")
    shown = [run._standard(x), shifted[:, :, :16, :16], shifted[:, :, 2:, 2:]]
    run.net.eval()
    with torch.no_grad():
        wanted = sum(w * (run.net(v) + run.net(v.flip(-1))) / 2 for w, v in zip((0.5, 0.25, 0.25), shown))
        assert torch.allclose(run.predict(x), run.net.head(run.features(x)) / 9)
    assert torch.allclose(run.predict(x, views=True), wanted, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.filterwarnings("ignore:for .*copying from a non-meta parameter")
def test_no_step_waits_for_the_device(method):
    with Device() as device:
        x, y = (device.put(value) for value in pictures())
        made = makers(10)[method]()
        made = device.put(made) if isinstance(made, nn.Module) else made
        run = FastTrainer(x, y, made, config=FastConfig(epochs=1, **SMALL))
        run._begin(0)
        run._shuffle(0, 0)
        for group in run.optimizer.param_groups:
            group["lr"] = 0.1  # the fused update of CUDA reads rates where they are; the one at hand would look at them
        run.rates = []
        device.waits.clear()
        for _ in range(2):
            run.step()
        run._average(0.5)
        assert device.waits == []


@pytest.mark.slow
@pytest.mark.parametrize("precision, limit", [("float32", 1e-3), ("bfloat16", 3e-2)])
def test_compiled_it_learns_the_same(precision, limit):
    found = []
    for compiled in (False, True):
        run = trainer(epochs=1, n=400, precision=precision, compile=compiled)
        assert run.steps == 20
        run.run(0)
        x, y = pictures(400)
        found.append(SMOOTHED(run.predict(x), y).item())
    assert found[0] == pytest.approx(found[1], abs=limit)


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(ValueError, match="at least batch_size=20 and as many as labels, got 19 and 19"):
        trainer(n=19)
    with pytest.raises(ValueError, match="precision must be one of"):
        FastConfig(precision="float8")
    with pytest.raises(ValueError, match="epochs must be at least 1, got 0"):
        FastConfig(epochs=0)
    for name, bad in {"momentum": 1.0, "weight_decay": -1.0, "bias_factor": 0.0, "start": -0.1, "peak": 0.0,
                      "end": float("nan"), "average_decay": 1.5}.items():  # fmt: skip
        with pytest.raises(ValueError, match=f"^{name} must be in .*, got {bad}$"):
            FastConfig(**{name: bad})
    with pytest.raises(DivergedError, match="the loss is nan in the last epoch"):
        trainer(lambda logits, labels: logits.sum() * float("nan")).run(0)
