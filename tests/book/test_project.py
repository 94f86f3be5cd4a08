"""One source for each version and address: environment files, citation and workflows held to it."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from lsedu import __version__, _project
from lsedu.book import stage


def pins(text):
    return {
        name.lower(): version for name, version in re.findall(r"^\s*-?\s*([\w.-]+)==(\S+)$", text, flags=re.MULTILINE)
    }


@pytest.mark.parametrize("name", ["environment.yml", "binder/requirements.txt"])
def test_pins_are_those_of_the_constraints(root, name):
    constraints = pins((root / "constraints.txt").read_text())
    here = pins((root / name).read_text())
    assert "torch" in here
    assert here == {package: constraints[package] for package in here}


def test_constraints_satisfy_the_package_exactly_once(root):
    lines = [line for line in (root / "constraints.txt").read_text().splitlines() if line]
    names = [line.split("==")[0].lower().replace("_", "-") for line in lines]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[\w.-]+==[\w.!]+", line) for line in lines), "no local versions, no addresses"
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + [r for extra in project["optional-dependencies"].values() for r in extra]
    pinned = dict(line.lower().replace("_", "-").split("==") for line in lines)
    for requirement in map(Requirement, wanted):
        if requirement.name != "lsedu":
            assert requirement.specifier.contains(pinned[requirement.name.lower()]), requirement


def test_pinned_versions_take_every_python_that_the_package_takes(root):
    taken = tomllib.loads((root / "pyproject.toml").read_text())["project"]["requires-python"]
    (oldest,) = re.findall(r"^>=([\d.]+)$", taken)
    read = 0
    for name, version in pins((root / "constraints.txt").read_text()).items():
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # another system's
        if found.version == version:
            read += 1
            assert SpecifierSet(found.metadata.get("Requires-Python", "")).contains(f"{oldest}.0"), (name, version)
    assert read > 100


def test_what_ships_is_found_by_its_place(root):
    wheel = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    shipped = {path for pattern in wheel["include"] for path in root.glob(pattern.lstrip("/"))}
    wanted = [*root.glob("book/*/claims.yml"), *root.glob("labs/*.checks.json"), root / "book" / "records"]
    book = {root / "book" / name for name in ("_toc.yml", "cards.json")}
    assert len(wanted) >= 4 and {*wanted, *book, root / "lsedu"} == shipped
    assert wheel["sources"] == {"book": "lsedu/_book", "labs": "lsedu/_labs"}  # where the library looks for them


def test_citation_names_this_version_and_repository(root):
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["version"] == __version__
    assert citation["repository-code"] == _project.link("Repository")
    assert citation["url"] == _project.link("Book")


def test_workflows_are_valid_and_use_the_same_commands(root):
    runs = []
    for path in sorted((root / ".github" / "workflows").glob("*.yml")):
        workflow = yaml.safe_load(path.read_text())
        assert workflow.keys() >= {"name", True, "permissions", "jobs"}, path  # YAML reads the key `on` as true
        for job in workflow["jobs"].values():
            assert job["timeout-minutes"] <= 90
            assert all(("uses" in step) != ("run" in step) for step in job["steps"])
            runs += [step["run"] for step in job["steps"] if "run" in step]
    assert "bash .ci/run" in runs and "make book" in runs
    assert any("apparmor_restrict_unprivileged_userns=0" in run for run in runs)
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), flags=re.MULTILINE))
    used = {
        word for run in [*runs, (root / ".ci" / "run").read_text()] for word in re.findall(r"^make (\w+)", run, re.M)
    }
    assert used <= targets


def test_badges_come_from_the_one_slug():
    line = stage.badges("principles/page", seconds=12.3)
    assert line.count(_project.slug()) == 2
    assert f"/blob/{stage.PAGES_BRANCH}/{stage.PUBLISHED}/principles/page.ipynb" in line
    assert "12 s" in line
    assert "2 min" in stage.badges("page", seconds=120)


def test_links_to_text_notebooks_are_turned():
    turned = stage._retarget("[a](../x/page.md#at), [b](other.md), [c](https://e.org/page.md)", "y/here", {"x/page"})
    assert turned == "[a](../x/page.ipynb#at), [b](other.md), [c](https://e.org/page.md)"
