"""The pack for one lent card: what travels, and a rehearsal on a machine like that one, without a card."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import lsedu
from lsedu import experiments

ROOT = Path(lsedu.__file__).resolve().parents[1]
#: What the machine of the card lacks.
ABSENT = ("pooch", "requests", "filelock", "imagecodecs", "matplotlib", "scipy")

STUDY = '''
"""Claim: none.

Set-up: none.
"""
import time
from dataclasses import dataclass

import numpy as np

from lsedu.experiments.experiment import Contrast, Experiment, Outcome


@dataclass(frozen=True, kw_only=True)
class Config:
    what: str = "{what}"


def measure(config, seed, *, part, device, workdir, progress):
    assert workdir is None
    if part == "b" and config.what == "raises":
        raise RuntimeError("part b fails")
    if part == "b" and config.what == "hangs":
        time.sleep(600)
    value = float(seed + (part == "b"))
    return Outcome({{f"{{part}}/x": value}}, {{f"{{part}}/y": np.full(3, value)}})


EXPERIMENT = Experiment(
    name="{what}", claim="b is larger", source="nowhere", reduction={{"gpu": "all"}}, configs={{"gpu": Config()}},
    seeds={{"gpu": (100, 101, 102)}}, measure=measure,
    contrasts=(Contrast("b-a", "b is larger", "b/x", "a/x", margin=0.1),), data=("fashion-mnist-mini",),
    parts=lambda config: ("a", "b"),
)
'''


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def there(tmp_path):
    """A copy of the library and the pack, with three studies, and what calls it as the machine of the card does."""
    copy = tmp_path / "a folder" / "lent"
    shutil.copytree(ROOT / "lsedu", copy / "lsedu", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "benchmarks", copy / "benchmarks", ignore=shutil.ignore_patterns("__pycache__", "kept"))
    for what in ("works", "raises", "hangs"):
        (copy / "lsedu" / "studies" / "learnable" / f"{what}.py").write_text(STUDY.format(what=what))
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    for name in ABSENT:
        (blocked / f"{name}.py").write_text(f"raise ImportError('No module named {name}', name='{name}')\n")
    (tmp_path / "nowhere").mkdir()
    environment = {
        "PATH": str(tmp_path / "nowhere"), "HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(blocked), "TMPDIR": str(tmp_path),
    }  # fmt: skip

    def start(*words, **options):
        # lsedu is installed where the tests run, and not there: the copy comes before it
        command = [sys.executable, str(copy / "benchmarks" / "gpu_pack.py"), *map(str, words)]
        return subprocess.Popen(
            command, env=environment, cwd=tmp_path / "nowhere", text=True, stdout=subprocess.PIPE, **options
        )

    return start


def run_words(out, *items, minutes=4):
    return ("run", "--out", out, "--device", "cpu", "--minutes", minutes, "--items", *items)


def kept(folder):
    names = [name for path in folder.glob("units-*.zip") for name in zipfile.ZipFile(path).namelist()]
    return sorted(name.split("/")[0] + "/" + "/".join(name.split("/")[2:4]) for name in names if name.endswith("json"))


WHOLE = [f"works/seed-{seed}/part-{part}" for seed in (100, 101, 102) for part in "ab"]


@pytest.mark.slow
def test_an_item_that_raises_or_hangs_costs_no_other(there, tmp_path):
    done = there(*run_words(tmp_path / "out", "raises", "hangs=0.2", "works"))
    told = [json.loads(line) for line in done.communicate()[0].splitlines()]
    assert done.returncode == 0
    ends = {row["item"]: row["event"] for row in told if "item" in row and "event" in row}
    assert ends["raises"] == "failed: 1" and ends["works"] == "done" and "time was over" in ends["hangs"]
    assert kept(tmp_path / "out") == ["hangs/seed-100/part-a", "raises/seed-100/part-a", *WHOLE]
    assert "part b fails" in (tmp_path / "out" / "errors.txt").read_text()
    assert told[0]["revision"] == ""  # neither a history nor a load that names one
    merged = there("merge", tmp_path / "out", "--kept", tmp_path / "kept", "--records", tmp_path, "--device", "cpu")
    said = merged.communicate()[0]
    assert "works: 3 of 3 planned seeds are whole" in said and "hangs: 0 of 3" in said
    record = experiments.load_record("works", folder=tmp_path)
    assert record.seeds == [100, 101, 102] and record.verdict("b-a") == "shown"
    assert record.provenance["planned"] == 3 and record.arrays()["101/b/y"].tolist() == [102.0] * 3
    assert kept(tmp_path / "kept") == kept(tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 4])
def test_killed_at_a_unit_what_was_done_is_there_and_the_next_card_goes_on(there, tmp_path, after):
    first = there(*run_words(tmp_path / "first", "works"), start_new_session=True)
    count = 0
    for line in first.stdout:
        count += "seconds" in json.loads(line) and "seed" in json.loads(line)
        if count == after:
            os.killpg(first.pid, signal.SIGKILL)
            break
    first.wait()
    worker = subprocess.run(["pkill", "-KILL", "-f", f"work --item works .*{tmp_path}"], check=False)
    assert worker.returncode in (0, 1)
    before = kept(tmp_path / "first")
    assert len(before) >= after and before == WHOLE[: len(before)]
    second = there(*run_words(tmp_path / "second", "works"), "--kept", tmp_path / "first")
    assert f'"kept": {len(before)}' in second.communicate()[0]
    assert kept(tmp_path / "second") == WHOLE[len(before) :]
    words = ("merge", tmp_path / "first", tmp_path / "second", "--kept", tmp_path / "kept", "--records", tmp_path)
    assert "3 of 3" in there(*words, "--device", "cpu").communicate()[0]
    assert experiments.load_record("works", folder=tmp_path).values("b/x").tolist() == [101.0, 102.0, 103.0]


def test_units_go_into_files_that_can_be_brought_back(tmp_path):
    shards = load("_shards")
    unit = tmp_path / "cache" / "study" / "seed-1" / "part-a"
    unit.mkdir(parents=True)
    noise = np.random.default_rng(0)
    kept_by = shards.Shards(tmp_path / "out", limit=3000)
    for i in range(5):
        np.savez(unit / "arrays.npz", noise.random(200))
        (unit / "done.json").write_text(json.dumps({"i": i}))
        target = unit.with_name(f"part-{i}")
        shutil.copytree(unit, target)
        kept_by.add(target, tmp_path / "cache")
        assert not list((tmp_path / "out").glob("*.new"))
    sizes = [path.stat().st_size for path in sorted((tmp_path / "out").iterdir())]
    assert len(sizes) == 3 and max(sizes) < 3000 + 2500
    assert shards.unpack(tmp_path / "out", tmp_path / "again") == 5
    found = [
        json.loads((tmp_path / "again" / "study" / "seed-1" / f"part-{i}" / "done.json").read_text()) for i in range(5)
    ]
    assert found == [{"i": i} for i in range(5)]


def test_loads_leave_room_for_what_travels_and_name_their_revision(tmp_path):
    payload = load("_payload")
    root, data = tmp_path / "root", tmp_path / "data" / "set"
    data.mkdir(parents=True)
    root.mkdir()
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / "code.py").write_bytes(b"x" * 500)
    (root / ".gitignore").write_text("ignored\n")
    (root / "ignored").write_bytes(b"x" * 9000)
    assert payload.travelling(root) == 500 + 8
    files = []
    for i, size in enumerate((400, 300, 300, 200, 100)):
        files.append(data / f"{i}.bin")
        files[-1].write_bytes(bytes([i]) * size)
    loads = payload.loads(files, 600)
    assert sorted(path.name for load in loads for path in load) == [f"{i}.bin" for i in range(5)]
    assert len(loads) == 3 and all(sum(path.stat().st_size for path in load) <= 600 for load in loads)
    with pytest.raises(ValueError, match=r"0\.bin has 400 bytes, and a load has room for 300"):
        payload.loads(files, 300)
    names = payload.prepare(root, files, "abc+")
    status = subprocess.run(
        ["git", "-C", str(root), "status", "--porcelain"], capture_output=True, text=True, check=True
    )
    assert names == [".gpu/a"] and ".gpu" not in status.stdout
    payload.gather([root / name for name in names], tmp_path / "there")
    assert (tmp_path / "there" / "set" / "3.bin").read_bytes() == bytes([3]) * 200
    assert (tmp_path / "there" / "REVISION").read_text() == "abc+\n"


def test_a_copy_says_what_it_is_a_copy_of(monkeypatch):
    from lsedu.experiments.provenance import revision

    monkeypatch.setenv("LSEDU_REVISION", "abc+")
    assert revision() == "abc+"


def test_items_are_named_and_no_card_is_said(tmp_path):
    pack = load("gpu_pack")
    assert pack.studies()[:2] == ["comparison", "comparison_fast"]
    assert pack.travelling_sets()[0] == "cifar10" and "mnist" in pack.travelling_sets()
    with pytest.raises(SystemExit, match=r"no item is called x; there are ceilings, correctness, fast, speed, comp"):
        pack.main(["run", "--out", str(tmp_path), "--device", "cpu", "--items", "x"])
    with pytest.raises(SystemExit, match="there is no CUDA device here; --device cpu --scale smoke tries the pack"):
        pack.main(["run", "--out", str(tmp_path), "--device", "cuda"])
