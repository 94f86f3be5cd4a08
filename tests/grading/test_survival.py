"""A grader that is killed, that has no room, or that may not make namespaces: nothing is lost, nothing is forged."""

import contextlib
import ctypes
import json
import os
import random
import select
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest

hostile = sys.modules["hostile"]
HERE = Path(__file__).resolve().parent
TINY = HERE / "fixtures" / "tiny.md"


def marks(out):
    lines = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert len({line["student"] for line in lines}) == len(lines)
    return {line["student"]: (line["points"], line["reasons"]) for line in lines}


def write_class(root, solved, number):
    fair = [case for case in hostile.SUITE if case.family == "fair"]
    for i in range(number):
        case = fair[i % len(fair)]
        folder = hostile.write(case, root / "raw", solved, {})
        folder.rename(root / f"{i:03d}-{case.name}")
    (root / "raw").rmdir()


def grade_command(root, out, *options):
    return [
        sys.executable,
        "-c",
        "from lsedu.cli import app; app()",
        "grade",
        str(TINY),
        str(root),
        "--out",
        str(out),
        *options,
    ]


@pytest.mark.slow
def test_killed_twenty_times_and_resumed_gives_the_same_marks(tmp_path, solved, sandbox_processes):
    root = tmp_path / "submitted"
    write_class(root, solved, 40)
    secret = tmp_path / "secret"
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "killed"
    options = ["--jobs", "2", "--secret-file", str(secret)]
    subprocess.run(grade_command(root, undisturbed, *options), check=True, capture_output=True)
    chance = random.Random(0)
    survived, lines_path = 0, out / "results.jsonl"
    for _ in range(20):
        process = subprocess.Popen(
            grade_command(root, out, *options), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        watch = os.pidfd_open(process.pid)
        poll = select.poll()
        poll.register(watch, select.POLLIN)
        poll.poll(int(chance.uniform(300, 9000)))
        process.kill()
        process.wait()
        os.close(watch)
        now = lines_path.read_bytes().count(b"\n") if lines_path.exists() else 0
        assert now >= survived
        survived = now
    subprocess.run(grade_command(root, out, *options), check=True, capture_output=True)
    assert marks(out) == marks(undisturbed)
    assert (out / "grades.csv").read_text() == (undisturbed / "grades.csv").read_text()
    assert sandbox_processes() == set()
    assert not list(out.rglob("*.part"))


@pytest.mark.slow
def test_a_torn_last_line_is_graded_again(classroom):
    cases = [case for case in hostile.SUITE if case.name in ("right", "stub")]
    first = classroom(cases)
    before = marks(first.out)
    path = first.out / "results.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    second = classroom(cases)
    assert second.report.graded == 1 and second.report.kept == 1
    assert marks(second.out) == before


@pytest.mark.slow
def test_regrade_repeats_the_marks_and_a_lost_secret_is_an_error(classroom, tmp_path):
    from lsedu.grading import SecretError

    cases = [case for case in hostile.SUITE if case.name in ("right", "half-right")]
    before = marks(classroom(cases).out)
    again = classroom(cases, regrade=True)
    assert again.report.graded == 2
    assert marks(again.out) == before
    run = json.loads((again.out / "run.json").read_text())
    Path(run["secret_file"]).unlink()
    with pytest.raises(SecretError, match="missing"):
        classroom(cases)
    other = tmp_path / "another"
    other.write_text("ab" * 32)
    with pytest.raises(SecretError, match="equal code"):
        classroom(cases, secret_file=other)


@pytest.mark.slow
def test_only_one_student_and_a_changed_submission(classroom):
    cases = [case for case in hostile.SUITE if case.name in ("right", "stub")]
    first = classroom(cases, only="right")
    assert set(first.lines) == {"right"}
    second = classroom(cases)
    assert (second.report.graded, second.report.kept) == (1, 1)
    path = second.root / "stub" / "tiny.ipynb"
    path.write_bytes((second.root / "right" / "tiny.ipynb").read_bytes())
    third = classroom(cases)
    assert (third.report.graded, third.report.kept) == (1, 1)
    assert third.lines["stub"]["total"] == 9


def test_equal_code_gets_equal_marks_and_the_secret_stays_outside(classroom, tmp_path):
    cases = [case for case in hostile.SUITE if case.name in ("right", "half-right", "remembers-visible")]
    outcome = classroom(cases)
    secret = Path(json.loads((outcome.out / "run.json").read_text())["secret_file"]).read_text().strip()
    assert len(secret) == 64
    held = [path for path in outcome.out.rglob("*") if path.is_file() and secret in path.read_text(errors="replace")]
    assert held == []


@pytest.mark.slow
def test_a_new_folder_for_the_same_submissions_keeps_the_secret_and_others_are_told(classroom, solved, tmp_path):
    said = []
    cases = [case for case in hostile.SUITE if case.name == "half-right"]
    first = classroom(cases, say=said.append)
    second = classroom(cases, out=tmp_path / "again", say=said.append)
    runs = [json.loads((run.out / "run.json").read_text()) for run in (first, second)]
    assert runs[0]["secret"] == runs[1]["secret"] and marks(first.out) == marks(second.out)
    assert "are new" in said[0]
    assert "earlier runs on these submissions" in said[2] and runs[0]["secret_file"] in said[2]


def test_a_new_secret_beside_others_is_said_aloud(tmp_path):
    from lsedu.grading import secret

    (tmp_path / "tiny-1.secret").write_text("ab" * 32)
    said = secret.told(tmp_path / "tiny-2.secret", "tiny", new=True)
    assert "1 more of tiny" in said and "--secret-file" in said
    assert secret.default_path("tiny", tmp_path) == secret.default_path("tiny", tmp_path / "." / "")
    assert secret.default_path("tiny", tmp_path) != secret.default_path("tiny", tmp_path / "b")


def test_a_secret_that_cannot_be_reached_is_a_sentence(classroom, tmp_path):
    from lsedu.grading.secret import SecretError

    said = r"cannot be read from .*: name a file by --secret-file, or a folder in LSEDU_STATE"
    with pytest.raises(SecretError, match=said):
        classroom([case for case in hostile.SUITE if case.name == "right"], secret_file=tmp_path / ("x" * 300))


@pytest.mark.slow
def test_marks_are_their_owners_alone_where_the_umask_says_so_and_a_page_that_is_gone_comes_back(classroom):
    cases = [case for case in hostile.SUITE if case.name in ("right", "half-right")]
    before = os.umask(0o077)
    try:
        outcome = classroom(cases)
        page = outcome.out / "feedback" / "half-right.html"
        text = page.read_text()
        page.unlink()
        again = classroom(cases)
    finally:
        os.umask(before)
    assert (again.report.graded, again.report.kept) == (1, 1)
    assert page.read_text() == text
    files = [path for path in outcome.out.rglob("*") if path.is_file()]
    assert len(files) > 6 and not [path for path in files if path.stat().st_mode & 0o077]


def on_small_disk(script):
    """Run a shell script where /mnt is a file system of one megabyte."""
    line = f"mount -t tmpfs -o size=1m,mode=777 none /mnt && {script}"
    return subprocess.run(["unshare", "-Urm", "sh", "-c", line], capture_output=True, text=True)


@pytest.mark.slow
def test_disk_full_is_said_and_nothing_is_lost(tmp_path, solved):
    if on_small_disk("true").returncode:
        pytest.skip("no user namespace to mount a small disk in")
    root = tmp_path / "submitted"
    write_class(root, solved, 6)
    command = " ".join(map(repr, grade_command(root, "/mnt/out", "--at-most", "2")))
    script = (
        f"mkdir /mnt/out; {command} --only 000-right >/dev/null 2>&1; cp /mnt/out/results.jsonl {tmp_path}/before;"
        f"dd if=/dev/zero of=/mnt/fill bs=4k 2>/dev/null; {command} 2>&1; echo status $?;"
        f"cp /mnt/out/results.jsonl {tmp_path}/full; rm /mnt/fill; {command} 2>&1;"
        f"cp /mnt/out/results.jsonl {tmp_path}/after"
    )
    done = on_small_disk(script)
    assert "the disk is full" in done.stdout, done.stdout + done.stderr
    assert "status 2" in done.stdout
    before, full = (tmp_path / "before").read_text(), (tmp_path / "full").read_text()
    assert full.startswith(before.rstrip("\n")) and full.endswith("\n")
    assert len((tmp_path / "after").read_text().splitlines()) == 6


@pytest.mark.slow
def test_read_only_output_is_said(tmp_path, solved):
    root = tmp_path / "submitted"
    write_class(root, solved, 1)
    command = " ".join(map(repr, grade_command(root, "/mnt/out")))
    done = on_small_disk(f"mount -o remount,ro /mnt && {command} 2>&1; echo status $?")
    if "status" not in done.stdout:
        pytest.skip("no user namespace to mount a read-only disk in")
    assert "/mnt/out cannot be written to" in done.stdout, done.stdout
    assert "status 2" in done.stdout


def test_two_graders_do_not_share_a_folder(classroom, tiny, tmp_path):
    from lsedu.grading import OutputError
    from lsedu.grading.results import Results

    held = Results(tmp_path / "out", tiny)
    with contextlib.closing(held), pytest.raises(OutputError, match="another grader"):
        classroom([case for case in hostile.SUITE if case.name == "right"])


FORBID = {
    "namespaces": (272, 56),
    "namespaces and Landlock": (272, 56, 444),
}


def forbid(what):
    """Return a function for a child process that takes system calls away before the grader starts.

    unshare is refused outright and clone where it asks for namespaces, as containers do; seccomp stays allowed.
    """
    unshare, clone, *others = FORBID[what]

    def act():
        def word(code, value, yes=0, no=0):
            return struct.pack("<HBBI", code, yes, no, value)

        refuse = word(0x06, 0x00050000 | 1)
        program = [word(0x20, 0)]
        program += [word(0x15, unshare, 0, 1), refuse]
        for number in others:
            program += [word(0x15, number, 0, 1), refuse]
        program += [
            word(0x15, clone, 0, 3),
            word(0x20, 16),
            word(0x45, 0x7E020000, 0, 1),
            refuse,
            word(0x06, 0x7FFF0000),
        ]
        text = b"".join(program)
        buffer = ctypes.create_string_buffer(text, len(text))
        head = struct.pack("<HxxxxxxQ", len(text) // 8, ctypes.addressof(buffer))
        libc = ctypes.CDLL(None)
        libc.prctl(38, 1, 0, 0, 0)
        if libc.prctl(22, 2, head, 0, 0):
            os._exit(99)

    return act


@pytest.mark.slow
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the filter names x86-64 system calls")
def test_without_namespaces_the_grader_reaches_level_2(tmp_path, solved):
    root, out = tmp_path / "submitted", tmp_path / "out"
    write_class(root, solved, 3)
    done = subprocess.run(grade_command(root, out), preexec_fn=forbid("namespaces"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "level 2" in done.stderr.replace("\n", " ")
    assert {json.loads(line)["level"] for line in (out / "results.jsonl").read_text().splitlines()} == {2}


@pytest.mark.slow
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the filter names x86-64 system calls")
def test_without_namespaces_and_landlock_it_refuses_and_says_what_to_change(tmp_path, solved):
    root, out = tmp_path / "submitted", tmp_path / "out"
    write_class(root, solved, 1)
    refuse = forbid("namespaces and Landlock")
    done = subprocess.run(grade_command(root, out), preexec_fn=refuse, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no submission is run" in done.stderr
    assert "--i-accept-an-unsandboxed-run" in done.stderr
    assert "user namespaces" in done.stderr or "--security-opt" in done.stderr
    assert (out / "results.jsonl").read_text() == ""
    told = grade_command(root, out, "--i-accept-an-unsandboxed-run")
    done = subprocess.run(told, preexec_fn=refuse, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["level"] for line in (out / "results.jsonl").read_text().splitlines()] == [1]


@pytest.mark.slow
def test_user_namespaces_turned_off_by_their_limit(tmp_path, solved):
    """Inside a namespace that allows no further ones, and without capabilities, like an ordinary user's."""
    root, out = tmp_path / "submitted", tmp_path / "out"
    write_class(root, solved, 1)
    command = " ".join(map(repr, grade_command(root, out)))
    drop = "exec setpriv --bounding-set=-all --inh-caps=-all"
    script = f"echo 0 > /proc/sys/user/max_user_namespaces && {drop} sh -c {command!r}"
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", script], capture_output=True, text=True)
    if "setpriv" in done.stderr or "unshare" in done.stderr:
        pytest.skip(f"cannot take user namespaces away here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    assert "level 2" in done.stderr.replace("\n", " ")


@pytest.mark.slow
def test_a_zygote_that_dies_during_a_call_costs_no_point(classroom, monkeypatch):
    from lsedu.grading import running

    whole, killed, asked = running.Runner.call, [], []

    def sabotage(self, child, question, item, room):
        asked.append(item.name)
        if not killed and asked.count("a table") == 2:  # secret, and the question's last
            killed.append(self.zygote.process.pid)
            os.kill(self.zygote.process.pid, signal.SIGKILL)
            self.zygote.process.wait()
            poll = select.poll()
            poll.register(child.watch, select.POLLIN)
            poll.poll(10_000)  # the child ends with its zygote
        return whole(self, child, question, item, room)

    monkeypatch.setattr(running.Runner, "call", sabotage)
    outcome = classroom([case for case in hostile.SUITE if case.name == "right"])
    assert outcome.lines["right"]["total"] == 9


@pytest.mark.slow
def test_a_dead_zygote_is_replaced(classroom, monkeypatch):
    from lsedu.grading import submission

    whole, killed = submission._questions, []

    def sabotage(marks, answers, pool, *rest):
        if not killed:
            killed.append(pool.zygote.process.pid)
            os.kill(pool.zygote.process.pid, signal.SIGKILL)
            pool.zygote.process.wait()
        return whole(marks, answers, pool, *rest)

    monkeypatch.setattr(submission, "_questions", sabotage)
    outcome = classroom([case for case in hostile.SUITE if case.name in ("right", "stub")], jobs=1)
    assert outcome.lines["right"]["total"] == 9
    assert any("started again" in flag for line in outcome.lines.values() for flag in line["flags"])
