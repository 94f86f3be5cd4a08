"""The moving table: its labels are the library's, and no table of whole percentages lies above the curve."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from lsedu.book.figures import table

SCRIPT = Path(__file__).resolve().parents[2] / "book" / "_static" / "figures" / "table.js"


@pytest.fixture(scope="module")
def curves():
    return table.payload()


def test_the_choices_are_the_librarys_labels():
    (block,) = re.findall(r"const LABELS = \{(.*?)\};", SCRIPT.read_text(encoding="utf-8"), re.DOTALL)
    found = {name: json.loads(rows) for name, rows in re.findall(r"(\w+): (\[\[.*?\]\]),", block)}
    assert found == {name: [list(row) for row in rows] for name, rows in table.LABELS.items()}


@pytest.mark.parametrize("labels", table.LABELS)
def test_no_table_lies_above_the_curve(labels, curves):
    rng = np.random.default_rng(0)
    line = curves[labels]
    for _ in range(60):
        rows = [" ".join(map(str, rng.multinomial(100, rng.dirichlet([0.3] * 3)))) for _ in table.ROWS]
        shown = table.compute({**dict(zip(table.ROWS, rows)), "labels": labels}, {})
        # between its points a concave curve lies above its chords
        assert shown["i_y"] <= np.interp(shown["i_x"], line["x"], line["y"]) + 2e-3
        assert shown["i_y"] <= min(shown["i_x"], shown["ceiling"]) + 1e-12


@pytest.mark.parametrize(("labels", "end"), [("pair", 0.918296), ("own", 1.584963), ("torn", 0.666667)])
def test_each_curve_ends_at_all_that_pictures_tell_of_labels(labels, end, curves):
    assert curves[labels]["x"][0] == curves[labels]["y"][0] == 0
    assert curves[labels]["y"][-1] == pytest.approx(end, abs=1e-4)
    assert (np.diff(curves[labels]["x"]) >= 0).all() and (np.diff(curves[labels]["y"]) >= -1e-6).all()


def test_the_word_of_a_picture_of_the_same_label_is_free():
    rows = {"one": "100 0 0", "two": "0 100 0", "labels": "pair"}
    apart, same = (table.compute({**rows, "three": row}, {}) for row in ("0 0 100", "0 100 0"))
    assert (apart["i_x"], same["i_x"]) == pytest.approx((np.log2(3), 0.918296), abs=1e-6)
    assert apart["i_y"] == pytest.approx(same["i_y"], abs=1e-12)
