"""Every key by which a page, a docstring, an experiment or a data set cites a work has its entry."""

import re

CITED = re.compile(r"(?:\{cite:\w+\}|:cite:\w+:)`([^`]+)`")
NAMED = re.compile(r"\b[a-z]{3,}(?:19|20)\d{2}[a-z]*\b")  # a key in plain text: name and year


def test_every_key_in_use_has_one_entry(root):
    keys = re.findall(r"^@\w+\{([^,]+),", (root / "book" / "references.bib").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(keys) == len(set(keys))
    used = {}
    for folder in ("book", "lsedu", "solutions", "benchmarks"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".md", ".py"):
                text = path.read_text(encoding="utf-8")
                cited = [key.strip() for group in CITED.findall(text) for key in group.split(",")]
                for key in [*cited, *NAMED.findall(text)]:
                    used.setdefault(key, path.relative_to(root).as_posix())
    assert len(used) > 40
    assert {key: path for key, path in used.items() if key not in keys} == {}
