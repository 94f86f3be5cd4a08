/*
Eight pictures of four classes in two pairs: the encoder that Blahut-Arimoto finds at a beta, its point on the plane, and
the tree of clusters over all betas. No data. `compute` mirrors lsedu.bottleneck.blahut_arimoto without acceleration.
*/

lsedu.figure("beta", () => {
  const CLASSES = ["Pullover", "Coat", "Sneaker", "Boot"];
  const SHARES = [0.5, 1.5]; // of the contradiction: a clear and an unclear picture of each class
  const SHARP = 0.9;
  const SWEEPS = 400;
  const ALIKE = 0.01;
  const LOW = 1.02;
  const HIGH = 12;
  const TREE = 90;

  const xlogy = (x, y) => (x > 0 ? x * Math.log(y) : 0);
  const bits = (nats) => nats / Math.LN2;

  /** p(y|x), 8 rows: a picture's labels, of which four fifths of the contradicting ones name the other of the pair. */
  function tableOf(mix) {
    return CLASSES.flatMap((_, k) => SHARES.map((share) => CLASSES.map((__, y) => {
      if (y === k) return 1 - share * mix;
      return share * mix * (y === (k ^ 1) ? 0.8 : 0.1);
    })));
  }
  const START = CLASSES.flatMap((_, k) => SHARES.map(() => CLASSES.map((__, z) => (1 - SHARP) / 4 + (z === k ? SHARP : 0))));

  /** p(z, y) of an encoder, 4 x 4. */
  function jointOf(encoder, rows) {
    return CLASSES.map((_, z) => CLASSES.map((__, y) => encoder.reduce((sum, row, x) => sum + row[z] * rows[x][y], 0) / rows.length));
  }
  const sums = (joint) => joint.map((row) => row.reduce((a, b) => a + b, 0));

  /** One sweep: p(z|x) in proportion to p(z) exp(-beta KL(p(y|x) || p(y|z))). */
  function sweep(encoder, rows, beta) {
    const joint = jointOf(encoder, rows);
    const weights = sums(joint);
    return rows.map((row) => {
      const score = joint.map((cells, z) => Math.log(weights[z])
        + beta * row.reduce((sum, p, y) => sum + (p > 0 ? p * (Math.log(cells[y]) - Math.log(weights[z])) : 0), 0));
      const top = Math.max(...score);
      const e = score.map((value) => Math.exp(value - top));
      const total = e.reduce((a, b) => a + b, 0);
      return e.map((value) => value / total);
    });
  }

  function solve(rows, beta, sweeps) {
    let encoder = START;
    for (let n = 0; n < sweeps; n += 1) encoder = sweep(encoder, rows, beta);
    return encoder;
  }

  /** The point of an encoder on the plane, in bits. */
  function pointOf(encoder, rows) {
    const joint = jointOf(encoder, rows);
    const pz = sums(joint);
    const noise = encoder.reduce((sum, row) => sum - row.reduce((s, p) => s + xlogy(p, p), 0), 0) / rows.length;
    let iy = 0;
    for (const [z, cells] of joint.entries()) for (const p of cells) iy += xlogy(p, p / (pz[z] / 4));
    return { i_x: Math.max(bits(pz.reduce((sum, p) => sum - xlogy(p, p), 0) - noise), 0), i_y: Math.max(bits(iy), 0) };
  }

  /** Codes whose p(y|z) differ by no more than a hundredth are one cluster. */
  function clustersOf(meanings) {
    const kept = [];
    for (const row of meanings) {
      if (!kept.some((other) => row.every((p, y) => Math.abs(p - other[y]) < ALIKE))) kept.push(row);
    }
    return kept.length;
  }

  const meaningsOf = (joint) => joint.map((cells, z) => cells.map((p) => p / sums(joint)[z]));
  /** Where a cluster stands among the classes 0 to 3: the mean class of its labels. */
  const stands = (meaning) => meaning.reduce((sum, p, y) => sum + p * y, 0);

  /** Solutions at all betas, and smoothing's points, kept by the rate of contradiction. */
  const kept = new Map();
  function wholeOf(mix) {
    if (!kept.has(mix)) {
      if (kept.size > 30) kept.clear();
      const rows = tableOf(mix);
      const betas = Array.from({ length: TREE }, (_, i) => LOW * (HIGH / LOW) ** (i / (TREE - 1)));
      const found = betas.map((beta) => solve(rows, beta, 200));
      const alphas = Array.from({ length: 41 }, (_, i) => i / 40);
      kept.set(mix, {
        betas,
        points: found.map((encoder) => pointOf(encoder, rows)),
        stands: found.map((encoder) => meaningsOf(jointOf(encoder, rows)).map(stands)),
        smoothed: alphas.map((alpha) => pointOf(rows.map((row) => row.map((p) => (1 - alpha) * p + alpha / 4)), rows)),
      });
    }
    return kept.get(mix);
  }

  /** All that the figure shows, from {beta, mix, sweeps}. */
  function compute({ beta, mix, sweeps }) {
    const rows = tableOf(mix);
    const encoder = solve(rows, beta, Math.round(sweeps));
    const meanings = meaningsOf(jointOf(encoder, rows));
    const point = pointOf(encoder, rows);
    return {
      ...point,
      lagrangian: point.i_x - beta * point.i_y,
      clusters: clustersOf(meanings),
      stands: meanings.map(stands),
      encoder,
      whole: wholeOf(mix),
    };
  }

  const three = (value) => value.toFixed(3).replace("-", "\u2212");
  const two = (value) => value.toFixed(2);

  return {
    title: "Clusters along the bottleneck curve, by Blahut-Arimoto",
    controls: [
      { key: "beta", label: "\u03b2, price of the label", min: LOW, max: HIGH, step: 0.005, value: 1.6, scale: "log", format: two },
      { key: "mix", label: "Labels that contradict", min: 0, max: 0.3, step: 0.01, value: 0.15, scale: "linear",
        format: (value) => `${Math.round(100 * value)}%` },
      { key: "sweeps", label: "Sweeps", min: 1, max: SWEEPS, step: 0.01, value: SWEEPS, scale: "log",
        format: (value) => String(Math.round(value)) },
    ],
    question: {
      text: "Set the contradicting labels to 0% and move \u03b2 from just above 1 to 12. How does the point travel along the curve?",
      choices: [
        ["smoothly", "Smoothly, from the lower left to the corner"],
        ["jumps", "In jumps, whenever a cluster splits"],
        ["corner", "Not at all: it is in the corner at once"],
      ],
      answer: () => "corner",
      verdict: (guess) => {
        const here = "Without contradiction the curve is a straight line of slope 1, and I(X;Z) \u2212 \u03b2 I(Y;Z) falls along it for "
          + "every \u03b2 above 1: all of them end in the corner. With contradicting labels the curve bends, and \u03b2 picks a point.";
        if (guess === undefined) return here;
        return `${guess === "corner" ? "Yes." : "Not here."} ${here}`;
      },
    },
    compute,
    readout: (r) => [
      { key: "i_x", label: "I(X;Z), bits", value: r.i_x, text: three(r.i_x), sealed: true },
      { key: "i_y", label: "I(Y;Z), bits", value: r.i_y, text: three(r.i_y), sealed: true },
      { key: "lagrangian", label: "I(X;Z) \u2212 \u03b2 I(Y;Z)", value: r.lagrangian, text: three(r.lagrangian), sealed: true },
      { key: "clusters", label: "Clusters", value: r.clusters, text: String(r.clusters), sealed: true },
    ],
    describe: (r, { parameters }) => `At beta ${two(parameters.beta)} with ${Math.round(100 * parameters.mix)}% contradicting labels `
      + `there ${r.clusters === 1 ? "is one cluster" : `are ${r.clusters} clusters`}; Z tells ${three(r.i_x)} bits of the picture `
      + `and ${three(r.i_y)} of the label.`,
    table: (r) => ({
      columns: ["picture", "z = 1", "z = 2", "z = 3", "z = 4"],
      rows: r.encoder.map((row, x) => [`${CLASSES[x >> 1]}, ${x % 2 ? "unclear" : "clear"}`, ...row.map(three)]),
    }),
    panels: (r, { parameters, theme }) => {
      const colours = [theme.first, theme.second, theme.third, theme.fourth];
      const symbols = ["circle", "square", "diamond", "triangle-up"];
      const { dots, line, note, plane } = lsedu.layout;
      const path = (name, points, colour, dash) => line(points.map(({ i_x, i_y }) => [i_x, i_y]), { name, colour, dash,
        hover: `${name}: %{x:.3f}, %{y:.3f}<extra></extra>` });
      const curve = [{ i_x: 0, i_y: 0 }, ...r.whole.points];
      const top = r.whole.points.at(-1);
      const tree = CLASSES.map((name, z) => line(r.whole.betas.map((beta, i) => [beta, r.whole.stands[i][z]]), { name,
        colour: colours[z], width: 3, dash: ["solid", "dot", "solid", "dot"][z], hover: `cluster ${z + 1}: \u03b2 %{x:.2f}<extra></extra>` }));
      const now = dots(r.stands.map((y) => [parameters.beta, y]), { theme, colour: colours, symbol: symbols, size: 11, ring: 1.5 });
      return [
        {
          name: "plane",
          sealed: true,
          traces: [
            plane.border(theme, "dash"),
            path("curve", curve, theme.first, "solid"),
            path("smoothing", r.whole.smoothed, theme.smoothed, "dot"),
            dots([[r.i_x, r.i_y]], { theme, colour: theme.text, size: 13, hover: `${three(r.i_x)}, ${three(r.i_y)}` }),
          ],
          layout: {
            title: "The plane, in bits", height: 340,
            ...plane.axes("", { range: [-0.06, 2.12], dtick: 0.5 }, { range: [-0.06, 2.12], dtick: 0.5 }),
            annotations: [
              plane.word(theme, 1.62, { xshift: -12 }),
              note("curve", [top.i_x, top.i_y], { colour: theme.first, xanchor: "right", yshift: top.i_y > 1.9 ? -26 : 12, xshift: -6 }),
              note("smoothing", [r.whole.smoothed[14].i_x, r.whole.smoothed[14].i_y], { colour: theme.smoothed, xanchor: "left",
                xshift: 8, yshift: -12 }),
            ],
          },
        },
        {
          name: "tree",
          sealed: true,
          traces: [...tree, now],
          layout: {
            title: "Each cluster among the classes, by \u03b2", height: 340, margin: { l: 74, r: 14, t: 36, b: 46 },
            slim: { l: 70 },
            xaxis: { title: { text: "\u03b2 (logarithmic)" }, type: "log", range: [Math.log10(LOW), Math.log10(HIGH)],
              tickvals: [1.1, 1.5, 2, 3, 5, 10], ticktext: ["1.1", "1.5", "2", "3", "5", "10"] },
            yaxis: { range: [-0.25, 3.25], tickvals: [0, 1, 2, 3], ticktext: CLASSES },
            shapes: [{ type: "line", x0: parameters.beta, x1: parameters.beta, y0: -0.25, y1: 3.25,
              line: { color: theme.muted, width: 1.5, dash: "dash" } }],
          },
        },
      ];
    },
  };
});
