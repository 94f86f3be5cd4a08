"""What a lent machine needs besides the repository, in loads that travel one a call.

A call takes the repository and some ignored folders along, together at most `LIMIT` bytes. What the machine got in one
call it copies to a folder of its own, where the next call finds it.
"""

import shutil
import subprocess
from pathlib import Path

import numpy as np

from lsedu import _write
from lsedu.data import cache_dir
from lsedu.data.cifar import decode

LIMIT = 64 * 2**20
#: Kept free for what is not counted here, such as the names of the files.
SPARE = 2**20


def as_webp(path, data):
    """Return a JPEG XL picture in a form that a machine without its decoder reads: lossless WebP, checked by pixel.

    It is kept in the user's cache, laid out as in `data`, for it takes a quarter of a minute to make.
    """
    target = cache_dir() / "loads" / path.relative_to(data).with_suffix(".webp")
    from PIL import Image  # absent where nothing is prepared

    pixels = decode(path)
    if not target.is_file() or not np.array_equal(decode(target), pixels):
        with _write.replacing(target) as out:
            Image.fromarray(pixels).save(out, "WEBP", lossless=True, quality=50, method=3)
        if not np.array_equal(decode(target), pixels):
            raise ValueError(f"{target} does not decode to the pixels of {path}")
    return target


def travelling(root):
    """Return the bytes of the repository that travel: tracked files, and untracked ones that git does not ignore."""
    words = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(words, capture_output=True, check=True).stdout.split(b"\0")
    paths = {root / name.decode() for name in names if name}
    return sum(path.stat().st_size for path in paths if path.is_file())


def loads(files, room):
    """Return the files in as few loads as the largest-first rule finds, each of at most `room` bytes.

    Raises
    ------
    ValueError
        If a file alone is larger.
    """
    found = []
    for path in sorted(files, key=lambda path: (-path.stat().st_size, str(path))):
        size = path.stat().st_size
        if size > room:
            raise ValueError(f"{path} has {size} bytes, and a load has room for {room}")
        place = next((load for load in found if load["size"] + size <= room), None)
        if place is None:
            found.append(place := {"size": 0, "files": []})
        place["size"] += size
        place["files"].append(path)
    return [load["files"] for load in found]


def prepare(root, files, revision):
    """Write the loads as ``.gpu/a``, ``.gpu/b``..., a file REVISION in each, and return their names.

    Parameters
    ----------
    root : Path
        The repository's.
    files : list of Path
        What must come along, each in the folder of its set.
    revision : str
        What the copy says that it is a copy of.
    """
    place = root / ".gpu"
    shutil.rmtree(place, ignore_errors=True)
    exclude = Path(
        subprocess.run(
            ["git", "-C", str(root), "rev-parse", "--path-format=absolute", "--git-path", "info/exclude"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()
    )  # fmt: skip
    have = exclude.read_text().splitlines() if exclude.is_file() else []
    exclude.parent.mkdir(parents=True, exist_ok=True)
    exclude.write_text("\n".join([*have, *({"/.gpu/"} - set(have))]) + "\n")
    names = []
    for i, load in enumerate(loads(files, LIMIT - SPARE - travelling(root))):
        names.append(f".gpu/{chr(ord('a') + i)}")
        for path in load:
            target = root / names[-1] / path.parent.name / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        (root / names[-1] / "REVISION").write_text(revision + "\n")
    return names


def gather(folders, target):
    """Copy what came in the loads into one folder, laid out as LSEDU_DATA is."""
    for folder in folders:
        shutil.copytree(folder, target, dirs_exist_ok=True)
