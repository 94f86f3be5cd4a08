"""What pages read of cards is what was measured on them, to the digit, and made anew by one command."""

import json
import os
import re
import statistics
import subprocess

import pytest

from lsedu import experiments


@pytest.fixture
def cards(load):
    return load("cards")


def test_the_file_is_what_the_results_make(cards):
    path = experiments.records_dir().parent / "cards.json"
    assert path.read_text(encoding="utf-8") == cards.written(cards.gathered()), "run python benchmarks/cards.py"


def test_windows_give_the_ratios_that_were_measured(load, cards):
    paired = load("_bench").paired
    for card in experiments.load_cards().values():
        ways = {}
        for path in sorted((cards.HERE / "results" / card.folder).glob("speed*.json")):
            found = json.loads(path.read_text())
            ways |= {path.stem.removeprefix("speed_"): found} if "rows" in found else found
        for way, window in card.windows.items():
            rows = {row["name"]: row for row in ways[way]["rows"]}
            named = {new: rows[old] for old, new in cards.CONTENDERS.items()}
            assert window["seconds"].keys() == named.keys()
            for a, b in (("LS", "by hand, LS"), ("LLS", "LS")):
                ratios = paired(window["seconds"][a], window["seconds"][b])
                assert ratios == pytest.approx([named[a][key] for key in ("ratio", "low", "high")], abs=1e-5)
            images = window["batch"] * window["steps"]
            for name, row in named.items():
                fastest = images / statistics.median_high(window["seconds"][name])
                assert fastest == pytest.approx(row["images_per_second"], rel=1e-5)


def test_runs_are_those_of_the_records(cards):
    """A record that was made of kept runs has the seconds of each seed."""
    record = experiments.load_record("comparison_fast")
    together = {}
    for card in experiments.load_cards().values():
        for seed, _, seconds in card.runs["comparison_fast"]:
            together[seed] = together.get(seed, 0.0) + seconds
    for seed, seconds in record.provenance["seconds"].items():
        assert together[int(seed)] == pytest.approx(seconds, abs=0.1)


def test_a_file_that_is_not_there_says_how_to_make_it(tmp_path):
    with pytest.raises(experiments.RecordError, match=r"benchmarks/cards\.py"):
        experiments.load_cards(tmp_path / "cards.json")


def test_a_card_without_speed_or_runs_is_a_card(cards, tmp_path):
    folder = tmp_path / "results" / "new"
    folder.mkdir(parents=True)
    made_by = {"origin": {"device": "New", "versions": {"torch": "3"}, "revision": "r"}}
    (folder / "ceilings.json").write_text(
        json.dumps({"tflops_bfloat16": 1.0, "copy_terabytes_per_second": 2.0} | made_by)
    )
    (folder / "correctness.json").write_text(json.dumps({"checks": 3, "failed": [{"name": "a"}]} | made_by))
    out = tmp_path / "cards.json"
    out.write_text(cards.written(cards.gathered(tmp_path)))
    card = experiments.load_cards(out)["New"]
    assert (card.checks, card.failed, card.windows, card.runs) == (3, 1, {}, {})
    assert card.revisions == {"ceilings": "r", "correctness": "r"}


def test_the_commands_that_readers_are_told_are_taken(load, monkeypatch):
    pack, taken = load("gpu_pack"), []
    monkeypatch.setattr(pack, "run", taken.append)
    root = experiments.records_dir().parents[1]
    texts = [root / "README.md", root / "book/appendix/status.md", root / "book/learnable/card.md"]
    told = [words for text in texts for words in re.findall(r"gpu_pack\.py ([^`]+)`", text.read_text(encoding="utf-8"))]
    assert told
    for words in told:
        pack.main(words.split())
    assert all(set(options.items) <= {*pack.cards(), *pack.studies()} for options in taken)


def test_the_batch_script_of_the_page_runs_and_asks_to_be_queued_again(tmp_path):
    """With stand-ins: `lsedu` that notes its words and computes on, `scontrol` that ends it, as Slurm would."""
    page = experiments.records_dir().parents[1] / "book/learnable/card.md"
    (script,) = re.findall(r"^```bash\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    stands = {
        "lsedu": 'echo "$@" >$HOME/words; echo $$ >$HOME/started; kill -USR1 $PPID; mkfifo $HOME/_; read <$HOME/_',
        "scontrol": 'echo "$@" >$HOME/queued; kill "$(cat $HOME/started)"',
    }
    for name, does in stands.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{does}\n")
        (tmp_path / name).chmod(0o755)
    given = {"HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    slurm = {"SLURM_JOB_ID": "77", "SLURM_ARRAY_TASK_ID": "101"}
    subprocess.run(["bash", "-c", script], env=given | slurm, timeout=20)
    words = (tmp_path / "words").read_text().split()
    assert (tmp_path / "queued").read_text().split() == ["requeue", "77"]
    options = dict(zip(words[2::2], words[3::2]))
    assert words[:2] == ["run", "comparison"] and options["--seeds"] == "101-101"
    study = experiments.get(words[1])
    assert 101 in study.seeds[options["--profile"]]
    array = re.search(r"--array=(\d+)-(\d+)", script)
    assert set(range(int(array[1]), int(array[2]) + 1)) == set(study.seeds["gpu"])
