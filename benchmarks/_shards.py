"""Finished units in a few zip files, each small enough to be brought back from a lent machine.

A unit is the folder of a part of a seed, as `lsedu.experiments` keeps it. It is in a file the moment it is done: the
file is written beside and put in place of the old one, so that a kill at any moment leaves what was done.
"""

import os
import zipfile
from pathlib import Path

PATTERN = "units-*.zip"


class Shards:
    """The zip files of a folder.

    Parameters
    ----------
    folder : Path
    limit : int
        Bytes after which the next file is begun.
    """

    def __init__(self, folder, *, limit=12 * 2**20):
        self.folder, self.limit = Path(folder), limit
        self.folder.mkdir(parents=True, exist_ok=True)

    def add(self, unit, cache):
        """Put the finished files of the folder `unit` into the last file, named from `cache` on."""
        shards = sorted(self.folder.glob(PATTERN))
        last = shards[-1] if shards else self.folder / "units-00.zip"
        if last.is_file() and last.stat().st_size > self.limit:
            last = self.folder / f"units-{len(shards):02}.zip"
        before = last.read_bytes() if last.is_file() else b""
        new = last.with_suffix(".new")
        new.write_bytes(before)
        with zipfile.ZipFile(new, "a") as packed:  # npz files are compressed already
            for path in sorted(unit.glob("*.npz")) + sorted(unit.glob("*.json")):
                packed.write(path, path.relative_to(cache))
        os.replace(new, last)


def unpack(folder, cache):
    """Put every unit of the zip files in a folder into a cache; return how many there were."""
    count = 0
    for shard in sorted(Path(folder).glob(PATTERN)):
        with zipfile.ZipFile(shard) as packed:
            packed.extractall(cache)
            count += sum(name.endswith(".json") for name in packed.namelist())
    return count
