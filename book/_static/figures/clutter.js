/*
Scenes of clothes among clutter of their own or of another class: picture, Grad-CAM map and answer. The data are {classes,
labels, boxes: [[top, left, bottom, right], ...], pictures: {own, other}: lists of 784 hexadecimal digits, maps and
probabilities: {strength: {own, other}}, maps of 784 pairs of digits}. `compute` mirrors lsedu.book.figures.clutter.
*/
lsedu.figure("clutter", () => {
  "use strict";

  const SIDE = 28;
  const KINDS = { own: "its own clutter", other: "clutter of another class" };
  const STRENGTHS = { "0.0": "no smoothing", 0.1: "alpha = 0.1" };

  const percent = (value) => `${Math.round(100 * value)}%`;
  const two = (value) => value.toFixed(2);
  const top = (row) => row.indexOf(Math.max(...row));
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const read = (text, each) => Array.from({ length: text.length / each }, (_, i) => parseInt(text.slice(i * each, (i + 1) * each), 16));
  const rowsOf = (values) => Array.from({ length: SIDE }, (_, i) => values.slice(i * SIDE, (i + 1) * SIDE));

  function compute({ scene, clutter, alpha }, data) {
    const at = Math.round(scene) - 1;
    const [rows, maps] = [data.probabilities[alpha], data.maps[alpha]];
    const row = rows[clutter][at];
    const [here, own] = [clutter, "own"].map((kind) => read(maps[kind][at], 2));
    const [up, left, down, right] = data.boxes[at];
    const inside = here.filter((_, i) => {
      const [y, x] = [Math.floor(i / SIDE), i % SIDE];
      return y >= up && y < down && x >= left && x < right;
    });
    const size = Math.sqrt(sum(here.map((v) => v * v)) * sum(own.map((v) => v * v)));
    const answer = top(row);
    return {
      at,
      answer,
      said: data.classes[answer],
      sure: row[answer],
      share: sum(inside) / Math.max(sum(here), 1),
      alike: sum(here.map((v, i) => v * own[i])) / Math.max(size, 1),
      turned: rows.own.filter((one, i) => top(one) !== top(rows.other[i])).length,
      probabilities: row,
      map: here,
    };
  }

  /** Of the scenes whose answer turns: how alike their two maps are, and the share on the whole piece in both. */
  function turning(data, alpha) {
    const scenes = data.labels.map((_, i) => ["own", "other"].map((clutter) => compute({ scene: i + 1, clutter, alpha }, data)))
      .filter(([own, other]) => own.answer !== other.answer);
    const mean = (pick) => sum(scenes.map(pick)) / scenes.length;
    return { count: scenes.length, alike: mean(([, other]) => other.alike), own: mean(([own]) => own.share),
      other: mean(([, other]) => other.share) };
  }

  return {
    title: "One scene, its map and its answer, with the clutter exchanged",
    controls: [
      { key: "scene", label: "Scene", min: 1, max: 12, step: 1, value: 1, scale: "linear", format: (value) => `${Math.round(value)} of 12` },
      { key: "clutter", label: "Around it", choices: Object.entries(KINDS), value: "own" },
      { key: "alpha", label: "The network", choices: [["0.0", STRENGTHS["0.0"]], ["0.1", STRENGTHS[0.1]]], value: "0.0" },
    ],
    question: {
      text: "The clutter is exchanged, and the answer turns. What does the saliency map do, on average?",
      choices: [
        ["leaves", "It goes over to the clutter, which has misled the network"],
        ["same", "About as much of it lies on the whole piece as before"],
        ["more", "More of it lies on the whole piece than before"],
      ],
      answer: (data) => {
        const { own, other } = turning(data, "0.0");
        if (Math.abs(other - own) < 0.1) return "same";
        return other < own ? "leaves" : "more";
      },
      verdict(guess, data) {
        const { count, own, other, alike } = turning(data, "0.0");
        const here = `In the ${count} scenes whose answer turns without smoothing, ${percent(own)} of the map lie on the whole piece `
          + `before and ${percent(other)} after, and the likeness of a scene's two maps is ${two(alike)} on average.`;
        return guess === undefined ? here : `${guess === this.answer(data) ? "Yes." : "Not here."} ${here}`;
      },
    },
    compute,
    readout: (r) => [
      { key: "answer", label: "The answer", value: r.answer, text: `${r.said}, ${percent(r.sure)}`, sealed: true },
      { key: "share", label: "Of the map on the whole piece", value: r.share, text: percent(r.share), sealed: true },
      { key: "alike", label: "Likeness to the map with its own clutter", value: r.alike, text: two(r.alike), sealed: true },
      { key: "turned", label: "Of the 12 scenes turn", value: r.turned, text: String(r.turned), sealed: true },
    ],
    describe: (r, { parameters, data }) => `Scene ${r.at + 1}, ${data.classes[data.labels[r.at]]} among ${KINDS[parameters.clutter]}, `
      + `${STRENGTHS[parameters.alpha]}: the network says ${r.said}, ${percent(r.sure)} sure, and ${percent(r.share)} of `
      + "its map lie on the whole piece.",
    table: (r, { parameters, data }) => ({
      columns: ["class", "its own clutter", "clutter of another class"],
      rows: data.classes.map((name, k) => [name, ...["own", "other"].map((kind) => percent(data.probabilities[parameters.alpha][kind][r.at][k]))]),
    }),
    panels: (r, { parameters, data, theme }) => {
      const [up, left, down, right] = data.boxes[r.at];
      const grid = (values, most, colours) => ({ type: "heatmap", z: rowsOf(values), zmin: 0, zmax: most, showscale: false,
        hoverinfo: "skip", colorscale: colours });
      const square = (title) => ({
        title, height: 250, narrow: 190, margin: { l: 4, r: 4, t: 36, b: 4 }, slim: { l: 2, r: 2, t: 28, b: 2 },
        xaxis: { visible: false, range: [-0.5, SIDE - 0.5], constrain: "domain" },
        yaxis: { visible: false, range: [SIDE - 0.5, -0.5], scaleanchor: "x", constrain: "domain" },
        shapes: [{ type: "rect", x0: left - 0.5, x1: right - 0.5, y0: up - 0.5, y1: down - 0.5, line: { color: theme.guess, width: 2 } }],
      });
      const label = data.labels[r.at];
      return [
        { name: "picture", half: true, layout: square("The scene"),
          traces: [grid(read(data.pictures[parameters.clutter][r.at], 1), 15, [[0, theme.panel], [1, theme.text]])] },
        { name: "map", half: true, sealed: true, layout: square("Its map"),
          traces: [grid(r.map, 255, [[0, theme.panel], [1, theme.first]])] },
        {
          name: "answer",
          sealed: true,
          traces: [{ type: "bar", orientation: "h", y: data.classes, x: r.probabilities.map((value) => 100 * value),
            marker: { color: data.classes.map((_, k) => (k === label ? theme.accuracy : theme.muted)) },
            hovertemplate: "%{y}: %{x:.0f}%<extra></extra>" }],
          layout: {
            title: "What it says, %", height: 300, narrow: 250, margin: { l: 90, r: 14, t: 36, b: 30 }, slim: { l: 84 },
            xaxis: { range: [0, 100], tickvals: [0, 50, 100] }, yaxis: { autorange: "reversed" },
          },
        },
      ];
    },
  };
});
