"""Rosters as spreadsheets and learning platforms save them, in the scripts of the world."""

import unicodedata

import pytest

from lsedu.authoring.names import alike, difference, spelling
from lsedu.authoring.roster import Person, read
from lsedu.authoring.variant import roster

ADA = (Person("ada", "Ada"), Person("ben", "Ben"))


@pytest.mark.parametrize(
    "text",
    [
        "student,name\nada,Ada\nben,Ben\n",
        "student,name\nada,Ada\nben,Ben\n,\n,\n",
        "student,name,\nada,Ada,\nben,Ben,,,\n\n",
        "\ufeffstudent;name\r\nada;Ada\r\nben;Ben\r\n",
        "sep=;\nName;Student\nAda;ada\nBen;ben\n",
        "id\tname\nada\tAda\n ben\u00a0\tBen \n",
        '"Student ID","First Name","Last Name"\n"ada","","Ada"\nben,Ben\n',
    ],
    ids=["plain", "empty rows", "empty columns", "semicolons", "sep line", "tabs", "quoted and in parts"],
)
@pytest.mark.parametrize("coding", ["utf-8", "utf-16"])
def test_a_table_however_it_was_saved(tmp_path, text, coding):
    (tmp_path / "roster.csv").write_bytes(text.encode(coding))
    assert read(tmp_path / "roster.csv") == ADA


@pytest.mark.parametrize(
    "student",
    [
        "d.o'brien@school.example.edu",
        "राम",
        "สมชาย",
        "Zoe\u0308",
        "Nguyễn Văn An",
        "김민준",
        "o’neil",
        "María-José",
        "عمر",
    ],
)
def test_ids_in_any_script_name_a_folder_in_one_form(tmp_path, student):
    (tmp_path / "roster.csv").write_text(f"student,name\n{student},N\n", encoding="utf-8")
    assert roster(tmp_path / "roster.csv") == [unicodedata.normalize("NFC", student)]
    (tmp_path / roster(tmp_path / "roster.csv")[0]).mkdir()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("ada\n,Ada\n", r"row 3: '' cannot name a folder"),
        ("a/b\n", "cannot name a folder"),
        ("a\\b\n", "cannot name a folder"),
        (".ada\n", "cannot name a folder"),
        ("x" * 201 + "\n", "cannot name a folder"),
        ("Zoe\u0308\nZoë\n", "occurs twice, in the rows 2 and 3"),
        ("ada\nben\nAda\n", "occurs twice, in the rows 2 and 4"),
    ],
)
def test_what_cannot_be_a_class_is_refused_with_its_row(tmp_path, rows, said):
    (tmp_path / "roster.csv").write_text("student,name\n" + rows, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        read(tmp_path / "roster.csv")


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("ada", "аda", "in CYRILLIC SMALL LETTER A"),
        ("ada", "Ada", "in capitals"),
        ("zoë", "zoe\u0308", "in how accents are coded"),
        ("ada", "ad\u200ba", "in ZERO WIDTH SPACE"),
        ("ada", "ａda", "in FULLWIDTH LATIN SMALL LETTER A"),
        ("user10", "userlO", "in LATIN SMALL LETTER L"),
        ("ΑΒΕΛ", "ABEΛ", "in GREEK CAPITAL LETTER ALPHA"),
        ("o'neil", "o’neil", "in RIGHT SINGLE QUOTATION MARK"),
        ("bernard", "bemard", "in LATIN SMALL LETTER M"),
    ],
)
def test_names_that_are_taken_for_each_other(one, other, said):
    assert alike([one, "x", other]) == {one: [other], other: [one]}
    assert difference(one, other) == said


def test_names_that_are_not():
    names = ["ada", "eda", "adda", "s1", "s2", "s12", "s21", "राम", "रमा", "zoe", "zoë", "i", "l"]
    assert alike(names) == {}
    assert len({spelling(name) for name in names}) == len(names)
