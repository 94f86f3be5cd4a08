"""One table of colours by meaning, for matplotlib and for the browser."""

import re
from pathlib import Path

import pytest

from lsedu.plots.colours import COLOURS, LIGHT_AND_DARK, SAME, css, of_labels

ROOT = Path(__file__).resolve().parents[2]


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def test_the_style_sheet_says_the_whole_table_for_light_and_dark():
    light, dark = css().split("\n\n")
    for block, shade in ((light, 0), (dark, 1)):
        said = dict(re.findall(r"--figure-([\w-]+): (#[0-9a-f]{6});", block))
        assert said == {meaning: pair[shade] for meaning, pair in LIGHT_AND_DARK.items()}


@pytest.mark.parametrize("shade", [0, 1])
def test_lines_and_letters_stand_out_from_their_ground(shade):
    table = {meaning: pair[shade] for meaning, pair in LIGHT_AND_DARK.items()}
    grounds = [table["paper"], table["panel"]]
    lines = set(table) - {"grid", "paper", "panel", "border", "on-accent", "too-sure-ground", "too-timid-ground"}
    for meaning in lines:
        assert min(contrast(table[meaning], ground) for ground in grounds) >= 4.5, meaning


def test_a_label_that_has_a_meaning_has_its_colour_and_no_other_line_has():
    found = of_labels(["as trained", "alpha = 0.1", "mean confidence", "accuracy", "one-hot"])
    wanted = {"alpha = 0.1": "smoothed", "mean confidence": "confidence", "accuracy": "accuracy", "one-hot": "one-hot"}
    assert {label: found[label] for label in wanted} == {label: COLOURS[meaning] for label, meaning in wanted.items()}
    assert len(set(found.values())) == 5


def test_no_two_meanings_have_one_colour_but_those_that_are_said_to():
    for shade in (0, 1):
        owner = {}
        for meaning, pair in LIGHT_AND_DARK.items():
            owner.setdefault(pair[shade], []).append(meaning)
        shared = [names for names in owner.values() if len(names) > 1 and not {"paper", "on-accent"} & {*names}]
        assert all(SAME.get(name, name) == SAME.get(names[0], names[0]) for names in shared for name in names), shared


@pytest.mark.parametrize("folder", ["book/_static/figures/*.js", "book/_static/*.css", "lsedu/plots/*.py"])
def test_no_colour_is_said_a_second_time(folder):
    table = {colour for pair in LIGHT_AND_DARK.values() for colour in pair} - {"#ffffff"}
    for path in ROOT.glob(folder):
        text = path.read_text(encoding="utf-8")
        if path.name != "colours.py":
            assert not set(re.findall(r"#[0-9a-f]{6}", text)) & table, path
        for meaning in re.findall(r"theme\.([a-z]+)|theme\[\"([\w-]+)\"\]|var\(--figure-([\w-]+)\)", text):
            assert "".join(meaning) in LIGHT_AND_DARK, f"{path}: {meaning}"
