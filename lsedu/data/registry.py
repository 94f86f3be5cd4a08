"""The data sets by name."""

from lsedu._errors import UnknownNameError
from lsedu.data import sets_cifar, sets_grey
from lsedu.data.source import Source

SETS: dict[str, Source] = {source.name: source for source in (*sets_grey.SOURCES, *sets_cifar.SOURCES)}


def source(name: str) -> Source:
    """Return the registered set called `name`.

    Raises
    ------
    KeyError
        If there is none; the message lists the names that exist.
    """
    if name not in SETS:
        raise UnknownNameError(f"no data set is called {name!r}; there are {', '.join(sorted(SETS))}")
    return SETS[name]
