"""What is to be run on one card, in one command of at most ten minutes that brings back records only.

python benchmarks/gpu_pack.py --out FOLDER [--device cuda] [--minutes 9.5] [--jobs 2] [--kept kept.zip]
    [--results benchmarks/results] [--records book/records] [--items NAME ...] [--scale gpu|smoke] [--peak 989]

Items, in order: `correctness` (every loss in half precision against float64, determinism, resumption, recorded graphs),
`speed` (benchmarks/losses.py and benchmarks/training.py), then every experiment with a profile for the card. What has
its result (`FOLDER/NAME.json` of an earlier command copied to --results, or a record in --records) is passed over.
No more seeds are started than the slowest so far lets hope for; those that are done wait in `kept.zip`, which the next
command takes with --kept, even where this one is killed. At most eight files are written. CIFAR must lie where
LSEDU_DATA says.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import torch
from _device import half_precision, repeated

from lsedu import _write, experiments
from lsedu.experiments.provenance import device_name, revision

#: Files that may be brought back.
FILES = 8
HERE = Path(__file__).resolve().parent


def correctness(options, left):
    """Return the checks of the device, each with its value and limit."""
    checks = [
        {"name": name, "value": value, "limit": limit, "ok": bool(value <= limit)}
        for part in (half_precision, repeated)
        for name, value, limit in part(options.device)
    ]
    return {"checks": checks, "failed": [check["name"] for check in checks if not check["ok"]]}


def speed(options, left):
    """Return what the benchmarks print."""
    if options.scale == "smoke":
        runs = [["training.py", "--windows", "1", "--steps", "2", "--batch", "16"]]
    else:
        common = ["training.py", "--model", "resnet", "--device", options.device, "--windows", "6"]
        fast = [*common, "--batch", "512", "--bfloat16", "--channels-last", "--peak", str(options.peak)]
        runs = [["losses.py", "--device", options.device], common, fast, [*fast, "--cuda-graphs"], [*fast, "--compile"]]
    printed = []
    for words in runs:
        if left() < 60:
            printed.append({"command": words, "output": "no time was left"})
            continue
        try:
            done = subprocess.run(
                [sys.executable, *words], cwd=HERE, capture_output=True, text=True, timeout=max(left() - 20, 1)
            )
            error = done.stderr[-2000:] if done.returncode else ""
            printed.append({"command": words, "output": done.stdout, "error": error})
        except subprocess.TimeoutExpired:
            printed.append({"command": words, "output": "not done in time"})
    return {"runs": printed}


def keep(cache, out):
    """Put what is done of unfinished experiments into one file."""
    with _write.replacing(out / "kept.zip") as whole, zipfile.ZipFile(whole, "w") as packed:
        for path in sorted(cache.rglob("*")):
            if path.name in ("done.json", "arrays.npz"):
                packed.write(path, path.relative_to(cache))


def experiment(name, options, left, cache):
    """Run an experiment, some seeds at a time, while there is time; return whether its record was written."""
    profile = "gpu" if options.scale == "gpu" else "smoke"
    seeds, done, longest = list(experiments.get(name).seeds[profile]), [], 0.0
    settings = {"profile": profile, "device": options.device, "cache": cache, "jobs": options.jobs}

    def finished(line):
        print(line, flush=True)
        keep(cache, options.out)

    for i in range(0, len(seeds), max(options.jobs, 1)):
        if left() < 1.2 * longest + 10:
            break
        before, chunk = left(), seeds[i : i + max(options.jobs, 1)]
        experiments.run(name, seeds=chunk, report=finished, **settings)
        done += chunk
        longest = max(longest, before - left())
    if done != seeds:
        print(f"{name}: {len(done)} of {len(seeds)} seeds; the rest with --kept kept.zip", flush=True)
        return False
    record, arrays = experiments.run(name, **{**settings, "jobs": 0})
    print(f"wrote {experiments.save_record(record, arrays, folder=options.out)}", flush=True)
    return True


def main(words=None, *, clock=time.monotonic):
    """Run what is next, until the time is up; return 1 if a check of the device failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--minutes", type=float, default=9.5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kept", type=Path)
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--records", type=Path, default=experiments.records_dir())
    parser.add_argument("--items", nargs="*", default=[])
    parser.add_argument("--scale", choices=("gpu", "smoke"), default="gpu")
    parser.add_argument("--peak", type=float, default=989.0, help="dense bfloat16 TFLOP/s of the card")
    options = parser.parse_args(words)
    start = clock()

    def left():
        return 60 * options.minutes - (clock() - start)

    if options.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error("there is no CUDA device here; --device cpu --scale smoke tries the pack without one")
    options.out.mkdir(parents=True, exist_ok=True)
    known = ["correctness", "speed"]
    known += [name for name in experiments.names() if "gpu" in experiments.get(name).configs]
    if unknown := set(options.items) - set(known):
        parser.error(f"no item is called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    unfinished = failed = False
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        if options.kept:
            with zipfile.ZipFile(options.kept) as packed:
                packed.extractall(cache)
        for name in options.items or known:
            own = {"correctness": correctness, "speed": speed}.get(name)
            if (options.results / f"{name}.json" if own else options.records / f"{name}.json").is_file():
                print(f"{name}: has its result, passed over", flush=True)
            elif left() < 60 or len(list(options.out.iterdir())) > FILES - 3:  # a record, its arrays, what is kept
                print(f"{name}: no {'time' if left() < 60 else 'room for files'} was left", flush=True)
                unfinished = True
            elif own:
                found = {"device": device_name(options.device), "torch": torch.__version__, "revision": revision()}
                found |= own(options, left)
                (options.out / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
                failed = failed or bool(found.get("failed"))
                print(
                    f"{name}: {'failed: ' + ', '.join(found['failed']) if found.get('failed') else 'done'}", flush=True
                )
            elif not experiment(name, options, left, cache):
                unfinished = True
        if unfinished:
            keep(cache, options.out)
        else:
            (options.out / "kept.zip").unlink(missing_ok=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
