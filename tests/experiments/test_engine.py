"""Verdicts, records and the runner."""

import json
import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from lsedu import experiments
from lsedu.experiments import measuring, registry, runner
from lsedu.experiments.answers import SEEDS
from lsedu.experiments.concluding import conclude, judged
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.experiments.interval import Interval
from lsedu.experiments.record import save_record
from lsedu.training import Config

CALLS = []


def measure(config, seed, *, device, workdir, progress):
    CALLS.append(seed)
    if seed == 13 and not (workdir.parent / "fixed").exists():
        raise RuntimeError("seed 13 fails")
    value = float(np.random.default_rng(seed).normal(1.0, 0.1))
    return Outcome({"a": value, "b": value - 0.5}, {"x": np.full(3, value, dtype=np.float32)})


TOY = Experiment(
    name="toy",
    claim="a is larger than b",
    source="nowhere",
    reduction={"smoke": "everything"},
    configs={"smoke": Config(epochs=1)},
    seeds={"smoke": (0, 1, 2)},
    measure=measure,
    contrasts=(Contrast("a-b", "a is larger", plus="a", minus="b", margin=0.1),),
    primary=("a-b",),
    data=("fashion-mnist-mini",),
)


@dataclass(frozen=True)
class Loose:
    """A configuration whose values can be mixed up: they have no names where they are given."""

    epochs: int


@pytest.fixture
def toy(monkeypatch, tmp_path):
    for module in (runner, measuring, registry):
        monkeypatch.setattr(module, "get", lambda name: TOY)
    CALLS.clear()
    return tmp_path


def test_a_record_goes_to_disk_and_back(toy):
    record, arrays = experiments.run("toy", jobs=0, cache=toy / "cache")
    assert record.verdict("a-b") == "shown"
    assert record.contrasts["a-b"]["interval"]["mean"] == pytest.approx(0.5)
    path = save_record(record, arrays, folder=toy)
    again = experiments.load_record("toy", folder=toy)
    assert again.results == record.results and again.seeds == [0, 1, 2]
    assert again.values("a").shape == (3,)
    assert again.arrays()["1/x"].dtype == np.float32
    provenance = json.loads(path.read_text())["provenance"]
    assert provenance.keys() >= {"time", "device", "versions", "revision", "digest", "data", "seconds"}
    assert provenance["data"]["fashion-mnist-mini"]
    with pytest.raises(KeyError, match="there are a, b"):
        again.values("c")


def test_a_record_says_its_numbers_as_pages_print_them(toy):
    record, arrays = experiments.run("toy", jobs=0, cache=toy / "cache")
    save_record(record, arrays, folder=toy)
    record = experiments.load_record("toy", folder=toy)
    mean, (low, high) = record.values("b").mean(), (record.interval("b").low, record.interval("b").high)
    assert record.mean("b") == mean and np.array_equal(
        record.columns("ab"), np.stack([record.values(k) for k in "ab"], 1)
    )
    assert record.text("b", 100, 1) == f"{100 * mean:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
    assert record.effect("a-b") == experiments.interval(record.values("a") - record.values("b"))
    assert record.table("a-b", digits=1).splitlines() == [
        "| claim | effect | interval over | verdict |",
        "|---|---|---|---|",
        "| a is larger | +0.5 [+0.5, +0.5] | 3 seeds | **shown** |",
    ]
    assert record.table(scale=10, digits=0, seeds=False).splitlines()[2] == "| a is larger | +5 [+5, +5] | **shown** |"
    barred = replace(record, contrasts={"a-b": record.contrasts["a-b"] | {"claim": "p(y|x) is larger"}})
    assert barred.table(seeds=False).splitlines()[2].startswith(r"| p(y\|x) is larger | ")
    assert np.array_equal(record.over_seeds("x"), np.repeat(record.values("a"), 3).reshape(3, 3).astype(np.float32))
    with pytest.raises(KeyError, match=r"no array 'y'; there are x"):
        record.over_seeds("y")
    for ask in (record.verdict, record.effect, record.table):
        with pytest.raises(KeyError, match=r"no contrast 'b-a'; there are a-b"):
            ask("b-a")


def test_finished_seeds_are_not_run_again(toy):
    experiments.run("toy", seeds=[0, 1], jobs=0, cache=toy)
    experiments.run("toy", seeds=[0, 1, 2], jobs=0, cache=toy)
    assert CALLS == [0, 1, 2]


def test_after_a_failure_the_rest_is_kept_and_the_results_are_the_same(toy):
    with pytest.raises(RuntimeError, match="seed 13 fails"):
        experiments.run("toy", seeds=[1, 2, 13], jobs=0, cache=toy)
    (next(toy.rglob("seed-1")).parent / "seed-13").mkdir(exist_ok=True)
    (next(toy.rglob("seed-13")) / "fixed").touch()
    record, _ = experiments.run("toy", seeds=[1, 2, 13], jobs=0, cache=toy)
    undisturbed, _ = experiments.run("toy", seeds=[1, 2], jobs=0, cache=toy / "other")
    assert CALLS == [1, 2, 13, 13, 1, 2]
    assert {seed: record.results[seed] for seed in ("1", "2")} == undisturbed.results


