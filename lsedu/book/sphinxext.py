"""Sphinx extension of the book: moving figures, quizzes, and no thebe.

``{moving-figure} NAME`` places the figure of ``_static/figures/NAME.js``; its content is the caption, ``:alt:`` what
its static picture shows; with ``:asks: no`` its question is left to another page. ``{quiz}`` takes a YAML list of
questions, each answer with the reason why it is right or not.
``{prediction-score}`` has lines ``NAME PAGE KEY TITLE``, put in when the page is staged: each figure whose prediction
counts, the page that it is on, and the row of the ledger that goes with it.
All work without scripts: the figure as a picture, the quiz as disclosures, the score as a list of the pages.
"""

from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from pybtex import plugin
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from lsedu import _write
from lsedu.book import claims, placing
from lsedu.book.dark import in_both_shades
from lsedu.experiments.record import book_dir


def _raw(html: str) -> nodes.raw:
    return nodes.raw("", html, format="html")


def _scripts(env: BuildEnvironment, *names: str) -> str:
    """Return the tags that load scripts of the figures after the page, each once on it.

    They are plain scripts: opened as a file, a page may load no module.
    """
    loaded = env.temp_data.setdefault("lsedu-scripts", set())
    fresh = [name for name in names if name not in loaded]
    loaded.update(fresh)
    folder = "../" * env.docname.count("/") + "_static/figures"
    return "".join(f'<script defer src="{folder}/{name}.js"></script>' for name in fresh)


class MovingFigure(SphinxDirective):
    """Place a moving figure with its static picture."""

    required_arguments = 1
    has_content = True
    option_spec = dict.fromkeys(("alt", "asks"), directives.unchanged_required)

    def run(self) -> list[nodes.Node]:
        """Return the figure's nodes."""
        name = self.arguments[0]
        if not self.options.get("alt"):
            raise self.error(f"moving figure {name!r} needs :alt:, what its picture shows")
        try:
            asks = "yes" if placing.asks(self.options) else "no"
        except ValueError as error:
            raise self.error(str(error)) from error
        static = "../" * self.env.docname.count("/") + f"_static/figures/{name}"
        start = (
            f'<figure class="moving-figure" data-figure="{escape(name)}" data-asks="{asks}">'
            f'<img class="moving-figure-static" src="{static}.svg" alt="{escape(self.options["alt"], quote=True)}">'
        )
        caption = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, caption)
        script = _scripts(self.env, "base", "layout", "controls", "question", "frame")
        if caption.children:
            return [_raw(start + "<figcaption>"), *caption.children, _raw("</figcaption></figure>" + script)]
        return [_raw(start + "</figure>" + script)]


class PredictionScore(SphinxDirective):
    """Show what the reader has sealed on the pages of the book, beside the answers and the ledger's verdicts."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the section that the script fills."""
        up = "../" * self.env.docname.count("/")
        source = Path(self.env.srcdir)
        rows = {claim.key: claim for claim in claims.load(source)}
        items = []
        for path in claims.files(source):
            self.env.note_dependency(str(path))
        for line in filter(None, map(str.strip, self.content)):
            name, page, key, *title = [*line.split(maxsplit=3), "", ""]
            if page not in self.env.found_docs or key not in rows or not title[0]:
                raise self.error(
                    "each line needs the name of a figure, its page, the key of a row of the ledger and the page's "
                    f"title, got {line!r}"
                )
            claim = rows[key]
            if claim.record:  # the verdict is the record's: read it again when that changes
                self.env.note_dependency(str(book_dir() / "records" / f"{claim.record}.json"))
            items.append(
                f'<li data-figure="{escape(name)}" data-claim="{escape(claim.text)}" '
                f'data-verdict="{escape(claim.verdict)}" data-ledger="{up}appendix/ledger.html">'
                f'<a href="{up}{page}.html">{escape(title[0])}</a></li>'
            )
        plain = (
            "Your predictions are kept by your browser and read by a small script. With scripts off there is nothing "
            "to show here; these pages ask for a prediction:"
        )
        script = _scripts(self.env, "base", "score")
        section = '<section class="prediction-score" aria-label="Your score">'
        return [_raw(f"{section}<p>{plain}</p><ul>{''.join(items)}</ul></section>{script}")]


