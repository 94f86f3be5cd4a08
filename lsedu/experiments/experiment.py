"""What an experiment is: a claim, named configurations, a measurement a seed (or part), and contrasts with margins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np

from lsedu._errors import UnknownNameError
from lsedu.experiments.flags import Choice
from lsedu.experiments.verdict import Claimed

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
    """An effect that is claimed: the value of `plus` minus that of `minus`, seed by seed.

    Attributes
    ----------
    name, claim : str
        Key, and the claim in a sentence.
    plus : str
        Name of a result.
    minus : str or float
        Name of a result, or the number to compare with.
    claimed : {"positive", "negative", "none"}
        The sign claimed, or that there is no effect.
    margin : float
        Effects smaller than this do not matter in practice. Committed before the record.
    plain : tuple of str
        For "more than in the plain case": the two results whose difference is the effect there, which is taken off.
    """

    name: str
    claim: str
    plus: str
    minus: str | float = 0.0
    claimed: Claimed = "positive"
    margin: float = 0.0
    plain: tuple[str, str] | tuple[()] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the results that it is read from."""
        return (self.plus, *((self.minus,) if isinstance(self.minus, str) else ()), *self.plain)

    def effect(self, row: Mapping[str, float]) -> float:
        """Return the effect of a seed, from its results."""
        found = row[self.plus] - (row[self.minus] if isinstance(self.minus, str) else self.minus)
        return found - (row[self.plain[0]] - row[self.plain[1]]) if self.plain else found

    def values(self, results: Mapping[str, Mapping[str, float]]) -> list[float]:
        """Return the effect of each seed, from the results by seed."""
        return [self.effect(row) for row in results.values()]


@dataclass(frozen=True)
class Plan:
    """Why a study has as many seeds as it has: they settle this contrast four times in five, see `planning.planned`.

    Attributes
    ----------
    contrast : str
        Name of the contrast.
    sd : float
        Its standard deviation over the seeds of a pilot, > 0.
    margins : float
        The effect that one would not miss, in margins; 0 for none at all.
    """

    contrast: str
    sd: float
    margins: float = 2.0


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
    primary : tuple of str
        Names of the contrasts that the study is about, named before the record; the others are exploratory.
    plans : tuple of Plan
        What the number of seeds was planned from, before the record.
    choices : tuple of Choice
        Settings that are chosen among a few values.
    missed : callable, optional
        ``missed(row, key)``: whether the result `key` of a seed was cut off, its true value being larger.
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
        If two contrasts have one name, a primary or planned one does not exist, profiles differ, or a configuration is
        not a dataclass with keywords only.
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
    primary: tuple[str, ...] = ()
    plans: tuple[Plan, ...] = ()
    choices: tuple[Choice, ...] = ()
    missed: Callable[[Mapping[str, float], str], bool] | None = None

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
        for place, told in (("primary", set(self.primary)), ("plans", {plan.contrast for plan in self.plans})):
            if strange := ", ".join(sorted(told - set(names))):
                raise ValueError(f"study {self.name}: no contrast is called {strange}; see `{place}`")

    def require_answers(self, results: Mapping[str, float]) -> None:
        """Refuse results of a seed that a contrast cannot be read from.

        Raises
        ------
        KeyError
            Naming the contrast, the result it asks for, and those there are.
        """
        for contrast in self.contrasts:
            for key in contrast.keys:
                if key not in results:
                    raise UnknownNameError(
                        f"study {self.name}: contrast {contrast.name!r} asks for the result {key!r}, which no seed "
                        f"gives; there are {', '.join(results)}"
                    )

    @property
    def module(self) -> str:
        """The module that defines the experiment: where its digest begins."""
        return self.measure.__module__
