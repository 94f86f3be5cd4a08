"""The secret from which a class run draws its inputs: made once, kept outside the output, its owner's alone."""

import hashlib
import os
import re
import secrets
from pathlib import Path

from lsedu import _write
from lsedu._errors import LseduError

_BYTES = 32


_ELSEWHERE = "name a file by --secret-file, or a folder in LSEDU_STATE"


class SecretError(LseduError, RuntimeError):
    """The secret of a run cannot be had."""


def folder() -> Path:
    """Return where secrets are kept: `LSEDU_STATE`, or the user's state folder.

    Raises
    ------
    SecretError
        If the user has no home folder, and nothing else is named.
    """
    base = os.environ.get("LSEDU_STATE") or os.environ.get("XDG_STATE_HOME")
    try:
        return Path(base or Path.home() / ".local" / "state") / "lsedu" / "grading"
    except RuntimeError as error:
        raise SecretError(
            "there is no folder to keep the secret of this class run in, for this user has no home folder: "
            f"{_ELSEWHERE}"
        ) from error


def default_path(lab: str, submissions: Path) -> Path:
    """Return where the secret for a lab and a folder of submissions is kept, wherever their marks are written."""
    place = hashlib.sha256(os.fsencode(os.path.realpath(submissions))).hexdigest()[:16]
    return folder() / f"{lab}-{place}.secret"


def told(path: Path, lab: str, *, new: bool) -> str:
    """Return what an instructor is told of the secret of a new output folder."""
    if not new:
        return f"the inputs are those of earlier runs on these submissions: {path}"
    others = [other for other in path.parent.glob(f"{lab}-*.secret") if other != path]
    said = f"the inputs are new: {path}"
    if others:
        said += (
            f". {len(others)} more of {lab} from other folders or runs lie there: to repeat marks given with one of "
            "them, give it with --secret-file"
        )
    return said


def load_or_make(path: Path, *, make: bool) -> bytes:
    """Read a secret, or make one if there is none and `make` says so.

    Raises
    ------
    SecretError
        If it is missing and must not be made, or is no secret.
    """
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        if not make:
            raise SecretError(
                f"the secret of this class run is missing: {path}. Marks can only be repeated with the same secret; "
                "give it with --secret-file, or grade anew into another folder"
            ) from None
        return _make(path)
    except OSError as error:
        said = f"the secret of this class run cannot be read from {path} ({error.strerror}): {_ELSEWHERE}"
        raise SecretError(said) from error
    except UnicodeDecodeError as error:
        raise SecretError(f"{path} is no secret of a class run: {error}") from error
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise SecretError(f"{path} is no secret of a class run: it must hold 64 hexadecimal digits")
    return bytes.fromhex(text)


def _make(path: Path) -> bytes:
    value = secrets.token_bytes(_BYTES)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write.create(path, f"{value.hex()}\n".encode(), mode=0o600)
    except FileExistsError:
        return load_or_make(path, make=False)
    except OSError as error:
        said = f"the secret of this class run cannot be written to {path} ({error.strerror}): {_ELSEWHERE}"
        raise SecretError(said) from error
    return value


def fingerprint(secret: bytes) -> str:
    """Return a short name for a secret that does not give it away."""
    return hashlib.sha256(b"lsedu fingerprint " + secret).hexdigest()[:16]


def seed(secret: bytes, purpose: str) -> list[int]:
    """Return the entropy for a purpose ("cases of lab01", ...), as NumPy's generators take it."""
    digest = hashlib.sha256(secret + b"\0" + purpose.encode()).digest()
    return [int.from_bytes(digest[i : i + 4], "big") for i in range(0, 32, 4)]
