"""Whether a device computes what it should: losses in half precision, runs repeated, resumed and replayed."""

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import nn

from lsedu import losses, models, training


def criteria(num_classes):
    """Return a maker of every loss that takes logits and labels."""
    return {
        "cross_entropy": lambda: losses.cross_entropy,
        "label_smoothing": lambda: partial(losses.label_smoothing, alpha=0.1),
        "confidence_penalty": lambda: partial(losses.confidence_penalty, beta=0.1),
        "focal": lambda: losses.focal,
        "tf_kd_reg": lambda: losses.tf_kd_reg,
        "zipf_smoothing": lambda: losses.zipf_smoothing,
        "online": lambda: losses.OnlineLabelSmoothing(num_classes),
        "learnable": lambda: losses.LearnableLabelSmoothing(num_classes),
        "top_n": lambda: losses.TopNSmoothing(torch.eye(num_classes), 3),
        "plus_plus": lambda: losses.LabelSmoothingPlusPlus(num_classes),
    }


def half_precision(device, num_classes=10, n=64):
    """Yield (name, error, limit) of each loss and its gradient in half precision against float64 on the CPU."""
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(num_classes, (n,), generator=generator)
    noise = torch.randn(n, num_classes, generator=generator)
    for scale in (1.0, 30.0):
        for dtype, limit in ((torch.bfloat16, 2.0**-7), (torch.float16, 2.0**-10)):
            z = (scale * noise).to(dtype)
            for name, make in criteria(num_classes).items():
                found = []
                for logits, labels, where in ((z.to(device), y.to(device), device), (z.double(), y, "cpu")):
                    criterion = make()
                    if isinstance(criterion, nn.Module):
                        criterion = criterion.to(where)
                    logits = logits.clone().requires_grad_()
                    loss = criterion(logits, labels)
                    loss.backward()
                    found.append((loss.item(), logits.grad.double().cpu()))
                (loss, grad), (true, slope) = found
                tag = f"{name}, {str(dtype).removeprefix('torch.')}, scale {scale:g}"
                yield f"{tag}: loss", abs(loss - true) / max(abs(true), 1e-3), 1e-4
                yield f"{tag}: gradient", ((grad - slope).abs().max() / slope.abs().max()).item(), limit


def trained(device, *, config, checkpoint=None, metrics=None):
    """Train a thin residual network on noise and return its parameters."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(256, 3, 32, 32, generator=generator).to(device)
    y = torch.randint(10, (256,), generator=generator).to(device)
    model = models.build(models.thin_resnet, seed=0, depth=8).to(device)
    criterion = losses.LearnableLabelSmoothing(10).to(device)
    training.fit(model, criterion, x, y, config=config, checkpoint=checkpoint, metrics=metrics, progress=False)
    return torch.cat([p.detach().flatten() for p in (*model.parameters(), *criterion.parameters())]).double().cpu()


class BrokenOffError(Exception):
    """A run is broken off on purpose."""


def repeated(device):
    """Yield (name, largest difference, limit) of runs that must agree."""
    steps = (training.RandomCrop(4), training.HorizontalFlip(), training.RandAugment(1), training.CutMix())
    config = training.Config(epochs=2, batch_size=64, lr=0.01, augment=steps, deterministic=True)

    def off(a, b):
        return (a - b).abs().max().item()

    wanted = trained(device, config=config)
    yield "deterministic: run twice", off(wanted, trained(device, config=config)), 0.0

    def stop(model):
        raise BrokenOffError

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.pt"
        once = replace(config, epochs=2)
        calls = []

        def stop_later(model):
            calls.append(1)
            if len(calls) == 2:
                stop(model)
            return {}

        try:
            trained(device, config=once, checkpoint=path, metrics=stop_later)
        except BrokenOffError:
            yield (
                "deterministic: broken off and resumed",
                off(wanted, trained(device, config=once, checkpoint=path)),
                0.0,
            )
    if device.startswith("cuda"):
        plain = replace(config, deterministic=False, augment=steps[:2])
        graphs = replace(plain, cuda_graphs=True)
        yield "recorded graphs", off(trained(device, config=plain), trained(device, config=graphs)), 1e-2
        half = replace(graphs, precision="bfloat16", channels_last=True)
        value = trained(device, config=half)
        yield "recorded graphs in bfloat16: not finite", float((~torch.isfinite(value)).sum()), 0.0
