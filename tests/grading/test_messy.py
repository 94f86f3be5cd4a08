"""Forty messy submissions, graded once by folder, by file and by zip; each student's row is read."""

import json
import unicodedata
from pathlib import Path

import pytest

from lsedu.authoring import load_lab
from lsedu.authoring.release import build
from lsedu.grading import Options, grade
from lsedu.grading.results import file_stem


@pytest.fixture(scope="module")
def students(tiny, solved, messy, tmp_path_factory):
    source = tmp_path_factory.mktemp("other") / "other.md"
    text = Path(tiny.path).read_text().replace("lab: tiny", "lab: other")
    for name in ("double", "mean-square", "mean_square", "count", "words", "predictions"):
        text = text.replace(name, f"{name}2")
    source.write_text(text)
    return messy.messy(solved, build(tiny), other=build(load_lab(source), solved=True))


def test_there_are_forty(students):
    assert len(students) == 40 and len({item.student for item in students}) == 40


@pytest.mark.slow
@pytest.mark.parametrize("how", ["folder", "file", "zip"])
def test_every_row_of_a_messy_class(students, messy, tiny, tmp_path, how):
    there = messy.write(students, tmp_path / "class", how)
    said = []
    grade(tiny.path, tmp_path / "class", tmp_path / "out", Options(), say=said.append)
    rows = {row["student"]: row for row in map(json.loads, (tmp_path / "out" / "results.jsonl").open())}
    assert len(rows) == len(there)
    for item in there:
        row = rows[unicodedata.normalize("NFC", item.student)]
        page = (tmp_path / "out" / "feedback" / f"{file_stem(row['student'])}.html").read_text()
        flags = row["flags"]
        assert row["total"] == item.total, (item.student, row)
        assert row["reason"].startswith(item.reason) and bool(row["reason"]) == bool(item.reason), (item.student, row)
        for piece in item.flags:
            assert any(piece in flag for flag in flags), (item.student, piece, flags)
        assert all(any(piece in flag for piece in item.flags) for flag in flags), (item.student, flags)
        assert item.shown in page, item.student
        lost = [name for name, points in row["points"].items() if points == 0 and name != "predictions"]
        assert all(row["reasons"].get(name) or row["reason"] for name in lost), (item.student, row)
        assert row["handed_in"] or row["reason"]
