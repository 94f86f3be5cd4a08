/*
The question of a moving figure, asked before its answer is shown:

  {text, control, answer(data) -> number, points(guess, data) -> 0 | 1 | 2, verdict(guess, data) -> string}
  {text, choices: [[value, text], ...], answer(data) -> value, verdict(guess, data) -> string}

with a control as in controls.js. The guess of a reader who does not want to predict is undefined.
*/
(() => {
  "use strict";
  const { control, make } = lsedu;

  /** Make the box of a question: it asks, and calls `seal` with the guess; once told the verdict, it shows that. */
  lsedu.question = (question, { name, seal }) => {
    let guess = question.control?.value;
    const button = make("button", { type: "button", text: "Seal my prediction", class: "moving-figure-seal",
      disabled: guess === undefined, click: () => seal(guess) });
    const skip = make("button", { type: "button", text: "Show without predicting", class: "moving-figure-skip",
      click: () => seal(undefined) });
    const choices = question.control
      ? [control(question.control, { id: `${name}-guess-${question.control.key}`, change: (value) => { guess = value; },
        now: () => guess }).element]
      : question.choices.map(([value, text]) => make("label", { class: "moving-figure-choice" },
        make("input", { type: "radio", name: `${name}-guess`, value,
          change: () => { guess = value; button.disabled = false; } }), make("span", { text })));
    const verdict = make("p", { class: "moving-figure-verdict", tabindex: "-1" });
    const ask = make("fieldset", { class: "moving-figure-ask" }, make("legend", { text: question.text }), ...choices,
      make("div", { class: "moving-figure-buttons" }, button, skip));
    const asked = make("div", { class: "moving-figure-asked" },
      make("p", { class: "moving-figure-question", text: question.text }), verdict);
    const open = (answered) => { ask.hidden = answered; asked.hidden = !answered; };
    return {
      element: make("div", { class: "moving-figure-prediction" },
        make("p", { class: "moving-figure-kicker", text: "Predict first" }), ask, asked),
      ask: () => open(false),
      answer(text, lasts) {
        verdict.textContent = lasts ? text
          : `${text} Your browser does not let this page keep anything: your prediction is forgotten when you leave it.`;
        open(true);
      },
      focus: () => ask.querySelector("input, select").focus({ preventScroll: true }),
      focusAnswer: () => verdict.focus({ preventScroll: true }),
    };
  };
})();
