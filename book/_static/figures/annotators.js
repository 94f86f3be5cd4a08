/*
One picture's annotators, made up, beside the answers that smoothing and the bottleneck give at one I(X;Z). The data are
the codes of a made-up table, by the library: {betas, r: [beta][code], q: [beta][code][class], i_x, alpha}, alpha being
the strength of uniform smoothing with that I(X;Z). `compute` mirrors lsedu.book.figures.annotators.
*/

lsedu.figure("annotators", () => {
  const VOTES = 50;
  const BETAS = [1.2, 1.6, 1.7, 1.8, 2, 2.3, 2.7, 3.3, 4, 6];
  const NAMES = ["cat", "dog", "car", "truck"];

  const sum = (values) => values.reduce((total, value) => total + value, 0);

  /** KL(p || q) in nats; infinite where q misses a label of p. */
  function divergence(p, q) {
    const total = sum(q);
    return sum(p.map((value, k) => (value > 0 ? value * Math.log((value * total) / q[k]) : 0)));
  }

  /** All that the figure shows, from {dog, beta} and the data. */
  function compute({ dog, beta }, data) {
    const at = data.betas.indexOf(beta);
    const said = [(VOTES - dog) / VOTES, dog / VOTES, 0, 0];
    const weight = data.r[at].map((r, z) => r * Math.exp(-beta * divergence(said, data.q[at][z])));
    const alpha = data.alpha[at];
    return {
      said,
      smoothing: said.map((value) => (1 - alpha) * value + alpha / 4),
      bottleneck: weight.map((value) => value / sum(weight)),
      alpha,
      i_x: data.i_x[at],
    };
  }

  const percent = (value) => `${(100 * value).toFixed(0)}%`;
  const shares = (values) => values.map(percent).join(", ");

  return {
    title: "One picture's annotators, and two answers that know equally much of the picture",
    controls: [
      { key: "dog", label: "Of 50 annotators, say dog", min: 0, max: VOTES, step: 1, value: 15, scale: "linear", format: (v) => String(v) },
      { key: "beta", label: "Bottleneck \u03b2", steps: BETAS, value: 2.3, format: String },
    ],
    compute,
    readout: (r) => [
      { key: "i_x", label: "I(X;Z), bits", value: r.i_x, text: r.i_x.toFixed(3) },
      { key: "alpha", label: "Smoothing's \u03b1", value: r.alpha, text: r.alpha.toFixed(3) },
      { key: "smoothing", label: "Dog, smoothing", value: r.smoothing[1], text: percent(r.smoothing[1]) },
      { key: "bottleneck", label: "Dog, bottleneck", value: r.bottleneck[1], text: percent(r.bottleneck[1]) },
    ],
    describe: (r, { parameters: { dog, beta } }) => `${dog} of 50 annotators say dog. Smoothing with alpha ${r.alpha.toFixed(3)} `
      + `answers cat, dog, car, truck with ${shares(r.smoothing)}; the bottleneck at beta ${beta} with ${shares(r.bottleneck)}.`,
    table: (r) => ({
      columns: ["", ...NAMES],
      rows: [["annotators", r.said], ["smoothing", r.smoothing], ["bottleneck", r.bottleneck]]
        .map(([name, values]) => [name, ...values.map((value) => `${(100 * value).toFixed(1)}%`)]),
    }),
    panels: (r, { parameters, data, theme }) => {
      const bar = (name, values, colour, shape) => ({ type: "bar", name, x: NAMES, y: values.map((value) => 100 * value),
        marker: { color: colour, pattern: { shape, fgcolor: theme.paper, bgcolor: colour, size: 6, solidity: 0.25 } },
        hovertemplate: `${name}, %{x}: %{y:.1f}%<extra></extra>` });
      const votes = Array.from({ length: VOTES + 1 }, (_, dog) => dog);
      const along = votes.map((dog) => compute({ dog, beta: parameters.beta }, data));
      const { dots, line, note } = lsedu.layout;
      const colours = { said: theme.muted, smoothing: theme.smoothed, bottleneck: theme.first };
      const path = (key, dash) => line(votes.map((dog, i) => [dog, 100 * along[i][key][1]]), { colour: colours[key], dash,
        hover: `${key}: %{x} votes, %{y:.0f}%<extra></extra>` });
      const dot = (key) => dots([[parameters.dog, 100 * r[key][1]]], { theme, colour: colours[key] });
      return [
        {
          name: "answers",
          traces: [bar("annotators", r.said, colours.said, ""), bar("smoothing", r.smoothing, colours.smoothing, "/"),
            bar("bottleneck", r.bottleneck, colours.bottleneck, "x")],
          layout: {
            title: "How often each class is said or drawn, %", height: 340, barmode: "group", bargap: 0.25,
            showlegend: true, legend: { orientation: "h", x: 1, xanchor: "right", y: 1, yanchor: "top", font: { size: 12 } },
            xaxis: {}, yaxis: { range: [0, 118], tickvals: [0, 25, 50, 75, 100] },
          },
        },
        {
          name: "response",
          traces: [path("said", "dot"), path("smoothing", "dash"), path("bottleneck", "solid"), dot("smoothing"), dot("bottleneck")],
          layout: {
            title: "How often Z is dog, %", height: 340,
            xaxis: { title: { text: "annotators who say dog, of 50", standoff: 4 }, range: [-1, 51], dtick: 10 },
            yaxis: { range: [-4, 104], tickvals: [0, 25, 50, 75, 100] },
            annotations: [
              note("bottleneck", [46, 100 * along[46].bottleneck[1]], { colour: colours.bottleneck, xanchor: "right", yanchor: "bottom", yshift: 2 }),
              note("smoothing", [36, 100 * along[36].smoothing[1]], { colour: colours.smoothing, xanchor: "left", yanchor: "top", yshift: -6 }),
            ],
          },
        },
      ];
    },
  };
});
