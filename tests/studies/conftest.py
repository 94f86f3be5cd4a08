"""What the tests of studies share: sets that do not ship, made up; and one seed of each study, measured once."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from lsedu import data, experiments
from lsedu.experiments.measuring import add, parts
from lsedu.studies._loaded import loaded

TRAIN, TEST = 700, 250


def made_up_load(name, *, split="train", _load=data.load, **options):
    """The set itself where it ships; else a picture's colour is its class, and a digit's its grey."""
    source = data.source(name)
    if source.embedded:
        return _load(name, split=split, **options)
    size, classes = (TRAIN if split == "train" else TEST), len(source.classes)
    labels = np.arange(size) % classes
    shades = (250 // classes * labels).astype(np.uint8)
    images = np.tile(shades[:, None, None, None], (1, 8, 8, 3))
    return data.Dataset(f"{name}/{split}", images[..., 0] if name == "mnist" else images, labels, source.classes)


def made_up_annotations(name, **options):
    """Annotators of the made-up set: the worst labels and the first annotator's are one class off, 2 times in 5.

    Of CIFAR-10H the counts: of 21 people none to 12 take a picture's class for one other, and one for a third.
    """
    if name == "cifar10h":
        picture = np.arange(TEST)
        wrong = (picture // 10 % 13)[:, None]
        true, one, seldom = picture % 10, np.eye(10, dtype=int), (picture + 5) % 10
        return {"counts": (20 - wrong) * one[true] + wrong * one[(true + 1 + picture // 10 % 9) % 10] + one[seldom]}
    classes = len(data.source(name).classes)
    true = np.arange(TRAIN) % classes
    off = (true + (np.arange(TRAIN) % 5 < 2)) % classes
    return {"aggregate": true, "random1": off, "worst": off}


@pytest.fixture
def made_up(monkeypatch):
    """Sets that would have to be downloaded are made up; none of them stays in memory."""
    monkeypatch.setattr(data, "load", made_up_load)
    monkeypatch.setattr(data, "annotations", made_up_annotations)
    loaded.cache_clear()
    yield
    loaded.cache_clear()


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """One seed of a study at the smoke scale, by its name: the study, results and arrays, and the files it kept."""

    @cache
    def measured(name):
        study, workdir = experiments.get(name), tmp_path_factory.mktemp(name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(data, "load", made_up_load)
            patch.setattr(data, "annotations", made_up_annotations)
            options = {"device": "cpu", "workdir": workdir, "progress": False}
            found = [
                study.measure(study.configs["smoke"], 0, **options, **({"part": part} if part else {}))
                for part in parts(study, "smoke")
            ]
        results, arrays = {}, {}
        for one in found:
            add(results, one.results)
            add(arrays, one.arrays)
        kept = {path.stem for path in workdir.glob("*.pt")}
        return SimpleNamespace(study=study, results=results, arrays=arrays, kept=kept)

    return measured
