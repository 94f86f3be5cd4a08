"""What each card did in how many seconds, gathered from benchmarks/results and benchmarks/kept for the pages.

python benchmarks/cards.py [--out book/cards.json]

Run it when a card has brought something; `lsedu.experiments.load_cards` reads what it writes.
"""

import argparse
import json
import re
import zipfile
from pathlib import Path

from _shards import PATTERN

from lsedu import _write

HERE = Path(__file__).resolve().parent
CONTENDERS = {"plain, LS": "by hand, LS", "ours, LS": "LS", "ours, LLS": "LLS"}


def _seconds(values):
    return [round(value, 6) for value in values]


def windows(found):
    """Return a speed measurement: what a window was, and its seconds by contender."""
    keys = ("model", "batch", "steps", "bfloat16", "channels_last", "compile", "cuda_graphs")
    rows = {CONTENDERS[row["name"]]: _seconds(row["seconds"]) for row in found["rows"]}
    return {key: found[key] for key in keys} | {"seconds": rows}


def measured(folder):
    """Return what was measured of one card, from its folder of results."""
    card = {"folder": folder.name, "revisions": {}}
    for path in sorted(folder.glob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        card["revisions"][path.stem] = found.get("origin", {}).get("revision", "")
        if path.stem == "ceilings":
            card |= {"product": found["tflops_bfloat16"], "copy": found["copy_terabytes_per_second"]}
            card |= {"device": found["origin"]["device"], "torch": found["origin"]["versions"]["torch"]}
        elif path.stem == "correctness":
            checks = found["checks"]
            card |= {"checks": checks if isinstance(checks, int) else len(checks), "failed": len(found["failed"])}
        elif path.stem == "fast":
            card["fast"] = {way: row for way, row in found.items() if way != "origin"}
        elif path.stem.startswith("speed"):
            ways = {path.stem.partition("_")[2]: found} if "rows" in found else found
            card["windows"] = card.get("windows", {}) | {k: windows(v) for k, v in ways.items() if "rows" in v}
    if (text := folder / "fast_runs.txt").is_file():
        pattern = r"^seed \d+: ([\d.]+) s, .* over six views ([\d.]+);"
        card["compiled_runs"] = [[float(x) for x in pair] for pair in re.findall(pattern, text.read_text(), re.M)]
    return card


def runs(folder):
    """Return, by device and study, the runs kept in the order in which they were made: seed, part, seconds."""
    found = {}
    for shard in sorted(folder.glob(PATTERN)):
        with zipfile.ZipFile(shard) as packed:
            for name in packed.namelist():
                if not name.endswith("/done.json"):
                    continue
                study, _, seed, part, _ = name.split("/")
                done = json.loads(packed.read(name))
                of_device = found.setdefault(done["origin"]["device"], {})
                row = [int(seed.removeprefix("seed-")), part.removeprefix("part-"), round(done["seconds"], 3)]
                of_device.setdefault(study, []).append(row)
    return found


def gathered(here=HERE):
    """Return all cards, one after the other by folder."""
    kept = runs(here / "kept")
    cards = [
        measured(folder) for folder in sorted((here / "results").iterdir()) if (folder / "ceilings.json").is_file()
    ]
    return [card | {"runs": kept.get(card["device"], {})} for card in cards]


def written(cards):
    """Return the file's text: a list of numbers on one line."""
    text = json.dumps(cards, indent=1)
    return re.sub(r"\[[^\[\]{}]+\]", lambda found: " ".join(found[0].split()), text) + "\n"


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE.parent / "book" / "cards.json")
    options = parser.parse_args(words)
    _write.write(options.out, written(gathered()).encode())


if __name__ == "__main__":
    main()
