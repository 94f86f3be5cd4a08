"""Runs by address, full disks and invented numbers: on the smallest experiment at the smoke scale."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import lsedu
from lsedu import experiments
from lsedu.cli import app
from lsedu.experiments import apart, verification


@pytest.fixture
def own_environment():
    """A cluster of dask's sets threads and hash seed in the environment of whoever starts it: put it back."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return experiments.run("gaps", seeds=range(4), jobs=0, cache=tmp_path_factory.mktemp("cache"))


@pytest.mark.usefixtures("own_environment")
def test_two_workers_by_address_give_the_local_results_and_a_killed_one_changes_nothing(made, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "workers"))
    record, arrays = made
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        address = cluster.scheduler_address
        workers = [nanny.pid for nanny in cluster.workers.values()]

        def kill_one(line):
            if workers:
                os.kill(workers.pop(), signal.SIGKILL)
                workers.clear()

        again, same = experiments.run(
            "gaps", seeds=range(4), scheduler=address, cache=tmp_path / "here", report=kill_one
        )
        assert not workers
        # verified by address too, and anew: what the workers kept of seed 0 is made wrong first
        found = list((tmp_path / "workers").rglob("seed-0/done.json"))
        assert found
        for kept in found:
            kept.write_text(kept.read_text().replace('"0.1/gap_mean": ', '"0.1/gap_mean": 1'))
        path = experiments.save_record(record, arrays, folder=tmp_path)
        exactly = {"seed": 0, "folder": tmp_path, "scheduler": address, "tolerance": 0.0}
        assert experiments.verify("gaps", **exactly) == {}
        plain = json.loads(path.read_text())
        plain["results"]["0"]["0.1/gap_mean"] += 1e-3
        path.write_text(json.dumps(plain))
        assert "0.1/gap_mean" in experiments.verify("gaps", **exactly)
    assert again.results == record.results and again.contrasts == record.contrasts
    assert arrays.keys() == same.keys() and all(np.array_equal(arrays[key], same[key]) for key in arrays)


