"""From the results of a study to what is concluded: intervals, verdicts, and what belongs beside them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from lsedu.experiments.answers import PICTURES, SEEDS, over_pictures
from lsedu.experiments.experiment import Experiment
from lsedu.experiments.flags import flags
from lsedu.experiments.interval import Interval, interval
from lsedu.experiments.verdict import together


def conclude(
    experiment: Experiment,
    configs: Mapping[str, Any],
    results: dict[str, dict[str, float]],
    *,
    arrays: Mapping[str, np.ndarray] | None = None,
    planned: int = 0,
) -> dict[str, dict[str, Any]]:
    """Return interval, what it covers, verdict and flags of each contrast: what `Record.contrasts` holds.

    Parameters
    ----------
    experiment : Experiment
        The study.
    configs : mapping
        Its configuration, as plain values.
    results : dict
        By seed, the results.
    arrays : mapping, optional
        What was kept of each seed, as ``SEED/NAME``. Where a contrast's answers to the test pictures are there, its
        interval covers other seeds and other pictures, else other seeds alone.
    planned : int
        How many seeds the study was planned with; with fewer, every verdict is flagged as interim.
    """
    found = {}
    for contrast in experiment.contrasts:
        alone = interval(contrast.values(results))
        both = over_pictures(contrast, arrays or {}, [int(seed) for seed in results], mean=alone.mean)
        found[contrast.name] = (both or alone, PICTURES if both else SEEDS)
    return judged(experiment, configs, results, found, planned=planned)


def judged(
    experiment: Experiment,
    configs: Mapping[str, Any],
    results: dict[str, dict[str, float]],
    found: Mapping[str, tuple[Interval, str]],
    *,
    planned: int = 0,
) -> dict[str, dict[str, Any]]:
    """Return the same from the intervals that were found, and what they cover, by contrast."""
    verdicts = together(
        {one.name: (found[one.name][0], one.claimed, one.margin) for one in experiment.contrasts}, experiment.primary
    )
    early = [f"interim: {len(results)} of the {planned} seeds planned"] if len(results) < planned else []
    told = {
        one.name: flags(one.keys, configs, results, choices=experiment.choices, missed=experiment.missed)
        for one in experiment.contrasts
    }
    return {
        contrast.name: {
            **{key: value for key, value in asdict(contrast).items() if key != "name"},
            "plain": list(contrast.plain),
            "primary": contrast.name in experiment.primary,
            "interval": asdict(found[contrast.name][0]),
            "covers": found[contrast.name][1],
            "verdict": str(verdicts[contrast.name]),
            "flags": early + told[contrast.name],
        }
        for contrast in experiment.contrasts
    }
