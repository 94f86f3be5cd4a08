/*
Two divergences on the triangle of three classes: KL(u || q), which smoothing adds to cross-entropy, and KL(q || u), which
the confidence penalty adds, u being uniform. The label is class 1, the third logit is 0. No data.
`compute` mirrors lsedu.losses.prior_kl in both directions, and the best predictions of both losses at a strength.
*/

lsedu.figure("divergences", ({ labels: atEnds }) => {
  const U = 1 / 3;
  const HALVINGS = 60;
  const LONGEST = 8;

  function softmax(z) {
    const top = Math.max(...z);
    const e = z.map((value) => Math.exp(value - top));
    const sum = e[0] + e[1] + e[2];
    return e.map((value) => value / sum);
  }

  const xlogy = (x, y) => (x > 0 ? x * Math.log(y) : 0);
  const forward = (q) => -q.reduce((sum, value) => sum + U * Math.log(value / U), 0);
  const reverse = (q) => q.reduce((sum, value) => sum + xlogy(value, value / U), 0);
  const shape = { forward, reverse };

  /** The point between low and high where a rising function passes 0. */
  function root(rising, low, high) {
    for (let i = 0; i < HALVINGS; i += 1) {
      const middle = (low + high) / 2;
      if (rising(middle) < 0) low = middle; else high = middle;
    }
    return (low + high) / 2;
  }

  /** Where the penalty of strength alpha rests: the gap m solves m = (1 - alpha) / (alpha q_y). */
  function restOfPenalty(alpha) {
    const steepness = (1 - alpha) / alpha;
    return root((m) => m - steepness * (1 + 2 * Math.exp(-m)), 0, 3 * steepness);
  }

  const ofGap = (m) => softmax([m, 0, 0]);

  /** All that the figure shows, from {first, second, alpha}. */
  function compute({ first, second, alpha }) {
    const q = softmax([first, second, 0]);
    const gap = Math.log(1 + (3 * (1 - alpha)) / alpha);
    const gapPenalty = restOfPenalty(alpha);
    return {
      q,
      forward: forward(q),
      reverse: reverse(q),
      gap_smoothed: gap,
      gap_penalty: gapPenalty,
      best_smoothed: ofGap(gap),
      best_penalty: ofGap(gapPenalty),
    };
  }

  /** Predictions with this divergence, by the angle around the middle; none where even the edge has less. */
  function levelLine(kind, level) {
    const points = [];
    for (let i = 0; i <= 180; i += 1) {
      const angle = (2 * Math.PI * i) / 180;
      const x = Math.cos(angle) / Math.sqrt(2);
      const y = Math.sin(angle) / Math.sqrt(6);
      const away = [2 * y, -x - y, x - y];
      const edge = Math.min(...away.map((d) => (d < 0 ? -U / d : Infinity)));
      const at = (t) => away.map((d) => Math.max(U + t * d, 0));
      if (shape[kind](at(edge)) < level) points.push(undefined);
      else points.push(at(root((t) => shape[kind](at(t)) - level, 0, edge)));
    }
    return points;
  }

  const number = (value) => value.toFixed(2).replace("-", "\u2212");

  return {
    title: "Two divergences from the uniform distribution, on the triangle of three classes",
    controls: [
      { key: "first", label: "Logit of the label", min: -4, max: LONGEST, step: 0.1, value: 2, scale: "linear", format: number },
      { key: "second", label: "Logit of class 2", min: -4, max: 4, step: 0.1, value: 1, scale: "linear", format: number },
      { key: "alpha", label: "Strength \u03b1", min: 0.05, max: 0.9, step: 0.01, value: 0.3, scale: "linear",
        format: (value) => value.toFixed(2) },
    ],
    question: {
      text: "Raise the label's logit further and further: the prediction runs into the label's corner. Which divergence from "
        + "the uniform distribution then grows beyond all bounds?",
      choices: [
        ["both", "Both"],
        ["forward", "Only KL(u \u2016 q), the one in smoothing"],
        ["reverse", "Only KL(q \u2016 u), the one in the confidence penalty"],
        ["neither", "Neither"],
      ],
      answer: () => "forward",
      verdict: (guess) => {
        const here = "KL(u \u2016 q) asks of every class for some probability, and a class without any costs infinitely much. "
          + "KL(q \u2016 u) is log 3 minus the entropy of q: never above log 3, about 1.10 nats.";
        if (guess === undefined) return here;
        return guess === "forward" ? `Yes. ${here}` : `Not quite. ${here}`;
      },
    },
    compute,
    readout: (r) => [
      { key: "forward", label: "KL(u \u2016 q), nats", value: r.forward, text: number(r.forward), sealed: true },
      { key: "reverse", label: "KL(q \u2016 u), nats", value: r.reverse, text: number(r.reverse), sealed: true },
      { key: "gap_smoothed", label: "Gap where smoothing rests", value: r.gap_smoothed, text: number(r.gap_smoothed), sealed: true },
      { key: "gap_penalty", label: "Gap where the penalty rests", value: r.gap_penalty, text: number(r.gap_penalty), sealed: true },
    ],
    describe: (r, { parameters }) => `The prediction is ${r.q.map((value) => value.toFixed(3)).join(", ")}. From the uniform `
      + `distribution, KL(u, q) is ${number(r.forward)} and KL(q, u) ${number(r.reverse)} nats. With alpha `
      + `${parameters.alpha.toFixed(2)} smoothing rests at a gap of ${number(r.gap_smoothed)}, the penalty at `
      + `${number(r.gap_penalty)}.`,
    table: (r) => ({
      columns: ["", "Label", "Class 2", "Class 3", "KL(u \u2016 q)", "KL(q \u2016 u)"],
      rows: [["prediction", r.q], ["best of smoothing", r.best_smoothed], ["best of the penalty", r.best_penalty]]
        .map(([name, q]) => [name, ...q.map((value) => value.toFixed(4)), number(forward(q)), number(reverse(q))]),
    }),
    panels: (r, { parameters, theme, revealed }) => {
      const colours = { forward: theme.smoothed, reverse: theme.first };
      const names = { forward: "KL(u \u2016 q)", reverse: "KL(q \u2016 u)" };
      const dashes = { forward: "solid", reverse: "dot" };
      const { dots, line, note, triangle } = lsedu.layout;
      const { place } = triangle;
      const middle = place([U, U, U]);
      const drawn = [triangle.outline(theme),
        dots([middle], { theme, colour: theme.muted, symbol: "x", size: 9, ring: 0, hover: "uniform, u" })];
      const notes = [...triangle.names(), note("u", middle, { xshift: 12, yshift: 0 })];
      if (revealed) {
        for (const kind of ["forward", "reverse"]) {
          const points = levelLine(kind, r[kind]).map((q) => (q ? place(q) : [null, null]));
          drawn.push(line(points, { colour: colours[kind], dash: dashes[kind], connectgaps: false }));
        }
        for (const [kind, best, text] of [["forward", r.best_smoothed, "smoothing rests"], ["reverse", r.best_penalty, "penalty rests"]]) {
          drawn.push(dots([place(best)], { theme, colour: colours[kind], symbol: "diamond", size: 11, ring: 1.5,
            hover: `${text}: ${best.map((value) => value.toFixed(3)).join(", ")}` }));
          notes.push(note(text, place(best), { colour: colours[kind], xanchor: kind === "forward" ? "right" : "left",
            xshift: kind === "forward" ? -10 : 10 }));
        }
      }
      drawn.push(dots([place(r.q)], { theme, colour: theme.text, size: 13,
        hover: `prediction: ${r.q.map((value) => value.toFixed(3)).join(", ")}` }));
      const firsts = Array.from({ length: 121 }, (_, i) => -4 + (i * (LONGEST + 4)) / 120);
      const along = (kind) => firsts.map((first) => [first, shape[kind](softmax([first, parameters.second, 0]))]);
      const lines = ["forward", "reverse"].map((kind) => line(along(kind), { name: names[kind], colour: colours[kind],
        dash: dashes[kind], hover: "logit %{x:.1f}: %{y:.2f} nats<extra></extra>" }));
      const here = ["forward", "reverse"].map((kind) => dots([[parameters.first, r[kind]]], { theme, colour: colours[kind] }));
      return [
        {
          name: "triangle",
          traces: drawn,
          layout: {
            ...triangle.panel(0.12), title: revealed ? "Equal divergences through the prediction" : "A prediction over three classes",
            annotations: notes,
          },
        },
        {
          name: "growth",
          sealed: true,
          traces: [...lines, ...here],
          layout: {
            title: "On the way to the label's corner", height: 360,
            annotations: atEnds(["forward", "reverse"].map((kind, i) => ({ text: names[kind], x: LONGEST, y: lines[i].y.at(-1),
              colour: colours[kind] })), theme),
            xaxis: { title: { text: "logit of the label" }, range: [-4, LONGEST] },
            yaxis: { title: { text: "divergence, nats" }, rangemode: "tozero" },
          },
        },
      ];
    },
  };
});
