"""The pages of what else is said of smoothing: one claim or two each, whole by itself, and joined to its neighbours."""

import re

import pytest

from lsedu.book.pages import Book

# What STYLE asks of a chapter's page, each with how often it stands there at least and at most.
PARTS = {
    "able": (r"^:::\{admonition\} You will be able to$", 1, 1),
    "puzzle": (r'code_prompt_show: "Show the answer"', 1, 1),
    "figure": (r"^    name: fig-", 1, 6),
    "moving figure": (r"^```\{moving-figure\} ", 0, 1),
    "misreading": (r"^:::\{admonition\} Common misreading$", 1, 1),
    "question": (r"^- question: ", 1, 2),
    "take-away": (r"^## Take-away$", 1, 1),
    "how sure": (r"^## How sure are we\?$", 1, 1),
    "next": (r"^\*\*Next:\*\* ", 1, 1),
}
WORDS = 3500


@pytest.fixture(scope="module")
def book(request):
    return Book(request.config.rootpath)


def texts(book):
    """The text of each page of these claims, by page in the order of the contents, the page that opens them first."""
    of_claims = {page for label, (page, *_) in book.labels().items() if label == "said" or label.startswith("said-")}
    return {page: (book.source / f"{page}.md").read_text("utf-8") for page in book.pages() if page in of_claims}


def test_a_page_has_one_claim_or_two_and_all_that_a_chapter_has(book):
    pages, claims, labels = texts(book), book.claims(), book.labels()
    assert len(pages) >= 9
    for page, text in pages.items():
        for part, (pattern, least, most) in PARTS.items():
            found = len(re.findall(pattern, text, re.MULTILINE))
            assert least <= found <= most, f"{page}: {part} stands there {found} times"
        assert len(text.split()) <= WORDS, page
        exercises, solutions = (
            re.findall(pattern, text, re.MULTILINE)
            for pattern in (r"^:label: (ex-[\w-]+)$", r"^`{3,}\{solution\} (ex-[\w-]+)$")
        )
        assert exercises == solutions and (exercises or page.endswith("/said")), page
        measured = {claim.anchor for claim in claims if labels[claim.anchor] == [page] and claim.record}
        assert len(measured) <= 1, f"{page}: the claims of {measured} are too much for a page"


def test_a_page_begins_with_the_page_before_and_ends_with_the_next(book):
    order, pages = book.pages(), texts(book)
    for page, text in pages.items():
        at = order.index(page)
        opening = text.partition("\n# ")[2].partition(":::{admonition}")[0]
        assert page.endswith("/said") or f"](../{order[at - 1]})" in opening, (
            f"{page} does not say what it goes on from"
        )
        assert f"](../{order[at + 1]})" in text[text.index("**Next:**") :], f"{page} does not say what comes next"
