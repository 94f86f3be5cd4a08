/*
Three classes on a triangle: a prediction, the pull q - p on its logits with and without smoothing, and where it goes
when the logits follow dz/dt = p - q. The label is class 1, the third logit starts at 0. No data.
`compute` mirrors the gradient of lsedu.losses.label_smoothing and, for the flow, the same Runge-Kutta steps.
*/

lsedu.figure("simplex", ({ labels: atEnds }) => {
  const STEP = 0.1;
  const LONGEST = 200;

  function softmax(z) {
    const top = Math.max(...z);
    const e = z.map((value) => Math.exp(value - top));
    const sum = e[0] + e[1] + e[2];
    return e.map((value) => value / sum);
  }

  const smoothed = (alpha) => [1 - alpha + alpha / 3, alpha / 3, alpha / 3];
  const push = (z, p) => softmax(z).map((q, k) => p[k] - q);
  const along = (z, k, h) => z.map((value, i) => value + h * k[i]);

  /** Logits at times 0, STEP, ..., by the classical Runge-Kutta rule. */
  function flow(start, p, steps) {
    const path = [start];
    let z = start;
    for (let n = 0; n < steps; n += 1) {
      const a = push(z, p);
      const b = push(along(z, a, STEP / 2), p);
      const c = push(along(z, b, STEP / 2), p);
      const d = push(along(z, c, STEP), p);
      z = z.map((value, i) => value + (STEP / 6) * (a[i] + 2 * b[i] + 2 * c[i] + d[i]));
      path.push(z);
    }
    return path;
  }

  const gapOf = (z) => z[0] - (z[1] + z[2]) / 2;

  /** Every STEP up to LONGEST, kept by start and target: moving the time only reads it. */
  const kept = new Map();
  function flowFrom(start, alpha) {
    const key = JSON.stringify([start, alpha]);
    if (!kept.has(key)) {
      if (kept.size > 20) kept.clear();
      kept.set(key, flow(start, smoothed(alpha), Math.round(LONGEST / STEP)));
    }
    return kept.get(key);
  }

  /** All that the figure shows, from {first, second, alpha, time}; time is rounded to a whole number of steps. */
  function compute({ first, second, alpha, time }) {
    const start = [first, second, 0];
    const q = softmax(start);
    const index = Math.round(time / STEP);
    const plain = flowFrom(start, 0);
    const soft = flowFrom(start, alpha);
    return {
      q,
      gradient: q.map((value, k) => value - smoothed(0)[k]),
      gradient_smoothed: q.map((value, k) => value - smoothed(alpha)[k]),
      later: softmax(plain[index]),
      later_smoothed: softmax(soft[index]),
      gap: gapOf(plain[index]),
      gap_smoothed: gapOf(soft[index]),
      paths: { plain, soft, index },
    };
  }

  const number = (value) => value.toFixed(2).replace("-", "\u2212");
  const three = (values) => values.map((value) => value.toFixed(3).replace("-", "\u2212")).join(", ");

  /** Points of a path, dense where it moves fast: at most some hundred of them. */
  function thin(path, last) {
    const out = [];
    for (let i = 0; i <= last; i += Math.max(1, Math.floor(i / 20))) out.push(i);
    if (out[out.length - 1] !== last) out.push(last);
    return out;
  }

  return {
    title: "A prediction on the triangle, pulled towards its target",
    controls: [
      { key: "first", label: "Logit of the label", min: -4, max: 4, step: 0.1, value: -1, scale: "linear", format: number },
      { key: "second", label: "Logit of class 2", min: -4, max: 4, step: 0.1, value: 1.5, scale: "linear", format: number },
      { key: "alpha", label: "Smoothing \u03b1", min: 0, max: 0.9, step: 0.01, value: 0.3, scale: "linear",
        format: (value) => value.toFixed(2) },
      { key: "time", label: "Time", min: 0.1, max: LONGEST, step: 0.01, value: 3, scale: "log", format: (v) => v.toFixed(1) },
    ],
    question: {
      text: "Let the logits follow the pull for as long as you like. Where does the prediction come to rest with one-hot targets?",
      choices: [
        ["corner", "In the label's corner, after a while"],
        ["short", "Somewhere short of the corner"],
        ["never", "Nowhere: it goes on towards the corner, ever more slowly"],
      ],
      answer: () => "never",
      verdict: (guess) => {
        const here = "With one-hot targets the pull never vanishes: the gap grows like the logarithm of the time, and is "
          + "finite at every moment. With smoothing the point stops at the target.";
        if (guess === undefined) return here;
        if (guess === "never") return `Yes. ${here}`;
        return guess === "corner" ? `Not quite: no finite logits give the corner. ${here}` : `That is what smoothing does. ${here}`;
      },
    },
    compute,
    readout: (r) => [
      { key: "gap", label: "Gap, one-hot", value: r.gap, text: number(r.gap), sealed: true },
      { key: "gap_smoothed", label: "Gap, smoothed", value: r.gap_smoothed, text: number(r.gap_smoothed), sealed: true },
      { key: "later", label: "q of the label, one-hot", value: r.later[0], text: r.later[0].toFixed(3), sealed: true },
      { key: "later_smoothed", label: "q of the label, smoothed", value: r.later_smoothed[0],
        text: r.later_smoothed[0].toFixed(3), sealed: true },
    ],
    describe: (r, { parameters }) => `After time ${parameters.time.toFixed(1)} the label has probability `
      + `${r.later[0].toFixed(3)} with one-hot targets and ${r.later_smoothed[0].toFixed(3)} with alpha `
      + `${parameters.alpha.toFixed(2)}; the gaps are ${number(r.gap)} and ${number(r.gap_smoothed)}.`,
    table: (r) => ({
      columns: ["", "Label", "Class 2", "Class 3"],
      rows: [
        ["start q", r.q], ["pull p \u2212 q, one-hot", r.gradient.map((g) => -g)],
        ["pull p \u2212 q, smoothed", r.gradient_smoothed.map((g) => -g)], ["later q, one-hot", r.later],
        ["later q, smoothed", r.later_smoothed],
      ].map(([name, values]) => [name, ...three(values).split(", ")]),
    }),
    panels: (r, { parameters, theme, revealed }) => {
      const { dots, line, note, triangle } = lsedu.layout;
      const { place } = triangle;
      const here = place(r.q);
      const colours = [theme["one-hot"], theme.smoothed];
      const goals = [smoothed(0), smoothed(parameters.alpha)].map(place);
      const paths = [r.paths.plain, r.paths.soft].map((path) => thin(path, r.paths.index).map((i) => place(softmax(path[i]))));
      const ends = [r.later, r.later_smoothed].map(place);
      const names = ["one-hot", "smoothed"];
      const drawn = [triangle.outline(theme)];
      for (const i of [0, 1]) {
        drawn.push(dots([goals[i]], { theme, colour: colours[i], symbol: "x", size: 11, ring: 0, hover: `target, ${names[i]}` }));
        if (revealed) {
          drawn.push(line(paths[i], { name: names[i], colour: colours[i], width: 3, dash: i ? "dot" : "solid" }));
          drawn.push(dots([ends[i]], { theme, colour: colours[i],
            hover: `${names[i]}, time ${parameters.time.toFixed(1)}: ${three(i ? r.later_smoothed : r.later)}` }));
        }
      }
      drawn.push(dots([here], { theme, colour: theme.text, size: 13, hover: `start: ${three(r.q)}` }));
      const arrows = goals.map(([x, y], i) => ({ ax: here[0], ay: here[1], x: here[0] + 0.55 * (x - here[0]),
        y: here[1] + 0.55 * (y - here[1]), axref: "x", ayref: "y", text: "", showarrow: true, arrowhead: 3, arrowsize: 1.1,
        arrowwidth: 2, arrowcolor: colours[i] }));
      const index = thin(r.paths.plain, Math.round(LONGEST / STEP)).slice(1);
      const times = index.map((i) => i * STEP);
      const gapLine = (path, i) => line(index.map((n, at) => [times[at], gapOf(path[n])]), { name: names[i], colour: colours[i],
        dash: i ? "dot" : "solid", hover: "time %{x:.1f}: gap %{y:.2f}<extra></extra>" });
      const gapDot = (value, i) => dots([[parameters.time, value]], { theme, colour: colours[i] });
      return [
        {
          name: "triangle",
          traces: drawn,
          layout: {
            ...triangle.panel(0.08), title: "Arrows: the pull. Crosses: targets",
            annotations: [...arrows, ...triangle.names(), ...goals.map((goal, i) => note(names[i], goal,
              { colour: colours[i], xanchor: "left", xshift: 10, yshift: i ? -4 : 0 }))],
          },
        },
        {
          name: "gap",
          sealed: true,
          traces: [gapLine(r.paths.plain, 0), gapLine(r.paths.soft, 1), gapDot(r.gap, 0), gapDot(r.gap_smoothed, 1)],
          layout: {
            title: "Gap to the mean of the other logits", height: 360,
            annotations: atEnds([r.paths.plain, r.paths.soft].map((path, i) => ({ text: names[i], x: Math.log10(times.at(-1)),
              y: gapOf(path[index.at(-1)]), colour: colours[i] })), theme),
            xaxis: { title: { text: "time (logarithmic)" }, type: "log", range: [-1, Math.log10(LONGEST)],
              tickvals: [0.1, 1, 10, 100], ticktext: ["0.1", "1", "10", "100"] },
            yaxis: { title: { text: "gap" } },
          },
        },
      ];
    },
  };
});
