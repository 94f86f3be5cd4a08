/*
Wrong answers of one recorded network: the pictures, what it said, how sure it was. The data are {classes: [K names],
wrong: [{picture: 784 hexadecimal digits, said, label, sure}, ...]}, the surest last. `compute` mirrors
lsedu.book.figures.sure.
*/
lsedu.figure("sure", () => {
  "use strict";

  const LEVELS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98];
  const SHOWN = 6;
  const SIDE = 28;
  const ACROSS = 3;
  /** Distance from one picture to the next: to the right, and down, where two lines of text are between them. */
  const RIGHT = SIDE + 4;
  const DOWN = SIDE + 11;

  const percent = (value) => `${Math.round(100 * value)}%`;

  function compute({ sure }, { wrong }) {
    const found = wrong.filter((one) => one.sure >= sure);
    const shown = found.slice(0, SHOWN);
    return { level: sure, count: found.length, shown, sure: shown.map((one) => one.sure) };
  }

  /** All pictures in one table of greys, with nothing between them. */
  function mosaic(shown) {
    const table = Array.from({ length: 2 * DOWN }, () => new Array(ACROSS * RIGHT).fill(null));
    shown.forEach(({ picture }, n) => {
      const [left, top] = [(n % ACROSS) * RIGHT, Math.floor(n / ACROSS) * DOWN];
      for (let i = 0; i < picture.length; i += 1) {
        table[top + Math.floor(i / SIDE)][left + (i % SIDE)] = parseInt(picture[i], 16);
      }
    });
    return table;
  }

  return {
    title: "Six wrong answers, and how sure they are",
    controls: [{ key: "sure", label: "At least this sure", steps: LEVELS, value: 0.98, format: percent }],
    compute,
    readout: ({ count, level }) => [
      { key: "count", label: `Wrong answers at least ${percent(level)} sure`, value: count, text: String(count) },
    ],
    describe: ({ shown }, { data }) => shown.map(({ said, label, sure }) =>
      `Says ${data.classes[said]}, ${percent(sure)} sure; it is: ${data.classes[label]}.`).join(" "),
    table: ({ shown }, { data }) => ({
      columns: ["The network says", "How sure", "It is"],
      rows: shown.map(({ said, label, sure }) => [data.classes[said], percent(sure), data.classes[label]]),
    }),
    panels: ({ shown }, { data, theme }) => [{
      name: "pictures",
      traces: [{ type: "heatmap", z: mosaic(shown), zmin: 0, zmax: 15, showscale: false, hoverinfo: "skip",
        colorscale: [[0, theme.panel], [1, theme.text]] }],
      layout: {
        title: "", height: 430, narrow: 300, margin: { l: 4, r: 4, t: 4, b: 4 }, slim: { l: 2, r: 2, t: 2, b: 2 },
        xaxis: { visible: false, range: [-1, ACROSS * RIGHT - 3] },
        yaxis: { visible: false, range: [2 * DOWN - 1, -1], scaleanchor: "x" },
        annotations: shown.map(({ said, label, sure }, n) => ({
          x: (n % ACROSS) * RIGHT + (SIDE - 1) / 2, y: Math.floor(n / ACROSS) * DOWN + SIDE, yanchor: "top", showarrow: false,
          text: `<b>${data.classes[said]}, ${percent(sure)}</b><br>it is: ${data.classes[label]}`,
          font: { size: 12, color: theme.text },
        })),
      },
    }],
  };
});
