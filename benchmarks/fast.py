"""The network that trains in seconds, from the pictures in memory to its answers: seconds and accuracy of each run.

python benchmarks/fast.py [--device cpu] [--seeds 1] [--precision float32] [--compile] [--threads N] [--epochs N]
    [--checkpoint FILE]

CIFAR-10 must be at hand (LSEDU_DATA). The first run on a card also compiles and records; it is not part of the mean. On
a CPU a run takes an hour or more: with --checkpoint and one seed it goes on where it was interrupted.
"""

import argparse
import statistics
import time
from functools import partial
from pathlib import Path

import torch

from lsedu import data
from lsedu.experiments.provenance import device_name
from lsedu.losses import label_smoothing
from lsedu.training.fast import FastConfig, FastTrainer


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--precision", choices=("float32", "bfloat16", "float16"), default="float32")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--epochs", type=int, default=FastConfig().epochs)
    parser.add_argument("--checkpoint", type=Path)
    options = parser.parse_args(words)
    if options.checkpoint and options.seeds > 1:
        parser.error(f"--checkpoint is for one seed, got --seeds {options.seeds}")
    torch.set_num_threads(options.threads)
    config = FastConfig(precision=options.precision, compile=options.compile, epochs=options.epochs)
    (x, y), (x_test, y_test) = (
        data.to_tensors(data.load("cifar10", split=split), device=options.device, as_bytes=True)
        for split in ("train", "test")
    )
    trainer = FastTrainer(x, y, partial(label_smoothing, alpha=0.2), config=config)
    print(f"{config}\n{device_name(options.device)}, torch {torch.__version__}, {options.threads} threads", flush=True)
    seconds, found = [], []
    for seed in range(options.seeds):
        start = time.perf_counter()
        losses = trainer.run(seed, checkpoint=options.checkpoint, progress=options.device == "cpu")
        plain, views = (
            (trainer.predict(x_test, views=views).argmax(1) == y_test).double().mean().item() for views in (False, True)
        )
        seconds.append(time.perf_counter() - start)
        found.append(views)
        told = ", ".join(f"{loss:.4f}" for loss in losses)
        print(
            f"seed {seed}: {seconds[-1]:.2f} s, accuracy {plain:.4f}, over six views {views:.4f}; loss {told}",
            flush=True,
        )
    if len(seconds) > 1:
        spread = statistics.stdev(found)
        later = statistics.mean(seconds[1:])
        print(f"mean {statistics.mean(found):.4f}, sd {spread:.4f}, n {len(found)}; {later:.2f} s a run")


if __name__ == "__main__":
    main()
