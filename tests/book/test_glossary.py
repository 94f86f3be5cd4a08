"""A word of the part on the bottleneck leads to the glossary on each page that uses it."""

import re

import pytest

from lsedu.book.pages import Book

WORDS = (
    "bottleneck curve", "confidence penalty", "contradicting labels", "entropy", "information plane",
    "Jensen's inequality", "minimal sufficient", "mutual information", "nuisance", "redundant factor", "sufficient",
    "variational bottleneck",
)  # fmt: skip
OTHER = re.compile(r"^(`{3,}|:::).*?^\1$|\$[^$]*\$|\[[^\]]*\]\([^)]*\)|^#.*?$", re.DOTALL | re.MULTILINE)
ROLE = re.compile(r"\{term\}`(?:[^`<]*<)?([^`>]*)>?`")


@pytest.fixture(scope="module")
def source(request):
    return Book(request.config.rootpath).source


@pytest.mark.parametrize("word", WORDS)
def test_a_word_leads_to_the_glossary_on_each_page_whose_text_has_it(source, word):
    assert re.search(rf"^{word}$", (source / "appendix" / "glossary.md").read_text("utf-8"), re.MULTILINE)
    told, linked = set(), set()
    for path in source.glob("bottleneck/*.md"):
        text = path.read_text("utf-8").partition("\n---\n")[2]
        if re.search(rf"(?<![-\w]){word}\b", re.sub(r"\s+", " ", OTHER.sub("", text)), re.IGNORECASE):
            told.add(path.stem)
        if word in (re.sub(r"\s+", " ", role) for role in ROLE.findall(text)):
            linked.add(path.stem)
    assert linked and told <= linked, f"{told - linked} use {word!r} and do not link it"
