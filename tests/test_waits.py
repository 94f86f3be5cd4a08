"""The pretended device counts what would stop a program, and nothing else; its values are the CPU's."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from waits import DEVICE, Device

STOPS = {
    "item": lambda x: x.sum().item(),
    "float": lambda x: float(x[0, 0]),
    "if": lambda x: 1 if x.sum() > 0 else 2,
    "is_nonzero": lambda x: torch.is_nonzero(x.sum()),
    "tolist": lambda x: x.tolist(),
    "equal": lambda x: torch.equal(x, x),
    "allclose": lambda x: torch.allclose(x, x),
    "cpu": lambda x: x.cpu(),
    "to the CPU": lambda x: x.to("cpu", torch.float64),
    "late to the CPU": lambda x: x.to("cpu", non_blocking=True),
    "copy to the CPU": lambda x: torch.zeros(4, 3).copy_(x),
    "nonzero": lambda x: x.nonzero(),
    "argwhere": lambda x: torch.argwhere(x),
    "where of a mask": lambda x: torch.where(x > 0),
    "mask": lambda x: x[x > 0],
    "mask of rows": lambda x: x[x[:, 0] > 0, 1],
    "set by a mask": lambda x: x.clone().__setitem__(x > 0, x[0, 0]),
    "set one element to a number": lambda x: x.clone().__setitem__((0, 0), 0.5),
    "set elements to a number": lambda x: x.clone().__setitem__(torch.arange(2, device=x.device), 0.5),
    "index_put by a mask": lambda x: x.clone().index_put_((x > 0,), x.sum()),
    "masked_select": lambda x: x.masked_select(x > 0),
    "unique": lambda x: x.unique(),
    "unique along": lambda x: x.unique(dim=0),
    "unique_consecutive": lambda x: torch.unique_consecutive(x),
    "bincount": lambda x: x[:, 0].abs().long().bincount(),
    "repeat_interleave": lambda x: x.repeat_interleave(x[:, 0].abs().long(), 0),
    "multinomial": lambda x: x.abs().multinomial(2),
    "histc": lambda x: x.histc(3),
    "inverse": lambda x: torch.linalg.inv(x.T @ x + torch.eye(3, device=x.device)),
    "index by a number": lambda x: x[x.abs().argmax() % 3],
    "length from a number": lambda x: torch.arange(x.abs().max().ceil(), device=x.device),
    "one_hot of no number of classes": lambda x: functional.one_hot(x.abs().long()),
    "to the device": lambda x: torch.ones(4, 3).to(x.device),
    "copy to the device": lambda x: x.clone().copy_(torch.ones(4, 3)),
    "tensor": lambda x: torch.tensor([1.0, 2.0], device=x.device),
    "a number": lambda x: torch.tensor(1.0, device=x.device),
    "as_tensor": lambda x: torch.as_tensor([1.0, 2.0], device=x.device),
    "new_tensor": lambda x: x.new_tensor([1.0, 2.0]),
    "where with a number on the CPU": lambda x: torch.where(x > 0, x, torch.tensor(1.0)),
    "index on the CPU": lambda x: x[torch.tensor([0, 1])],
}

GOES_ON = {
    "arithmetic": lambda x: (x * 2 + 1).exp().mean(0, keepdim=True),
    "a number on the CPU": lambda x: x * torch.tensor(2.0),
    "where with numbers": lambda x: torch.where(x > 0, x, 1.0) + torch.where(x > 0, 0.0, 1.0),
    "masked_fill": lambda x: x.masked_fill(x > 0, 0.5),
    "set a number by a mask": lambda x: x.clone().__setitem__(x > 0, 0.5),
    "set a number by a mask of rows": lambda x: x.clone().__setitem__(x[:, 0] > 0, 0.5),
    "set rows to a number": lambda x: x.clone().__setitem__(slice(1, 3), 0.5),
    "integer index": lambda x: x[torch.arange(2, device=x.device)],
    "gather": lambda x: x.gather(1, x.argmax(1, keepdim=True)),
    "slice": lambda x: x[1:, ::2].T,
    "made there": lambda x: torch.full((2,), 0.5, device=x.device) + x.new_ones(2) + torch.zeros_like(x)[0, :2],
    "drawn there": lambda x: torch.rand(3, device=x.device) + torch.randperm(3, device=x.device),
    "late copy": lambda x: torch.ones(4, 3).to(x.device, non_blocking=True),
    "dtype": lambda x: x.double().half().to(x.device),
    "one_hot": lambda x: functional.one_hot(x.abs().long(), 9),
    "repeat_interleave": lambda x: x.repeat_interleave(x[:, 0].long() * 0 + 2, 0, output_size=8),
    "multinomial with replacement": lambda x: x.abs().multinomial(2, replacement=True),
    "size": lambda x: len(x) + x.numel() + x.shape[0],
    "the CPU's own": lambda x: torch.tensor([1.0, 2.0])[torch.tensor([True, False])].item(),
}


def x_of(device):
    return device.put(torch.linspace(-2.0, 3.0, 12).view(4, 3))


@pytest.mark.parametrize("name", STOPS)
def test_what_stops_the_program_is_counted_once(name):
    with Device() as device:
        x = x_of(device)
        assert device.waits == []
        STOPS[name](x)
        assert len(device.waits) == 1 and "test_waits.py" in device.waits[0], device.waits


@pytest.mark.parametrize("name", GOES_ON)
def test_what_goes_on_is_not_counted(name):
    with Device() as device:
        GOES_ON[name](x_of(device))
        assert device.waits == []


@pytest.mark.parametrize(
    "mixed",
    [
        lambda x: x + torch.ones(4, 3),
        lambda x: torch.ones(4, 3) * x.sum(),
        lambda x: x @ torch.ones(3, 2),
        lambda x: torch.cat([x, torch.ones(1, 3)]),
        lambda x: torch.stack([x.sum(), torch.tensor(1.0)]),
        lambda x: x.gather(1, torch.zeros(4, 1, dtype=torch.long)),
        lambda x: functional.linear(torch.ones(1, 3), x),
        lambda x: torch.rand(3, generator=torch.Generator(), device=x.device),
        lambda x: torch.rand(3, generator=torch.Generator(x.device)),
        lambda x: x.clone().normal_(generator=torch.Generator()),
    ],
)
def test_what_cuda_refuses_is_refused(mixed):
    with Device() as device, pytest.raises(RuntimeError, match="Expected"):
        mixed(x_of(device))


def network():
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(144, 2)
    )


def steps(model, x, y, optimizer):
    torch.manual_seed(5)
    optimizer = optimizer(model.parameters())
    for _ in range(3):
        loss = functional.cross_entropy(model(x), y, label_smoothing=0.1)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


@pytest.mark.parametrize(
    "optimizer", [lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), lambda p: torch.optim.AdamW(p, lr=0.01)]
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_steps_of_training_count_nothing_and_end_in_the_bits_of_the_cpu(optimizer, layout):
    x, y = torch.randn(6, 3, 8, 8).contiguous(memory_format=layout), torch.tensor([0, 1, 1, 0, 1, 0])
    plain = network().to(memory_format=layout)
    steps(plain, x, y, optimizer)
    with Device() as device:
        model = device.put(network()).to(memory_format=layout)
        assert {p.device for p in model.parameters()} == {DEVICE}
        steps(model, device.put(x), device.put(y), optimizer)
        assert device.waits == []
        found = {name: device.values(value) for name, value in model.state_dict().items()}
    assert all(torch.equal(found[name], value) for name, value in plain.state_dict().items())


def test_what_was_given_is_not_changed_through_the_device():
    x = torch.zeros(3)
    with Device() as device:
        there = device.put(x)
        there += 1.0
        back = device.values(there)
        back += 1.0
        assert x.tolist() == [0.0] * 3 and device.values(there).tolist() == [1.0] * 3
    with pytest.raises(RuntimeError, match="after it was closed"):
        there + 1
