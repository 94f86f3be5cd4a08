/*
The frame of every moving figure: prediction first, labelled sliders, state in the URL, keyboard, data table, static
fallback, light and dark, print. It draws nothing by itself: a figure is one plain script beside this file, NAME.js, that
says lsedu.figure(NAME, () => spec), all of its own within that function. Its spec has

  title      string
  controls   [...], see controls.js
  question   see question.js, or nothing: a figure without a question has nothing sealed
  compute    (parameters, data) -> result, pure: the same numbers as the library's function, to 1e-6
  readout    (result) -> [{key, label, value, text, sealed}]
  panels     (result, {parameters, data, theme, guess, revealed}) -> [{name, traces, layout, sealed, half}]
             a sealed panel or readout is shown only once the reader has predicted; on a narrow screen two halves share a
             row, layout.slim takes the place of the margins and layout.narrow that of the height; colours are
             theme.MEANING, of lsedu/plots/colours.py
  describe   (result, {parameters, data}) -> one sentence for those who listen
  table      (result, {parameters, data}) -> {columns: [...], rows: [[...], ...]}

A page holds <figure class="moving-figure" data-figure="NAME" data-asks="yes | no">, with a static picture inside it, and
loads base.js, layout.js, controls.js, question.js and this file. Whether the question is asked is for the page to say
(lsedu/book/placing.py). All works from a server and from a file, and where the browser keeps nothing.
*/
(() => {
  "use strict";
  const { admit, control, kept, make, question, layout: { NARROW, baseLayout, fit, readTheme, slim } } = lsedu;

  class Frame {
    constructor(root, spec, data) {
      Object.assign(this, { root, spec, data, name: root.dataset.figure, parameters: {}, revealed: !spec.question });
      /** The page says whether it asks; where it does not, the reader moves what is not sealed. */
      this.asks = root.dataset.asks === "yes";
      if (this.asks && !spec.question) throw new Error(`the page asks, but ${this.name}.js has no question`);
      this.guess = undefined;
      this.readState();
      this.build();
      this.update();
      new MutationObserver(() => this.draw()).observe(document.documentElement, {
        attributes: true, attributeFilter: ["data-theme", "data-mode"],
      });
      window.addEventListener("popstate", () => { this.readState(); this.showState(); this.update(); });
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
        else query.set(this.key(control), typeof value === "string" ? value : Number(value.toPrecision(6)));
      }
      const text = query.toString();
      const address = (text ? `?${text}` : location.pathname) + location.hash;
      try { history.replaceState(history.state, "", address); } catch { /* some browsers keep a file's address as it is */ }
    }

    build() {
      const { spec, name } = this;
      this.fallback = this.root.querySelectorAll(".moving-figure-static");
      this.panels = make("div", { class: "moving-figure-panels" });
      this.inputs = new Map(); // what shows a value on each control
      const controls = spec.controls.map((one) => {
        const made = control(one, { id: `${name}-${one.key}`, change: (value) => this.set(one, value), now: () => this.parameters[one.key] });
        this.inputs.set(one.key, made.show);
        return made.element;
      });
      this.box = this.asks ? question(spec.question, { name, seal: (guess) => this.seal(guess) }) : undefined;
      this.controls = make("fieldset", { class: "moving-figure-controls" },
        make("legend", { text: "Move it" }), ...controls,
        make("button", { type: "button", text: "Start again", class: "moving-figure-reset", click: () => this.reset() }));
      this.readout = make("dl", { class: "moving-figure-readout simple" });
      this.live = make("p", { class: "moving-figure-live", role: "status", "aria-live": "polite" });
      this.tableBody = make("div", { class: "moving-figure-table" });
      this.table = make("details", { class: "moving-figure-data" }, make("summary", { text: "Data table" }), this.tableBody);
      this.frame = make("div", { class: "moving-figure-frame", role: "group", "aria-label": spec.title },
        this.box?.element ?? "",
        // the pictures stay in view while the sliders right below them move, so what these change is read last
        make("div", { class: "moving-figure-moving" }, this.panels, this.controls),
        this.readout, this.live, this.table);
      this.frame.id = `moving-figure-${name}`;
      this.root.prepend(this.frame);
      this.reveal();
    }

    seal(guess) {
      this.guess = guess;
      this.revealed = true;
      if (guess !== undefined) kept.write(this.name, guess);
      this.reveal();
      this.update();
      this.speak();
      this.box.focusAnswer();
    }

    reveal() {
      this.controls.disabled = this.asks && !this.revealed;
      this.frame.classList.toggle("is-open", !this.controls.disabled);
      this.table.hidden = !this.revealed;
      if (!this.revealed) this.box?.ask();
      else this.box?.answer(this.spec.question.verdict(this.guess, this.data), this.guess === undefined || kept.lasts());
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
      if (this.asks) this.box.focus();
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
  }

  /** What the figures that have no frame yet are made of, by their elements, as far as it is loaded. */
  const waiting = new Map(Array.from(document.querySelectorAll("figure.moving-figure[data-figure]"), (root) => [root, undefined]));

  /** Put the frame on a figure element, once. */
  function place(root, { spec, data }) {
    if (waiting.delete(root)) new Frame(root, spec, data);
  }

  function failed(root, error) {
    waiting.delete(root);
    root.classList.add("is-static");
    root.append(make("p", { class: "moving-figure-problem", role: "status",
      text: `This figure cannot move here (${error.message}); the picture stands for it.` }));
  }

  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      lsedu.load(target.dataset.figure).then((parts) => place(target, parts)).catch((error) => failed(target, error));
    }
  }, { rootMargin: "1200px" });
  for (const root of waiting.keys()) near.observe(root);

  // On paper stand a figure's question and its static picture, also where the reader has not been yet.
  window.addEventListener("load", () => {
    for (const root of waiting.keys()) {
      lsedu.load(root.dataset.figure).then((parts) => { if (waiting.has(root)) waiting.set(root, parts); }).catch(() => undefined);
    }
  });
  window.addEventListener("beforeprint", () => {
    for (const [root, parts] of [...waiting]) if (parts) place(root, parts);
  });
  window.addEventListener("afterprint", () => window.dispatchEvent(new Event("resize"))); // what was drawn unseen has no width
})();
