"""Our training loop against a plain PyTorch loop, and learnable against uniform smoothing, on the same model and data.

python benchmarks/training.py [--model thin_resnet|resnet] [--device cpu] [--rounds 5] [--images 512] [--batch 128]
    [--bfloat16] [--channels-last] [--compile] [--cuda-graphs] [--peak TFLOPS]

Rounds are interleaved; ratios are medians / minima over rounds. `images/s` is from the median. With `--peak`, the dense
bfloat16 peak of the card, the share of it that the matrix operations of forward and backward pass reach. The options of
our loop are used by the plain one too, but for `--compile` and `--cuda-graphs`: those are ours alone.
"""

import argparse

import torch
from _bench import interleave, keep_memory, ratio
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from lsedu import losses, models, training


def plain(model, x, y, options):
    """One epoch as one would write it by hand: no history, no checks."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
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


def flops_an_image(model, x):
    """Return the operations of a forward and backward pass on one image, as PyTorch counts: a multiply-add is two."""
    with FlopCounterMode(display=False) as counter:
        model(x[:2]).sum().backward()
    model.zero_grad(set_to_none=True)
    return counter.get_total_flops() / 2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=("thin_resnet", "resnet"), default="thin_resnet")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--cuda-graphs", action="store_true")
    parser.add_argument("--peak", type=float, default=0.0)
    options = parser.parse_args()
    if options.device == "cpu":
        torch.set_num_threads(1)
        keep_memory()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(options.images, 3, 32, 32, generator=generator).to(options.device)
    y = torch.randint(10, (options.images,), generator=generator).to(options.device)
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

    def ours(criterion):
        model = network()
        return lambda: training.fit(model, criterion, x, y, config=config, progress=False)

    by_hand = network()
    flops = flops_an_image(by_hand, x)
    lls = losses.LearnableLabelSmoothing(10, alpha=0.1).to(options.device)
    seconds = interleave(
        {
            "plain, LS": lambda: plain(by_hand, x, y, options),
            "ours, LS": ours(lambda logits, labels: losses.label_smoothing(logits, labels, alpha=0.1)),
            "ours, LLS": ours(lls),
        },
        rounds=options.rounds,
        warm_up=1,
    )
    print(f"{options.model}, {options.images} images, batch {options.batch}, {options.device}, {options.rounds} rounds")
    for name, base in (("plain, LS", "plain, LS"), ("ours, LS", "plain, LS"), ("ours, LLS", "ours, LS")):
        median, least = ratio(seconds, name, base)
        speed = options.images / sorted(seconds[name])[len(seconds[name]) // 2]
        share = f"   {speed * flops / 1e12 / options.peak:.1%} of the peak" if options.peak else ""
        print(f"{name:10} {speed:9.0f} images/s   {median:.3f} / {least:.3f} of {base}{share}")


if __name__ == "__main__":
    main()
