"""The losses of this tree against those of another revision of it, forward and backward, in one process.

python benchmarks/against.py REVISION [--only WORD] [--rounds 400] [--block 20]

Both packages are loaded side by side. A round is `--block` calls in a row of the one and then of the other, in turned
order every second time; a ratio is the median over rounds of paired ratios, with an interval that holds the true
median with 95% confidence. One thread works and its own time is counted, so that what else runs counts little.
"""

import argparse
import importlib
import io
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import torch
from _bench import interleave, paired
from torch.nn import functional

ROOT = Path(__file__).resolve().parent.parent
SHAPES = [(128, 10), (500, 10), (128, 100), (32, 1000), (128, 1000)]


def loaded(folder: Path):
    """Return the `lsedu.losses` of a folder; what it was loaded with is forgotten, so that another can be."""
    sys.path.insert(0, str(folder))
    try:
        found = importlib.import_module("lsedu.losses")
    finally:
        sys.path.remove(str(folder))
    if not Path(found.__file__).is_relative_to(folder):
        raise SystemExit(f"lsedu was to be loaded from {folder}, it came from {found.__file__}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "lsedu"]:
        del sys.modules[name]
    return found


def calls(losses, n, k):
    """Return the name of each loss with what runs it forward and backward once."""
    draws = torch.Generator().manual_seed(0)
    z = torch.randn(n, k, generator=draws).requires_grad_()
    teacher = torch.randn(n, k, generator=draws)
    y = torch.randint(k, (n,), generator=draws)
    q = torch.zeros(k, k).requires_grad_()
    module = losses.LearnableLabelSmoothing(k, alpha=0.1)
    table = torch.full((k, k), 1.0 / k)
    gradient = torch.autograd.grad
    return {
        "cross-entropy": lambda: gradient(losses.cross_entropy(z, y), [z]),
        "smoothing": lambda: gradient(losses.label_smoothing(z, y, alpha=0.1), [z]),
        "focal": lambda: gradient(losses.focal(z, y, gamma=2.0), [z]),
        "confidence penalty": lambda: gradient(losses.confidence_penalty(z, y, beta=0.1), [z]),
        "TF-KD": lambda: gradient(losses.tf_kd_reg(z, y, alpha=0.1, temperature=20.0), [z]),
        "Zipf": lambda: gradient(losses.zipf_smoothing(z, y, alpha=0.1), [z]),
        "OLS": lambda: gradient(losses.online_smoothing(z, y, table), [z]),
        "distillation": lambda: gradient(losses.distillation(z, y, teacher, alpha=0.1), [z]),
        "LLS, function": lambda: gradient(losses.learnable_smoothing(z, y, q, alpha=0.1), [z, q]),
        "LLS, module": lambda: gradient(module(z, y), [z, module.q_logits]),
        "LLS, no RCE": lambda: gradient(losses.learnable_smoothing(z, y, q, alpha=0.1, variant="no-rce"), [z, q]),
        "PyTorch": lambda: gradient(functional.cross_entropy(z, y, label_smoothing=0.1), [z]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("revision")
    parser.add_argument("--only", default="", help="losses with this in their name")
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--block", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            ["git", "-C", str(ROOT), "archive", options.revision, "lsedu"], check=True, stdout=subprocess.PIPE
        )
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extractall(folder, filter="data")
        theirs, ours = loaded(Path(folder).resolve()), loaded(ROOT)
        print("| loss | " + " | ".join(f"{n} x {k}" for n, k in SHAPES) + " |")
        print("|---" * (len(SHAPES) + 1) + "|")
        rows = {}
        for n, k in SHAPES:
            old, new = calls(theirs, n, k), calls(ours, n, k)
            for name in new:
                if options.only in name:
                    rows.setdefault(name, []).append(cell(old[name], new[name], options))
        for name, cells in rows.items():
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def cell(old, new, options):
    """Return the ratio of the two and its interval; a loss that the other revision lacks has none."""
    try:
        old()
    except (AttributeError, TypeError):
        return "-"
    new()

    def block(call):
        return lambda: [call() for _ in range(options.block)]

    seconds = interleave({"old": block(old), "new": block(new)}, rounds=options.rounds, clock=time.process_time)
    ratio, low, high = paired(seconds["new"], seconds["old"])
    return f"{ratio:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
