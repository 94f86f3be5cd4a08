"""The pack for one card, tried on a CPU at the smallest scale."""

import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lsedu import experiments

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "gpu_pack.py"
SMOKE = ["--device", "cpu", "--scale", "smoke"]


@pytest.fixture
def pack(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("gpu_pack", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_correctness_and_speed_are_written_once(pack, tmp_path, capsys):
    items = ["--items", "correctness", "speed", "--minutes", "30"]
    assert pack.main([*SMOKE, *items, "--out", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "correctness.json").read_text())
    assert found["failed"] == [] and found["device"].startswith("cpu") and found["revision"]
    names = [check["name"] for check in found["checks"]]
    assert "deterministic: broken off and resumed" in names and len(names) == len(set(names))
    assert any("learnable, bfloat16" in name for name in names)
    assert "of plain, LS" in json.loads((tmp_path / "speed.json").read_text())["runs"][0]["output"]
    capsys.readouterr()
    assert pack.main([*SMOKE, *items, "--results", str(tmp_path), "--out", str(tmp_path / "again")]) == 0
    assert capsys.readouterr().out.count("has its result, passed over") == 2
    assert not list((tmp_path / "again").iterdir())


def test_a_check_that_fails_is_named_and_written(pack, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(pack, "half_precision", lambda device: [("fine", 0.0, 0.1), ("far off", 0.2, 0.1)])
    monkeypatch.setattr(pack, "repeated", lambda device: [("not a number", float("nan"), 0.1)])
    assert pack.main([*SMOKE, "--items", "correctness", "--out", str(tmp_path)]) == 1
    assert "correctness: failed: far off, not a number" in capsys.readouterr().out
    assert json.loads((tmp_path / "correctness.json").read_text())["failed"] == ["far off", "not a number"]


@pytest.mark.slow
def test_what_is_not_done_in_time_goes_on_in_the_next_command(pack, tmp_path, capsys, monkeypatch):
    now, measured = 0.0, []
    run = experiments.run

    def slow(name, *, seeds=None, **options):
        nonlocal now
        now += 70.0 if seeds else 0.0
        measured.append(seeds)
        return run(name, seeds=seeds, **options)

    monkeypatch.setattr(experiments, "run", slow)
    common = [*SMOKE, "--items", "comparison", "--records", str(tmp_path), "--jobs", "0"]
    first, second = tmp_path / "first", tmp_path / "second"
    assert pack.main([*common, "--out", str(first), "--minutes", "2"], clock=lambda: now) == 0
    assert "comparison: 1 of 2 seeds" in capsys.readouterr().out and measured == [[0]]
    assert [path.name for path in first.iterdir()] == ["kept.zip"]
    with zipfile.ZipFile(first / "kept.zip") as kept:
        assert sorted(Path(name).name for name in kept.namelist()) == ["arrays.npz", "done.json"]
    words = [*common, "--out", str(second), "--kept", str(first / "kept.zip"), "--minutes", "9.5"]
    assert pack.main(words, clock=lambda: now) == 0
    assert sorted(path.name for path in second.iterdir()) == ["comparison.json", "comparison.npz"]
    record = experiments.load_record("comparison", folder=second)
    assert record.seeds == [0, 1] and record.arrays()["0/lls/q"].shape == (10, 10)
    done = json.loads((second / "comparison.json").read_text())["provenance"]["seconds"]
    assert done.keys() == {"0", "1"}


def test_nothing_is_started_without_time(pack, tmp_path, capsys):
    words = [*SMOKE, "--items", "comparison", "--records", str(tmp_path), "--out", str(tmp_path / "out")]
    assert pack.main([*words, "--minutes", "0.5"]) == 0
    assert "comparison: no time was left" in capsys.readouterr().out


def test_no_more_than_eight_files_are_brought_back(pack, tmp_path, capsys):
    for i in range(6):
        (tmp_path / str(i)).touch()
    assert pack.main([*SMOKE, "--items", "comparison", "--records", str(tmp_path), "--out", str(tmp_path)]) == 0
    assert "comparison: no room for files was left" in capsys.readouterr().out
    assert len(list(tmp_path.iterdir())) == 7  # and what was kept, which is nothing


def test_no_card_and_unknown_items_are_named(pack, tmp_path, capsys):
    with pytest.raises(SystemExit):
        pack.main([*SMOKE, "--out", str(tmp_path), "--items", "x"])
    assert "no item is called x; there are correctness, speed, comparison" in capsys.readouterr().err
    command = [sys.executable, str(SCRIPT), "--out", str(tmp_path), "--device", "cuda"]
    missing = subprocess.run(command, capture_output=True, text=True, env={"CUDA_VISIBLE_DEVICES": ""})
    assert missing.returncode == 2 and "no CUDA device here; --device cpu --scale smoke" in missing.stderr
