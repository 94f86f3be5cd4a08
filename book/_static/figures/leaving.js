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
      const { dots, line, note, plane } = lsedu.layout;
      const dot = (x, y) => dots([[x, y]], { theme, colour, size: 13 });
      const best = paths.uniform.concat(paths.alike, paths.unlike).reduce((top, { gap }) => Math.max(top, gap), 0);
      const shown = PRIORS.map(([key]) => key);
      return [
        {
          name: "plane",
          sealed: true,
          traces: [
            plane.border(theme, "dot"),
            line(r.curve.x.map((x, i) => [x, r.curve.y[i]]), { colour: theme.text, hover: "curve: %{x:.3f}, %{y:.3f}<extra></extra>" }),
            line(mine.map(({ i_x, i_y }) => [i_x, i_y]), { colour, dash: "dash", text: mine.map(({ alpha }) => alpha.toFixed(2)),
              hover: "\u03b1 = %{text}: %{x:.3f}, %{y:.3f}<extra></extra>" }),
            dot(r.i_x, r.i_y),
          ],
          layout: {
            title: "The plane, in bits", height: 360,
            ...plane.axes("", { range: [0, 2.08], dtick: 0.5 }, { range: [0, 2.08], dtick: 0.5 }),
            annotations: [
              note("curve", [r.curve.x.at(-1), r.curve.y.at(-1)], { colour: theme.text, yanchor: "bottom", yshift: 4 }),
              // below and right of the path, which falls to the left, as far as there is room
              note(`\u03b1 = ${parameters.alpha.toFixed(2)}`, [r.i_x, r.i_y], { colour,
                ...(r.i_x > 1.5 ? { xanchor: "center", xshift: -8, yshift: -36 } : { xanchor: "left", xshift: 6, yshift: -18 }) }),
              plane.word(theme, 1.62, { xshift: -12 }),
            ],
          },
        },
        {
          name: "gap",
          sealed: true,
          traces: [
            ...shown.map((key) => line(paths[key].map(({ alpha, gap }) => [alpha, gap]), { name: NAMES[key], colour: theme[MEANS[key]],
              opacity: key === name ? 1 : 0.6, width: key === name ? 3 : 1.5, dash: { uniform: "dash", alike: "solid", unlike: "dot" }[key],
              hover: `${NAMES[key]}, \u03b1 = %{x:.2f}: %{y:.3f}<extra></extra>` })),
            dot(parameters.alpha, r.gap),
          ],
          layout: {
            title: "Gap to the curve, in bits", height: 360,
            xaxis: { title: { text: "smoothing \u03b1", standoff: 4 }, range: [-0.02, 1.02], dtick: 0.25 },
            yaxis: { range: [-0.012, Math.max(0.05, 1.15 * best)] },
            annotations: best < 1e-3 ? [note("every prior is on the curve", [0.5, 0.006], { colour: theme.text })]
              : shown.map((key) => {
                const i = { uniform: 20, alike: 30, unlike: 10 }[key];
                return note(NAMES[key], [paths[key][i].alpha, paths[key][i].gap], { colour: theme[MEANS[key]], xanchor: "left", xshift: 4,
                  yanchor: "bottom", yshift: 4 });
              }),
          },
        },
      ];
    },
  };
});
