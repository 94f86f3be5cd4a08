"""The claims: data beside their chapters, refused where they point at nothing; ledger and score follow from them."""

import re

import nbformat
import pytest
import yaml

from lsedu import experiments
from lsedu.book import claims, stage
from lsedu.book.pages import Book, BookError
from lsedu.experiments import Verdict

EXACT = {"key": "sum", "text": "It sums to 1.", "source": "textbook", "anchor": "why-sum", "finding": "exact"}
SHOWN = {
    "key": "lower", "text": "It is lower.", "source": "them", "anchor": "how-sure", "record": "smoothing",
    "contrast": "ece-0.05",
}  # fmt: skip


@pytest.fixture
def write(tmp_path):
    """Write the claims of parts into a folder that is like the book's, and return it."""

    def written(**parts):
        contents = "".join(f"  - file: {part}/page\n" for part in parts)
        (tmp_path / "_toc.yml").write_text(f"root: index\nchapters:\n{contents}")
        for part, rows in parts.items():
            (tmp_path / part).mkdir(exist_ok=True)
            text = rows if isinstance(rows, str) else yaml.safe_dump(rows)
            (tmp_path / part / "claims.yml").write_text(text)
        return tmp_path

    return written


def test_a_bar_in_a_claim_does_not_end_its_cell(write):
    (claim,) = claims.load(write(first=[{**EXACT, "text": "Words are rows p(y|x)."}]), anchors={"why-sum"})
    assert claim.cell == r"Words are rows p(y\|x)."


