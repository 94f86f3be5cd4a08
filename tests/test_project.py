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
