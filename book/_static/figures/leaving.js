/*
Points leave the curve only where labels contradict. A made-up table of cat, dog, car and truck, in which a share of the
pictures is doubtful between a class and its partner. The data are the curves, by the library: {shares, i_x: [share][...],
i_y: [share][...]}, in bits. `compute` mirrors lsedu.book.figures.leaving: the exact point of smoothing's optimum.
*/

lsedu.figure("leaving", () => {
  const PARTNER = [1, 0, 3, 2];
  const DOUBTS = [0.1, 0.2, 0.3, 0.4];
  const SHARES = [0, 0.1, 0.2, 0.4, 0.6, 0.8, 1];
  const PRIORS = [["uniform", "all four classes alike"], ["alike", "the partner only"], ["unlike", "the other pair only"]];
  const CLASSES = [0, 1, 2, 3];

  /** Rows p(y|x) and weights p(x), as in lsedu.book.figures._pairs. */
  function table(doubtful) {
    const rows = [];
    const weights = [];
    for (const k of CLASSES) {
      for (const [doubt, share] of [[0, 1 - doubtful], ...DOUBTS.map((d) => [d, doubtful / DOUBTS.length])]) {
        const row = [0, 0, 0, 0];
        row[k] = 1 - doubt;
        row[PARTNER[k]] += doubt;
        rows.push(row);
        weights.push(share / 4);
      }
    }
    return { rows, weights };
  }

  const prior = {
    uniform: () => 0.25,
    alike: (y, z) => (z === PARTNER[y] ? 1 : 0),
    unlike: (y, z) => (z === y || z === PARTNER[y] ? 0 : 0.5),
  };
  const xlogx = (x) => (x > 0 ? x * Math.log2(x) : 0);
  const sum = (values) => values.reduce((total, value) => total + value, 0);

  /** I(X;Z) and I(Y;Z) in bits of the optimum of smoothing. */
  function smoothed(doubtful, name, alpha) {
    const { rows, weights } = table(doubtful);
    const joint = CLASSES.map(() => [0, 0, 0, 0]);
    let within = 0;
    rows.forEach((row, x) => {
      const z = CLASSES.map((k) => sum(CLASSES.map((y) => row[y] * ((1 - alpha) * (y === k) + alpha * prior[name](y, k)))));
      within += weights[x] * sum(z.map(xlogx));
      for (const y of CLASSES) for (const k of CLASSES) joint[y][k] += weights[x] * row[y] * z[k];
    });
    const pz = sum(CLASSES.map((k) => xlogx(sum(joint.map((row) => row[k])))));
    const py = sum(joint.map((row) => xlogx(sum(row))));
    return { i_x: within - pz, i_y: sum(joint.flat().map(xlogx)) - pz - py };
  }

  /** As numpy.interp, for rising xs. */
  function interpolate(x, xs, ys) {
    if (x >= xs.at(-1)) return ys.at(-1);
    let i = 1;
    while (xs[i] < x) i += 1;
    return xs[i] === xs[i - 1] ? ys[i] : ys[i - 1] + ((ys[i] - ys[i - 1]) * (x - xs[i - 1])) / (xs[i] - xs[i - 1]);
  }

  /** All that the figure shows, from {alpha, prior, doubtful} and the data. */
  function compute({ alpha, prior: name, doubtful }, data) {
    const at = data.shares.indexOf(doubtful);
    const curve = { x: data.i_x[at], y: data.i_y[at] };
    const { i_x, i_y } = smoothed(doubtful, name, alpha);
    const top = interpolate(i_x, curve.x, curve.y);
    return { i_x, i_y, top, gap: top - i_y, curve };
  }

  const bits = (value) => `${(Math.abs(value) < 5e-4 ? 0 : value).toFixed(3).replace("-", "\u2212")}`;
  const percent = (value) => `${Math.round(100 * value)}%`;
  const said = (name) => PRIORS.find(([key]) => key === name)[1];
  const STRENGTHS = Array.from({ length: 51 }, (_, i) => i / 50);
  const NAMES = { uniform: "uniform", alike: "partner", unlike: "other pair" };
  const MEANS = { uniform: "smoothed", alike: "first", unlike: "third" };

  return {
    title: "Smoothing on the information plane, as labels contradict",
    controls: [
      { key: "doubtful", label: "Doubtful pictures", steps: SHARES, value: 0.4, format: percent },
      { key: "alpha", label: "Smoothing \u03b1", min: 0, max: 1, step: 0.01, value: 0.1, scale: "linear", format: (v) => v.toFixed(2) },
      { key: "prior", label: "Smoothed towards", choices: PRIORS, value: "uniform" },
    ],
    question: {
      text: "Annotators disagree about 40% of the pictures. At which strength is the optimum of uniform smoothing on the "
        + "bottleneck curve?",
      choices: [
        ["zero", "Without smoothing, \u03b1 = 0; smoothing takes it away from the curve"],
        ["some", "At one strength in between, the one that fits the doubt"],
        ["none", "At none, until \u03b1 = 1 forgets everything"],
      ],
      answer: () => "none",
      verdict: (guess, data) => {
        const gap = (alpha) => bits(compute({ alpha, prior: "uniform", doubtful: 0.4 }, data).gap);
        const here = `At none: the gap is ${gap(0)} bit at \u03b1 = 0, ${gap(0.1)} at \u03b1 = 0.1 and ${gap(0.45)} at `
          + "\u03b1 = 0.45. Even without any smoothing a network that answers as the annotators do is not on the curve.";
        if (guess === undefined) return here;
        return guess === "none" ? `Yes. ${here}` : `Not quite. ${here}`;
      },
    },
    compute,
    readout: (r) => [
      { key: "i_x", label: "I(X;Z), bits", value: r.i_x, text: bits(r.i_x) },
      { key: "i_y", label: "I(Y;Z), bits", value: r.i_y, text: bits(r.i_y), sealed: true },
      { key: "top", label: "Curve at that I(X;Z)", value: r.top, text: bits(r.top), sealed: true },
      { key: "gap", label: "Gap, bits", value: r.gap, text: bits(r.gap), sealed: true },
    ],
    describe: (r, { parameters: { alpha, prior: name, doubtful } }) => `With ${percent(doubtful)} doubtful pictures and alpha `
      + `${alpha.toFixed(2)}, smoothed towards ${said(name)}: I(X;Z) is ${bits(r.i_x)} bits, I(Y;Z) ${bits(r.i_y)}, which is `
      + `${bits(r.gap)} below the curve.`,
    table: (r, { parameters, data }) => ({
      columns: ["\u03b1", "I(X;Z)", "I(Y;Z)", "gap, bits"],
      rows: [0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1].map((alpha) => {
        const row = compute({ ...parameters, alpha }, data);
        return [alpha.toFixed(2), bits(row.i_x), bits(row.i_y), bits(row.gap)];
      }),
    }),
    panels: (r, { parameters, data, theme }) => {
      const { doubtful, prior: name } = parameters;
      const paths = Object.fromEntries(PRIORS.map(([key]) => [key,
        STRENGTHS.map((alpha) => ({ alpha, ...compute({ alpha, prior: key, doubtful }, data) }))]));
      const mine = paths[name];
      const colour = theme[MEANS[name]];
      const dot = (x, y) => ({ type: "scatter", mode: "markers", x: [x], y: [y], hoverinfo: "skip",
        marker: { size: 13, color: colour, line: { color: theme.paper, width: 2 } } });
      const best = paths.uniform.concat(paths.alike, paths.unlike).reduce((top, { gap }) => Math.max(top, gap), 0);
      const shown = PRIORS.map(([key]) => key);
      return [
        {
          name: "plane",
          sealed: true,
          traces: [
            { type: "scatter", mode: "lines", x: [0, 2], y: [0, 2], hoverinfo: "skip", line: { color: theme.muted, width: 1, dash: "dot" } },
            { type: "scatter", mode: "lines", x: r.curve.x, y: r.curve.y, line: { color: theme.text, width: 2.5 },
              hovertemplate: "curve: %{x:.3f}, %{y:.3f}<extra></extra>" },
            { type: "scatter", mode: "lines", x: mine.map(({ i_x }) => i_x), y: mine.map(({ i_y }) => i_y),
              line: { color: colour, width: 2.5, dash: "dash" }, text: mine.map(({ alpha }) => alpha.toFixed(2)),
              hovertemplate: "\u03b1 = %{text}: %{x:.3f}, %{y:.3f}<extra></extra>" },
            dot(r.i_x, r.i_y),
          ],
          layout: {
            title: "The plane, in bits", height: 360,
            xaxis: { title: { text: "I(X;Z)", standoff: 4 }, range: [0, 2.08], dtick: 0.5 },
            yaxis: { title: { text: "I(Y;Z)" }, range: [0, 2.08], dtick: 0.5 },
            annotations: [
              { x: r.curve.x.at(-1), y: r.curve.y.at(-1), text: "curve", showarrow: false, yanchor: "bottom", yshift: 4, font: { color: theme.text, size: 12 } },
              { x: r.i_x, y: r.i_y, text: `\u03b1 = ${parameters.alpha.toFixed(2)}`, showarrow: false, xanchor: r.i_x > 1 ? "right" : "left",
                xshift: r.i_x > 1 ? 14 : 12, yshift: -18, font: { color: colour, size: 12 } },
              { x: 0.62, y: 0.62, text: "I(Y;Z) = I(X;Z)", showarrow: false, xanchor: "right", xshift: -6, yshift: 8, font: { color: theme.muted, size: 11 } },
            ],
          },
        },
        {
          name: "gap",
          sealed: true,
          traces: [
            ...shown.map((key) => ({ type: "scatter", mode: "lines", name: NAMES[key], x: paths[key].map(({ alpha }) => alpha),
              y: paths[key].map(({ gap }) => gap), opacity: key === name ? 1 : 0.6,
              line: { color: theme[MEANS[key]], width: key === name ? 3 : 1.5, dash: { uniform: "dash", alike: "solid", unlike: "dot" }[key] },
              hovertemplate: `${NAMES[key]}, \u03b1 = %{x:.2f}: %{y:.3f}<extra></extra>` })),
            dot(parameters.alpha, r.gap),
          ],
          layout: {
            title: "Gap to the curve, in bits", height: 360,
            xaxis: { title: { text: "smoothing \u03b1", standoff: 4 }, range: [-0.02, 1.02], dtick: 0.25 },
            yaxis: { range: [-0.012, Math.max(0.05, 1.15 * best)] },
            annotations: best < 1e-3 ? [{ x: 0.5, y: 0.006, text: "every prior is on the curve", showarrow: false, font: { color: theme.text, size: 12 } }]
              : shown.map((key) => {
                const i = { uniform: 20, alike: 30, unlike: 10 }[key];
                return { x: paths[key][i].alpha, y: paths[key][i].gap, text: NAMES[key], showarrow: false, xanchor: "left", xshift: 4,
                  yanchor: "bottom", yshift: 4, font: { color: theme[MEANS[key]], size: 12 } };
              }),
          },
        },
      ];
    },
  };
});
