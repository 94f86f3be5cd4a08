"""Fifteen minutes of one lent card: what is to be run there, what travels there, and what came back.

python benchmarks/gpu_pack.py prepare [--data FOLDER] [--sets cifar10 ...]
    writes what travels (.gpu/a, .gpu/b) and prints the calls
python benchmarks/gpu_pack.py run --out OUT [--load .gpu/a] [--minutes 9] [--items NAME[=MINUTES] ...]
    [--device cuda] [--scale gpu|smoke] [--kept benchmarks/kept]
    runs there; the machine needs torch, numpy, tqdm and rich, and no git, no network, no installed lsedu
python benchmarks/gpu_pack.py merge FOLDER ... [--kept benchmarks/kept] [--records book/records] [--as-they-come]
    takes what came back, from one card or several, into what is kept, and writes the records that are whole

Items: `ceilings` (a matrix product, a copy), `correctness` (losses in half precision, runs repeated, resumed and
replayed), `fast` (the network that trains in seconds, way by way), `speed` (benchmarks/training.py), and every study
with a profile for the card. Each runs in its own process and in its own minutes, an equal share of what is left where
none are named; one that raises or hangs costs no other.
The unit is a part of a seed, such as one method: it is in a file under OUT the moment it is done, and the next card
goes on from there. Results of other items are JSON files; OUT/log.jsonl tells what happened.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
for place in (str(HERE), str(ROOT)):  # lsedu need not be installed
    if place not in sys.path:
        sys.path.insert(0, place)

import _payload  # noqa: E402
import torch  # noqa: E402
from _shards import PATTERN, Shards, unpack  # noqa: E402

from lsedu import _write, data, experiments  # noqa: E402
from lsedu.experiments import measuring  # noqa: E402
from lsedu.experiments.provenance import origin, revision  # noqa: E402

#: What is most worth a card comes first; other studies with a profile for it follow by name.
QUEUE = ("comparison", "comparison_fast", "smoothing_fast", "contest_large")
#: Seconds that a process gets beyond its time to write down what it has.
GRACE = 15.0


def studies():
    """Return the names of the studies with a profile for the card, in the order of the queue."""
    have = [name for name in experiments.names() if "gpu" in experiments.get(name).configs]
    return [name for name in QUEUE if name in have] + [name for name in have if name not in QUEUE]


def cards():
    """Return the items that are no studies, each a function of device and scale that yields what it has so far."""
    from _card import ceilings, correctness, fast, speed

    return {"ceilings": ceilings, "correctness": correctness, "fast": fast, "speed": speed}


def units(name, profile, device, cache):
    """Return the units of a study in the order in which they are run, seed by seed: (seed, part, folder)."""
    study = experiments.get(name)
    folder = cache / name / f"{profile}-{measuring.run_key(study, profile, device)}"
    return [
        (seed, part, measuring.part_folder(folder, seed, part))
        for seed in study.seeds[profile]
        for part in measuring.parts(study, profile)
    ]


def tell(out, **event):
    """Add a line to the log, and show it."""
    line = json.dumps({"time": round(time.time(), 1), **event})
    with open(out / "log.jsonl", "a") as log:
        log.write(line + "\n")
    print(line, flush=True)


def work(options):
    """Run one item until its time is up, in this process."""
    out, until = options.out, options.until
    profile = "gpu" if options.scale == "gpu" else "smoke"
    if options.item not in studies():
        made_by = {"origin": origin("lsedu", options.device)}
        for found in cards()[options.item](options.device, options.scale):
            told = json.dumps(found | made_by, indent=1) + "\n"
            _write.write(out / f"{options.item}.json", told.encode())
        return
    shards, longest = Shards(out), 0.0
    for seed, part, folder in units(options.item, profile, options.device, options.cache):
        if measuring.kept(folder):
            continue
        start = time.time()
        if start + 1.2 * longest > until:
            break
        place = str(folder.parents[1 if part else 0])
        measuring.run_part(options.item, profile, seed, part, device=options.device, folder=place, checkpoints=False)
        shards.add(folder, options.cache)
        took = time.time() - start
        longest = max(longest, took) if longest else min(took, 10.0)  # the first also reads, records and compiles
        tell(out, item=options.item, seed=seed, part=part, seconds=round(took, 2))


def start(options, item, until):
    """Run an item in a process of its own, and end that process where its time is over."""
    words = [sys.executable, str(HERE / "gpu_pack.py"), "work", "--item", item, "--until", str(until)]
    for name in ("out", "cache", "device", "scale"):
        words += [f"--{name}", str(getattr(options, name))]
    with open(options.out / "errors.txt", "a") as errors:
        child = subprocess.Popen(words, stderr=errors, start_new_session=True)
        try:
            return child.wait(max(until - time.time(), 0) + GRACE)
        except subprocess.TimeoutExpired:
            return "ended: its time was over"
        finally:
            if child.poll() is None or os.name == "posix":  # what it started goes with it
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def run(options):
    """Run the items, each in its own process and time."""
    begun = time.time()
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        raise SystemExit("there is no CUDA device here; --device cpu --scale smoke tries the pack without one")
    options.out.mkdir(parents=True, exist_ok=True)
    if options.load:
        _payload.gather(options.load, options.data)
    os.environ["LSEDU_DATA"] = str(options.data)
    if (copied := options.data / "REVISION").is_file():
        os.environ["LSEDU_REVISION"] = copied.read_text().strip()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    known = [*cards(), *studies()]
    wanted = [word.partition("=")[::2] for word in options.items or known]
    if unknown := {name for name, _ in wanted} - set(known):
        raise SystemExit(f"no item is called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    with tempfile.TemporaryDirectory() as folder:
        options.cache = Path(folder)
        tell(options.out, event="start", revision=revision(), kept=unpack(options.kept, options.cache))
        for i, (item, minutes) in enumerate(wanted):
            left = begun + 60 * options.minutes - time.time()
            mine = min(60 * float(minutes), left) if minutes else left / (len(wanted) - i)
            if mine <= 0:
                tell(options.out, item=item, event="no time was left")
                continue
            status = start(options, item, time.time() + mine)
            tell(options.out, item=item, event="done" if status == 0 else f"failed: {status}")
    tell(options.out, event="end", seconds=round(time.time() - begun, 1))


def whole_seeds(name, device, cache):
    """Return the seeds of a study whose parts are all kept."""
    found = {}
    for seed, _, folder in units(name, "gpu", device, cache):
        found.setdefault(seed, []).append(measuring.kept(folder) is not None)
    return [seed for seed, parts in found.items() if all(parts)]


def merge(options):
    """Take what came back into what is kept, and write the records whose planned seeds are all there."""
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        for place in (options.kept, *options.folders):
            print(f"{place}: {unpack(place, cache)} units")
        with tempfile.TemporaryDirectory(dir=options.kept.parent) as new:
            shards = Shards(new)
            for name in studies():
                planned = experiments.get(name).seeds["gpu"]
                for _, _, unit in units(name, "gpu", options.device, cache):
                    if measuring.kept(unit):
                        shards.add(unit, cache)
                seeds = whole_seeds(name, options.device, cache)
                print(f"{name}: {len(seeds)} of {len(planned)} planned seeds are whole")
                if seeds and (len(seeds) == len(planned) or options.as_they_come):
                    record, arrays = experiments.run(
                        name, profile="gpu", device=options.device, seeds=seeds, jobs=0, cache=cache
                    )
                    record.provenance["planned"] = len(planned)
                    print(f"wrote {experiments.save_record(record, arrays, folder=options.records)}")
            options.kept.mkdir(parents=True, exist_ok=True)
            for old in options.kept.glob(PATTERN):
                old.unlink()
            for shard in Path(new).glob(PATTERN):
                shutil.move(shard, options.kept / shard.name)


def travelling_sets():
    """Return the names of the sets that studies for the card read and that do not ship, each once."""
    read = dict.fromkeys(name for study in studies() for name in experiments.get(study).data)
    return [name for name in read if not data.source(name).embedded]


def prepare(options):
    """Write what travels and print the calls."""
    files = []
    for name in options.sets or travelling_sets():
        found = data.at_hand(data.source(name))
        paths = [data.fetch(found, file, download=False) for part in found.files.values() for file in part]
        files += [
            _payload.as_webp(path, options.data) if path.suffix == ".jxl" else path for path in dict.fromkeys(paths)
        ]
    names = _payload.prepare(ROOT, files, revision())
    for i, name in enumerate(names):
        last = i == len(names) - 1
        items = "" if last else " --items ceilings correctness --minutes 2"
        print(f"call {i + 1}: carry {name}")
        print(f"  python3 benchmarks/gpu_pack.py run --out $OUT --load {name}{items}")


def main(words=None):
    """Do what the command says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("prepare")
    one.add_argument("--data", type=lambda word: Path(word).resolve(), default=os.environ.get("LSEDU_DATA", "data"))
    one.add_argument("--sets", nargs="*", default=[], help="which sets travel; all that the studies read if left out")
    one.set_defaults(do=prepare)
    for name, do in (("run", run), ("work", work)):
        one = commands.add_parser(name)
        one.add_argument("--out", type=lambda word: Path(word).resolve(), required=True)
        one.add_argument("--device", default="cuda")
        one.add_argument("--scale", choices=("gpu", "smoke"), default="gpu")
        one.set_defaults(do=do)
        if do is run:
            one.add_argument("--minutes", type=float, default=9.0)
            one.add_argument("--items", nargs="*", default=[])
            one.add_argument("--kept", type=Path, default=HERE / "kept")
            one.add_argument("--load", type=Path, nargs="*", default=[])
            one.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "lsedu-data")
        else:
            one.add_argument("--item", required=True)
            one.add_argument("--until", type=float, required=True)
            one.add_argument("--cache", type=Path, required=True)
    one = commands.add_parser("merge")
    one.add_argument("folders", type=Path, nargs="+")
    one.add_argument("--kept", type=Path, default=HERE / "kept")
    one.add_argument("--records", type=Path, default=experiments.records_dir())
    one.add_argument("--device", default="cuda", help="the kind of device that made the units")
    one.add_argument("--as-they-come", action="store_true", help="write records of the seeds that are there so far")
    one.set_defaults(do=merge)
    options = parser.parse_args(words)
    options.do(options)


if __name__ == "__main__":
    try:
        main()
    except Exception:
        traceback.print_exc()
        sys.exit(1)
