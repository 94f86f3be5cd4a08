"""The moving figure of noise: its sliders stop where the record has values, and its data are the record's."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from lsedu.book.figures import noise
from lsedu.experiments import load_record

SCRIPT = Path(__file__).resolve().parents[2] / "book" / "_static" / "figures" / "noise.js"


@pytest.fixture(scope="module")
def data():
    return noise.payload()


@pytest.mark.parametrize(("constant", "key"), [("RATES", "rates"), ("ALPHAS", "alphas")])
def test_the_sliders_stop_where_the_record_has_values(constant, key, data):
    (steps,) = re.findall(rf"^ *const {constant} = (\[.*\]);$", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)
    assert json.loads(steps) == data[key]


@pytest.mark.parametrize("temperature", noise.STATES)
def test_the_figure_shows_the_records_means(temperature, data):
    record = load_record("noise")
    shown = noise.compute({"rate": 0.4, "alpha": 0.1, "temperature": temperature}, data)
    for name in ("accuracy", "memorised"):
        assert shown[name] == pytest.approx(record.values(f"0.4/0.1/{name}").mean(), abs=1e-4)
    for name in noise.SCORES:
        assert shown[name] == pytest.approx(record.values(f"0.4/0.1/{temperature}/{name}").mean(), abs=1e-4)
    assert shown["confidence"] == pytest.approx(shown["accuracy"] + shown["overconfidence"], abs=1e-9)


def test_without_wrong_labels_none_is_learnt(data):
    shown = noise.compute({"rate": 0.0, "alpha": 0.0, "temperature": "before"}, data)
    assert np.isnan(shown["memorised"]) and np.isnan(shown["shares"]).all()
    assert "NaN" not in json.dumps(data)


def test_the_picture_has_two_panels_and_the_strengths_measured(data):
    axes = noise.fallback().axes
    assert [a.get_title(loc="left") for a in axes] == ["0% of the labels wrong", "40% of the labels wrong"]
    assert all(line.get_xdata().tolist() == data["alphas"] for a in axes for line in a.lines)
