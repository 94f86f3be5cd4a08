"""Which file is whose and which is graded, however a class was collected; nothing is run."""

import copy
import io
import json
import os
import struct
import zipfile

import pytest

from lsedu.authoring.release import build
from lsedu.grading import archives, choosing, inbox, released


@pytest.fixture(scope="module")
def blank(tiny):
    return json.dumps(build(tiny))


@pytest.fixture(scope="module")
def full(solved):
    return json.dumps(solved)


@pytest.fixture
def look(tiny, tmp_path):
    """Write files (path to content) under a folder and find the submissions in it, by student."""
    given = released.of(tiny)

    def run(files, **options):
        root = tmp_path / "submitted"
        root.mkdir(exist_ok=True)
        for order, (name, content) in enumerate(files.items()):
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir() if content is None else path.write_bytes(
                content.encode() if isinstance(content, str) else content
            )
            os.utime(path, (1_700_000_000 + order, 1_700_000_000 + order))
        scratch = tmp_path / "scratch"
        options = {"rate": lambda path: choosing.rate(path, tiny, given), "scratch": scratch, **options}
        return {item.student: item for item in inbox.find(root, "tiny", **options)}

    return run


def packed(files, *, link=()):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, (2025, 11, 3, 12, 0, 0))
            info.external_attr = (0o120777 if name in link else 0o100644) << 16
            archive.writestr(info, content)
    return file.getvalue()


def test_the_solved_copy_is_taken_where_the_blank_original_lies_beside(look, blank, full):
    for name in ("tiny (1).ipynb", "tiny-1.ipynb", "tiny-Copy1.ipynb", "submission/tiny.ipynb", "Lab/tiny/tiny.ipynb"):
        item = look({f"{len(name)}/tiny.ipynb": blank, f"{len(name)}/{name}": full})[str(len(name))]
        assert item.path.name == name.rpartition("/")[2] and item.path.read_text() == full
        said = f"several notebooks: {name} was graded (4 answered), not tiny.ipynb (nothing answered)"
        assert item.flags == (said,)


def test_of_two_attempts_the_fuller_then_the_stamped_then_the_newer_is_taken(look, full, solved):
    other, stamped = copy.deepcopy(solved), copy.deepcopy(solved)
    other["cells"][3]["source"] = "def double(x):\n    return x + x"
    stamped["cells"][3]["source"] = "def double(x):\n    return x * 2"
    stamped["metadata"]["lsedu"]["handed_in"] = "2025-11-03T12:00:00+00:00"
    item = look({"a/x-1.ipynb": full, "a/x-2.ipynb": json.dumps(other)})["a"]
    assert item.path.name == "x-2.ipynb"
    assert item.flags == ("several notebooks: x-2.ipynb was graded (4 answered), not x-1.ipynb (4 answered)",)
    item = look({"b/x-1.ipynb": json.dumps(stamped), "b/x-2.ipynb": json.dumps(other)})["b"]
    assert item.path.name == "x-1.ipynb"


def test_copies_of_one_text_and_other_labs_are_no_matter(look, full, solved):
    ran = copy.deepcopy(solved)
    ran["cells"][3]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x"}]
    other = {"cells": [], "metadata": {"lsedu": {"lab": "lab02"}}, "nbformat": 4, "nbformat_minor": 5}
    item = look(
        {"a/tiny.ipynb": full, "a/submission/tiny.ipynb": json.dumps(ran), "a/lab02/lab02.ipynb": json.dumps(other)}
    )
    assert item["a"].flags == ()


def test_a_file_beside_a_folder_or_archive_of_its_name_is_the_same_students(look, full):
    found = look({"ada": None, "ada.ipynb": full, "ben.IPYNB": full, "ben.zip": packed({"tiny.ipynb": full})})
    assert list(found) == ["ada", "ben"]
    assert found["ada"].path.name == "ada.ipynb" and found["ada"].flags == ("handed in as ada and as ada.ipynb",)
    assert found["ben"].flags == ("handed in as ben.IPYNB and as ben.zip",)


def test_archives_are_looked_into(look, full):
    inner = packed({"work/tiny.ipynb": full, "work/predictions.npz": b"npz"})
    files = {
        "ada.zip": packed(
            {"submission/tiny.ipynb": full, "submission/predictions.npz": b"npz", "__MACOSX/._tiny.ipynb": b"\0"}
        ),
        "ben/homework.zip": inner,
        "cyd.zip": packed({"all.zip": inner, "read.me": "x"}),
    }
    found = look(files, artefacts=("predictions.npz",))
    assert all(item.path.read_text() == full for item in found.values())
    assert all(item.files["predictions.npz"].read_bytes() == b"npz" for item in found.values())
    assert [item.flags for item in found.values()] == [(), (), ()]
    assert found["ada"].handed_in == "2023-11-14T22:13:20+00:00"  # the archive's own time


