"""Our training loop against a plain PyTorch loop, and learnable against uniform smoothing, on the same model and data.

python benchmarks/training.py [--model thin_resnet|resnet] [--device cpu] [--rounds 5] [--images 512] [--batch 128]

Rounds are interleaved; ratios are medians / minima over rounds. `images/s` is from the median.
"""

import argparse

import torch
from _bench import interleave, ratio
from torch.nn import functional

from lsedu import losses, models, training


def plain(model, x, y, batch_size):
    """One epoch as one would write it by hand: no history, no checks."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    model.train()
    for batch in torch.randperm(len(x)).to(x.device).split(batch_size):
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(model(x[batch]), y[batch], label_smoothing=0.1).backward()
        optimizer.step()
    if x.is_cuda:
        torch.cuda.synchronize()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=("thin_resnet", "resnet"), default="thin_resnet")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--batch", type=int, default=128)
    options = parser.parse_args()
    if options.device == "cpu":
        torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(options.images, 3, 32, 32, generator=generator).to(options.device)
    y = torch.randint(10, (options.images,), generator=generator).to(options.device)
    config = training.Config(epochs=1, batch_size=options.batch, schedule="constant")

    def ours(criterion):
        model = models.build(getattr(models, options.model), seed=0).to(options.device)
        return lambda: training.fit(model, criterion, x, y, config=config, progress=False)

    by_hand = models.build(getattr(models, options.model), seed=0).to(options.device)
    lls = losses.LearnableLabelSmoothing(10, alpha=0.1).to(options.device)
    seconds = interleave(
        {
            "plain, LS": lambda: plain(by_hand, x, y, options.batch),
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
        print(f"{name:10} {speed:9.0f} images/s   {median:.3f} / {least:.3f} of {base}")


if __name__ == "__main__":
    main()
