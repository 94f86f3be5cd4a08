"""The experiments by name. Each lives in the module of that name and is imported when asked for."""

from importlib import import_module

from lsedu.experiments.experiment import Experiment

NAMES = (
    "overconfidence",
    "smoothing",
    "gaps",
    "noise",
    "real_noise",
    "alternatives",
    "separable",
    "attacks",
    "speed",
    "transfer",
    "features",
    "variance",
    "teachers",
    "comparison",
)


def names() -> tuple[str, ...]:
    """Return the names of all experiments."""
    return NAMES


def get(name: str) -> Experiment:
    """Return the experiment called `name`.

    Raises
    ------
    KeyError
        If there is none; the message lists the names that exist.
    """
    if name not in NAMES:
        raise KeyError(f"no experiment is called {name!r}; there are {', '.join(NAMES)}")
    return import_module(f"lsedu.experiments.{name}").EXPERIMENT
