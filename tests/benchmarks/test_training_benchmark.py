"""What the benchmark of training measures: prepared once, windows in turn, ratios in pairs."""

import json

import pytest
import scipy.stats


@pytest.mark.parametrize("n", [1, 5, 6, 8, 20, 31])
def test_the_interval_is_the_sign_tests(load, n):
    ratios = [1.0 + i / 100 for i in range(n)]
    median, low, high = load("_bench").paired([2.0 * ratio for ratio in ratios], [2.0] * n)
    assert median == pytest.approx(1 + (n - 1) / 200)
    r = round(100 * (low - 1)) + 1
    assert high == pytest.approx(ratios[-r])
    coin = scipy.stats.binom(n, 0.5)
    assert r == 1 or 2 * coin.cdf(r - 1) <= 0.05
    assert 2 * coin.cdf(r) > 0.05


def test_pairs_are_of_the_same_round(load):
    assert load("_bench").paired([1.0, 10.0, 100.0], [1.0, 10.0, 100.0]) == (1.0, 1.0, 1.0)


def test_contenders_take_turns_and_turn_about(load):
    order, now = [], iter(range(100))
    calls = {name: (lambda name=name: order.append(name)) for name in "abc"}
    seconds = load("_bench").interleave(calls, rounds=3, warm_up=1, clock=lambda: float(next(now)))
    assert "".join(order) == "abc" + "abc" + "cba" + "abc"
    assert seconds == {name: [1.0] * 3 for name in "abc"}


def test_a_network_is_made_ready_once_and_its_windows_are_written(load, tmp_path, monkeypatch, capsys):
    benchmark, ready = load("training"), []
    prepare = benchmark.training.acceleration.prepare
    monkeypatch.setattr(benchmark.training.acceleration, "prepare", lambda *args: (ready.append(1), prepare(*args))[1])
    path = tmp_path / "speed.json"
    benchmark.main(["--windows", "3", "--steps", "2", "--batch", "2", "--peak", "1", "--json", str(path)])
    assert len(ready) == 2  # with uniform and with learnable smoothing
    found = json.loads(path.read_text())
    assert [(row["name"], row["base"]) for row in found["rows"]][1:] == [
        ("ours, LS", "plain, LS"), ("ours, LLS", "ours, LS"),
    ]  # fmt: skip
    for row in found["rows"]:
        assert len(row["seconds"]) == 3 and 0 < row["low"] <= row["ratio"] <= row["high"] and row["peak"] > 0
    assert found["steps"] == 2 and found["card"].startswith("cpu") and "of plain, LS" in capsys.readouterr().out
