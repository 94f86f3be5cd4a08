"""Benchmarks are scripts: a test loads one by its name."""

import importlib.util
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    """Return a function that loads a benchmark, anew for each test, with the modules beside it."""
    monkeypatch.syspath_prepend(str(FOLDER))
    for helper in FOLDER.glob("_*.py"):
        monkeypatch.delitem(sys.modules, helper.stem, raising=False)

    def module(name):
        spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
        found = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, found)
        spec.loader.exec_module(found)
        return found

    return module
