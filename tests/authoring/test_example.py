"""The lab that the guide prints is a lab."""

import re
from pathlib import Path

from lsedu.authoring import load_lab
from lsedu.authoring.gate import examine
from lsedu.authoring.release import release

GUIDE = Path(__file__).parents[2] / "book/teach/writing-a-lab.md"


def test_the_example_of_the_guide_passes_the_gate(tmp_path, monkeypatch):
    monkeypatch.setattr("lsedu.authoring.gate.rehearse", lambda lab, *, solved, files: "")
    text = re.search(r"^`````markdown\n(.*?)^`````$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)[1]
    (tmp_path / "entropy.md").write_text(text.replace("answers: [lsedu.information]", "answers: [lsedu.calibration]"))
    assert [finding for finding in examine(tmp_path / "entropy.md", run=False) if not finding.passed] == []
    assert load_lab(tmp_path / "entropy.md").points == 3
    assert len(release(tmp_path / "entropy.md", out=tmp_path / "handout")) == 2
