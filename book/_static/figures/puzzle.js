/*
A page's puzzle: a line for the reader's guess above the folded answer. The guess is kept by the browser and stands
beside the answer once that is open; the score lists it. Without scripts the answer is a disclosure as it is.
*/
(() => {
  "use strict";
  const { make, kept } = lsedu;
  const PROMPT = "Show the answer";
  const name = document.documentElement.dataset.content_root === "./" ? "index"
    : location.pathname.split("/").slice(-2).join("/").replace(/\.html$/, "");

  for (const answer of document.querySelectorAll("details.hide")) {
    if (answer.querySelector("summary .collapsed")?.textContent !== PROMPT) continue;
    const input = make("input", { type: "text", id: "puzzle-guess", autocomplete: "off", maxlength: "200" });
    const said = make("p", { class: "puzzle-said", role: "status" });
    const show = () => {
      const guess = kept.puzzles()[name]?.guess;
      input.value = guess ?? "";
      said.hidden = guess === undefined;
      said.textContent = guess === undefined ? "" : `You guessed: ${guess}${kept.lasts() ? "" : " (kept for this page only)"}`;
    };
    const keep = (event) => {
      event.preventDefault();
      const guess = input.value.trim();
      if (guess) kept.puzzle(name, { guess, title: document.querySelector("h1").firstChild.textContent, href: `${name}.html` });
      answer.open = true;
      show();
    };
    answer.before(make("form", { class: "puzzle-guess", submit: keep },
      make("label", { for: "puzzle-guess", text: "Your guess, in a few words or numbers" }), input,
      make("button", { type: "submit", text: "Keep it and show the answer" })), said);
    show();
    break;
  }
})();
