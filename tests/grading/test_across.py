"""What shows only across a class: names, releases, variants, the roster, changed points, clusters."""

from dataclasses import replace
from itertools import combinations

import pytest

from lsedu.authoring.roster import Person
from lsedu.grading import across, changes, similarity
from lsedu.grading.row import Row


def rows(**about):
    return {name: Row(name, about=said) for name, said in about.items()}


def flags(tiny, given, **options):
    return {name: list(said) for name, said in across.look(given, tiny, **options).flags.items() if said}


def test_names_that_are_taken_for_each_other_are_told_and_told_once(tiny):
    given = {name: Row(name, flags=["cell 3: left out"]) for name in ("ada", "Ada", "ben")}
    seen = across.look(given, tiny).flags
    assert seen["Ada"] == ["cell 3: left out", "named like 'ada' (the submission), but differs in capitals"]
    assert seen["ben"] == ["cell 3: left out"]
    again = {name: Row(name, flags=list(seen[name])) for name in given}
    assert across.look(again, tiny).flags == seen
    assert flags(tiny, {"ada": again["ada"]}) == {"ada": ["cell 3: left out"]}


def test_a_name_like_one_on_the_roster_is_told(tiny):
    said = flags(tiny, {"аda": Row("аda")}, roster=["ada"])
    assert said == {
        "аda": ["named like 'ada' (on the roster), but differs in CYRILLIC SMALL LETTER A", "not on the roster"]
    }


def test_another_release_is_named_unless_most_of_the_class_has_it(tiny):
    current, old, older = tiny.digest[:16], "0" * 16, "1" * 16
    one = rows(a={"release": current}, b={"release": current}, c={"release": old}, d={})
    assert flags(tiny, one) == {"c": [f"of release {old}, not of {current}"]}
    assert flags(tiny, rows(a={"release": old})) == {"a": [f"of release {old}, not of {current}"]}
    most = rows(**{name: {"release": old} for name in "abcde"}, f={"release": current}, g={"release": older})
    seen = across.look(most, tiny)
    assert [name for name, said in seen.flags.items() if said] == ["g"]
    assert seen.said == [f"5 of 7 notebooks are of release {old}; the lab's source is of {current}"]


def test_another_students_variant_is_named_where_names_can_be_compared(tiny):
    said = flags(tiny, rows(ada={"student": "ada"}, ben={"student": "ada"}, cyd={"student": "Cyd"}))
    assert said == {"ben": ["made for ada: the variant of another student"]}
    renamed = {f"s{n}_Name_{n}": {"student": f"s{n}"} for n in range(6)}
    assert flags(tiny, rows(**renamed)) == {}
    assert list(flags(tiny, rows(**renamed, other={"student": "s3"}))) == ["s3_Name_3", "other"]


def test_an_array_that_two_have_is_told_though_their_files_differ(tiny):
    given = {
        "ada": Row("ada", artefacts={"predictions": "labels=1 probs=2"}),
        "ben": Row("ben", artefacts={"predictions": "labels=1 probs=3"}),
        "cyd": Row("cyd", artefacts={"predictions": "labels=4 probs=5"}),
        "dan": Row("dan", artefacts={"predictions": "labels=4 probs=5"}),
    }
    said = {
        "ada": ["predictions: same labels as ben"],
        "ben": ["predictions: same labels as ada"],
        "cyd": ["predictions: same file as dan"],
        "dan": ["predictions: same file as cyd"],
    }
    assert flags(tiny, given) == said
    again = {name: replace(row, flags=said[name]) for name, row in given.items()}
    assert flags(tiny, again) == said  # told once


def test_equal_files_of_one_variant_are_told_with_what_they_may_come_from(tiny):
    lab = replace(tiny, manifest=replace(tiny.manifest, variants={"seed": range(10**6)}))
    alike = {name: Row(name, artefacts={"predictions": "labels=1"}) for name in ("ada", "ben")}
    hint = " (they have the same variant, where equal work may give equal files)"
    assert flags(lab, alike)["ada"] == [f"predictions: same file as ben{hint}"]
    own = {name: replace(row, about={"student": name}) for name, row in alike.items()}
    assert flags(lab, own)["ada"] == ["predictions: same file as ben"]