def test_a_file_that_was_renamed_on_its_way_is_taken_and_told(look, full):
    names = {
        "ada": "predictions (1).npz",
        "ben": "Predictions-2.NPZ",
        "cyd": "ada_12_predictions.npz",
        "dan": "mine.npz",
    }
    files = {
        path: data
        for name, file in names.items()
        for path, data in ((f"{name}/tiny.ipynb", full), (f"{name}/{file}", b"npz"))
    }
    files["eve.zip"] = packed({"tiny.ipynb": full, "predictions (3).npz": b"npz", "other.npz": b"x"})
    files |= {"fay/tiny.ipynb": full, "fay/one.npz": b"1", "fay/two.npz": b"2"}  # either may be meant, so neither is
    files |= {"gil/tiny.ipynb": full, "gil/predictions.npz": b"npz", "gil/predictions (1).npz": b"old"}
    found = look(files, artefacts=("predictions.npz",))
    for name, file in {**names, "eve": "predictions (3).npz"}.items():
        assert found[name].files["predictions.npz"].read_bytes() == b"npz"
        assert found[name].flags == (f"{file} is taken for predictions.npz",)
    assert found["fay"].files == {} and found["fay"].flags == ()
    assert found["gil"].files["predictions.npz"].read_bytes() == b"npz" and found["gil"].flags == ()


def test_bad_archives_get_a_reason_and_write_nowhere_else(look, full, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 2**20)
    locked = bytearray(packed({"tiny.ipynb": full}))
    for place in (6, locked.rindex(b"PK\1\2") + 8):
        locked[place] |= 1
    lying = packed({"tiny.ipynb": b"0" * (archives.MAX_BYTES + 1)})
    size = lying.rindex(b"PK\1\2") + 24
    lying = lying[:size] + struct.pack("<I", 10) + lying[size + 4 :]
    files = {
        "empty.zip": packed({}),
        "half.zip": packed({"tiny.ipynb": full})[:-30],
        "locked.zip": bytes(locked),
        "large.zip": packed({"tiny.ipynb": b"0" * (archives.MAX_BYTES + 1)}),
        "lying.zip": lying,
        "link.zip": packed({"tiny.ipynb": "/etc/passwd"}, link=("tiny.ipynb",)),
        "pdf.zip": packed({"answers.pdf": "x", "tiny.py": "x"}),
        "out.zip": packed({"../../../tiny.ipynb": full, "/tiny2.ipynb": full, "..\\..\\tiny3.ipynb": full}),
    }
    found = look(files)
    assert {name: item.reason for name, item in found.items() if item.reason} == {
        "empty": "no notebook tiny.ipynb was found",
        "half": "half.zip cannot be read: it is not a whole zip file",
        "locked": "locked.zip is locked by a password",
        "large": "tiny.ipynb in large.zip is larger than 1 MiB",
        "lying": "lying.zip cannot be read: it is not a whole zip file",
        "link": "no notebook tiny.ipynb was found, but link.zip/tiny.ipynb",
        "pdf": "no notebook tiny.ipynb was found, but pdf.zip/answers.pdf, pdf.zip/tiny.py",
    }
    assert found["out"].path.is_relative_to(tmp_path / "scratch")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scratch", "submitted"]


def test_a_notebook_saved_under_another_ending_is_found(look, full):
    found = look(
        {"ada/tiny.ipynb.txt": full, "ben.ipynb.json": full, "cyd/notes.json": '{"a": 1}', "cyd/a.txt": "hello"}
    )
    assert found["ada"].flags == found["ben"].flags == ("other file name",) and found["ben"].path is not None
    assert found["cyd"].reason == "no notebook tiny.ipynb was found, but a.txt, notes.json"


def test_what_is_nobodys_is_named(look, full, tmp_path):
    files = {
        "ada.ipynb": full,
        "readme.txt": "x",
        "class.csv": "student\n",
        "ben.rar": "Rar!",
        ".hidden/x": "x",
        "Thumbs.db": "x",
    }
    assert list(look(files)) == ["ada"]
    assert inbox.strays(tmp_path / "submitted") == [".hidden", "ben.rar", "class.csv", "readme.txt"]


def test_two_spellings_are_two_students_and_one_is_in_the_composed_form(look, full):
    assert list(look({"zoe\u0308.ipynb": full})) == ["zoë"]
    assert sorted(look({"zoë.ipynb": full})) == ["zoe\u0308", "zoë"]


def test_a_folder_named_like_the_lab_is_no_student(look, full):
    assert look({"tiny/tiny.ipynb": full})["tiny"].flags == ("named like the lab, not like a student",)


@pytest.mark.parametrize(
    ("note", "time"),
    [
        ("2025-11-03 15:58:23.948203 UTC", "2025-11-03T15:58:23+00:00"),
        ("2025-11-03 15:58:23 Europe/Berlin\n", "2025-11-03T14:58:23+00:00"),
        ("2025-11-03T15:58:23", "2025-11-03T15:58:23+00:00"),
        ("2025-11-03 15:58:23 Nowhere/Else", "2023-11-14T22:13:20+00:00"),
        ("yesterday", "2023-11-14T22:13:20+00:00"),
    ],
)
def test_the_time_of_handing_in_is_nbgraders_note_or_the_files(look, full, note, time):
    assert look({"ada/tiny/tiny.ipynb": full, "ada/tiny/timestamp.txt": note})["ada"].handed_in == time
