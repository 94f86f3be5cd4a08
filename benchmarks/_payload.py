"""What a lent machine needs besides the repository, in loads that travel one a call.

A call takes the repository and some ignored folders along, together at most `LIMIT` bytes. What the machine got in one
call it copies to a folder of its own, where the next call finds it.
"""

import shutil
import subprocess
from pathlib import Path

LIMIT = 64 * 2**20
#: Kept free for what is not counted here, such as the names of the files.
SPARE = 2**20


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


def prepare(root, data, files, revision):
    """Write the loads as ``.gpu/a``, ``.gpu/b``..., a file REVISION in each, and return their names.

    Parameters
    ----------
    root : Path
        The repository's.
    data : Path
        The folder of the data, laid out as LSEDU_DATA is.
    files : list of Path
        What must come along, in `data`.
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
            target = root / names[-1] / path.relative_to(data)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        (root / names[-1] / "REVISION").write_text(revision + "\n")
    return names


def gather(folders, target):
    """Copy what came in the loads into one folder, laid out as LSEDU_DATA is."""
    for folder in folders:
        shutil.copytree(folder, target, dirs_exist_ok=True)
