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


@pytest.mark.slow
def test_a_class_from_hand_out_to_grading_again(students, messy, tiny, solved, tmp_path):
    """A zip of the class, a lab released anew meanwhile, a roster, and one question with a slip mended afterwards."""
    lab = tmp_path / "tiny.md"
    source = Path(tiny.path).read_text()
    lab.write_text(source.replace("# Tiny", "# A tiny lab, released anew").replace('Checks("tiny"', 'Checks( "tiny"'))
    names = ["ada", "ben", "cyd", "dan"]
    files = {f"all/{name}/tiny.ipynb": json.dumps(solved).encode() for name in names}
    files |= {"all/eve.rar": b"Rar!", "all/notes.txt": b"x"}
    (tmp_path / "class.zip").write_bytes(messy.packed(files))
    (tmp_path / "roster.csv").write_text("Student;Name\nAda;Ada L.\nben;Ben\ncyd;Cyd\neve;Eve\nfay;Fay\n", "utf-8-sig")
    said = []

    def run(**options):
        said.clear()
        grade(lab, tmp_path / "class.zip", tmp_path / "out", Options(jobs=1, **options), say=said.append)
        rows = map(json.loads, (tmp_path / "out" / "results.jsonl").open())
        return {row["student"]: row for row in rows}

    rows = run(roster=tmp_path / "roster.csv")
    assert {name: (row["name"], row["total"], row["flags"]) for name, row in rows.items()} == {
        "ada": ("Ada L.", 9.0, []),
        "ben": ("Ben", 9.0, []),
        "cyd": ("Cyd", 9.0, []),
        "dan": ("", 9.0, ["not on the roster"]),
        "eve": ("Eve", 0.0, ["nothing was handed in that can be read, but eve.rar"]),
        "fay": ("Fay", 0.0, ["nothing was handed in"]),
    }
    released = load_lab(lab).digest[:16]
    assert f"4 of 4 notebooks are of release {tiny.digest[:16]}; the lab's source is of {released}" in said
    assert "not looked at, for it is neither a folder nor a notebook: eve.rar, notes.txt" in said
    assert "2 of the roster handed in nothing: eve, fay" in said
    assert "1 submissions are of nobody on the roster: dan" in said
    lab.write_text(lab.read_text().replace("return int((x > above).sum())", "return int((x > above).sum()) + 1"))
    rows = run(question="count")
    assert [row["points"]["count"] for row in rows.values()] == [0.0] * 6
    assert [row["total"] for row in rows.values()] == [7.0] * 4 + [0.0] * 2
    assert "count: mean 2.00 before, 0.00 after, of 2; 4 of 4 changed, 0 up and 4 down" in said
    table = (tmp_path / "out" / "changes.csv").read_text().splitlines()
    assert len(table) == 5 and table[1].startswith('"ada","count",2.0,0.0,"')
    assert rows["ada"]["name"] == "Ada L."
