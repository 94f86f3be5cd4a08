"""The studies by name: each is a module of a part of `lsedu.studies`, found by its file, imported when asked for."""

from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

from lsedu._errors import UnknownNameError
from lsedu.experiments.experiment import Experiment

#: Where studies live. The engine knows the place and none of them.
STUDIES = "lsedu.studies"


def modules() -> dict[str, str]:
    """Return the full module name of each study by its name, in the order of part and name; none is imported.

    Raises
    ------
    ValueError
        If two parts have a study of the same name.
    """
    found: dict[str, str] = {}
    for part in sorted(_below(STUDIES, packages=True)):
        for name in sorted(_below(f"{STUDIES}.{part}", packages=False)):
            module = f"{STUDIES}.{part}.{name}"
            if name in found:
                raise ValueError(f"two studies are called {name!r}: {found[name]} and {module}; rename one")
            found[name] = module
    return found


def _below(package: str, *, packages: bool) -> list[str]:
    """Return the names of the public packages, or modules, right below a package."""
    places = find_spec(package).submodule_search_locations
    return [found.name for found in iter_modules(places) if found.ispkg == packages and not found.name.startswith("_")]


def names() -> tuple[str, ...]:
    """Return the names of all studies."""
    return tuple(modules())


def get(name: str) -> Experiment:
    """Return the study called `name`.

    Raises
    ------
    KeyError
        If there is none; the message lists the names that exist.
    ValueError
        If the module does not define the study that its file is named for.
    """
    known = modules()
    if name not in known:
        raise UnknownNameError(f"no study is called {name!r}; there are {', '.join(known)}")
    found = getattr(import_module(known[name]), "EXPERIMENT", None)
    if not isinstance(found, Experiment) or found.name != name:
        said = f"one called {found.name!r}" if isinstance(found, Experiment) else f"{found!r}"
        raise ValueError(f"{known[name]} must define EXPERIMENT, an Experiment called {name!r}, and has {said}")
    return found
