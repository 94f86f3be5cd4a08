"""Learnable label smoothing against PyTorch's smoothed cross-entropy and the paper's pseudo-code, forward and backward.

python benchmarks/losses.py [--rounds 200] [--threads 1] [--device cpu]

Columns: seconds of `F.cross_entropy(label_smoothing=0.1)` (median), then ratios to it (medians / minima) of the
library's loss and of the pseudo-code; `pseudo/ours` says how many times faster the library is. From K = 1,000 on both
give Q's gradient for the rows of the batch only (the pseudo-code through a sparse embedding), so that neither fills a
dense K x K gradient; `dense` is ours with that gradient. `limit` is the ratio of the bytes that must be moved at
least: logits, their gradient, the batch's rows of Q and their gradient against logits and their gradient. `MiB` are
the bytes of tensors allocated in one forward and backward, as the profiler counts their peak.
"""

import argparse

import torch
from _bench import interleave, ratio
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile

from lsedu.losses import learnable_smoothing

CASES = [(128, 10), (1024, 10), (128, 100), (1024, 100), (128, 1000), (1024, 1000), (128, 10_000), (1024, 10_000)]


def pseudo_code(logits, labels, table, alpha, sparse):
    """LLS as published: probabilities first, then logarithms."""
    pred = functional.softmax(logits, 1)
    row = functional.embedding(labels, table, sparse=sparse)
    target = (1 - alpha) * functional.one_hot(labels, logits.shape[1]) + alpha * functional.softmax(row, 1)
    forward = (target * (target.log() - pred.log())).sum(1).mean()
    backward = (pred * (pred.log() - target.log())).sum(1).mean()
    return (forward + backward) / 2


def peak_bytes(call) -> int:
    """Return the peak of the tensor bytes held during a call."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        call()
    held = peak = 0
    for event in sorted(record.profiler.kineto_results.events(), key=lambda e: e.start_ns()):
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
    return peak


def contenders(n, k, device):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(n, k, generator=generator).to(device).requires_grad_()
    labels = torch.randint(k, (n,), generator=generator).to(device)
    table = torch.zeros(k, k, device=device, requires_grad=True)
    many = k >= 1000

    def run(loss, *inputs):
        def call():
            gradients = torch.autograd.grad(loss(), inputs)
            if device == "cuda":
                torch.cuda.synchronize()
            return gradients

        return call

    calls = {
        "torch": run(lambda: functional.cross_entropy(logits, labels, label_smoothing=0.1), logits),
        "ours": run(lambda: learnable_smoothing(logits, labels, table, half=True, sparse=many), logits, table),
        "pseudo": run(lambda: pseudo_code(logits, labels, table, 0.1, many), logits, table),
    }
    if many:
        calls["dense"] = run(lambda: learnable_smoothing(logits, labels, table, half=True), logits, table)
    return calls


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200, help="rounds for small cases; large ones take a twentieth")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.device}, {options.threads} thread(s); ratios: medians / minima")
    print("| N | K | torch ms | ours | pseudo | pseudo/ours | dense | limit | MiB torch | ours | pseudo |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for n, k in CASES:
        calls = contenders(n, k, options.device)
        rounds = max(7, options.rounds // max(1, n * k // 100_000))
        seconds = interleave(calls, rounds=rounds)
        base = sorted(seconds["torch"])[rounds // 2] * 1e3

        def cell(name, to="torch", seconds=seconds):
            return "{:.2f} / {:.2f}".format(*ratio(seconds, name, to)) if name in seconds else "-"

        rows = len(set(range(k))) if k <= n else n
        limit = (2 * n + (2 if k > n else 1) * rows) * k / (2 * n * k)
        memory = [f"{peak_bytes(calls[name]) / 2**20:.2f}" for name in ("torch", "ours", "pseudo")]
        cells = [n, k, f"{base:.3f}", cell("ours"), cell("pseudo"), cell("pseudo", "ours"), cell("dense")]
        print("|", " | ".join(map(str, [*cells, f"{limit:.2f}", *memory])), "|", flush=True)


if __name__ == "__main__":
    main()