def test_tampered_arrays_are_refused(toy):
    record, arrays = experiments.run("toy", jobs=0, cache=toy / "cache")
    save_record(record, arrays, folder=toy)
    (toy / "toy.npz").write_bytes(b"something else")
    with pytest.raises(experiments.RecordError, match="sha256 differs"):
        experiments.load_record("toy", folder=toy).arrays()
    (toy / "toy.npz").unlink()
    with pytest.raises(experiments.RecordError, match="is missing"):
        experiments.load_record("toy", folder=toy).arrays()
    (toy / "toy.json").write_text("{")
    with pytest.raises(experiments.RecordError, match="cannot be read"):
        experiments.load_record("toy", folder=toy)
    with pytest.raises(experiments.RecordError, match="there is no record 'tory'"):
        experiments.load_record("tory", folder=toy)


def test_results_that_are_not_finite_are_refused(toy, monkeypatch):
    def bad(config, seed, **options):
        return Outcome({"a": math.inf, "b": 0.0})

    monkeypatch.setattr(measuring, "get", lambda name: Experiment(**{**TOY.__dict__, "measure": bad}))
    with pytest.raises(ValueError, match=r"not finite: \{'a': inf\}"):
        experiments.run("toy", jobs=0, cache=toy)


def test_the_key_follows_configuration_device_and_protocol():
    first = measuring.run_key(TOY, "smoke", "cpu")
    changed = Experiment(**{**TOY.__dict__, "configs": {"smoke": Config(epochs=2)}})
    assert measuring.run_key(changed, "smoke", "cpu") != first
    assert measuring.run_key(TOY, "smoke", "cuda:0") != first
    later = Experiment(**{**TOY.__dict__, "protocol": 2})
    assert measuring.run_key(later, "smoke", "cpu") != first


def test_a_contrast_of_no_result_is_named_after_the_first_seed(toy, monkeypatch):
    asks = Contrast("a-z", "a is larger", plus="a", minus="z", margin=0.1)
    wrong = replace(TOY, contrasts=(*TOY.contrasts, asks))
    monkeypatch.setattr(runner, "get", lambda name: wrong)
    with pytest.raises(KeyError, match="contrast 'a-z' asks for the result 'z', which no seed gives; there are a, b"):
        experiments.run("toy", jobs=0, cache=toy)
    assert CALLS == [0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"contrasts": (*TOY.contrasts, *TOY.contrasts)}, "two contrasts are called 'a-b'"),
        ({"seeds": {"cpu": (100,)}}, r"configs \(smoke\), seeds \(cpu\) and reduction \(smoke\) must have the same"),
        ({"configs": {"smoke": {"epochs": 1}}}, "a frozen dataclass with keywords only, got {'epochs': 1}"),
        ({"configs": {"smoke": Loose(1)}}, "a frozen dataclass with keywords only, got .*Loose"),
    ],
)
def test_a_study_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(TOY, **changes)


def test_bad_requests_say_what_there_is(toy):
    with pytest.raises(ValueError, match="no profile 'cpu'; it has smoke"):
        experiments.run("toy", profile="cpu")
    with pytest.raises(ValueError, match="'smoke', 'cpu', 'gpu'"):
        experiments.run("toy", profile="huge")
    with pytest.raises(ValueError, match="at least one seed"):
        experiments.run("toy", seeds=[])


def recorded():
    return sorted(path.stem for path in experiments.records_dir().glob("*.json"))


@pytest.mark.parametrize("name", recorded())
def test_every_record_follows_from_its_own_results(name):
    record, found = experiments.load_record(name), experiments.get(name)
    assert set(record.seeds) <= set(found.seeds[record.profile]) and len(record.seeds) >= 5
    kept = {key: (Interval(**one["interval"]), one["covers"]) for key, one in record.contrasts.items()}
    planned = len(found.seeds[record.profile])
    assert judged(found, record.configs, record.results, kept, planned=planned) == record.contrasts
    for key, (at, covers) in kept.items():
        alone = experiments.interval(record.question(key).values(record.results))
        assert (at.mean, at.n) == pytest.approx((alone.mean, alone.n)), key
        # answers are kept in half precision, and what pictures add is never below 0
        assert at == alone if covers == SEEDS else at.se > 0.97 * alone.se, key
    record.arrays()


@pytest.mark.slow
@pytest.mark.parametrize("name", recorded())
def test_every_record_follows_from_the_answers_that_it_keeps(name):
    record, found = experiments.load_record(name), experiments.get(name)
    planned = len(found.seeds[record.profile])
    again = conclude(found, record.configs, record.results, arrays=record.arrays(), planned=planned)
    for key, contrast in again.items():
        assert contrast.pop("interval") == pytest.approx(record.contrasts[key]["interval"]), key
        assert contrast == {name: record.contrasts[key][name] for name in contrast}, key


@pytest.mark.slow
def test_processes_give_what_this_process_gives_whatever_its_threads(tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        here, _ = experiments.run("overconfidence", seeds=[0], jobs=0, cache=tmp_path / "here")
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    there, _ = experiments.run("overconfidence", seeds=[0], jobs=1, cache=tmp_path / "there")
    assert there.results == here.results
