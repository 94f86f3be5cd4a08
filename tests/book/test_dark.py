"""Drawings on the pages have a version for the dark, in the colours of the table."""

import io

import numpy as np
import pytest
from matplotlib import rc_context

from lsedu import plots
from lsedu.book.dark import darkened, in_both_shades
from lsedu.plots.colours import LIGHT_AND_DARK

REST = '<img class="in-light" src="a.svg"><img src="b.png"></article>'
PAGE = f'<img src="a.svg"><article><img alt="x" src="a.svg" />{REST}'


@pytest.fixture(scope="module")
def drawing():
    figure = plots.curves([0, 1], {"both": {"accuracy": np.zeros(2), "one-hot": np.ones(2)}}, xlabel="pass")
    out = io.StringIO()
    with rc_context({"svg.hashsalt": "x"}):
        figure.savefig(out, format="svg", facecolor="white")
    return out.getvalue()


def test_a_drawing_gets_the_dark_colour_of_each_meaning_and_no_light_one_stays(drawing):
    dark = darkened(drawing)
    for meaning in ("accuracy", "one-hot", "grid"):
        light, other = LIGHT_AND_DARK[meaning]
        assert drawing.count(light) == dark.count(other) > 0 and light not in dark
    assert "#ffffff" not in dark and "#000000" not in dark
    assert dark.count('<svg fill="#e6e9ef"') == 1, "letters would stay black"


def test_a_page_shows_one_of_both_and_only_drawings_in_its_text_are_doubled(tmp_path, drawing):
    (tmp_path / "a.svg").write_text(drawing)
    page = in_both_shades(PAGE, tmp_path)
    assert page == (
        '<img src="a.svg"><article><img class=" in-light" alt="x" src="a.svg" />'
        f'<img class=" in-dark dark-light" alt="x" src="a.dark.svg" />{REST}'
    )
    assert (tmp_path / "a.dark.svg").read_text() == darkened(drawing)
    assert in_both_shades(page, tmp_path) == page
