"""What a card is asked before it is used: its ceilings, whether it computes what it should, and how fast a step is.

Each gives what it has found so far, again and again, for its time may be over at any moment.
"""

import json
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import torch
from _device import CHECKS

from lsedu import losses
from lsedu.training.fast import FastConfig, FastTrainer

HERE = Path(__file__).resolve().parent
#: Seconds that one way of running the steps may take, its compilation included.
PATIENCE = 150


def _median_seconds(call, *, repeats):
    """Return the median time of a call on the device, by its own clock."""
    call()
    times = []
    for _ in range(repeats):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        call()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return sorted(times)[len(times) // 2]


def ceilings(device, scale):
    """Yield the rate of a large bfloat16 matrix product and of a copy on a CUDA device; nothing on another."""
    if not device.startswith("cuda"):
        yield {}
        return
    a, b = (torch.randn(8192, 8192, device=device, dtype=torch.bfloat16) for _ in range(2))
    product = _median_seconds(lambda: a @ b, repeats=20)
    source, target = (torch.empty(2**31, dtype=torch.uint8, device=device) for _ in range(2))
    copy = _median_seconds(lambda: target.copy_(source), repeats=10)
    yield {"tflops_bfloat16": 2 * 8192**3 / product / 1e12, "copy_terabytes_per_second": 2 * 2**31 / copy / 1e12}


def correctness(device, scale):
    """Yield the checks of the device by what is checked: how many, which came closest to its limit, which failed."""
    checked, failed = {}, []
    for part in CHECKS:
        try:
            for name, value, limit in part(device):
                row = checked.setdefault(name.partition(",")[0].partition(":")[0], {"checks": 0, "closest": 0.0})
                row["checks"] += 1
                share = value / limit if limit else float(value > 0)
                if share > row["closest"]:
                    row |= {"closest": round(share, 3), "name": name}
                if not value <= limit:
                    failed.append({"name": name, "value": value, "limit": limit})
        except Exception as error:  # the checks that follow are made all the same
            failed.append({"name": f"{part.__name__}: {type(error).__name__}: {error}"[:500]})
        yield {"checks": sum(row["checks"] for row in checked.values()), "failed": failed, "by": checked}


def fast(device, scale):
    """Yield seconds an epoch of the network that trains in seconds, and whether each way gives the same.

    ``loss`` is that of the pictures after 20 steps in float32; it must not depend on the way, to 1e-3.
    """
    few, batch, widths = (400, 20, (8, 16, 16)) if scale == "smoke" else (20 * 1024, 1024, (64, 256, 256))
    size = few if scale == "smoke" else 50_000
    draws = torch.Generator().manual_seed(0)
    y = torch.randint(10, (size,), generator=draws)
    x = (torch.rand(size, 3, 32, 32, generator=draws) * 160 + 9 * y[:, None, None, None]).to(torch.uint8)
    x, y = x.to(device), y.to(device)
    loss = partial(losses.label_smoothing, alpha=0.2)
    ways = {"plain": {"record": False}, "recorded": {"record": True}, "compiled": {"record": True, "compile": True}}
    found = {}
    for name, way in ways.items():
        start = time.perf_counter()
        config = FastConfig(epochs=1, batch_size=batch, widths=widths, lr=0.02, **way)  # slow: rounding must not grow
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):  # its 10 bits would differ by the way
            exact = FastTrainer(x[:few], y[:few], loss, config=config)
            exact.run(0)
        found[name] = {"loss": loss(exact.predict(x[:few]), y[:few]).item(), "ready": time.perf_counter() - start}
        config = FastConfig(epochs=4, batch_size=batch, widths=widths, precision="bfloat16", **way)
        if device.startswith("cuda"):
            trainer = FastTrainer(x, y, loss, config=config)
            trainer.run(0)
            start = time.perf_counter()
            trainer.run(1)
            found[name]["epoch"] = (time.perf_counter() - start) / config.epochs
        yield found


def speed(device, scale):
    """Yield what benchmarks/training.py measures of ResNet-18: a plain loop, and ours recorded, compiled and both."""
    common = ["--device", device]
    if scale == "smoke":
        ways = {"plain": [*common, "--windows", "1", "--steps", "2", "--batch", "16"]}
    else:
        common += ["--model", "resnet", "--windows", "6", "--batch", "500", "--bfloat16", "--channels-last"]
        ways = {"recorded": ["--cuda-graphs"], "compiled": ["--compile"], "both": ["--compile", "--cuda-graphs"]}
        ways = {name: [*common, *words] for name, words in ways.items()}
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, words in ways.items():
            path = Path(folder) / f"{name}.json"
            command = [sys.executable, str(HERE / "training.py"), *words, "--json", str(path)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
                found[name] = json.loads(path.read_text()) if not done.returncode else {"error": done.stderr[-2000:]}
            except subprocess.TimeoutExpired:
                found[name] = {"error": f"not done in {PATIENCE} s"}
            yield found
