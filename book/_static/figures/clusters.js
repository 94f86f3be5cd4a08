/*
Clusters of features on a plane against tightness. The data are a record's: {seeds, classes, points: {part: {plain,
smoothed: [seed][point][x, y]}}, within and ratio: {part: {plain, smoothed: [seed]}}}; the points of a seed come class by
class, as many of each. `compute` mirrors lsedu.analysis.compactness on the plane; what is said of all features and
classes is the record's.
*/

lsedu.figure("clusters", () => {
  const NETWORKS = [100, 101, 102, 103, 104, 105, 106, 107];
  const NAMES = { plain: "one-hot", smoothed: "\u03b1 = 0.1" };
  const MEASURES = [
    ["plane_within", "scatter, here"], ["plane_ratio", "tightness, here"],
    ["all_within", "scatter, everywhere"], ["all_ratio", "tightness, everywhere"],
  ];

  const UNITS = { same: "place on the plane", distance: "unit: how far apart centres lie" };

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const centre = (points) => [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const square = ([x, y], [a, b]) => (x - a) ** 2 + (y - b) ** 2;

  /** Mean squared distance of points to their class's centre, of those centres to the centre of all, and the ratio. */
  function compactness(points, classes) {
    const size = points.length / classes;
    const centres = Array.from({ length: classes }, (_, k) => centre(points.slice(k * size, (k + 1) * size)));
    const middle = centre(points);
    const within = mean(points.map((point, i) => square(point, centres[Math.floor(i / size)])));
    const between = mean(centres.map((point) => square(point, middle)));
    return { within, between, ratio: within / between, middle };
  }

  /** All that the figure shows, from {network, part, scale} and the data. */
  function compute({ network, part, scale }, { seeds, classes, points, within, ratio }) {
    const row = seeds.indexOf(network);
    const shown = {};
    const tight = {};
    for (const [name, clouds] of Object.entries(points[part])) {
      tight[name] = clouds.map((cloud) => compactness(cloud, classes.length));
      const mine = tight[name][row];
      const unit = scale === "distance" ? Math.sqrt(mine.between) : 1;
      shown[`${name}_points`] = clouds[row].map(([x, y]) => [(x - mine.middle[0]) / unit, (y - mine.middle[1]) / unit]);
      shown[`${name}_within`] = mine.within;
      shown[`${name}_ratio`] = mine.ratio;
      shown[`${name}_all_within`] = within[part][name][row];
      shown[`${name}_all_ratio`] = ratio[part][name][row];
    }
    const over = (of) => seeds.map((_, s) => of("smoothed", s) / of("plain", s));
    return {
      ...shown,
      plane_within: over((name, s) => tight[name][s].within),
      plane_ratio: over((name, s) => tight[name][s].ratio),
      all_within: over((name, s) => within[part][name][s]),
      all_ratio: over((name, s) => ratio[part][name][s]),
    };
  }

  const two = (value) => value.toFixed(2);
  const three = (value) => value.toFixed(3);
  const asked = (data) => {
    const { plain, smoothed } = data.ratio.test;
    return { plain: mean(plain), smoothed: mean(smoothed), times: mean(smoothed) / mean(plain) };
  };

  return {
    title: "Clusters on a plane, and how tight the classes are",
    controls: [
      { key: "scale", label: "Axes", value: "same",
        choices: [["same", "the same for both networks"], ["distance", "in units of the distance between centres"]] },
      { key: "part", label: "Pictures", value: "test", choices: [["test", "test pictures"], ["train", "training pictures"]] },
      { key: "network", label: "Seed", steps: NETWORKS, value: NETWORKS[0], format: String },
    ],
    question: {
      text: "Both clouds are drawn on the same axes. Now take all ten classes and all features, and divide the scatter of "
        + "the test pictures about their class centres by the distance between the centres. Does smoothing make this number "
        + "smaller?",
      choices: [
        ["half", "Yes, by more than a half"],
        ["some", "Yes, but by less than that"],
        ["larger", "No, it makes it larger"],
      ],
      answer: (data) => {
        const { times } = asked(data);
        if (times < 0.5) return "half";
        return times < 1 ? "some" : "larger";
      },
      verdict(guess, data) {
        const { plain, smoothed } = asked(data);
        const here = `It is ${three(smoothed)} with smoothing and ${three(plain)} without, in the mean over `
          + `${data.seeds.length} seeds. Set the axes to units of the distance between centres, and look at the last panel.`;
        if (guess === undefined) return here;
        return `${guess === this.answer(data) ? "Yes." : "Not so."} ${here}`;
      },
    },
    compute,
    readout: (r) => [
      ["plain_within", "Scatter here", "plain", two, false], ["smoothed_within", "Scatter here", "smoothed", two, false],
      ["plain_ratio", "Tightness here", "plain", three, true], ["smoothed_ratio", "Tightness here", "smoothed", three, true],
      ["plain_all_ratio", "Tightness everywhere", "plain", three, true],
      ["smoothed_all_ratio", "Tightness everywhere", "smoothed", three, true],
    ].map(([key, label, name, format, sealed]) => ({ key, label: `${label}, ${NAMES[name]}`, value: r[key], text: format(r[key]),
      sealed })),
    describe: (r, { parameters: { part, network } }) =>
      `Seed ${network}, ${part === "test" ? "test" : "training"} pictures. On the plane the scatter is ${two(r.plain_within)} with `
      + `one-hot targets and ${two(r.smoothed_within)} with smoothing, and the tightness ${three(r.plain_ratio)} and `
      + `${three(r.smoothed_ratio)}. For all classes and features the tightness is ${three(r.plain_all_ratio)} and `
      + `${three(r.smoothed_all_ratio)}.`,
    table: (r, { data }) => ({
      columns: ["Smoothed over one-hot, by seed", ...data.seeds.map(String), "Mean"],
      rows: MEASURES.map(([key, label]) => [label, ...r[key].map(two), two(mean(r[key]))]),
    }),
    panels: (r, { parameters, data, theme }) => {
      const colours = [theme.first, theme.second, theme.third];
      const symbols = ["circle", "square", "triangle-up"];
      const reach = 1.08 * Math.max(...[...r.plain_points, ...r.smoothed_points].flat().map(Math.abs));
      const axis = { range: [-reach, reach], nticks: 5 };
      /** A name above its cloud or below it, on the side away from the others; names side by side grow apart. */
      const outwards = (group, groups) => {
        const [xs, ys] = [0, 1].map((axis) => groups.map((other) => centre(other)[axis]));
        const [x, y] = centre(group);
        const above = y > ys.reduce((sum, value) => sum + value, 0) / ys.length;
        const side = { [Math.min(...xs)]: "right", [Math.max(...xs)]: "left" }[x] ?? "center";
        return { x, xanchor: Math.abs(x) > 0.6 * reach ? "center" : side, yanchor: above ? "bottom" : "top",
          y: (above ? Math.max : Math.min)(...group.map(([, height]) => height)) };
      };
      const cloud = (name) => {
        const points = r[`${name}_points`];
        const size = points.length / data.classes.length;
        const groups = data.classes.map((_, k) => points.slice(k * size, (k + 1) * size));
        return {
          name,
          half: true,
          traces: [
            ...groups.map((group, k) => ({ type: "scatter", mode: "markers", name: data.classes[k], x: group.map(([x]) => x),
              y: group.map(([, y]) => y), hoverinfo: "name", marker: { color: colours[k], symbol: symbols[k], size: 6, opacity: 0.6 } })),
            { type: "scatter", mode: "markers", name: "centre", x: groups.map((group) => centre(group)[0]),
              y: groups.map((group) => centre(group)[1]), hoverinfo: "name",
              marker: { color: theme.text, symbol: "x", size: 10, line: { color: theme.paper, width: 1.5 } } },
          ],
          layout: {
            title: NAMES[name], height: 360, slim: { l: 34, r: 4 },
            annotations: groups.map((group, k) => ({ ...outwards(group, groups), text: data.classes[k], showarrow: false,
              bgcolor: theme.panel, opacity: 0.92, font: { color: colours[k], size: 12 } })),
            xaxis: { ...axis, title: { text: UNITS[parameters.scale], standoff: 4 } }, yaxis: { ...axis, scaleanchor: "x" },
          },
        };
      };
      const labels = MEASURES.map(([, label]) => label.replace(", ", ",<br>"));
      return [
        cloud("plain"),
        cloud("smoothed"),
        {
          name: "factors",
          sealed: true,
          traces: MEASURES.map(([key, label], i) => ({ type: "scatter", mode: "markers", x: r[key], y: r[key].map(() => i),
            marker: { color: i % 2 ? theme.fourth : theme.muted, symbol: i % 2 ? "diamond" : "circle", size: 9, opacity: 0.75 },
            hovertemplate: `%{x:.2f}<extra>${label}</extra>` })),
          layout: {
            title: "Change by smoothing, each seed", height: 300, margin: { l: 84, r: 14, t: 36, b: 46 }, slim: { l: 84 },
            xaxis: { title: { text: "smoothed over one-hot" }, range: [0, 1.45], dtick: 0.5 },
            yaxis: { range: [3.5, -0.5], tickvals: [0, 1, 2, 3], ticktext: labels },
            shapes: [{ type: "line", x0: 1, x1: 1, yref: "paper", y0: 0, y1: 1, line: { color: theme.text, dash: "dot", width: 1.5 } }],
          },
        },
      ];
    },
  };
});
