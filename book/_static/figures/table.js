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
      const border = [[0, 0], [r.ceiling, r.ceiling], [RIGHT, r.ceiling]];
      const { dots, line, note, plane, xy } = lsedu.layout;
      return [{
        name: "plane",
        traces: [
          { type: "scatter", mode: "none", ...xy([[0, top], ...border, [RIGHT, top]]), fill: "toself", fillcolor: theme.grid,
            hoverinfo: "skip" },
          line(border, { colour: theme.muted, width: 1 }),
          line(curve.x.map((x, i) => [x, curve.y[i]]), { colour: theme.second, width: 3,
            hover: "the best at %{x:.2f} bits: %{y:.2f}<extra></extra>" }),
          dots([[r.i_x, r.i_y]], { theme, colour: theme.first, size: 15, hover: `${bits(r.i_x)}, ${bits(r.i_y)}` }),
        ],
        layout: {
          title: "The point of the table", height: 330, narrow: 250,
          ...plane.axes(" in bits", { range: [-0.04, RIGHT] }, { range: [-0.04 * top, top] }),
          annotations: [
            note("no table is here", [0.03, 0.97 * top], { colour: theme.text, xanchor: "left", yanchor: "top" }),
            note("the curve", [curve.x[named], curve.y[named]], { colour: theme.second, xanchor: "left", yanchor: "top", xshift: 8 }),
          ],
        },
      }];
    },
  };
});
