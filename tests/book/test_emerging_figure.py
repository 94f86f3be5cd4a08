"""The figure of the emerging Q: its controls are what the record kept, and its last epoch is the record's Q."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from lsedu.book.figures import emerging
from lsedu.experiments import load_record
from lsedu.studies.learnable._reading import row_likeness

SCRIPT = Path(__file__).resolve().parents[2] / "book" / "_static" / "figures" / "emerging.js"


@pytest.fixture(scope="module")
def data():
    return emerging.payload()


@pytest.mark.parametrize(("constant", "key"), [("EPOCHS", "epochs"), ("CLASSES", "classes")])
def test_the_controls_offer_what_the_record_kept(constant, key, data):
    (steps,) = re.findall(rf"^ *const {constant} = (\[.*\]);$", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)
    assert json.loads(steps) == data[key]


def test_before_training_q_is_even_and_ranks_nothing(data):
    shown = emerging.compute({"epoch": 0, "factor": "20", "row": "Bag"}, data)
    assert (shown["own"], shown["most"]) == pytest.approx((0.1, 0.1), abs=1e-4)
    assert shown["like"] == shown["all"] == 0


@pytest.mark.parametrize("factor", emerging.FACTORS)
def test_the_last_epoch_is_the_records_mean_q_and_its_likeness_that_of_the_study(factor, data):
    shown = emerging.compute({"epoch": 40, "factor": factor, "row": "Shirt"}, data)
    table, label = load_record("learning_q").over_seeds(f"{factor}/q").mean(0), data["classes"].index("Shirt")
    assert shown["own"] == pytest.approx(table[label, label], abs=2e-4)
    row = np.delete(table[label], label)
    np.testing.assert_allclose(np.delete(shown["row_of_q"], label), row / row.sum(), atol=1e-3)
    same, _ = row_likeness(*(np.array(data[name][factor][-1]) for name in ("q", "confusion")))
    assert shown["all"] == pytest.approx(same)
    assert shown["path"][-1] == shown["like"]
