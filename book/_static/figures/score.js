/*
The reader's sealed predictions beside the answers and the ledger's verdicts. Question, answer and points come from each
figure's own script, the data from the figure's own file, claim and verdict from the ledger's rows: nothing is typed
here a second time. A page holds

  <section class="prediction-score"><ul><li data-figure="NAME" data-claim="..." data-verdict="..."
  data-ledger="URL of the ledger"><a href="...">page</a></li>

and loads base.js and this file; without scripts the list of pages stays as it is.
*/
(() => {
  "use strict";
  const { make, admit, kept } = lsedu;

  /** A guess or an answer in the words of its question. */
  function words(question, value) {
    if (question.control) return question.control.format(value);
    return question.choices.find(([key]) => key === value)?.[1] ?? String(value);
  }

  /** One row of the score: the question, what was said, what is so, and points from 0 to 2. */
  function grade(question, stored, data) {
    const guess = admit(question.control ?? question, stored);
    if (guess === undefined) return { guess };
    const answer = question.answer(data);
    const points = question.points ? question.points(guess, data) : 2 * Number(guess === answer);
    return { guess, answer, points, said: words(question, guess), right: words(question, answer) };
  }

  async function load(item) {
    const link = item.querySelector("a");
    const { figure: name, claim, verdict, ledger } = item.dataset;
    return { name, claim, verdict, ledger, ...await lsedu.load(name), href: link.href, page: link.textContent };
  }

  const COLUMNS = ["Question", "You said", "The answer", "Points", "In the ledger", "Where"];

  function table(rows) {
    const cell = (column, content, attributes = {}) => make("td", { "data-label": COLUMNS[column], ...attributes }, content);
    const points = (row) => (row.points === undefined ? "\u2013" : `${row.points} of 2`);
    // A verdict would give the answer away.
    const ledger = (row) => (row.guess === undefined ? make("span", { text: "sealed" })
      : make("span", {}, `${row.claim} `, make("a", { href: row.ledger }, make("strong", { text: row.verdict }))));
    return make("table", { class: "table" },
      make("thead", {}, make("tr", {}, ...COLUMNS.map((text) => make("th", { scope: "col", text })))),
      make("tbody", {}, ...rows.map((row) => make("tr", { "data-figure": row.name },
        make("td", { text: row.spec.question.text }), cell(1, row.said ?? "not sealed yet"), cell(2, row.right ?? "sealed"),
        cell(3, points(row), { "data-points": row.points }), cell(4, ledger(row), { class: "prediction-score-ledger" }),
        cell(5, make("a", { href: row.href, text: row.page }))))));
  }

  class Score {
    constructor(root, figures) {
      Object.assign(this, { root, figures });
      this.status = make("p", { class: "prediction-score-sum", role: "status", tabindex: "-1" });
      this.body = make("div", {});
      this.forget = make("button", { type: "button", text: "Forget my predictions", click: () => this.clear() });
      root.replaceChildren(this.status, this.body, this.forget);
      this.show();
    }

    show() {
      if (!kept.lasts()) {
        this.say("Your browser does not let this page keep anything, so no prediction could be sealed.");
        this.body.replaceChildren();
        this.forget.hidden = true;
        return;
      }
      const rows = this.figures.map((figure) => ({ ...figure, ...grade(figure.spec.question, kept.read(figure.name), figure.data) }));
      const sealed = rows.filter(({ guess }) => guess !== undefined);
      this.forget.hidden = sealed.length === 0;
      const sum = sealed.reduce((total, { points }) => total + points, 0);
      this.say(sealed.length === 0
        ? `You have sealed no prediction yet. There are ${rows.length} to make, each on the page that the table links.`
        : `You have sealed ${sealed.length} of ${rows.length} predictions and earned ${sum} of ${2 * sealed.length} points.`);
      const guesses = Object.values(kept.puzzles());
      if (guesses.length) this.forget.hidden = false;
      this.body.replaceChildren(table(rows), ...(guesses.length ? [make("h2", { text: "Guesses at the puzzles" }),
        make("ul", { class: "puzzle-guesses" }, ...guesses.map(({ guess, title, href }) => make("li", {},
          make("a", { href: new URL(`../${href}`, location.href).href, text: title }), `: ${guess}`)))] : []));
    }

    say(text) { this.status.textContent = text; }

    clear() {
      for (const { name } of this.figures) kept.forget(name);
      kept.forgetPuzzles();
      this.show();
      this.say(`Forgotten. ${this.status.textContent}`);
      this.status.focus();
    }
  }

  for (const root of document.querySelectorAll(".prediction-score")) {
    Promise.all([...root.querySelectorAll("li[data-figure]")].map(load))
      .then((figures) => new Score(root, figures))
      .catch((error) => root.prepend(make("p", { role: "status", text: `Your score cannot be shown (${error.message}).` })));
  }
})();
