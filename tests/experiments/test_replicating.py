"""Replications: fresh seeds, at the record's scale, beside the record, in a column of the ledger."""

from dataclasses import replace

import pytest
import yaml

from lsedu import experiments
from lsedu.book import claims
from lsedu.experiments import replicating
from lsedu.experiments.concluding import conclude


@pytest.fixture
def record(tmp_path):
    record = experiments.load_record("smoothing")
    experiments.save_record(record, record.arrays(), folder=tmp_path)
    return record


@pytest.fixture
def run(monkeypatch, record):
    """Running gives the record's results for the seeds asked for, the accuracy of alpha = 0.1 a point higher."""
    asked = []

    def made(name, *, profile, seeds, **options):
        asked.append((name, profile, seeds, options))
        rows = [dict(record.results[str(seed)]) for seed in record.seeds][: len(seeds)]
        for row in rows:
            row["0.1/before/accuracy"] += 0.01
        results = {str(seed): row for seed, row in zip(seeds, rows, strict=True)}
        fresh = conclude(experiments.get(name), record.configs, results)
        return replace(record, seeds=seeds, results=results, contrasts=fresh, arrays_sha256=""), {"2000/x": None}

    monkeypatch.setattr(replicating, "run", made)
    return asked


def test_it_is_written_beside_the_record_which_stays(record, run, tmp_path):
    before = (tmp_path / "smoothing.json").read_bytes()
    assert experiments.load_replication("smoothing", folder=tmp_path) is None
    found, path = experiments.replicate("smoothing", folder=tmp_path, jobs=0)
    assert run == [("smoothing", "cpu", [2000 + i for i in range(len(record.seeds))], {"jobs": 0})]
    assert path == tmp_path / "replications" / "smoothing.json" and (tmp_path / "smoothing.json").read_bytes() == before
    again = experiments.load_replication("smoothing", folder=tmp_path)
    assert again == found and again.verdict("accuracy") == "shown" and again.arrays_sha256 == ""
    assert again.effect("accuracy").mean == pytest.approx(record.effect("accuracy").mean + 0.01)


def test_seeds_that_were_looked_at_and_another_configuration_are_refused(record, run, tmp_path):
    for seen in ([104, 105], [0]):  # the record's, and those of the smoke scale
        with pytest.raises(ValueError, match="must be fresh, and the study has"):
            experiments.replicate("smoothing", seeds=seen, folder=tmp_path)
    other = replace(record, configs={**record.configs, "test_size": 10})
    experiments.save_record(other, {}, folder=tmp_path)
    with pytest.raises(ValueError, match="no longer configured as its record was"):
        experiments.replicate("smoothing", folder=tmp_path)
    assert run == []


def test_the_ledger_has_it_as_a_second_finding(record, run, tmp_path, monkeypatch):
    row = {"key": "a", "text": "A.", "source": "us", "anchor": "a", "record": "smoothing", "contrast": "accuracy"}
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "claims.yml").write_text(yaml.safe_dump([row]))
    (tmp_path / "_toc.yml").write_text("root: index\n")
    monkeypatch.setattr(claims, "load_replication", lambda name: None)
    (alone,) = claims.load(tmp_path)
    assert alone.again is None and alone.effect_again is None
    found, _ = experiments.replicate("smoothing", folder=tmp_path)
    monkeypatch.setattr(claims, "load_replication", lambda name: found)
    (twice,) = claims.load(tmp_path)
    assert (twice.verdict, twice.again) == (record.verdict("accuracy"), "shown") and twice.verdict != twice.again
    assert twice.effect_again.mean == pytest.approx(twice.effect.mean + 0.01)
