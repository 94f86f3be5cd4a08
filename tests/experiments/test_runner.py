"""Runs by address, full disks and invented numbers: on the smallest experiment at the smoke scale."""

import json
import os
import signal

import numpy as np
import pytest
from typer.testing import CliRunner

from lsedu import experiments
from lsedu.cli import app


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return experiments.run("gaps", seeds=range(4), jobs=0, cache=tmp_path_factory.mktemp("cache"))


def test_two_workers_by_address_give_the_local_results_and_a_killed_one_changes_nothing(made, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "workers"))
    record, arrays = made
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        workers = [nanny.pid for nanny in cluster.workers.values()]

        def kill_one(line):
            if workers:
                os.kill(workers.pop(), signal.SIGKILL)
                workers.clear()

        again, same = experiments.run(
            "gaps", seeds=range(4), scheduler=cluster.scheduler_address, cache=tmp_path / "here", report=kill_one
        )
        assert not workers
    assert again.results == record.results and again.contrasts == record.contrasts
    assert arrays.keys() == same.keys() and all(np.array_equal(arrays[key], same[key]) for key in arrays)


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    distributed = pytest.importorskip("distributed")

    def silent(address, **options):
        raise OSError("Timed out trying to connect")

    monkeypatch.setattr(distributed, "Client", silent)
    result = CliRunner().invoke(app, ["run", "gaps", "--scheduler", "tcp://127.0.0.1:9"])
    assert result.exit_code == 2 and "no dask scheduler answers at tcp://127.0.0.1:9" in result.stderr


def test_verify_passes_a_true_record_and_catches_an_invented_number(made, tmp_path):
    record, arrays = made
    path = experiments.save_record(record, arrays, folder=tmp_path)
    assert experiments.verify("gaps", seed=0, folder=tmp_path) == {}
    plain = json.loads(path.read_text())
    plain["results"]["0"]["0.1/gap_mean"] += 1e-3
    path.write_text(json.dumps(plain))
    assert list(experiments.verify("gaps", seed=0, folder=tmp_path)) == ["0.1/gap_mean"]


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
        (["gap"], "no experiment is called 'gap'"),
        (["gaps", "--profile", "huge"], "'smoke', 'cpu', 'gpu'"),
        (["gaps", "--profile", "gpu"], "has no profile"),
    ],
)
def test_the_command_says_what_is_wrong(words, message):
    result = CliRunner().invoke(app, ["run", *words])
    assert result.exit_code != 0 and message in result.stderr