def test_a_worker_with_other_code_is_refused_before_it_runs(tmp_path):
    distributed = pytest.importorskip("distributed")
    other = tmp_path / "other" / "lsedu"
    shutil.copytree(Path(lsedu.__file__).parent, other, ignore=shutil.ignore_patterns("__pycache__", "embedded"))
    with open(other / "studies" / "principles" / "gaps.py", "a") as out:
        out.write("# changed\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "other"), "XDG_CACHE_HOME": str(tmp_path / "workers")}
    with distributed.LocalCluster(n_workers=0, dashboard_address=None, host="127.0.0.1") as cluster:
        command = [sys.executable, "-m", "dask", "worker", cluster.scheduler_address, "--no-nanny", "--no-dashboard"]
        worker = subprocess.Popen(
            [*command, "--nthreads", "1"],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        try:
            result = CliRunner().invoke(app, ["run", "gaps", "--scheduler", cluster.scheduler_address])
        finally:
            worker.kill()
            worker.wait()
    ours = apart.code_digest(experiments.get("gaps"))
    assert result.exit_code == 2 and f"{ours[:16]} here" in result.stderr and "other code" in result.stderr
    assert not list((tmp_path / "workers").rglob("*"))


def test_a_scheduler_that_does_not_answer_is_named(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(apart, "PATIENCE", 1.0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with socket.socket() as taken:  # bound and not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        for words in (["run", "gaps"], ["run", "gaps", "--verify"]):
            result = CliRunner().invoke(app, [*words, "--scheduler", address])
            assert result.exit_code == 2 and f"no dask scheduler answers at {address}" in result.stderr


def test_an_address_that_is_none_is_named():
    result = CliRunner().invoke(app, ["run", "gaps", "--scheduler", "nowhere"])
    assert result.exit_code == 2 and "no dask scheduler answers at nowhere" in result.stderr


def test_verify_passes_a_true_record_and_catches_an_invented_number(made, tmp_path, monkeypatch):
    record, arrays = made
    path = experiments.save_record(record, arrays, folder=tmp_path)
    assert experiments.verify("gaps", seed=0, folder=tmp_path, tolerance=0.0) == {}
    monkeypatch.setattr(verification, "run", lambda *words, **options: made)  # which gives the same, as was just seen
    plain = json.loads(path.read_text())
    plain["results"]["0"]["0.1/gap_mean"] += 1e-3
    path.write_text(json.dumps(plain))
    assert experiments.verify("gaps", seed=0, folder=tmp_path) == {}
    found = experiments.verify("gaps", seed=0, folder=tmp_path, tolerance=0.0)
    assert {key for key in found if not key.startswith("contrast")} == {"0.1/gap_mean"}


def test_a_full_disk_leaves_the_old_record(made, tmp_path, monkeypatch):
    record, arrays = made
    path = experiments.save_record(record, arrays, folder=tmp_path)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        experiments.save_record(record, {}, folder=tmp_path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "words, message",
    [
        (["gap"], "no study is called 'gap'"),
        (["gaps", "--profile", "huge"], "'smoke', 'cpu', 'gpu'"),
        (["gaps", "--profile", "gpu"], "has no profile"),
    ],
)
def test_the_command_says_what_is_wrong(words, message):
    result = CliRunner().invoke(app, ["run", *words])
    assert result.exit_code != 0 and message in result.stderr


def test_all_goes_on_after_a_failure_and_says_what_is_missing(made, monkeypatch, tmp_path):
    asked = []

    def run(name, *, profile, **options):
        asked.append((name, profile))
        if name == "smoothing":
            raise ValueError("this one fails")
        return made

    monkeypatch.setattr(experiments, "names", lambda: ("overconfidence", "smoothing", "gaps"))
    monkeypatch.setattr(experiments, "run", run)
    result = CliRunner().invoke(app, ["run", "all"])
    assert asked == [(name, "smoke") for name in ("overconfidence", "smoothing", "gaps")]
    assert (
        result.exit_code == 2
        and "this one fails" in result.stderr
        and "all: 2 of 3 done; not smoothing" in result.stdout
    )
    asked.clear()
    gpu = CliRunner().invoke(app, ["run", "all", "--profile", "gpu"])
    assert not asked and gpu.exit_code == 0 and "gaps: no profile 'gpu', passed over" in gpu.stderr


def test_all_verifies_every_record_there_is(made, monkeypatch, tmp_path):
    experiments.save_record(*made, folder=tmp_path)
    seen = []

    def verify(name, *, tolerance, **options):
        seen.append((name, tolerance))
        return {"a": (1.0, 2.0)} if len(seen) > 1 else {}

    monkeypatch.setattr(experiments, "records_dir", lambda: tmp_path)
    monkeypatch.setattr(experiments, "load_record", partial(experiments.load_record, folder=tmp_path))
    monkeypatch.setattr(experiments, "verify", verify)
    words = ["run", "all", "--verify", "--tolerance", "0.5"]
    first, second = CliRunner().invoke(app, words), CliRunner().invoke(app, words)
    assert seen == [("gaps", 0.5)] * 2
    assert first.exit_code == 0 and "gaps: verified" in first.stdout and "all: 1 of 1 done" in first.stdout
    assert second.exit_code == 1 and "gaps: differs" in second.stdout and "not gaps" in second.stdout
    path = tmp_path / "gaps.json"
    path.write_text(path.read_text().replace('"profile": "smoke"', '"profile": "gpu"'))
    passed_over, on_a_card = CliRunner().invoke(app, words), CliRunner().invoke(app, [*words, "--device", "cuda"])
    assert len(seen) == 3 and "made on a GPU, passed over" in passed_over.stderr and passed_over.exit_code == 0
    assert "gaps: differs" in on_a_card.stdout


def _run_and_die(cache, writes):
    """Run as the command does, and be killed when the file of that number is whole and not yet in its place."""
    replace = os.replace

    def deadly(part, path):
        nonlocal writes
        writes -= 1
        if writes == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(part, path)

    os.replace = deadly
    experiments.run("gaps", seeds=range(2), jobs=0, cache=cache)


# A seed writes ten files: a checkpoint after each of four epochs for each of two strengths, its arrays, its results.
@pytest.mark.parametrize("writes", [3, 10, 16])
def test_a_run_killed_in_the_middle_gives_the_same_results_when_it_is_started_again(made, dies, tmp_path, writes):
    record, arrays = made
    dies(_run_and_die, tmp_path, writes)
    assert len(list(tmp_path.rglob("done.json"))) == writes // 11 and len(list(tmp_path.rglob("*.part"))) == 1
    again, same = experiments.run("gaps", seeds=range(2), jobs=0, cache=tmp_path)
    assert again.results == {seed: record.results[seed] for seed in ("0", "1")}
    assert same and all(np.array_equal(arrays[key], same[key]) for key in same)


@pytest.mark.parametrize(
    ("said", "jobs"),
    [
        (None, 6),
        ("max 100000\n", 6),
        ("800000 100000\n", 6),
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("10000 100000\n", 1),
        ("nothing known\n", 6),
        ("", 6),
    ],
)
def test_seeds_take_the_cores_that_the_process_may_use_and_a_gpu_alone(tmp_path, monkeypatch, said, jobs):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(6), raising=False)
    quota = tmp_path / "cpu.max"
    if said is not None:
        quota.write_text(said)
    assert experiments.default_jobs(quota=quota) == jobs
    assert experiments.default_jobs("cuda:0", quota=quota) == 1
