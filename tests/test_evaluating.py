"""What runs a network leaves it as it found it: modes and gradients of every part, and torch's generator."""

import pytest
import torch
from torch import nn

from lsedu._evaluating import evaluating
from lsedu.analysis import grad_cam, linear_probe, mlp_probe
from lsedu.training import predict


def half_frozen() -> nn.Module:
    """A network being fine-tuned: batch normalisation and the first layer frozen, dropout kept on after eval()."""
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.Dropout(0.5), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(3, 2),
    ).train()  # fmt: skip
    model[1].eval()
    for frozen in (model[0], model[1]):
        frozen.requires_grad_(False)
    model[6].weight.grad = torch.ones_like(model[6].weight)
    return model


def state(model):
    return (
        [module.training for module in model.modules()],
        [parameter.requires_grad for parameter in model.parameters()],
        [None if parameter.grad is None else parameter.grad.clone() for parameter in model.parameters()],
        {name: value.clone() for name, value in model.state_dict().items()},
        [len(module._forward_hooks) for module in model.modules()],
    )


def fails(model, images):
    with evaluating(model):
        assert not any(module.training for module in model.modules())
        raise KeyError


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    "run",
    [
        lambda model, images: grad_cam(model, images, layer="0"),
        lambda model, images: grad_cam(model, images, layer="0", classes=torch.tensor([5, 0])),
        predict,
        lambda model, images: predict(model, images.double()),
        fails,
    ],
    ids=["grad_cam", "grad_cam fails", "predict", "predict fails", "evaluating fails"],
)
def test_a_half_frozen_network_stays_half_frozen(run, whole):
    model = half_frozen()
    model.training = whole
    before, generator = state(model), torch.get_rng_state()
    images = torch.randn(2, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    try:
        run(model, images)
    except (KeyError, ValueError, RuntimeError):
        assert run is not predict
    after = state(model)
    assert after[:2] == before[:2] and after[4] == before[4]
    torch.testing.assert_close(after[2:4], before[2:4], atol=0, rtol=0)
    assert torch.equal(torch.get_rng_state(), generator)


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
def test_what_needs_gradients_switches_them_on(off):
    model = half_frozen()
    images = torch.randn(2, 1, 6, 6)
    x, y = torch.randn(20, 3), torch.arange(20) % 2
    want = (
        grad_cam(model, images, layer="0"),
        linear_probe(x, y, x, y).predict(x),
        mlp_probe(x, y, x, y, epochs=2).predict(x),
    )
    with off():
        seen = images.clone()
        got = (
            grad_cam(model, seen, layer="0"),
            linear_probe(x, y, x, y).predict(x),
            mlp_probe(x, y, x, y, epochs=2).predict(x),
        )
    for one, other in zip(want, got):
        assert torch.equal(one, other)


def test_probes_draw_from_their_own_generator():
    x, y = torch.randn(20, 3), torch.arange(20) % 2
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = mlp_probe(x, y, x, y, epochs=2)
    linear_probe(x, y, x, y)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(mlp_probe(x, y, x, y, epochs=2).predict(x), first.predict(x))
    own = torch.Generator().manual_seed(0)
    assert torch.equal(mlp_probe(x, y, x, y, epochs=2, generator=own).predict(x), first.predict(x))
    other = torch.Generator().manual_seed(1)
    assert not torch.equal(mlp_probe(x, y, x, y, epochs=2, generator=other).predict(x), first.predict(x))
