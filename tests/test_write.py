"""Files are whole or not there; parts of killed writers go, parts of running ones stay."""

import os
import signal
import subprocess
import sys

import pytest

from lsedu import _write
from lsedu.training import checkpoint


def test_the_block_decides_whether_the_file_changes(tmp_path):
    path = tmp_path / "new" / "file"
    _write.write(path, b"old")
    with pytest.raises(RuntimeError, match="no"), _write.replacing(path) as out:
        out.write(b"half")
        raise RuntimeError("no")
    assert path.read_bytes() == b"old"
    with _write.replacing(path) as out:
        out.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_the_file_has_the_permissions_of_any_other(tmp_path):
    (tmp_path / "other").write_bytes(b"")
    _write.write(tmp_path / "file", b"")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "none"])
def test_a_file_is_created_once_with_its_mode(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "no links here")))
    path = tmp_path / "new" / "secret"
    _write.create(path, b"first", mode=0o600)
    with pytest.raises(FileExistsError):
        _write.create(path, b"second", mode=0o600)
    assert path.read_bytes() == b"first" and path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["secret"]


DIE_WRITING = """
import os, pathlib, signal, sys
from lsedu import _write
with _write.replacing(pathlib.Path(sys.argv[1])) as out:
    out.write(b"half")
    out.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(path):
    assert subprocess.run([sys.executable, "-c", DIE_WRITING, str(path)]).returncode == -signal.SIGKILL
    return [p for p in path.parent.iterdir() if p.suffix == ".part"]


def test_the_part_of_a_killed_writer_goes_with_the_next_write(tmp_path):
    path = tmp_path / "file"
    _write.write(path, b"old")
    assert len(killed(path)) == 1
    assert path.read_bytes() == b"old"
    _write.write(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["file"] and path.read_bytes() == b"new"


def test_parts_of_others_stay(tmp_path):
    path = tmp_path / "file"
    (dead,) = killed(path)
    here, pid, token = dead.name.removeprefix("file.").removesuffix(".part").split("-")
    others = [
        f"file.{here}-{os.getpid()}-{token}.part",  # a process that runs
        f"file.00000000-{pid}-{token}.part",  # another machine
        f"file2.{here}-{pid}-{token}.part",  # another file
        "file.part",  # a download
    ]
    for name in others:
        (tmp_path / name).touch()
    with _write.replacing(path) as one, _write.replacing(path) as two:  # two writers of one file in one process
        one.write(b"one")
        two.write(b"two")
    assert path.read_bytes() == b"one"
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*others, "file"])


def test_parts_of_another_user_stay(tmp_path, monkeypatch):
    path = tmp_path / "file"
    (dead,) = killed(path)
    monkeypatch.setattr(os, "getuid", lambda: dead.stat().st_uid + 1)
    _write.write(path, b"new")
    assert dead.exists()


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files in the way of POSIX")
@pytest.mark.parametrize(
    "write",
    [_write.write, lambda path, content: checkpoint.save(path, {"state": content})],
    ids=["bytes", "checkpoint"],
)
def test_where_no_room_is_left_the_error_says_so_names_the_file_and_the_old_one_stays(tmp_path, write):
    import resource

    path = tmp_path / "state.pt"
    _write.write(path, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match=r"File too large: '.*state\.pt'"):
            write(path, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
