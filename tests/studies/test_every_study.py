"""What holds for every study: it is whole, and one seed at the smoke scale answers every contrast."""

import dataclasses
import inspect
import re
import sys

import numpy as np
import pytest

from lsedu import data, experiments
from lsedu.experiments.concluding import conclude
from lsedu.experiments.planning import planned


@pytest.mark.parametrize("name", experiments.names())
def test_it_is_whole(name):
    study = experiments.get(name)
    assert study.name == name and study.claim and study.source and study.contrasts and study.primary
    assert all(seed >= 100 for seed in study.seeds.get("cpu", ()))
    assert all(contrast.margin > 0 for contrast in study.contrasts)
    assert all(data.source(read) for read in study.data)
    said = inspect.getdoc(sys.modules[study.module])
    assert re.search(r"^Claims?: ", said, re.M) and re.search(r"^Set-up: ", said, re.M)


@pytest.mark.parametrize("name", experiments.names())
def test_a_seed_at_the_smoke_scale_answers_every_contrast(name, smoke):
    found = smoke(name)
    assert all(np.isfinite(value) for value in found.results.values())
    assert all(np.isfinite(array).all() for array in found.arrays.values())
    found.study.require_answers(found.results)
    configs = dataclasses.asdict(found.study.configs["smoke"])
    concluded = conclude(found.study, configs, {"0": found.results, "1": found.results})
    assert concluded.keys() == {contrast.name for contrast in found.study.contrasts}


@pytest.mark.parametrize("name", [name for name in experiments.names() if experiments.get(name).plans])
def test_it_has_the_seeds_that_were_planned(name):
    study = experiments.get(name)
    margins = {contrast.name: contrast.margin for contrast in study.contrasts}
    for plan in study.plans:
        margin = margins[plan.contrast]
        assert len(study.seeds["cpu"]) >= planned(effect=plan.margins * margin, sd=plan.sd, margin=margin), plan
