/*
The controls of a moving figure:

  {key, label, min, max, step, value, scale: "linear" | "log", format(value) -> string}, a slider
  {key, label, steps: [value, ...], value, format}, one that stops at these values only
  {key, label, choices: [[value, text], ...], value}, a choice among a few
  {key, label, cells: [name, ...], value: "100 0 0"}, a row of whole percentages that sum to 100: the reader drags within
      a cell, and the others make room

A linear slider with {button: text} has a button beside it that moves one step on, at the end to the start.
*/
(() => {
  "use strict";
  const { make, admit, clamp, nearest } = lsedu;

  /** A slider runs over the values, their logarithms, or the indices of the steps. */
  const toSlider = (control, value) => {
    if (control.steps) return nearest(control.steps, value);
    return control.scale === "log" ? Math.log10(value) : value;
  };
  const fromSlider = (control, value) => {
    if (control.steps) return control.steps[value];
    return clamp(control.scale === "log" ? 10 ** value : value, control.min, control.max);
  };

  const labelled = (id, label, ...parts) => make("div", { class: "moving-figure-control" },
    make("label", { for: id, text: label }), ...parts);

  function choice(control, { id, change }) {
    const select = make("select", { id, change: () => change(admit(control, select.value)) },
      ...control.choices.map(([value, text]) => make("option", { value, text })));
    const show = (value) => { select.value = value; };
    show(control.value);
    return { element: labelled(id, control.label, select), show };
  }

  function slider(control, { id, change, now }) {
    const output = make("output", { for: id });
    const input = make("input", {
      id, type: "range", min: toSlider(control, control.steps?.[0] ?? control.min),
      max: toSlider(control, control.steps?.at(-1) ?? control.max), step: control.steps ? 1 : control.step,
      "data-key": control.key,
    });
    const say = (value) => {
      output.textContent = control.format(value);
      input.setAttribute("aria-valuetext", control.format(value));
    };
    const show = (value) => {
      input.value = toSlider(control, value);
      say(value);
    };
    input.addEventListener("input", () => {
      const value = fromSlider(control, Number(input.value));
      say(value);
      change(value);
    });
    show(control.value);
    const next = () => {
      const value = now() + control.step;
      show(value > control.max ? control.min : value);
      change(Number(input.value));
    };
    const button = control.button
      ? [make("button", { type: "button", text: control.button, class: "moving-figure-next", click: next })] : [];
    return { element: labelled(id, control.label, input, output, ...button), show };
  }

  /** The row with one cell at a value: the others keep their proportions, or share alike where they had nothing. */
  function makeRoom(cells, at, value) {
    const rest = cells.reduce((sum, cell, j) => (j === at ? sum : sum + cell), 0);
    let [left, weight, free] = [100 - value, rest, cells.length - 1];
    return cells.map((cell, j) => {
      if (j === at) return value;
      const share = Math.round(rest > 0 ? (weight > 0 ? left * cell / weight : 0) : left / free);
      [left, weight, free] = [left - share, weight - cell, free - 1];
      return share;
    });
  }

  function row(control, { id, change, now }) {
    const parts = control.cells.map((name, j) => {
      const input = make("input", { id: j ? `${id}-${j}` : id, type: "range", min: 0, max: 100, step: 1,
        "data-key": `${control.key}-${j}`, "aria-label": `${control.label}: ${name}` });
      const number = make("span", { class: "moving-figure-cell-number", "aria-hidden": "true" });
      input.addEventListener("input", () => {
        const value = makeRoom(now().split(" ").map(Number), j, Number(input.value)).join(" ");
        show(value);
        change(value);
      });
      return { input, number, element: make("div", { class: "moving-figure-cell" }, input, number) };
    });
    const show = (value) => value.split(" ").forEach((cell, j) => {
      const { input, number, element } = parts[j];
      input.value = cell;
      input.setAttribute("aria-valuetext", `${cell} percent`);
      number.textContent = `${control.cells[j]} ${cell}`;
      element.style.setProperty("--share", `${cell}%`);
    });
    show(control.value);
    const element = make("div", { class: "moving-figure-row", role: "group", "aria-label": control.label },
      make("span", { text: control.label }), ...parts.map((one) => one.element));
    return { element, show };
  }

  /**
   * Make a control: `change` is told each value that the reader sets, `now` gives the present one.
   * Returns its element, and `show`, which puts it at a value.
   */
  lsedu.control = (control, options) => (control.cells ? row : control.choices ? choice : slider)(control, options);
})();
