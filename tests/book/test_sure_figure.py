"""The opening figure: its stops are the library's, and each has six wrong answers with their pictures."""

import json
import re
from pathlib import Path

from lsedu import data
from lsedu.book.figures import sure

SCRIPT = Path(__file__).resolve().parents[2] / "book" / "_static" / "figures" / "sure.js"


def test_the_slider_stops_where_the_library_has_a_level():
    (steps,) = re.findall(r"^ *const LEVELS = (\[.*\]);$", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)
    assert tuple(json.loads(steps)) == sure.LEVELS


def test_at_every_level_six_wrong_answers_are_shown_with_the_pictures_that_they_answer():
    payload = sure.payload()
    test = data.load("fashion-mnist-mini", split="test")
    known = {
        "".join(f"{grey >> 4:x}" for grey in image.ravel()): label for image, label in zip(test.images, test.labels)
    }
    for level in sure.LEVELS:
        shown = [one for one in payload["wrong"] if one["sure"] >= level][: sure.SHOWN]
        assert len(shown) == sure.SHOWN
        assert all(one["said"] != one["label"] == known[one["picture"]] for one in shown)
