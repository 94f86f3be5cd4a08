"""The figure of exchanged clutter: its numbers by hand, and what its page says of it."""

import numpy as np
import pytest

from lsedu.book.figures import clutter


def made_up():
    """Two scenes: the first turns its answer, half of its second map outside the frame; the second has no maps."""
    maps = np.zeros((2, 28, 28))
    maps[0, 0, 0] = 3.0
    maps[1, 0, 0] = maps[1, 20, 20] = 5.0
    own, other = (clutter.digits(clutter.relative(one), 2) for one in maps)
    empty = clutter.digits(clutter.relative(np.zeros((28, 28))), 2)
    rows = {"own": [[0.7, 0.3], [0.6, 0.4]], "other": [[0.2, 0.8], [0.9, 0.1]]}
    return {
        "classes": ["a", "b"], "labels": [0, 0], "boxes": [[0, 0, 14, 14]] * 2,
        "maps": {alpha: {"own": [own, empty], "other": [other, empty]} for alpha in clutter.ALPHAS},
        "probabilities": dict.fromkeys(clutter.ALPHAS, rows),
    }  # fmt: skip


def test_share_likeness_and_turned_answers_by_hand():
    before, after = (
        clutter.compute({"scene": 1.0, "clutter": kind, "alpha": "0.1"}, made_up()) for kind in clutter.CLUTTER
    )
    assert before["answer"] == 0 and before["share"] == 1.0 and before["alike"] == pytest.approx(1)
    assert after["answer"] == 1 and after["sure"] == 0.8 and after["share"] == 0.5
    assert after["alike"] == pytest.approx(np.sqrt(0.5)) and after["turned"] == 1


def test_an_empty_map_has_no_share_and_no_likeness():
    found = clutter.compute({"scene": 2.0, "clutter": "other", "alpha": "0.0"}, made_up())
    assert found["share"] == found["alike"] == 0.0 and found["answer"] == 0


def test_what_is_written_is_read_again():
    values = np.arange(784).reshape(28, 28) % 256
    assert (clutter.read(clutter.digits(values, 2), 2) == values).all()


def test_half_of_the_scenes_turn_without_smoothing_and_frames_hold_the_same_piece():
    known = clutter.payload()
    first = clutter.compute({"scene": 1.0, "clutter": "own", "alpha": "0.0"}, known)
    assert len(known["labels"]) == clutter.SHOWN and first["turned"] == clutter.SHOWN // 2
    for own, other, (top, left, bottom, right) in zip(*known["pictures"].values(), known["boxes"]):
        same = clutter.read(own, 1) == clutter.read(other, 1)
        assert same[top + 3 : bottom - 3, left + 3 : right - 3].mean() > 0.4 and not same.all()


def test_where_answers_turn_they_are_wrong_and_more_of_the_map_lies_on_the_piece():
    known = clutter.payload()
    pairs = [
        [clutter.compute({"scene": i + 1, "clutter": kind, "alpha": "0.0"}, known) for kind in clutter.CLUTTER]
        for i in range(clutter.SHOWN)
    ]
    turned = [(own, other, y) for (own, other), y in zip(pairs, known["labels"]) if own["answer"] != other["answer"]]
    assert all(other["answer"] != y for _, other, y in turned)
    assert np.mean([other["share"] - own["share"] for own, other, _ in turned]) > 0.1
