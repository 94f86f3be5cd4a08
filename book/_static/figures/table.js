/*
A table of three pictures and three words whose cells the reader drags, and its point on the information plane. The data
are the bottleneck curves, {labels: {x, y}}, in bits. `compute` mirrors lsedu.book.figures.table.
*/
lsedu.figure("table", () => {
  "use strict";

  const WORDS = ["shirt", "coat", "bag"];
  const LABELS = {
    pair: [[1, 0, 0], [0, 1, 0], [0, 1, 0]],
    own: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    torn: [[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0]],
  };
  const RIGHT = 1.66;

  /** The information of a joint table, in bits. */
  function informationOf(joint) {
    const rows = joint.map((row) => row.reduce((a, b) => a + b, 0));
    const columns = joint[0].map((_, j) => joint.reduce((sum, row) => sum + row[j], 0));
    let found = 0;
    joint.forEach((row, i) => row.forEach((p, j) => { if (p > 0) found += p * Math.log2(p / (rows[i] * columns[j])); }));
    return Math.max(found, 0);
  }

  /** p(y, z) of a table and p(y|x), the pictures being equally likely. */
  const together = (target, table) => WORDS.map((_, y) => WORDS.map((__, z) =>
    table.reduce((sum, row, x) => sum + target[x][y] * row[z] / 3, 0)));

  function compute({ one, two, three, labels }) {
    const table = [one, two, three].map((row) => row.split(" ").map((cell) => Number(cell) / 100));
    const target = LABELS[labels];
    const joint = together(target, table);
    return {
      table,
      i_x: informationOf(table.map((row) => row.map((p) => p / 3))),
      i_y: informationOf(joint),
      ceiling: informationOf(target.map((row) => row.map((p) => p / 3))),
      right: joint.reduce((sum, row, k) => sum + row[k], 0),
      joint,
    };
  }

  const bits = (value) => value.toFixed(3);
  const row = (key, label, value) => ({ key, label, cells: WORDS, value });

  return {
    title: "A table of three pictures and three words, and its point on the information plane",
    controls: [
      row("one", "Picture 1", "100 0 0"), row("two", "Picture 2", "0 100 0"), row("three", "Picture 3", "0 0 100"),
      { key: "labels", label: "Labels", value: "pair", choices: [["pair", "a shirt and two coats"],
        ["own", "a shirt, a coat and a bag"], ["torn", "picture 2: half shirt, half coat"]] },
    ],
    question: {
      text: "Picture 1 is a shirt, pictures 2 and 3 are coats. The table starts with a word of its own for each. You give "
        + "picture 3 the word of picture 2. What happens?",
      choices: [
        ["both", "I(X;Z) and I(Y;Z) both fall"],
        ["free", "I(X;Z) falls, I(Y;Z) stays"],
        ["neither", "Neither changes: there are still three pictures"],
      ],
      answer: () => "free",
      verdict: (guess) => {
        const here = "The point moves to the left, into the corner: to tell two coats apart costs bits of the picture, and "
          + "brings none about the label. Drag picture 3's cells and see.";
        if (guess === undefined) return here;
        return guess === "free" ? `Yes. ${here}` : `Not quite. ${here}`;
      },
    },
    compute,
    readout: (r) => [
      { key: "i_x", label: "I(X;Z), bits", value: r.i_x, text: bits(r.i_x) },
      { key: "i_y", label: "I(Y;Z), bits", value: r.i_y, text: bits(r.i_y) },
      { key: "beyond", label: "Beyond the label, bits", value: r.i_x - r.i_y, text: bits(Math.abs(r.i_x - r.i_y)) },
      { key: "right", label: "Words that are the label", value: r.right, text: `${Math.round(100 * r.right)}%` },
    ],
    describe: (r) => `The table is at ${bits(r.i_x)} bits of the picture and ${bits(r.i_y)} bits of the label; `
      + `${Math.round(100 * r.right)} percent of its words are the label.`,
    table: (r) => ({
      columns: ["p(label, word)", ...WORDS],
      rows: r.joint.map((cells, y) => [WORDS[y], ...cells.map((p) => p.toFixed(3))]),
    }),
    panels: (r, { parameters, data, theme }) => {
      const curve = data[parameters.labels];
      const top = 1.14 * r.ceiling;
      const named = curve.x.findIndex((x) => x >= 0.45);
      const border = { x: [0, r.ceiling, RIGHT], y: [0, r.ceiling, r.ceiling] };
      return [{
        name: "plane",
        traces: [
          { type: "scatter", mode: "none", x: [0, 0, ...border.x.slice(1), RIGHT], y: [top, 0, ...border.y.slice(1), top],
            fill: "toself", fillcolor: theme.grid, hoverinfo: "skip" },
          { type: "scatter", mode: "lines", ...border, hoverinfo: "skip", line: { color: theme.muted, width: 1 } },
          { type: "scatter", mode: "lines", ...curve, line: { color: theme.second, width: 3 },
            hovertemplate: "the best at %{x:.2f} bits: %{y:.2f}<extra></extra>" },
          { type: "scatter", mode: "markers", x: [r.i_x], y: [r.i_y], hovertemplate: "%{x:.3f}, %{y:.3f}<extra></extra>",
            marker: { size: 15, color: theme.first, line: { color: theme.paper, width: 2 } } },
        ],
        layout: {
          title: "The point of the table", height: 330, narrow: 250,
          xaxis: { title: { text: "I(X;Z) in bits" }, range: [-0.04, RIGHT] },
          yaxis: { title: { text: "I(Y;Z) in bits" }, range: [-0.04 * top, top] },
          annotations: [
            { x: 0.03, y: 0.97 * top, text: "no table is here", showarrow: false, xanchor: "left", yanchor: "top",
              font: { size: 12, color: theme.text } },
            { x: curve.x[named], y: curve.y[named], text: "the curve",
              showarrow: false, xanchor: "left", yanchor: "top", xshift: 8, font: { size: 12, color: theme.second } },
          ],
        },
      }];
    },
  };
});
