"""Feedback pages and safe copies: what a student wrote reaches a browser as text only."""

import html
import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lsedu.authoring.lab import Lab
from lsedu.grading.notebooks import Notebook
from lsedu.grading.results import printable
from lsedu.grading.row import Row

_TAGS = {"p", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "h1", "h2", "h3", "h4", "br", "hr"}
_TAGS |= {"table", "thead", "tbody", "tr", "th", "td", "del", "sub", "sup"}
_LONGEST = 20_000
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;"
    "color:#1a1a1a;background:#fff}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #bbb;"
    "vertical-align:top}td.n{white-space:nowrap}blockquote,pre{background:#f2f2f2;padding:.5rem;overflow:auto}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#181818}blockquote,pre{background:#2a2a2a}}"
)


def markdown(text: str) -> str:
    r"""Return HTML for a student's Markdown: no raw HTML, no links, no images, no scripts.

    Examples
    --------
    >>> markdown("**a** <script>alert(1)</script>")
    '<p><strong>a</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>\n'
    """
    import nh3
    from markdown_it import MarkdownIt

    rendered = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": 20}).render(text[:_LONGEST])
    cut = "<p>(The rest is in the copy of the notebook beside this page.)</p>" if len(text) > _LONGEST else ""
    return nh3.clean(rendered, tags=_TAGS, attributes={}, link_rel=None) + cut


def page(
    lab: Lab, row: Row, written: Mapping[str, str], near: Mapping[str, tuple[str, str]] = MappingProxyType({})
) -> str:
    """Return a student's feedback as one HTML page, made from titles and messages alone.

    Parameters
    ----------
    lab
        The lab.
    row
        The student's row of `results.jsonl`.
    written
        The student's text answers by question.
    near
        Text that was found elsewhere than in the answer's cell: by question where, and the text.
    """
    shown = []
    for question in lab.questions:
        points = row.points.get(question.id)
        if points is None:
            got, said = f"– / {question.points:g}", "graded by hand"
            if written.get(question.id):
                said += f"<blockquote>{markdown(written[question.id])}</blockquote>"
            if question.id in near:
                where, text = near[question.id]
                said += f"<br>Text found {html.escape(where)}:<blockquote>{markdown(text)}</blockquote>"
            elif not written.get(question.id):
                said += "; no answer in words was found"
        else:
            got = f"{points:g} / {question.points:g}"
            reasons = row.reasons.get(question.id, [])
            right = "all that is asked of the file is met" if question.kind == "artefact" else "all cases right"
            said = "<br>".join(html.escape(printable(reason)) for reason in reasons) or right
            for note in row.notes.get(question.id, []):
                said += f"<br>Note: {html.escape(printable(note))}."
            if question.id in row.examples:
                seed = row.examples[question.id]
                file = html.escape(f"{printable(row.student)}.checks.json")
                said += f"<br>Your function fails alike on the public seed {seed}: see {file} beside this page."
        shown.append(f'<tr><td>{html.escape(question.title)}</td><td class="n">{got}</td><td>{said}</td></tr>')
    title = html.escape(lab.title)
    student = html.escape(printable(row.student))
    note = f"<p>{html.escape(row.reason)}</p>" if row.reason else ""
    automatic = sum(question.points for question in lab.questions if question.kind != "manual")
    by_file = any(question.kind == "artefact" for question in lab.questions)
    how = "by running your code and reading the files you handed in" if by_file else "by running your code"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" '
        f'content="{_POLICY}"><meta name="viewport" content="width=device-width"><title>{title}: {student}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1><p>{student}: <strong>{row.total:g}</strong> of "
        f"{automatic:g} points that are given {how}.</p>{note}\n<table><thead><tr><th>Question</th>"
        f"<th>Points</th><th>Why</th></tr></thead><tbody>\n" + "\n".join(shown) + "\n</tbody></table>\n"
        "<p>Your functions were called on inputs drawn for this class. The checks in your notebook show the kinds of "
        "cases; the numbers differ.</p></body></html>\n"
    )


def safe_copy(notebook: Notebook) -> str:
    r"""Return a notebook that is safe to open: code as it was, text as the source it was written in, nothing else.

    Examples
    --------
    >>> from lsedu.grading.notebooks import Item
    >>> json.loads(safe_copy(Notebook((Item("markdown", "*one*"),))))["cells"][0]["source"]
    '```text\n*one*\n```'
    """
    cells: list[dict[str, Any]] = []
    for item in notebook.items:
        kind = "code" if item.kind == "code" else "markdown"
        text = item.text if kind == "code" else fenced(item.text)
        cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": text}
        if item.grade_id:
            cell["metadata"]["grade_id"] = re.sub(r"[^\w.-]", "_", item.grade_id)[:80]
        if kind == "code":
            cell |= {"outputs": [], "execution_count": None}
        cells.append(cell)
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(content, ensure_ascii=True) + "\n"  # on one line, which is written ten times as fast


def fenced(text: str) -> str:
    r"""Return Markdown that shows `text` as it was written: in a block of code, where nothing has a meaning.

    Its fence is longer than any run of backticks inside, so nothing inside can close it.

    Examples
    --------
    >>> fenced("a ``` b")
    '````text\na ``` b\n````'
    """
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}"
