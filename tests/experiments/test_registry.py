"""Studies are found by their files: nothing lists them, listing imports none, and two of one name are refused."""

import sys

import pytest

from lsedu.experiments import registry

STUDY = """from lsedu.experiments.experiment import Experiment
EXPERIMENT = Experiment({name!r}, "", "", {{}}, {{}}, {{}}, None, (), ())
"""


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A package of studies of its own: two parts with a study each, a helper, and a table beside the parts."""
    name = f"shelf_{tmp_path.name.replace('-', '_')}"
    for part, study in (("second", "later"), ("first", "sooner")):
        folder = tmp_path / name / part
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / f"{study}.py").write_text(STUDY.format(name=study))
        (folder / "_helper.py").write_text("1 / 0\n")
    for helper in ("__init__.py", "_training.py", "recipes.py"):
        (tmp_path / name / helper).touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "STUDIES", name)
    return tmp_path / name


def test_studies_are_found_by_part_and_name_and_none_is_imported(shelf):
    assert registry.names() == ("sooner", "later")
    assert not {f"{shelf.name}.first.sooner", f"{shelf.name}.second.later"} & sys.modules.keys()
    assert registry.get("later").name == "later"


def test_two_studies_of_one_name_are_refused(shelf):
    (shelf / "first" / "later.py").touch()
    with pytest.raises(ValueError, match=r"two studies are called 'later': .*first\.later and .*second\.later"):
        registry.names()


@pytest.mark.parametrize("text", ["", STUDY.format(name="another")])
def test_a_module_without_the_study_of_its_name_is_named(shelf, text):
    (shelf / "first" / "empty.py").write_text(text)
    with pytest.raises(ValueError, match=r"first\.empty must define EXPERIMENT, an Experiment called 'empty'"):
        registry.get("empty")


def test_an_unknown_study_lists_the_known(shelf):
    with pytest.raises(KeyError, match="no study is called 'soon'; there are sooner, later"):
        registry.get("soon")
