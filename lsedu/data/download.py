"""Getting a file: the user's data folder, then the cache, then its official address, always checked by hash."""

import contextlib
import hashlib
import os
import sys
import zlib
from pathlib import Path

from lsedu import _reads
from lsedu._errors import CheckFailedError, LseduError
from lsedu.data.cifar import decode
from lsedu.data.source import File, Source

CHUNK = 1 << 16


class DataUnavailableError(LseduError, RuntimeError):
    """A data set cannot be had; the message says how to get it."""


class CorruptDataError(CheckFailedError, RuntimeError):
    """A file is there, but it is not the file its hash names."""


def cache_dir() -> Path:
    """Return the folder where downloads are kept: the platform's user cache, ~/.cache where pooch is missing.

    Raises
    ------
    DataUnavailableError
        If the user has no home folder to keep it in.
    """
    try:
        try:
            import pooch
        except ImportError:
            return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "lsedu"
        return Path(pooch.os_cache("lsedu"))
    except RuntimeError as error:
        raise DataUnavailableError(
            "there is no folder to keep data in, for this user has no home folder: set HOME, or XDG_CACHE_HOME to a "
            "folder that can be written to"
        ) from error


def check(path: Path, file: File) -> Path:
    """Return `path` if its hash is the registered one.

    Raises
    ------
    CorruptDataError
        If it is not: the file is corrupted, truncated or another version. It is left where it is.
    """
    algorithm, expected = file.hash.split(":")
    found = _hash(path, file)
    if found != expected:
        raise CorruptDataError(
            f"{path} is corrupted, truncated or another version: its {algorithm} is {found}, expected {expected}. "
            "Remove it and get it again."
        )
    return path


def _hash(path: Path, file: File) -> str:
    if file.pixels:
        return hashlib.sha256(decode(path).tobytes()).hexdigest()
    with open(path, "rb") as content:
        return hashlib.file_digest(content, file.hash.split(":")[0]).hexdigest()


def locate(source: Source, file: File) -> Path | None:
    """Return where a file lies on this machine (package, LSEDU_DATA or cache), unchecked, or None."""
    if source.embedded:
        return Path(__file__).parent / "embedded" / source.name / file.name
    folders = []
    if os.environ.get("LSEDU_DATA"):
        folders.append(Path(os.path.expanduser(os.environ["LSEDU_DATA"])))
    with contextlib.suppress(DataUnavailableError):
        folders.append(cache_dir())
    for folder in folders:
        path = folder / (source.folder or source.name) / file.name
        sys.audit(_reads.LOOKED_FOR, str(path))  # what is made without the file is made again once it is there
        if os.path.isfile(path):  # no error where the folder must not be entered
            return path
    return None


def at_hand(source: Source) -> Source:
    """Return the first repacked form of a set of which all files are on this machine, else the set itself."""
    other = source.repacked
    while other:
        if all(locate(other, file) for part in other.files.values() for file in part):
            return other
        other = other.repacked
    return source


def _continue_download(url: str, output_file: str, *, file: File, part: Path, progress: bool) -> None:
    """Download `url` to `part`, continuing what an earlier try left there, then hand it over as `output_file`.

    What is kept are the bytes as they travel: only they can be counted and resumed. A server or proxy that encodes
    them all the same, or that calls a file that is compressed by itself encoded, is told apart by the file's hash.
    """
    import requests
    import urllib3
    from tqdm import tqdm

    have = part.stat().st_size if part.exists() else 0
    asked = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, stream=True, timeout=30, headers=asked) as response:
        if response.status_code == 416:  # nothing is left to send: the part is whole, or it is not this file
            os.replace(part, output_file)
            return
        response.raise_for_status()
        resumed = response.status_code == 206
        encoded = response.headers.get("Content-Encoding", "identity").lower() != "identity"
        total = int(response.headers.get("Content-Length", 0)) + (have if resumed else 0)
        with (
            open(part, "ab" if resumed else "wb") as out,
            tqdm(
                total=total or None,
                initial=have if resumed else 0,
                unit="B",
                unit_scale=True,
                desc=part.name.removesuffix(".part"),
                disable=not progress,
            ) as bar,
        ):
            try:
                for chunk in response.raw.stream(CHUNK, decode_content=False):
                    out.write(chunk)
                    bar.update(len(chunk))
            except urllib3.exceptions.HTTPError as error:
                raise requests.ConnectionError(f"the transfer stopped ({error}); the next try resumes") from error
    size = part.stat().st_size
    if total and size != total:
        raise requests.ConnectionError(f"the transfer stopped after {size} of {total} bytes; the next try resumes")
    if encoded and _hash(part, file) != file.hash.split(":")[1]:
        _decompress(part)
    os.replace(part, output_file)


def _decompress(path: Path) -> None:
    """Put the content of a gzip or zlib stream in the place of the stream; what is neither stays as it is."""
    decoder = zlib.decompressobj(wbits=47)
    plain = path.with_name(path.name + ".plain")
    try:
        with open(path, "rb") as coded, open(plain, "wb") as out:
            while chunk := coded.read(CHUNK):
                out.write(decoder.decompress(chunk))
            out.write(decoder.flush())
        os.replace(plain, path)
    except zlib.error:
        plain.unlink()


def fetch(source: Source, file: File, *, download: bool = True, progress: bool = True) -> Path:
    """Return the checked path of a file, downloading it if it is not on this machine.

    Parameters
    ----------
    source, file
        The set and its file.
    download : bool
        Whether the network may be used.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    DataUnavailableError
        If the file is not here and cannot be downloaded. What was transferred is kept and resumed.
    CorruptDataError
        If the file, or what was downloaded, has another hash than the registered one.
    """
    path = locate(source, file)
    if path is not None:
        return check(path, file)
    advice = (
        (f"Get it with `lsedu data fetch {source.name}`, or put" if file.url else "It has no address of its own: put")
        + f" {file.name} in the folder {source.folder or source.name}/ of the folder that the environment variable "
        "LSEDU_DATA names."
    )
    if not download or not file.url:
        raise DataUnavailableError(f"{source.title}: {file.name} is not on this machine. {advice}")
    try:
        import pooch
        import requests
        from filelock import FileLock
    except ImportError as error:
        raise DataUnavailableError(
            f"{source.title}: {file.name} is not on this machine, and downloading needs {error.name}: "
            f"pip install {error.name}. {advice}"
        ) from error

    folder = cache_dir() / (source.folder or source.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)

        def downloader(url: str, output_file: str, pup: object) -> None:
            _continue_download(url, output_file, file=file, part=folder / f"{file.name}.part", progress=progress)

        with FileLock(folder / f"{file.name}.lock"):  # the seeds of a run start together and want the same set
            if (path := locate(source, file)) is not None:
                return check(path, file)
            got = pooch.retrieve(file.url, file.hash, fname=file.name, path=folder, downloader=downloader)
    except (requests.RequestException, OSError) as error:
        raise DataUnavailableError(
            f"{source.title}: {file.name} could not be downloaded from {file.url} ({error}). {advice}"
        ) from error
    except ValueError as error:  # pooch's word for another hash; it has removed what it got
        raise CorruptDataError(f"{source.title}: the download of {file.name} was refused: {error}") from error
    return Path(got)
