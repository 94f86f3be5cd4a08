/*
A Q-matrix emerging beside the confusion of its own network. The data are {classes, factors: [text], epochs, q and
confusion: {factor: [epoch][class][class]}}, means over the seeds of a record, each row of shares. `compute` mirrors
lsedu.book.figures.emerging.
*/
lsedu.figure("emerging", ({ CLOSENESS }) => {
  const EPOCHS = [0, 1, 2, 3, 5, 8, 12, 20, 30, 40];
  const FACTORS = [["1", "the network's, as published"], ["5", "5 times the network's"], ["20", "20 times the network's"],
    ["80", "80 times the network's"]];
  const CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];
  const ASKED = { epoch: 1, factor: "1", row: "Shirt" };

  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const mean = (values) => sum(values) / values.length;
  /** The entries of a row that are not the label's. */
  const others = (row, label) => row.filter((_, k) => k !== label);
  /** Ranks from 1 up; equal values share their mean. */
  const ranks = (values) => values.map((value) => values.filter((one) => one < value).length
    + (values.filter((one) => one === value).length + 1) / 2);

  /** Spearman's correlation, 0 where one of the two has equal values only. */
  function rankCorrelation(a, b) {
    const [left, right] = [a, b].map((values) => {
      const found = ranks(values);
      return found.map((rank) => rank - mean(found));
    });
    const size = Math.sqrt(sum(left.map((v) => v * v)) * sum(right.map((v) => v * v)));
    return size > 0 ? sum(left.map((v, i) => v * right[i])) / size : 0;
  }

  /** A row without its label's entry, in proportion: what is left sums to 1; of nothing it stays 0. */
  function scaled(row, label) {
    const whole = sum(others(row, label));
    return row.map((value, k) => (k === label || whole === 0 ? 0 : value / whole));
  }

  /** All that the figure shows, from {epoch, factor, row} and the data. */
  function compute({ epoch, factor, row }, { classes, epochs, q, confusion }) {
    const at = epochs.indexOf(epoch);
    const label = classes.indexOf(row);
    const [here, seen] = [q[factor][at], confusion[factor][at]];
    const like = (i, k) => rankCorrelation(others(q[factor][i][k], k), others(confusion[factor][i][k], k));
    return {
      label,
      own: here[label][label],
      most: Math.max(...others(here[label], label)),
      right: seen[label][label],
      like: like(at, label),
      all: mean(classes.map((_, k) => like(at, k))),
      row_of_q: scaled(here[label], label),
      row_of_confusion: scaled(seen[label], label),
      path: epochs.map((_, i) => like(i, label)),
      tables: [here, seen].map((table) => table.map(scaled)),
    };
  }

  const two = (value) => `${value < 0 ? "\u2212" : ""}${Math.abs(value).toFixed(2)}`;
  const percent = (value) => `${(100 * value).toFixed(0)}%`;
  const tenth = (value) => `${(100 * value).toFixed(1)}%`;
  const asked = (data, epoch) => compute({ ...ASKED, epoch }, data);

  return {
    title: "Q and the confusion of its network, epoch by epoch",
    controls: [
      { key: "epoch", label: "After epoch", steps: EPOCHS, value: 0, format: String },
      { key: "factor", label: "Q's learning rate", choices: FACTORS, value: ASKED.factor },
      { key: "row", label: "Row", choices: CLASSES.map((name) => [name, name]), value: ASKED.row },
    ],
    question: {
      text: "Q starts even and ranks nothing. It is trained as published, with the network's own learning rate and weight decay. How "
        + "well do its rows rank the other classes as the wrong answers do, after the first of 40 epochs? (Rank correlation, mean "
        + "over the ten rows: 0 is no better than nothing, 100% the same order.)",
      control: { key: "share", label: "My guess, in percent", min: 0, max: 100, step: 1, value: 50, scale: "linear",
        format: (value) => `${value.toFixed(0)}%` },
      answer: (data) => 100 * asked(data, ASKED.epoch).all,
      points(guess, data) {
        const off = Math.abs(guess - this.answer(data));
        return off < 6 ? 2 : Number(off < 16);
      },
      verdict(guess, data) {
        const [first, last] = [asked(data, ASKED.epoch), asked(data, data.epochs[data.epochs.length - 1])];
        const table = data.q[ASKED.factor][data.epochs.indexOf(ASKED.epoch)].flat();
        const here = `After one epoch it is ${percent(first.all)}, after all of them ${percent(last.all)}. Yet the entries of Q still `
          + `lie between ${percent(Math.min(...table))} and ${percent(Math.max(...table))} then: the order comes first, the size later.`;
        if (guess === undefined) return here;
        return `You said ${guess.toFixed(0)}%. ${here} ${CLOSENESS[this.points(guess, data)]}`;
      },
    },
    compute,
    readout: (r) => [
      { key: "own", label: "Q gives the label", value: r.own, text: tenth(r.own), sealed: true },
      { key: "most", label: "and another class at most", value: r.most, text: tenth(r.most), sealed: true },
      { key: "right", label: "Test pictures answered rightly", value: r.right, text: percent(r.right) },
      { key: "like", label: "Rank correlation of the two rows", value: r.like, text: two(r.like), sealed: true },
      { key: "all", label: "Mean over all ten rows", value: r.all, text: two(r.all), sealed: true },
    ],
    describe: (r, { parameters: { epoch, factor, row }, data: { classes } }) => {
      const top = (values) => classes[values.indexOf(Math.max(...values))];
      return `After epoch ${epoch}, Q's rate ${FACTORS.find(([key]) => key === factor)[1]}: the row of ${row} gives the label `
        + `${tenth(r.own)} and another class at most ${tenth(r.most)}, ${top(r.row_of_q)}. Wrong answers are most often `
        + `${top(r.row_of_confusion)}. The rank correlation of the two rows is ${two(r.like)}, over all rows ${two(r.all)}.`;
    },
    table: (r, { data }) => ({
      columns: ["Other class", "of Q's row", "of the wrong answers"],
      rows: data.classes.flatMap((name, k) => (k === r.label ? [] : [[name, percent(r.row_of_q[k]), percent(r.row_of_confusion[k])]])),
    }),
    panels: (r, { data, theme }) => {
      const { classes } = data;
      const grid = (name, title, table, colour) => ({
        name,
        half: true,
        sealed: name === "q",
        traces: [{ type: "heatmap", z: table.map((row, k) => row.map((value, j) => (j === k ? null : value))), zmin: 0, zmax: 0.6,
          x: classes, y: classes, showscale: false, colorscale: [[0, theme.panel], [1, colour]],
          hovertemplate: "%{y} \u2192 %{x}: %{z:.0%}<extra></extra>" }],
        layout: {
          title, height: 260, narrow: 190, margin: { l: 6, r: 6, t: 36, b: 6 }, slim: { l: 4, r: 4, t: 28, b: 4 },
          xaxis: { visible: false, constrain: "domain" }, yaxis: { visible: false, autorange: "reversed", scaleanchor: "x", constrain: "domain" },
          shapes: [{ type: "rect", x0: -0.5, x1: classes.length - 0.5, y0: r.label - 0.5, y1: r.label + 0.5, line: { color: theme.guess, width: 2 } }],
        },
      });
      const bars = (name, values, colour) => ({ type: "bar", orientation: "h", name, y: others(classes, r.label),
        x: others(values, r.label).map((value) => 100 * value), marker: { color: colour }, hovertemplate: `%{y}: %{x:.0f}%<extra>${name}</extra>` });
      return [
        grid("q", "Q", r.tables[0], theme.first),
        grid("confusion", "Wrong answers", r.tables[1], theme.memorised),
        {
          name: "rows",
          sealed: true,
          traces: [bars("wrong answers", r.row_of_confusion, theme.memorised), bars("Q", r.row_of_q, theme.first)],
          layout: {
            title: `${classes[r.label]}: Q and wrong answers, %`, height: 340, narrow: 280, barmode: "group", bargap: 0.25,
            margin: { l: 90, r: 14, t: 36, b: 30 }, slim: { l: 84 },
            xaxis: { range: [0, 100], dtick: 20 }, yaxis: { autorange: "reversed" }, showlegend: true,
            legend: { x: 1, xanchor: "right", y: 0, yanchor: "bottom", traceorder: "reversed" },
          },
        },
      ];
    },
  };
});