def test_who_of_the_roster_handed_in_nothing_has_a_row(tiny):
    people = [Person("ada", "Ada"), Person("ben", "Ben"), Person("zoë", "Zoë"), Person("cyd")]
    found = across.absent(people, {"Ada": Row("Ada"), "zoe\u0308": Row("zoe\u0308")}, ["ben.rar", "x.txt"], tiny)
    assert [(row.student, row.name, row.total, row.reason) for row in found] == [
        ("ben", "Ben", 0.0, "nothing was handed in"),
        ("cyd", "", 0.0, "nothing was handed in"),
    ]
    assert found[0].flags == ["nothing was handed in that can be read, but ben.rar"]
    assert found[0].points == {"double": 0.0, "mean-square": 0.0, "predictions": 0.0, "count": 0.0, "words": None}
    seen = across.look({"Ada": Row("Ada"), **{row.student: row for row in found}}, tiny, roster=["ada", "ben", "cyd"])
    assert seen.said == ["2 of the roster handed in nothing: ben, cyd"]


def test_one_question_is_merged_into_the_row_before(tiny):
    before = Row(
        "ada",
        total=5.0,
        points={"a": 2.0, "b": 3.0, "words": None},
        reasons={"a": ["x: wrong"]},
        flags=["a: left out", "b: found 2 times"],
        key="old",
    )
    after = Row(
        "ada", points={"a": 4.0, "b": 0.0, "words": None}, reasons={"b": ["not marked"]}, flags=["b: y"], key="k"
    )
    merged = changes.merge(before, after, "a")
    assert merged.points == {"a": 4.0, "b": 3.0, "words": None} and merged.total == 7.0 and merged.key == "old"
    assert merged.reasons == {} and merged.flags == ["b: found 2 times"]
    found = changes.between(before, merged)
    assert found == [changes.Change("ada", "a", 2.0, 4.0)]
    assert changes.table(found)[1:] == [["ada", "a", 2.0, 4.0, ""]]


def test_before_and_after_are_said_for_the_class(tiny):
    now = {f"s{n}": Row(f"s{n}", points={"double": 4.0 - (n == 0)}) for n in range(4)}
    found = [changes.Change("s0", "double", 4.0, 3.0), changes.Change("s1", "double", 0.0, 4.0)]
    assert changes.summary(found, now, tiny, question=None) == [
        "double: mean 3.00 before, 3.75 after, of 4; 2 of 4 changed, 1 up and 1 down"
    ]
    assert changes.summary([], now, tiny, question="count") == [
        "count: mean 0.00 before, 0.00 after, of 2; 0 of 4 changed, 0 up and 0 down"
    ]
    assert changes.summary([], now, tiny, question=None) == ["4 graded again, and no points changed"]


CODE = """
def f(x):
    total = 0
    for value in x:
        total += value ** 2 + 3 * value
    return total / len(x)
"""
OTHER = """
def f(x):
    import numpy as np
    return np.mean([a * (a + 3) for a in x if a is not None and a > -10**9])
"""


@pytest.mark.parametrize("extra", ["", "g = f(1)\nprint(g)\n"])
def test_all_pairs_of_a_cluster_are_listed(extra):
    copied = {name: CODE for name in "abcde"} | {"f": CODE + extra}
    other = {"x": OTHER, "y": OTHER}
    found = similarity.pairs({**copied, **other}, {})
    pairs = {(pair.first, pair.second): pair.cluster for pair in found}
    assert {tuple(sorted(pair)) for pair in pairs} == {*combinations("abcdef", 2), ("x", "y")}
    assert {number for pair, number in pairs.items() if pair != ("x", "y")} == {1} and pairs["x", "y"] == 2


def test_a_class_that_copied_from_one_source_is_cut_at_the_most():
    found = similarity.pairs({f"s{n}": CODE for n in range(300)}, {}, most=1000)
    assert len(found) == 1000 and {pair.cluster for pair in found} == {1}
