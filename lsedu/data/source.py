"""What a data set is: its files with their hashes, its licence, and how it is read."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class File:
    """One file of a set.

    Attributes
    ----------
    name : str
        File name within the set's folder.
    sha256 : str
        Hash of the file, checked before it is read.
    url : str
        Official address; empty for a file that ships with the package or has no address of its own.
    md5 : str
        The hash that the set's authors publish, where they publish that alone.
    pixels : str
        sha256 of the decoded pixels, for a picture whose encoder may write other bytes elsewhere.
    """

    name: str
    sha256: str = ""
    url: str = ""
    md5: str = ""
    pixels: str = ""

    @property
    def hash(self) -> str:
        """The hash with its algorithm, as in ``sha256:...``."""
        if self.pixels:
            return f"pixels:{self.pixels}"
        return f"sha256:{self.sha256}" if self.sha256 else f"md5:{self.md5}"


@dataclass(frozen=True)
class Source:
    """A data set: what it is, where it comes from and how its files become arrays.

    Attributes
    ----------
    name, title : str
        Key in the registry, and the name a reader knows.
    files : dict of str to tuple of File
        Files by split.
    read : callable or dict of str to callable
        Paths of a split's files to images (uint8) and labels (int64), or of annotations to arrays by name; a dict
        where the splits are read differently.
    classes : tuple of str
        Class names in label order.
    licence, citation : str
        As the set's authors state them; the citation is a bib key.
    embedded : bool
        Whether the files ship inside the package.
    folder : str
        Folder of the files where it is not `name`.
    repacked : Source, optional
        The same images in other files, used instead where they are on this machine; they may be repacked once more.
    """

    name: str
    title: str
    files: dict[str, tuple[File, ...]]
    read: Any
    classes: tuple[str, ...]
    licence: str
    citation: str
    embedded: bool = False
    folder: str = ""
    repacked: "Source | None" = None
