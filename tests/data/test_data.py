"""Data by name: real images that ship, files found where they lie, hashes that refuse, downloads that go on."""

import gzip
import hashlib
import http.server
import lzma
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from lsedu import data
from lsedu.data import download, registry
from lsedu.data.idx import read_idx, write_idx


def test_the_embedded_set_is_balanced_real_and_small():
    train, test = data.load(), data.load(split="test")
    assert train.images.shape == (10_000, 28, 28) and test.images.shape == (2_000, 28, 28)
    assert np.bincount(train.labels).tolist() == [1000] * 10
    assert np.bincount(test.labels).tolist() == [200] * 10
    folder = Path(download.__file__).parent / "embedded" / "fashion-mnist-mini"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 8_000_000
    assert "MIT" in (folder / "LICENSE").read_text() and "Zalando" in (folder / "README.md").read_text()
    assert len({image.tobytes() for image in train.images}) > 9_990, "real images are nearly all different"


def test_the_indices_of_the_subset_are_the_full_sets():
    folder = Path(download.__file__).parent / "embedded" / "fashion-mnist-mini"
    full = data.source("fashion-mnist")
    if any(data.locate(full, file) is None for part in full.files.values() for file in part):
        pytest.skip("the full Fashion-MNIST is not on this machine")
    with np.load(folder / "indices.npz") as indices:
        for part in ("train", "test"):
            chosen = data.load("fashion-mnist", split=part).take(indices[part])
            mini = data.load("fashion-mnist-mini", split=part)
            assert (chosen.images == mini.images).all() and (chosen.labels == mini.labels).all()


