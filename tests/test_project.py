import re
import tomllib
from pathlib import Path

import pytest

from lsedu import _project

TABLE = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]


def test_links_and_slug_come_from_the_metadata():
    assert _project.link("Repository") == TABLE["urls"]["Repository"].rstrip("/")
    assert TABLE["urls"]["Repository"].rstrip("/").endswith("/" + _project.slug()) and _project.slug().count("/") == 1
    with pytest.raises(LookupError, match="no project URL called 'Shop'"):
        _project.link("Shop")


def test_requirements_are_those_without_extras():
    assert set(_project.requirements().values()) == set(TABLE["dependencies"])
    assert _project.requirements()["torch"].startswith("torch>=")


def test_what_adding_costs_is_what_the_recipes_list():
    root = Path(__file__).parents[1]
    recipes = re.findall(r"^## (.+): (\d) files\n\n((?:.+\n)+)", (root / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    cost = {name: int(number) for name, number, _ in recipes}
    assert cost["A loss"] == 4 and cost["A study"] == 4 and cost["A lab"] == 2
    assert cost["A chapter with a moving figure"] == 6
    for name, number, steps in recipes:
        files = re.findall(r"^\d\. `([\w/.]+)`", steps, re.MULTILINE)
        assert len(files) == int(number), name
        for file in files:
            folder = Path(file.replace("PART", "principles")).parent
            assert (root / folder).is_dir(), file
