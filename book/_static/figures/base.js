/*
What all scripts of the figures share: the table in which figures and their data register themselves, loading, elements,
and what the browser keeps. Plain scripts, no modules: browsers load no module, and fetch nothing, where a page is
opened as a file.

  lsedu.figure(NAME, () => spec)   said by NAME.js; the parts of a spec are listed in frame.js
  lsedu.data(NAME, value)          said by NAME.data.js, which the build writes
  lsedu.load(NAME)                 -> {spec, data}, both loaded from beside this file
*/
(() => {
  "use strict";
  if (globalThis.lsedu) return;

  const STORE = "lsedu.prediction.";
  const PUZZLES = "lsedu.puzzles";
  const HERE = globalThis.document?.currentScript?.src;
  const specs = new Map();
  const known = new Map();
  const loading = new Map();

  /** A guess's distance in words, by the points that it gets. */
  const CLOSENESS = ["Some way off.", "In the right region.", "Very close."];

  /** Make an element: tag, attributes (a function is a listener, class and text are names of their own), children. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === undefined || value === false) continue;
      if (typeof value === "function") element.addEventListener(name, value);
      else if (name === "text") element.textContent = value;
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children);
    return element;
  }

  /** The mean of two or more values and its interval, as lsedu.experiments.interval; t[n - 2] is the quantile for n. */
  function interval(values, t) {
    const n = values.length;
    const mean = values.reduce((sum, value) => sum + value, 0) / n;
    const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
    const half = (t[n - 2] * sd) / Math.sqrt(n);
    return { mean, low: mean - half, high: mean + half };
  }

  /** Load a script that lies beside this file, once. */
  function script(name) {
    if (!loading.has(name)) {
      loading.set(name, new Promise((resolve, reject) => {
        // RequireJS, where a notebook output brought it along, would swallow a library.
        const define = window.define;
        window.define = undefined;
        const src = new URL(name, HERE).href;
        const done = (then) => () => { window.define = define; then(); };
        document.head.append(make("script", { src, load: done(resolve),
          error: done(() => reject(new Error(`cannot load ${name.replace(/^.*\//, "")}`))) }));
      }));
    }
    return loading.get(name);
  }

  const lsedu = {
    CLOSENESS,
    make,
    interval,
    figure(name, define) { specs.set(name, define(lsedu)); },
    data(name, value) { known.set(name, value); },
    spec: (name) => specs.get(name),
    async load(name) {
      await Promise.all([script(`${name}.js`), script(`${name}.data.js`)]);
      if (!specs.has(name) || !known.has(name)) throw new Error(`${name}.js or ${name}.data.js did not register itself`);
      return { spec: specs.get(name), data: known.get(name) };
    },
    /** plotly.js, loaded on first need: it is larger than all the rest of a page. */
    async plotly() {
      if (!window.Plotly) await script("../plotly.min.js");
      return window.Plotly;
    },

    /** Labels of lines at one of their points, the upper one above and the lower one below, so that they do not meet. */
    labels(lines, theme) {
      const order = [...lines].sort((a, b) => b.y - a.y);
      return lines.map(({ text, x, y, colour, anchor = "right" }) => ({ x, y, text, showarrow: false, xanchor: anchor,
        yanchor: order[0].text === text ? "bottom" : "top", yshift: order[0].text === text ? 4 : -4,
        bgcolor: theme.panel, borderpad: 1, opacity: 0.92, font: { color: colour, size: 12 } }));
    },

    clamp: (value, low, high) => Math.min(high, Math.max(low, value)),
    /** The index of the step closest to a value. */
    nearest: (steps, value) =>
      steps.reduce((best, step, i) => (Math.abs(step - value) < Math.abs(steps[best] - value) ? i : best), 0),

    /** Bring a value from outside (URL, storage) to one that the control can take; undefined if it cannot. */
    admit(control, text) {
      if (text === null || text === undefined || text === "") return undefined;
      if (control.choices) {
        const found = control.choices.find(([value]) => String(value) === String(text));
        return found && found[0];
      }
      if (control.cells) {
        const cells = String(text).split(" ");
        const fits = cells.length === control.cells.length && cells.every((cell) => /^\d{1,3}$/.test(cell))
          && cells.reduce((sum, cell) => sum + Number(cell), 0) === 100;
        return fits ? cells.map(Number).join(" ") : undefined;
      }
      const value = Number(text);
      if (!Number.isFinite(value)) return undefined;
      return control.steps ? control.steps[lsedu.nearest(control.steps, value)]
        : lsedu.clamp(value, control.min, control.max);
    },

    /** The states at times 0, step, ..., count * step of what moves as `pushed` says, by the classical Runge-Kutta rule. */
    descend(pushed, start, { step, count }) {
      const along = (state, k, h) => state.map((value, i) => value + h * k[i]);
      const path = [start];
      for (let n = 0; n < count; n += 1) {
        const state = path[n];
        const a = pushed(state);
        const b = pushed(along(state, a, step / 2));
        const c = pushed(along(state, b, step / 2));
        const d = pushed(along(state, c, step));
        path.push(state.map((value, i) => value + (step / 6) * (a[i] + 2 * b[i] + 2 * c[i] + d[i])));
      }
      return path;
    },

    /** Sealed predictions, as the browser keeps them; null where there is none or none can be kept. */
    kept: {
      /** Whether anything outlasts the page: see storage.js. */
      lasts() {
        if (document.documentElement.dataset.keeps === "nothing") return false;
        try { localStorage.getItem(STORE); return true; } catch { return false; }
      },
      read(name) { try { return localStorage.getItem(STORE + name); } catch { return null; } },
      write(name, value) { try { localStorage.setItem(STORE + name, value); } catch { /* `lasts` tells */ } },
      /** Guesses at the pages' puzzles: {page: {guess, title, href}}. */
      puzzles() {
        try { return JSON.parse(localStorage.getItem(PUZZLES)) ?? {}; } catch { return {}; }
      },
      puzzle(page, said) {
        try { localStorage.setItem(PUZZLES, JSON.stringify({ ...this.puzzles(), [page]: said })); } catch { /* the same */ }
      },
      forgetPuzzles() { try { localStorage.removeItem(PUZZLES); } catch { /* there is nothing */ } },
      forget(name) { try { localStorage.removeItem(STORE + name); } catch { /* there is nothing */ } },
    },
  };
  globalThis.lsedu = lsedu;
})();
