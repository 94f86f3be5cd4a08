"""Whether a device computes what it should: losses in half precision, a run by every way of running it and repeated."""

import math
import tempfile
from dataclasses import replace
from pathlib import Path

import _criteria
import torch

from lsedu import losses, models, training

#: What a network gives in half precision, or what is made of it.
HALVED = (*_criteria.OUTPUTS, "teacher_logits", "inputs", "@scores")


def half_precision(device, num_classes=10, n=64, scales=(1.0, 30.0)):
    """Yield (name, error, limit) of each loss and its gradients in half precision against float64 on the CPU.

    The network's outputs are rounded to the half precision first, so that only what the loss does is compared; tables
    and parameters are float32, as in training. Under autocast a loss must be as good as without. `scales` are sizes of
    the logits.
    """
    kind, cases = torch.device(device).type, list(_criteria.cases())
    for dtype, limit in ((torch.bfloat16, 2.0**-7), (torch.float16, 2.0**-10)):
        for scale in scales:
            whole = _criteria.tensors(num_classes, n, scale=scale)
            narrow = {name: _on(device, value, dtype if name in HALVED else None) for name, value in whole.items()}
            wide = {name: _on("cpu", value, torch.float64) for name, value in narrow.items()}
            for case in cases:
                true, slopes = _differentiated(case, wide, wide=True)
                for cast in (False, True):
                    under = ", autocast" if cast else ""
                    tag = f"{case.name}, {str(dtype).removeprefix('torch.')}{under}, scale {scale:g}"
                    try:
                        with torch.autocast(kind, dtype, enabled=cast):
                            loss, grads = _differentiated(case, narrow)
                    except (RuntimeError, ValueError) as error:
                        yield f"{tag}: {type(error).__name__}: {error}", math.inf, 0.0
                        continue
                    yield f"{tag}: loss", abs(loss - true) / max(abs(true), 1e-3), 1e-4
                    for name, slope in slopes.items():
                        off = (grads[name] - slope).abs().max() / slope.abs().max()
                        yield f"{tag}: gradient of {name}", off.item(), limit if name in HALVED else 1e-4


def _on(device, value, dtype):
    """Return a tensor on a device, floats in that dtype, float32 if None; what is no tensor as it is."""
    if not isinstance(value, torch.Tensor):
        return value
    return value.to(device, (dtype or torch.float32) if value.is_floating_point() else None)


def _differentiated(case, given, **options):
    """Return a loss and its gradients by name, in float64 on the CPU."""
    loss, leaves = case.run(given, **options)
    loss.backward()
    grads = {name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}
    return loss.item(), {name: grad.to_dense().double().cpu() for name, grad in grads.items()}


def trained(device, *, config, checkpoint=None, metrics=None):
    """Train a thin residual network on noise and return its parameters."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(256, 3, 32, 32, generator=generator).to(device)
    y = torch.randint(10, (256,), generator=generator).to(device)
    model = models.build(models.thin_resnet, seed=0, depth=8).to(device)
    criterion = losses.LearnableLabelSmoothing(10).to(device)
    training.fit(model, criterion, x, y, config=config, checkpoint=checkpoint, metrics=metrics, progress=False)
    return torch.cat([p.detach().flatten() for p in (*model.parameters(), *criterion.parameters())]).double().cpu()


def agreement(device, steps=20, compiled=None):
    """Yield (name, difference, limit) of the loss after some steps in float32 between each way of running them.

    The ways are eager, channels last, recorded and compiled, in the loop as it trains; the loss is that of all images
    afterwards, in evaluation mode. A small learning rate keeps rounding from growing. `compiled` says whether to
    compile, by default on CUDA only: on a CPU it takes half a minute.
    """
    cuda = torch.device(device).type == "cuda"
    batch = 64 if cuda else 16
    ways = {"channels last": {"channels_last": True}}
    if cuda:
        ways["recorded graphs"] = {"cuda_graphs": True}
    if cuda if compiled is None else compiled:
        ways["compiled"] = {"compile": True}
    if cuda and compiled is not False:
        ways["compiled and recorded"] = {"compile": True, "cuda_graphs": True}
    draws = torch.Generator().manual_seed(0)
    y = torch.randint(10, (steps * batch,), generator=draws)
    x = torch.rand(steps * batch, 3, 32, 32, generator=draws) * (0.4 + 0.06 * y[:, None, None, None])
    x, y = x.to(device), y.to(device)
    config = training.Config(epochs=1, batch_size=batch, lr=0.002, schedule="constant")

    def loss_after(**way):
        model = models.build(models.thin_resnet, seed=0, depth=8).to(device)
        criterion = losses.LearnableLabelSmoothing(10).to(device)
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):  # its 10 bits would differ by the way
            training.fit(model, criterion, x, y, config=replace(config, **way), progress=False)
        with torch.no_grad():
            return criterion(training.predict(model, x), y).item()

    eager = loss_after()
    for name, way in ways.items():
        try:
            yield f"{name}: loss after {steps} steps in float32", abs(loss_after(**way) - eager), 1e-3
        except Exception as error:  # one way that is not to be had leaves the others
            yield f"{name}: {type(error).__name__}: {error}"[:500], math.inf, 0.0


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


#: Every check of a device, each a generator of (name, value, limit).
CHECKS = (half_precision, agreement, repeated)
