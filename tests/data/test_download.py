"""Downloads against a server on this machine, whole, broken off and wrong."""

import gzip
import hashlib
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor, wait
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from lsedu import data
from lsedu.cli import app
from lsedu.data import registry

CONTENT = bytes(range(256)) * 2000


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT with ranges; the first `break_off` answers stop half-way."""

    def do_GET(self):
        first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.server.asked.append(first)
        if first >= len(CONTENT):
            self.send_error(416)
            return
        body = CONTENT[first:]
        self.send_response(206 if first and self.server.ranges else 200)
        if not self.server.ranges:
            body = CONTENT
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.server.wait.wait()
        if self.server.break_off:
            self.server.break_off -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(monkeypatch, tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.asked, running.break_off, running.ranges, running.wait = [], 0, True, threading.Event()
        running.wait.set()
        threading.Thread(target=running.serve_forever, daemon=True).start()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.delenv("LSEDU_DATA", raising=False)
        running.file = data.File(
            "blob.bin", hashlib.sha256(CONTENT).hexdigest(), f"http://127.0.0.1:{running.server_port}/blob.bin"
        )
        running.source = data.Source("blob", "A blob", {"train": (running.file,)}, None, (), "none", "none")
        monkeypatch.setitem(registry.SETS, "blob", running.source)
        yield running
        running.shutdown()


def get(server, **options):
    return data.fetch(server.source, server.file, progress=False, **options)


def test_a_file_is_downloaded_once(server):
    path = get(server)
    assert path.read_bytes() == CONTENT
    assert get(server) == path
    assert server.asked == [0]


def test_processes_that_want_the_same_file_at_once_download_it_once(server):
    server.wait = threading.Event()
    with ThreadPoolExecutor(3) as pool:
        found = [pool.submit(get, server) for _ in range(3)]
        while not server.asked and wait(found, timeout=0.01).not_done:
            pass  # where all have failed, none will ask
        assert not wait(found, timeout=0.2).done
        server.wait.set()
        assert len({future.result() for future in found}) == 1
    assert server.asked == [0]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_transfer_that_breaks_off_is_resumed(server, ranges):
    server.break_off, server.ranges = 1, ranges
    with pytest.raises(data.DataUnavailableError, match="lsedu data fetch blob"):
        get(server)
    part = data.cache_dir() / "blob" / "blob.bin.part"
    kept = part.stat().st_size
    assert 0 < kept < len(CONTENT)
    assert get(server).read_bytes() == CONTENT
    assert server.asked == [0, kept]
    assert not part.exists()


class Encoding(BaseHTTPRequestHandler):
    """Encodes what it sends: only where that is accepted, always, or in words alone."""

    def do_GET(self):
        _, how, encoding, _ = self.path.split("/")
        body = gzip.compress(CONTENT, mtime=0) if how == "in-words" else CONTENT
        if how == "always" or (how == "accepted" and encoding in (self.headers.get("Accept-Encoding") or "")):
            body = {"gzip": gzip.compress, "deflate": zlib.compress}[encoding](body)
        elif how == "accepted":
            encoding = "identity"
        self.send_response(200)
        self.send_header("Content-Encoding", encoding)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.mark.parametrize("how", ["accepted", "always", "in-words"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_the_file_arrives_whatever_the_server_says_of_its_encoding(server, how, encoding):
    wanted = gzip.compress(CONTENT, mtime=0) if how == "in-words" else CONTENT
    with ThreadingHTTPServer(("127.0.0.1", 0), Encoding) as encoder:
        threading.Thread(target=encoder.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{encoder.server_port}/{how}/{encoding}/blob.bin"
        server.file = data.File("blob.bin", hashlib.sha256(wanted).hexdigest(), url)
        assert get(server).read_bytes() == wanted
        assert [path.name for path in (data.cache_dir() / "blob").iterdir() if path.suffix != ".lock"] == ["blob.bin"]
        encoder.shutdown()


def test_another_file_than_the_hash_names_is_refused_and_not_kept(server):
    server.file = data.File("blob.bin", "0" * 64, server.file.url)
    with pytest.raises(data.CorruptDataError, match="blob"):
        get(server)
    assert not (data.cache_dir() / "blob" / "blob.bin").exists()
    assert not (data.cache_dir() / "blob" / "blob.bin.part").exists()


def test_without_the_network_the_command_is_named(server):
    with pytest.raises(data.DataUnavailableError, match="lsedu data fetch blob"):
        get(server, download=False)


def test_the_users_folder_comes_first_and_is_checked(server, monkeypatch, tmp_path):
    folder = tmp_path / "mine" / "blob"
    folder.mkdir(parents=True)
    monkeypatch.setenv("LSEDU_DATA", str(tmp_path / "mine"))
    (folder / "blob.bin").write_bytes(CONTENT)
    assert get(server) == folder / "blob.bin"
    (folder / "blob.bin").write_bytes(CONTENT[:-1])
    with pytest.raises(data.CorruptDataError, match="truncated"):
        get(server)
    assert server.asked == []


def test_commands_fetch_find_and_check(server):
    runner = CliRunner()
    assert runner.invoke(app, ["data", "where", "blob"]).exit_code == 2
    assert "right" in runner.invoke(app, ["data", "fetch", "blob"]).stdout
    path = data.cache_dir() / "blob" / "blob.bin"
    assert str(path) in runner.invoke(app, ["data", "where", "blob"]).stdout
    assert runner.invoke(app, ["data", "check", "blob"]).exit_code == 0
    path.write_bytes(b"half")
    broken = runner.invoke(app, ["data", "check", "blob"])
    assert broken.exit_code == 1 and "truncated" in broken.stderr
    unknown = runner.invoke(app, ["data", "fetch", "blub"])
    assert unknown.exit_code == 2 and "no data set is called 'blub'" in unknown.stderr


def test_a_full_disk_loses_nothing(server, monkeypatch):
    import builtins
    import errno

    real = builtins.open

    def full(path, mode="r", *args, **kwargs):
        if str(path).endswith(".part"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, mode, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", full)
        with pytest.raises(data.DataUnavailableError, match="No space left"):
            get(server)
    assert get(server).read_bytes() == CONTENT


def test_without_a_home_folder_there_is_a_sentence_and_the_users_folder_still_serves(server, monkeypatch, tmp_path):
    import pooch

    def no_home(name):
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr(pooch, "os_cache", no_home)
    assert CliRunner().invoke(app, ["data", "list"]).exit_code == 0
    with pytest.raises(data.DataUnavailableError, match="no home folder: set HOME, or XDG_CACHE_HOME"):
        get(server)
    (tmp_path / "mine" / "blob").mkdir(parents=True)
    (tmp_path / "mine" / "blob" / "blob.bin").write_bytes(CONTENT)
    monkeypatch.setenv("LSEDU_DATA", str(tmp_path / "mine"))
    assert get(server) == tmp_path / "mine" / "blob" / "blob.bin"