class Quiz(SphinxDirective):
    """A quiz whose every answer is explained when it is opened."""

    has_content = True

    def _parse(self, text: str) -> list[nodes.Node]:
        box = nodes.container()
        self.state.nested_parse(StringList(str(text).splitlines(), "quiz"), self.content_offset, box)
        return list(box.children)

    def _inline(self, text: str) -> list[nodes.Node]:
        return [child for node in self._parse(text) for child in (node.children or [node])]

    def run(self) -> list[nodes.Node]:
        """Return the quiz's nodes."""
        try:
            questions = yaml.safe_load("\n".join(self.content))
        except yaml.YAMLError as error:
            raise self.error(f"the quiz is not YAML: {error}") from error
        out: list[nodes.Node] = [_raw('<section class="quiz" aria-label="Quiz"><ol class="quiz-questions">')]
        for question in questions:
            self._check(question)
            out += [_raw('<li class="quiz-question"><div class="quiz-text">'), *self._parse(question["question"])]
            out.append(_raw("</div>"))
            for letter, answer in zip("ABCDEFGH", question["answers"]):
                right = bool(answer.get("correct", False))
                kind = "right" if right else "wrong"
                out.append(_raw(f'<details class="quiz-answer" data-correct="{str(right).lower()}"><summary>'))
                # The letter names the answer to a screen reader where the rest is a formula.
                out.append(_raw(f'<span class="quiz-letter">{letter}.</span> '))
                out.append(nodes.inline("", "", *self._inline(answer["text"])))
                out.append(_raw(f'</summary><div class="quiz-why quiz-{kind}">'))
                out.append(_raw(f'<p class="quiz-verdict">{"Right." if right else "Not so."}</p>'))
                out += self._parse(answer["why"])
                out.append(_raw("</div></details>"))
            out.append(_raw("</li>"))
        return [*out, _raw("</ol></section>")]

    def _check(self, question: Any) -> None:
        if not isinstance(question, dict) or not {"question", "answers"} <= question.keys():
            raise self.error(f"each question of a quiz needs `question` and `answers`, got {question!r}")
        answers = question["answers"]
        for answer in answers:
            if not {"text", "why"} <= answer.keys():
                raise self.error(f"each answer of a quiz needs `text` and `why`, got {answer!r}")
        if sum(bool(answer.get("correct", False)) for answer in answers) != 1:
            raise self.error(f"exactly one answer must be correct: {question['question']!r}")


FIRST = "first.js"
PUZZLE = "Show the answer"
"""The prompt of a cell that answers a page's puzzle."""


def tidy_scripts(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """Take off the page the scripts it must not load by itself, and put first the one that all others build on.

    Thebe is unused here, and declares a constant twice, an error on each page. jupyter-book adds every script below
    ``_static``, but those of the figures are loaded by a page with a figure, plotly.js when first needed, and the one
    for what a browser may forbid before the theme's own first script.
    """

    def unwanted(script: Any) -> bool:
        body = (getattr(script, "attributes", {}) or {}).get("body", "") or ""
        name = str(getattr(script, "filename", script))
        return "thebe" in f"{name}{body}".lower() or "plotly" in name or "figures/" in name or name.endswith(FIRST)

    for key in ("script_files", "css_files"):
        context[key] = [item for item in context.get(key, []) if not unwanted(item)]
    first = f'<script src="{context["pathto"](f"_static/{FIRST}", resource=True)}"></script>'
    context["metatags"] = f"{context.get('metatags', '')}\n{first}"
    if PUZZLE in context.get("body", ""):
        folder = context["pathto"]("_static/figures", resource=True)
        context["body"] += "".join(f'<script defer src="{folder}/{name}.js"></script>' for name in ("base", "puzzle"))


UNNAMED = {
    '<summary><span class="toctree-toggle"': '<summary aria-label="Pages of this part"><span class="toctree-toggle"',
    '<div role="list" class="citation-list">': '<div class="citation-list">',
}
"""What the theme and docutils write that a screen reader cannot use, and what is written instead."""


def mend_pages(app: Sphinx, exception: Exception | None) -> None:
    """Mend the finished pages: what theme and docutils leave unnamed, and drawings that are light in the dark."""
    if exception is not None or app.builder.format != "html":
        return
    for path in app.outdir.rglob("*.html"):
        text = mended = path.read_text(encoding="utf-8")
        for old, new in UNNAMED.items():
            mended = mended.replace(old, new)
        mended = in_both_shades(mended, path.parent)
        if mended != text:
            _write.write(path, mended.encode())


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_directive("moving-figure", MovingFigure)
    app.add_directive("prediction-score", PredictionScore)
    app.add_directive("quiz", Quiz)
    app.connect("html-page-context", tidy_scripts, priority=999)
    app.connect("build-finished", mend_pages)
    # for each citation pybtex looks through what all packages offer, which stays as it is while a book is built
    plugin.entry_points = cache(plugin.entry_points)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
