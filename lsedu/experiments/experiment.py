"""What an experiment is: a claim, named configurations, a measurement a seed (or part), and contrasts with margins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

import numpy as np

from lsedu._errors import UnknownNameError

PROFILES = ("smoke", "cpu", "gpu")


@dataclass(frozen=True)
class Outcome:
    """What one seed, or a part of it, gave.

    Attributes
    ----------
    results : dict
        Named floats.
    arrays : dict
        Named arrays worth keeping, by the same seed.
    """

    results: dict[str, float]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Contrast:
    """An effect whose sign is claimed: the value of `plus`, less that of `minus` where one is given, seed by seed.

    Attributes
    ----------
    name, claim : str
        Key, and the claim in a sentence.
    plus, minus : str
        Names of results; an empty `minus` compares with 0.
    claimed : {"positive", "negative"}
        The sign claimed.
    margin : float
        Effects smaller than this do not matter in practice. Committed before the record.
    """

    name: str
    claim: str
    plus: str
    minus: str = ""
    claimed: Literal["positive", "negative"] = "positive"
    margin: float = 0.0

    def values(self, results: Mapping[str, Mapping[str, float]]) -> list[float]:
        """Return the effect of each seed, from the results by seed."""
        return [row[self.plus] - (row[self.minus] if self.minus else 0.0) for row in results.values()]


@dataclass(frozen=True)
class Experiment:
    """One claim, table or figure, and how it is measured.

    Attributes
    ----------
    name, claim, source : str
        Key, the claim in a sentence, and where it is made (bib key and place).
    reduction : dict of str to str
        By profile, what the reduction no longer tests.
    configs : dict of str to Any
        By profile, a frozen dataclass with everything that a run depends on besides the seed.
    seeds : dict of str to tuple of int
        By profile; records use 100 and up, pilots lower ones.
    measure : callable
        ``measure(config, seed, device=, workdir=, progress=) -> Outcome``; a run keeps its checkpoints in `workdir`,
        where that is a folder. With `parts` it is also given ``part=``.
    contrasts : tuple of Contrast
        What is concluded.
    data : tuple of str
        Names of the data sets read.
    parts : callable, optional
        ``parts(config)`` names what a seed is measured in, such as its methods: each is kept the moment it is done.
        The names of their results must differ.
    protocol : int
        Raised by hand when a change makes kept results mean something else than new ones would.

    Raises
    ------
    ValueError
        If two contrasts have one name, profiles differ, or a configuration is not a dataclass with keywords only.
    """

    name: str
    claim: str
    source: str
    reduction: dict[str, str]
    configs: dict[str, Any]
    seeds: dict[str, tuple[int, ...]]
    measure: Callable[..., Outcome]
    contrasts: tuple[Contrast, ...]
    data: tuple[str, ...]
    parts: Callable[[Any], tuple[str, ...]] | None = None
    protocol: int = 1

    def __post_init__(self) -> None:
        profiles = {"configs": self.configs, "seeds": self.seeds, "reduction": self.reduction}
        if len({frozenset(by) for by in profiles.values()}) > 1:
            said = [f"{name} ({', '.join(by)})" for name, by in profiles.items()]
            raise ValueError(f"study {self.name}: {said[0]}, {said[1]} and {said[2]} must have the same profiles")
        for profile, config in self.configs.items():
            frozen = is_dataclass(config) and config.__dataclass_params__.frozen
            if not frozen or not all(part.kw_only for part in fields(config)):
                raise ValueError(
                    f"study {self.name}: the configuration of {profile} must be a frozen dataclass with keywords only, "
                    f"got {config!r}"
                )
        names = [contrast.name for contrast in self.contrasts]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"study {self.name}: two contrasts are called {name!r}")

    def require_answers(self, results: Mapping[str, float]) -> None:
        """Refuse results of a seed that a contrast cannot be read from.

        Raises
        ------
        KeyError
            Naming the contrast, the result it asks for, and those there are.
        """
        for contrast in self.contrasts:
            for key in filter(None, (contrast.plus, contrast.minus)):
                if key not in results:
                    raise UnknownNameError(
                        f"study {self.name}: contrast {contrast.name!r} asks for the result {key!r}, which no seed "
                        f"gives; there are {', '.join(results)}"
                    )

    @property
    def module(self) -> str:
        """The module that defines the experiment: where its digest begins."""
        return self.measure.__module__