def test_verdict_and_effect_are_the_records(write):
    sums, lower = claims.load(write(second=[EXACT], first=[SHOWN]), anchors={"why-sum", "how-sure"})
    record = experiments.load_record("smoothing")
    assert (sums.verdict, sums.effect) == ("exact", None)
    assert lower.verdict == record.contrasts["ece-0.05"]["verdict"]
    assert lower.effect.mean == record.contrasts["ece-0.05"]["interval"]["mean"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{**SHOWN, "record": "smoothin"}], r"part/claims.yml, claim 'lower': there is no record 'smoothin'"),
        ([{**SHOWN, "contrast": "ece-0.5"}], r"record smoothing has no contrast 'ece-0.5'; there are .*ece-0.1"),
        ([{**EXACT, "anchor": "why"}], r"claim 'sum': no page has the label 'why'"),
        ([EXACT, EXACT], r"claim 'sum': another claim has this key"),
        ([{**EXACT, "found": "yes"}], r"claim 1 \(sum\): found is unknown; a claim has anchor, contrast, figure"),
        ([{key: EXACT[key] for key in EXACT if key != "source"}], r"claim 1 \(sum\): source is missing"),
        ([{**EXACT, "record": "smoothing"}], r"either `record` and `contrast`, or `finding`; got finding, record"),
        ([{**SHOWN, "contrast": 0.1}], r"contrast must be text \(in quotes where it looks like a number\), got 0.1"),
        ([{**EXACT, "finding": "proved"}], r"finding must be one of exact, not yet run, got 'proved'"),
        (["a claim"], r"part/claims.yml, claim 1 must hold names and values, got 'a claim'"),
        ({"sum": EXACT}, r"part/claims.yml must be a list of claims, got dict"),
        ("- key: [", r"part/claims.yml is not YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_claim_is_said(write, rows, message):
    with pytest.raises(claims.ClaimError, match=message):
        claims.load(write(part=rows), anchors={"why-sum", "how-sure"})


def test_the_claims_of_the_book_hold(root):
    book = Book(root)
    found, labels = book.claims(), book.labels()
    assert len(found) >= 55 and all(re.fullmatch(r"[a-z0-9][a-z0-9.-]*", claim.key) for claim in found)
    assert all(len(labels[claim.anchor]) == 1 for claim in found)
    assert {part.parent.name for part in claims.files(book.source)} == {"principles", "bottleneck", "learnable"}


def test_the_score_names_each_figure_its_chapter_and_its_claim(root):
    book = Book(root)
    text = stage.scored((root / "book" / "principles" / "score.md").read_text(encoding="utf-8"), book)
    (lines,) = re.findall(r"```\{prediction-score\}\n(.*?)```", text, re.S)
    rows = {line.split()[0]: line for line in lines.splitlines()}
    assert rows["temperature"] == "temperature principles/overconfidence temperature-mlp Overconfidence"
    assert rows["seeds"] == "seeds principles/measuring accuracy-0.1 How to measure"
    assert rows.keys() == book.asked().keys() and {line.split()[1] for line in rows.values()} <= set(book.notebooks())


def test_a_figure_without_a_claim_and_a_claim_without_a_figure_are_named(toy):
    (toy.source / "part").mkdir()
    (toy.source / "part" / "claims.yml").write_text(yaml.safe_dump([{**EXACT, "figure": "tea"}]))
    page = toy.source / "part" / "page.md"
    (toy.source / "page.md").rename(page)
    toc = toy.source / "_toc.yml"
    toc.write_text(re.sub(r"\bpage\b", "part/page", toc.read_text()))
    page.write_text(page.read_text() + "\n(why-sum)=\n## Why\n")
    with pytest.raises(BookError, match="names the figure 'tea', which no page places"):
        toy.claims()
    (toy.source / "part" / "claims.yml").write_text(yaml.safe_dump([EXACT]))
    page.write_text(page.read_text() + "\n```{moving-figure} tea\n:alt: A cup.\n```\n")
    with pytest.raises(BookError, match=r"figure 'tea' must go with one claim .* it goes with 0"):
        toy.claims()


TEA = {**EXACT, "figure": "tea"}


@pytest.mark.parametrize(
    ("first", "second", "claim", "message"),
    [
        ("", ":asks: no\n", TEA, None),
        (":asks: no\n", "", TEA, None),  # whether a page asks does not depend on where it lies
        (":asks: no\n", ":asks: no\n", EXACT, None),
        ("", "", TEA, "'tea' asks on two pages, index and part/page: where it is not to ask, .*`:asks: no`"),
        (":asks: no\n", ":asks: no\n", TEA, "'tea', which asks on no page"),
        (":asks: maybe\n", "", TEA, r"book/index.md: `:asks:` of a moving figure is yes or no, got 'maybe'"),
    ],
)  # fmt: skip
def test_a_figure_asks_where_its_page_says_so_and_nowhere_else(toy, first, second, claim, message):
    (toy.source / "part").mkdir()
    (toy.source / "page.md").rename(toy.source / "part" / "page.md")
    toc = toy.source / "_toc.yml"
    toc.write_text(re.sub(r"\bpage\b", "part/page", toc.read_text()))
    head = (toy.source / "part" / "page.md").read_text() + "\n(why-sum)=\n## Why\n"
    for page, option in (("index", first), ("part/page", second)):
        label = head if page != "index" else head.replace("(why-sum)=", "")
        (toy.source / f"{page}.md").write_text(
            f"{label}\n```{{moving-figure}} tea\n{option}:alt: A cup.\n\nTea.\n```\n"
        )
    (toy.source / "part" / "claims.yml").write_text(yaml.safe_dump([claim]))
    if message:
        with pytest.raises(BookError, match=message):
            toy.claims()
        return
    toy.claims()
    asked = [page for page, option in (("index", first), ("part/page", second)) if not option]
    assert toy.asked() == ({"tea": asked[0]} if asked else {})
    empty = "```{prediction-score}\n```"
    lines = [f"tea {page} sum A page\n" for page in asked]
    assert stage.scored(empty, toy) == "```{prediction-score}\n" + "".join(lines) + "```"


def test_a_page_asks_one_question(toy):
    page = toy.source / "page.md"
    figures = "".join(f"\n```{{moving-figure}} {name}\n:alt: A cup.\n```\n" for name in ("tea", "milk"))
    page.write_text(page.read_text() + figures)
    with pytest.raises(BookError, match=r"book/page\.md asks two questions, of 'tea' and of 'milk'"):
        toy.asked()


TABLE_CELL = re.compile(r"\*\*([^*]+)\*\*")


def test_pages_and_glossary_use_these_words_and_no_others(root):
    words = {str(verdict) for verdict in Verdict}
    seen = set()
    for path in (root / "tests" / "book" / "expected").rglob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", ()):
                lines = str(output.get("data", {}).get("text/markdown", "")).splitlines()
                heads = [i for i, line in enumerate(lines) if re.search(r"\| *verdict *\|", line)]
                for head in heads:
                    column = [part.strip() for part in lines[head].strip("| ").split("|")].index("verdict")
                    for line in lines[head + 2 :]:
                        if not line.startswith("|"):
                            break
                        (word,) = TABLE_CELL.findall([part for part in line.strip("| ").split(" | ")][column])
                        seen.add(word)
    assert {"shown", "negligible", "inconclusive"} <= seen <= words
    retired = re.compile(r"not shown|not reproduced|confirmed|disproved|contradicted|not supported", re.IGNORECASE)
    for path in (root / "book").rglob("*.md"):
        assert not retired.search(path.read_text(encoding="utf-8")), path.name
    glossary = " ".join((root / "book" / "appendix" / "glossary.md").read_text(encoding="utf-8").split())
    for verdict in Verdict:
        assert f"*{verdict}*, {verdict.meaning}" in glossary
    assert experiments.rule().count("\n- **") == len(Verdict) - 1
