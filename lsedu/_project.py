"""What the package's metadata says of the project: the one source of every badge, link and install line."""

import re
from importlib.metadata import metadata, requires
from urllib.parse import urlsplit


def link(label: str) -> str:
    """Return the project URL with this label.

    Raises
    ------
    LookupError
        If the metadata has none.

    Examples
    --------
    >>> link("Repository").startswith("https://")
    True
    """
    for line in metadata("lsedu").get_all("Project-URL") or ():
        name, _, url = line.partition(", ")
        if name == label:
            return url.rstrip("/")
    raise LookupError(f"the metadata of lsedu has no project URL called {label!r}")


def slug() -> str:
    """Return the repository's "owner/name"."""
    return urlsplit(link("Repository")).path.strip("/")


def requirements() -> dict[str, str]:
    """Return what lsedu needs at run time, extras left out: name to requirement ("torch" to "torch>=2.11")."""
    plain = [line for line in requires("lsedu") or () if "extra ==" not in line]
    return {re.match(r"[\w.-]+", line)[0]: line for line in sorted(plain)}
