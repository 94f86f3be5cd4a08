"""Our training loop against a plain PyTorch loop, and learnable against uniform smoothing, on the same model and data.

python benchmarks/training.py [--model thin_resnet|resnet] [--device cpu] [--windows 20] [--steps 50] [--batch 128]
    [--bfloat16] [--channels-last] [--compile] [--cuda-graphs] [--peak TFLOPS] [--json PATH]

A window is an epoch of `--steps` full batches of the loop as it trains, from one synchronisation with the device to the
next. Each contender is made ready once, compiled or recorded, before the first window, and warmed up by two windows;
then all take a window in turn, in reversed order every second time, so that what disturbs the machine disturbs all of
them. A ratio is the median over windows of paired ratios, with an interval that holds the true median with 95%
confidence whatever the distribution (of fewer than 6 windows: all of them). On a CPU one thread works and its own time
is counted, so that what else runs counts little. With `--peak`, the dense bfloat16 peak of
the card, the share of it that the matrix operations of forward and backward pass reach. The options of our loop are
used by the plain one too, but for `--compile` and `--cuda-graphs`: those are ours alone.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from _bench import interleave, keep_memory, paired
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from lsedu import losses, models, training
from lsedu.experiments.provenance import device_name
from lsedu.training import acceleration
from lsedu.training.loop import _Run


def plain(model, x, y, options):
    """Return what runs a window as one would write it by hand: no history, no checks."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)

    def window():
        model.train()
        for batch in torch.randperm(len(x)).to(x.device).split(options.batch):
            optimizer.zero_grad(set_to_none=True)
            images = x[batch]
            if options.channels_last:
                images = images.to(memory_format=torch.channels_last)
            with torch.autocast(x.device.type, torch.bfloat16, enabled=options.bfloat16):
                logits = model(images)
            functional.cross_entropy(logits.float(), y[batch], label_smoothing=0.1).backward()
            optimizer.step()
        if x.is_cuda:
            torch.cuda.synchronize()

    return window


def ours(model, criterion, x, y, config):
    """Return what runs a window of our loop; its last act is to read the accuracy, which waits for the device."""
    run = _Run(model, criterion, x, y, config, None)
    bar = tqdm(disable=True)
    return lambda: run.epoch(0, bar)


def flops_an_image(model, x):
    """Return the operations of a forward and backward pass on one image, as PyTorch counts: a multiply-add is two."""
    with FlopCounterMode(display=False) as counter:
        model(x[:2]).sum().backward()
    model.zero_grad(set_to_none=True)
    return counter.get_total_flops() / 2


def contenders(options, x, y):
    """Return the name of each contender with what runs a window of it, and the operations an image takes."""
    config = training.Config(
        epochs=1,
        batch_size=options.batch,
        schedule="constant",
        precision="bfloat16" if options.bfloat16 else "float32",
        channels_last=options.channels_last,
        compile=options.compile,
        cuda_graphs=options.cuda_graphs,
    )

    def network():
        model = models.build(getattr(models, options.model), seed=0).to(options.device)
        return model.to(memory_format=torch.channels_last) if options.channels_last else model

    def smoothing(logits, labels):
        return losses.label_smoothing(logits, labels, alpha=0.1)

    calls = {
        "plain, LS": plain(network(), x, y, options),
        "ours, LS": ours(network(), smoothing, x, y, config),
        "ours, LLS": ours(network(), losses.LearnableLabelSmoothing(10, alpha=0.1).to(options.device), x, y, config),
    }
    return calls, flops_an_image(network(), x)


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=("thin_resnet", "resnet"), default="thin_resnet")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--windows", type=int, default=20)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--cuda-graphs", action="store_true")
    parser.add_argument("--peak", type=float, default=0.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(words)
    if options.device == "cpu":
        torch.set_num_threads(1)
        keep_memory()
    images = options.steps * options.batch
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(images, 3, 32, 32, generator=generator).to(options.device)
    y = torch.randint(10, (images,), generator=generator).to(options.device)
    clock = time.process_time if options.device == "cpu" else time.perf_counter
    with acceleration.fastest():  # as `fit` has it; the plain loop is let have it too
        calls, flops = contenders(options, x, y)
        seconds = interleave(calls, rounds=options.windows, warm_up=2, clock=clock)
    where = device_name(options.device)
    print(f"{options.model}, batch {options.batch}, {options.windows} windows of {options.steps} steps, {where}")
    rows = []
    for name, base in (("plain, LS", "plain, LS"), ("ours, LS", "plain, LS"), ("ours, LLS", "ours, LS")):
        ratio, low, high = paired(seconds[name], seconds[base])
        speed = images / sorted(seconds[name])[options.windows // 2]
        rows.append({"name": name, "base": base, "ratio": ratio, "low": low, "high": high, "images_per_second": speed})
        rows[-1]["seconds"] = seconds[name]
        rows[-1]["peak"] = speed * flops / 1e12 / options.peak if options.peak else None
        share = f"   {rows[-1]['peak']:.1%} of the peak" if options.peak else ""
        print(f"{name:10} {speed:9.0f} images/s   {ratio:.4f} [{low:.4f}, {high:.4f}] of {base}{share}")
    if options.json:
        told = {key: value for key, value in vars(options).items() if key != "json"}
        found = {**told, "card": where, "torch": torch.__version__, "rows": rows}
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
