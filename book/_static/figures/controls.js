/*
The controls of a moving figure:

  {key, label, min, max, step, value, scale: "linear" | "log", format(value) -> string}, a slider
  {key, label, steps: [value, ...], value, format}, one that stops at these values only
  {key, label, choices: [[value, text], ...], value}, a choice among a few

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

  /**
   * Make a control: `change` is told each value that the reader sets, `now` gives the present one.
   * Returns its element, and `show`, which puts it at a value.
   */
  lsedu.control = (control, options) => (control.choices ? choice : slider)(control, options);
})();