@pytest.fixture
def toy(monkeypatch, tmp_path):
    """A set of one file, with an empty cache and no data folder."""
    content = np.random.default_rng(0).integers(0, 256, size=400_000, dtype=np.uint8).tobytes()
    file = data.File("toy.bin", hashlib.sha256(content).hexdigest(), "http://127.0.0.1:9/toy.bin")
    source = data.Source("toy", "Toy set", {"train": (file,)}, lambda paths: paths, ("a",), "none", "none")
    monkeypatch.setitem(registry.SETS, "toy", source)
    monkeypatch.setattr(download, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.delenv("LSEDU_DATA", raising=False)
    return source, file, content


def place(folder, file, content):
    folder.mkdir(parents=True)
    (folder / file.name).write_bytes(content)
    return folder / file.name


def test_the_users_folder_comes_before_the_cache(toy, tmp_path, monkeypatch):
    source, file, content = toy
    cached = place(tmp_path / "cache" / "toy", file, content)
    assert data.fetch(source, file) == cached
    own = place(tmp_path / "own" / "toy", file, content)
    monkeypatch.setenv("LSEDU_DATA", str(tmp_path / "own"))
    assert data.fetch(source, file) == own


@pytest.mark.parametrize("spoil", [lambda c: c[:-1], lambda c: b"x" + c[1:], lambda c: b""])
def test_a_corrupted_or_truncated_file_is_refused_by_hash(toy, tmp_path, spoil):
    source, file, content = toy
    path = place(tmp_path / "cache" / "toy", file, spoil(content))
    with pytest.raises(data.CorruptDataError, match=f"{path.name}.*sha256.*{file.sha256}"):
        data.fetch(source, file)
    assert path.exists(), "nothing of the user's is removed"


def test_a_set_that_is_not_to_be_had_says_how_to_get_it(toy):
    source, file, _ = toy
    for options in ({"download": False}, {"progress": False}):  # nothing listens at the address
        with pytest.raises(data.DataUnavailableError, match=r"lsedu data fetch toy.*LSEDU_DATA"):
            data.fetch(source, file, **options)


class Server:
    """A server that knows ranges and can break off a transfer."""

    def __init__(self, content):
        self.content, self.stop_after, self.ranges = content, None, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                wanted = self.headers.get("Range")
                outer.ranges.append(wanted)
                start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
                if start >= len(outer.content):
                    self.send_error(416)
                    return
                body = outer.content[start:]
                self.send_response(206 if wanted else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if outer.stop_after is None else body[: outer.stop_after])
                self.close_connection = True

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/toy.bin"


@pytest.fixture
def served(toy, monkeypatch):
    source, file, content = toy
    server = Server(content)
    file = data.File(file.name, file.sha256, server.url)
    yield source, file, server
    server.http.shutdown()
    server.http.server_close()


def test_an_interrupted_download_goes_on_where_it_stopped(served, tmp_path):
    source, file, server = served
    server.stop_after = 150_000
    with pytest.raises(data.DataUnavailableError, match="lsedu data fetch toy"):
        data.fetch(source, file, progress=False)
    part = tmp_path / "cache" / "toy" / "toy.bin.part"
    have = part.stat().st_size
    assert 0 < have <= 150_000
    server.stop_after = None
    path = data.fetch(source, file, progress=False)
    assert path.read_bytes() == server.content
    assert server.ranges == [None, f"bytes={have}-"]
    assert not part.exists()


def test_a_download_with_another_hash_is_refused_and_not_kept(served, tmp_path):
    source, file, server = served
    server.content = server.content[::-1]
    with pytest.raises(data.CorruptDataError, match="refused"):
        data.fetch(source, file, progress=False)
    assert {path.name for path in (tmp_path / "cache" / "toy").iterdir()} <= {"toy.bin.lock"}


def test_unknown_names_and_splits_list_what_there_is():
    with pytest.raises(KeyError, match="fashion-mnist-mini"):
        data.load("fashion-minst")
    with pytest.raises(ValueError, match="'train', 'test'"):
        data.load(split="validation")


def test_a_split_is_balanced_disjoint_and_repeatable():
    train = data.load()
    first, second = data.split(train, sizes=(500, 203), seed=1)
    assert np.bincount(first.labels).tolist() == [50] * 10
    assert set(np.bincount(second.labels)) <= {20, 21}
    images = {image.tobytes() for image in first.images}
    assert sum(image.tobytes() in images for image in second.images) <= 1
    again, _ = data.split(train, sizes=(500, 203), seed=1)
    other, _ = data.split(train, sizes=(500, 203), seed=2)
    assert (again.images == first.images).all() and not (other.images == first.images).all()
    with pytest.raises(ValueError, match="10000"):
        data.split(train, sizes=(9_000, 1_001), seed=0)


def test_tensors_are_in_the_unit_interval():
    images, labels = data.to_tensors(data.load(split="test"))
    assert images.shape == (2_000, 1, 28, 28) and labels.shape == (2_000,)
    assert images.min() == 0 and images.max() == 1


def test_idx_files_are_read_whole_or_refused(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    path = tmp_path / "a.idx.xz"
    write_idx(path, array)
    assert (read_idx(path) == array).all()
    first = path.read_bytes()
    write_idx(path, array)
    assert path.read_bytes() == first
    path.write_bytes(first[:-9])
    with pytest.raises(ValueError, match="not a readable"):
        read_idx(path)
    plain = tmp_path / "b.idx"
    plain.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 5, 1, 2]))
    with pytest.raises(ValueError, match="5 bytes, but holds 2"):
        read_idx(plain)
    plain.write_bytes(bytes([0, 0, 8, 3, 0, 0]))
    with pytest.raises(ValueError, match="ends within its header: it states 3 axes, but holds 6 bytes"):
        read_idx(plain)
    plain.write_bytes(bytes([0, 0, 8, 4]) + bytes([0, 1, 0, 0]) * 4)
    with pytest.raises(ValueError, match=f"{2**64} bytes, but holds 0"):
        read_idx(plain)
    plain.write_bytes(b"\x89PNG")
    with pytest.raises(ValueError, match="no idx file"):
        read_idx(plain)


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_a_byte_that_changed_in_a_packed_idx_file_is_told_or_changes_nothing(tmp_path, suffix, pack):
    packed, path = pack(bytes([0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 4, *range(12)])), tmp_path / f"a.idx{suffix}"
    refused = 0
    for place in range(len(packed)):
        path.write_bytes(packed[:place] + bytes([packed[place] ^ 0xFF]) + packed[place + 1 :])
        try:
            assert read_idx(path).tolist() == np.arange(12).reshape(3, 4).tolist()
        except ValueError as error:
            refused += 1
            assert str(error).startswith(f"{path} is ")
    assert refused > len(packed) / 2


def test_datasets_check_what_they_hold():
    with pytest.raises(ValueError, match="uint8"):
        data.Dataset("x", np.zeros((1, 2, 2)), np.zeros(1, dtype=np.int64), ("a",))
    with pytest.raises(ValueError, match=r"\[0, 1\), got 1 to 1"):
        data.Dataset("x", np.zeros((1, 2, 2), np.uint8), np.ones(1, dtype=np.int64), ("a",))


def test_a_wheel_carries_the_set(tmp_path):
    """What git tracks below the embedded folder is all that the registry names."""
    folder = Path(download.__file__).parent / "embedded" / "fashion-mnist-mini"
    named = {file.name for part in data.SETS["fashion-mnist-mini"].files.values() for file in part}
    assert named <= {path.name for path in folder.iterdir()}
    copy = shutil.copytree(folder, tmp_path / "copy")
    for part in data.SETS["fashion-mnist-mini"].files.values():
        for file in part:
            assert download.check(copy / file.name, file)
