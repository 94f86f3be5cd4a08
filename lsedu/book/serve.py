"""The built site on this machine, the same wherever it is served: types by a list of our own, a port that is free."""

import errno
import functools
import http.server
import os
from pathlib import Path

_PORTS = 20
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".ipynb": "application/json",
    ".xml": "application/xml",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".bib": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".wasm": "application/wasm",
    ".pdf": "application/pdf",
}


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Asks no table of the machine for types: on some, JavaScript is plain text there, and browsers refuse it."""

    def guess_type(self, path: str | os.PathLike[str]) -> str:
        """Return the type by the ending alone."""
        return _TYPES.get(os.path.splitext(path)[1].lower(), "application/octet-stream")

    def log_message(self, *_: object) -> None:
        """Say nothing of every file."""


class _Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = os.name == "posix"  # elsewhere this would share a port that is taken


def server(site: Path, port: int) -> http.server.ThreadingHTTPServer:
    """Return a server of a folder on this machine, at `port` or the next one that is free.

    Raises
    ------
    OSError
        If none can be had.
    """
    handler = functools.partial(_Handler, directory=str(site))
    for number in (*range(port, min(port + _PORTS, 65536)), 0):
        try:
            return _Server(("127.0.0.1", number), handler)
        except OSError as error:  # taken, or kept back by the system
            if error.errno not in (errno.EADDRINUSE, errno.EACCES) and getattr(error, "winerror", 0) != 10013:
                raise
    raise OSError(errno.EADDRINUSE, f"no port of this machine is free from {port} on")
