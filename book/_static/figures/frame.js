/*
The frame of every moving figure: prediction first, labelled sliders, state in the URL, keyboard, data table, static
fallback, light and dark, print. It draws nothing by itself: a figure is one plain script beside this file, NAME.js, that
says lsedu.figure(NAME, () => spec), all of its own within that function. Its spec has

  title      string
  controls   [{key, label, min, max, step, value, scale: "linear" | "log", format(value) -> string}]
             or {key, label, steps: [value, ...], value, format} for a slider that stops at these values only
             or {key, label, choices: [[value, text], ...], value} for a choice among a few
             a linear slider with {button: text} has a button beside it that moves one step on, at the end to the start
  question   {text, control, answer(data) -> number, points(guess, data) -> 0 | 1 | 2, verdict(guess, data) -> string}
             or {text, choices: [[value, text], ...], answer(data) -> value, verdict(guess, data) -> string}
             or nothing: a figure without a question has nothing sealed
  compute    (parameters, data) -> result, pure: the same numbers as the library's function, to 1e-6
  readout    (result) -> [{key, label, value, text, sealed}]
  panels     (result, {parameters, data, theme, guess, revealed}) -> [{name, traces, layout, sealed, half}]
             a sealed panel or readout is shown only once the reader has predicted; on a narrow screen two halves share a
             row, layout.slim takes the place of the margins and layout.narrow that of the height; colours are
             theme.MEANING, of lsedu/plots/colours.py
  describe   (result, {parameters, data}) -> one sentence for those who listen
  table      (result, {parameters, data}) -> {columns: [...], rows: [[...], ...]}

A page holds <figure class="moving-figure" data-figure="NAME">, with a static picture inside it, and loads base.js,
layout.js and this file. It works from a server and from a file, and where the browser keeps nothing.
*/
(() => {
  "use strict";
  const { make, admit, kept, clamp, nearest, layout: { NARROW, baseLayout, fit, readTheme, slim } } = lsedu;

  /** A slider runs over the values, their logarithms, or the indices of the steps. */
  const toSlider = (control, value) => {
    if (control.steps) return nearest(control.steps, value);
    return control.scale === "log" ? Math.log10(value) : value;
  };
  const fromSlider = (control, value) => {
    if (control.steps) return control.steps[value];
    return clamp(control.scale === "log" ? 10 ** value : value, control.min, control.max);
  };

  class Frame {
    constructor(root, spec, data) {
      Object.assign(this, { root, spec, data, name: root.dataset.figure, parameters: {}, revealed: !spec.question });
      /** The first page does not ask what a chapter will: there the reader moves what is not sealed. */
      this.asks = Boolean(spec.question) && root.dataset.asks !== "no";
      this.guess = undefined;
      this.readState();
      this.build();
      this.update();
      new MutationObserver(() => this.draw()).observe(document.documentElement, {
        attributes: true, attributeFilter: ["data-theme", "data-mode"],
      });
      window.addEventListener("popstate", () => { this.readState(); this.showState(); this.update(); });
      // A picture that prints at the width of the screen would be cut at the edge of the paper.
      window.addEventListener("beforeprint", () => this.resize(640));
      window.addEventListener("afterprint", () => this.resize());
    }

    key(control) { return `${this.name}.${control.key}`; }

    /** Parameters from the URL; a link that carries some has been shared on purpose and opens revealed. */
    readState() {
      const query = new URLSearchParams(location.search);
      for (const control of this.spec.controls) {
        const value = admit(control, query.get(this.key(control)));
        this.linked ||= value !== undefined;
        this.parameters[control.key] = value ?? control.value;
      }
      const { question } = this.spec;
      this.guess = question && admit(question.control ?? question, kept.read(this.name));
      this.revealed ||= this.linked || this.guess !== undefined;
    }

    writeState() {
      const query = new URLSearchParams(location.search);
      for (const control of this.spec.controls) {
        const value = this.parameters[control.key];
        if (value === control.value) query.delete(this.key(control));
        else query.set(this.key(control), control.choices ? value : Number(value.toPrecision(6)));
      }
      const text = query.toString();
      const address = (text ? `?${text}` : location.pathname) + location.hash;
      try { history.replaceState(history.state, "", address); } catch { /* some browsers keep a file's address as it is */ }
    }

    build() {
      const { spec, name } = this;
      this.fallback = this.root.querySelectorAll(".moving-figure-static");
      this.panels = make("div", { class: "moving-figure-panels" });
      this.inputs = new Map();
      const controls = spec.controls.map((control) => this.control(control, (value) => this.set(control, value), true));
      this.controls = make("fieldset", { class: "moving-figure-controls" },
        make("legend", { text: "Move it" }), ...controls,
        make("button", { type: "button", text: "Start again", class: "moving-figure-reset", click: () => this.reset() }));
      this.readout = make("dl", { class: "moving-figure-readout simple" });
      this.live = make("p", { class: "moving-figure-live", role: "status", "aria-live": "polite" });
      this.tableBody = make("div", { class: "moving-figure-table" });
      this.table = make("details", { class: "moving-figure-data" }, make("summary", { text: "Data table" }), this.tableBody);
      this.frame = make("div", { class: "moving-figure-frame", role: "group", "aria-label": spec.title },
        spec.question ? this.questionBox() : "",
        // the pictures stay in view while the sliders right below them move, so what these change is read last
        make("div", { class: "moving-figure-moving" }, this.panels, this.controls),
        this.readout, this.live, this.table);
      this.frame.id = `moving-figure-${name}`;
      this.root.prepend(this.frame);
      this.reveal();
    }

    control(control, change, remember) {
      const id = `${this.name}-${remember ? "" : "guess-"}${control.key}`;
      if (control.choices) {
        const select = make("select", { id, change: () => change(admit(control, select.value)) },
          ...control.choices.map(([value, text]) => make("option", { value, text })));
        if (remember) this.inputs.set(control.key, (value) => { select.value = value; });
        select.value = control.value;
        return make("div", { class: "moving-figure-control" }, make("label", { for: id, text: control.label }), select);
      }
      const output = make("output", { for: id });
      const input = make("input", {
        id, type: "range", min: toSlider(control, control.steps?.[0] ?? control.min),
        max: toSlider(control, control.steps?.at(-1) ?? control.max), step: control.steps ? 1 : control.step,
        "data-key": control.key,
      });
      const show = (value) => {
        input.value = toSlider(control, value);
        output.textContent = control.format(value);
        input.setAttribute("aria-valuetext", control.format(value));
      };
      input.addEventListener("input", () => {
        const value = fromSlider(control, Number(input.value));
        output.textContent = control.format(value);
        input.setAttribute("aria-valuetext", control.format(value));
        change(value);
      });
      show(control.value);
      if (remember) this.inputs.set(control.key, show);
      const parts = [make("label", { for: id, text: control.label }), input, output];
      if (control.button) {
        const next = () => {
          const value = this.parameters[control.key] + control.step;
          show(value > control.max ? control.min : value);
          change(Number(input.value));
        };
        parts.push(make("button", { type: "button", text: control.button, class: "moving-figure-next", click: next }));
      }
      return make("div", { class: "moving-figure-control" }, ...parts);
    }

    questionBox() {
      const { question } = this.spec;
      let guess = question.control?.value;
      let ask;
      const seal = make("button", { type: "button", text: "Seal my prediction", class: "moving-figure-seal",
        disabled: guess === undefined, click: () => this.seal(guess) });
      if (question.control) {
        ask = [this.control(question.control, (value) => { guess = value; }, false)];
      } else {
        ask = question.choices.map(([value, text]) => make("label", { class: "moving-figure-choice" },
          make("input", { type: "radio", name: `${this.name}-guess`, value,
            change: () => { guess = value; seal.disabled = false; } }), make("span", { text })));
      }
      this.answerText = make("p", { class: "moving-figure-verdict", tabindex: "-1" });
      this.ask = make("fieldset", { class: "moving-figure-ask" }, make("legend", { text: question.text }), ...ask,
        make("div", { class: "moving-figure-buttons" }, seal,
          make("button", { type: "button", text: "Show without predicting", class: "moving-figure-skip",
            click: () => this.seal(undefined) })));
      this.asked = make("div", { class: "moving-figure-asked" },
        make("p", { class: "moving-figure-question", text: question.text }), this.answerText);
      this.prediction = make("div", { class: "moving-figure-prediction" }, make("p", { class: "moving-figure-kicker", text: "Predict first" }),
        this.ask, this.asked);
      return this.prediction;
    }

    seal(guess) {
      this.guess = guess;
      this.revealed = true;
      if (guess !== undefined) kept.write(this.name, guess);
      this.reveal();
      this.update();
      this.speak();
      this.answerText.focus({ preventScroll: true });
    }

    reveal() {
      this.controls.disabled = this.asks && !this.revealed;
      this.frame.classList.toggle("is-open", !this.controls.disabled);
      this.table.hidden = !this.revealed;
      if (!this.spec.question) return;
      this.ask.hidden = this.revealed;
      this.asked.hidden = !this.revealed;
      this.prediction.hidden = !this.asks;
      if (!this.revealed) return;
      const lost = this.guess === undefined || kept.lasts() ? ""
        : " Your browser does not let this page keep anything: your prediction is forgotten when you leave it.";
      this.answerText.textContent = this.spec.question.verdict(this.guess, this.data) + lost;
    }

    reset() {
      for (const control of this.spec.controls) this.parameters[control.key] = control.value;
      if (this.asks) {
        kept.forget(this.name);
        this.guess = undefined;
        this.linked = this.revealed = false;
      }
      this.showState();
      this.reveal();
      this.update();
      this.writeState();
      if (this.asks) this.ask.querySelector("input, select").focus({ preventScroll: true });
    }

    set(control, value) {
      this.parameters[control.key] = value;
      this.update();
      clearTimeout(this.pending); // browsers limit how often an address may be rewritten
      this.pending = setTimeout(() => { this.writeState(); this.speak(); }, 200);
    }

    /** Say in words what is drawn, once nothing of it is sealed. */
    speak() { this.live.textContent = this.revealed ? this.spec.describe(this.result, this) : this.spec.title; }

    showState() {
      for (const control of this.spec.controls) this.inputs.get(control.key)(this.parameters[control.key]);
    }

    update() {
      this.result = this.spec.compute(this.parameters, this.data);
      this.readout.replaceChildren(...this.spec.readout(this.result).map(({ key, label, value, text, sealed }) => {
        const shut = Boolean(sealed) && !this.revealed;
        const shown = shut ? { text: "?", title: "sealed until you have predicted" } : { text, "data-value": String(value) };
        return make("div", {}, make("dt", { text: label }), make("dd", { "data-key": key, ...shown }));
      }));
      const { columns, rows } = this.spec.table(this.result, this);
      this.tableBody.replaceChildren(make("table", {},
        make("thead", {}, make("tr", {}, ...columns.map((text) => make("th", { scope: "col", text })))),
        make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((text) => make("td", { text })))))));
      if (!this.live.textContent) { this.showState(); this.speak(); }
      this.draw();
    }

    /** Draw at most once a frame of the screen, whatever the pace of the slider. */
    draw() {
      if (this.drawing) { this.again = true; return; }
      this.drawing = true;
      requestAnimationFrame(async () => {
        try {
          await this.drawNow(await lsedu.plotly());
        } catch (error) {
          this.root.classList.add("is-static");
          this.live.textContent = `The drawing could not be made (${error.message}); the picture below stands for it.`;
        }
        this.drawing = false;
        if (this.again) { this.again = false; this.draw(); }
      });
    }

    async drawNow(Plotly) {
      const theme = readTheme(this.frame);
      const wanted = this.spec.panels(this.result, { ...this, theme });
      // All boxes stand before the first drawing: a drawing takes the width that its box has at that moment.
      const narrow = this.panels.clientWidth < NARROW;
      const shut = wanted.map(({ sealed }) => Boolean(sealed) && !this.revealed);
      const heights = narrow ? fit(wanted, shut) : wanted.map(({ layout }) => layout.height);
      const boxes = wanted.map(({ name, half }, i) => {
        let box = this.panels.querySelector(`[data-panel="${name}"]`);
        if (!box) {
          box = make("div", { class: "moving-figure-panel", "data-panel": name },
            make("div", { class: "moving-figure-plot" }),
            make("p", { class: "moving-figure-sealed", text: this.asks ? "Sealed until you have predicted."
              : "Sealed: the chapter asks you first." }));
          this.panels.append(box);
        }
        box.classList.toggle("is-sealed", shut[i]);
        box.classList.toggle("is-half", Boolean(half) && narrow);
        box.style.height = `${heights[i]}px`;
        return box;
      });
      const config = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false };
      for (const [i, { traces, layout }] of wanted.entries()) {
        if (boxes[i].classList.contains("is-sealed")) continue;
        const own = narrow ? slim(layout, heights[i]) : layout;
        await Plotly.react(boxes[i].firstChild, traces, baseLayout(theme, own), config);
      }
      for (const picture of this.fallback) picture.hidden = true;
      // what a slider that is brought into view must leave free above it
      this.frame.style.setProperty("--picture", `${this.panels.offsetHeight}px`);
      this.root.dataset.drawn = "true";
    }

    resize(width) {
      if (!window.Plotly) return;
      for (const plot of this.panels.querySelectorAll(".js-plotly-plot")) {
        window.Plotly.relayout(plot, width ? { autosize: false, width: width / 2 } : { autosize: true, width: null });
      }
    }
  }

  /** Put the frame on one figure element: load its script and its data, then draw. */
  async function mount(root) {
    const { spec, data } = await lsedu.load(root.dataset.figure);
    return new Frame(root, spec, data);
  }

  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      mount(target).catch((error) => {
        target.classList.add("is-static");
        target.append(make("p", { class: "moving-figure-problem", role: "status",
          text: `This figure cannot move here (${error.message}); the picture stands for it.` }));
      });
    }
  }, { rootMargin: "1200px" });
  for (const root of document.querySelectorAll("figure.moving-figure[data-figure]")) near.observe(root);
})();
