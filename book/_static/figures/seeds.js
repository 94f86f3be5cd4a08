/*
Number of seeds against false discoveries: two methods with the same true accuracy, whose difference from seed to seed
has the recorded spread. The data are {sd: spread of the paired differences in points, t: two-sided 95% quantiles of
Student's t by number of seeds minus one, record: n and mean of the recorded differences}.
`compute` mirrors lsedu.experiments.interval on draws of the same small generator in lsedu.book.figures.seeds.
*/

lsedu.figure("seeds", ({ CLOSENESS }) => {
  const MOST = 20;
  const DRAWS = 1000;
  const START = 7;

  /** Numbers in [0, 1): the generator mulberry32, 32 bits of state. */
  function uniform(state) {
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  /** DRAWS rows of MOST standard normal numbers, by Box and Muller. */
  let rows;
  function normals() {
    if (!rows) {
      const next = uniform(START);
      rows = Array.from({ length: DRAWS }, () => {
        const row = [];
        while (row.length < MOST) {
          const radius = Math.sqrt(-2 * Math.log(1 - next()));
          const angle = 2 * Math.PI * next();
          row.push(radius * Math.cos(angle), radius * Math.sin(angle));
        }
        return row;
      });
    }
    return rows;
  }

  /** P(Z >= z) of a standard normal Z, z >= 0, to 1e-7 (Abramowitz and Stegun, 7.1.26). */
  function tail(z) {
    const x = z / Math.SQRT2;
    const t = 1 / (1 + 0.3275911 * x);
    const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return 0.5 * sum * Math.exp(-x * x);
  }

  /** Chance that noise alone brings the mean of n differences to the threshold. */
  const chance = (seeds, threshold, sd) => (threshold === 0 ? 0.5 : tail((threshold * Math.sqrt(seeds)) / sd));

  /** The interval of each draw after 2, 3, ... seeds: kept, as every setting reads from them. */
  const known = new WeakMap();
  function tables(data) {
    if (!known.has(data)) {
      known.set(data, normals().map((row) => {
        const differences = row.map((value) => data.sd * value);
        return { differences, after: data.t.map((_, i) => lsedu.interval(differences.slice(0, i + 2), data.t)) };
      }));
    }
    return known.get(data);
  }

  /** All that the figure shows, from {seeds, threshold, draw} and the data. */
  function compute({ seeds, threshold, draw }, data) {
    const all = tables(data);
    const share = (hit) => all.filter(hit).length / all.length;
    const now = all[draw - 1];
    return {
      differences: now.differences.slice(0, seeds),
      ...now.after[seeds - 2],
      ahead: share(({ after }) => after[seeds - 2].mean > 0),
      threshold: share(({ after }) => after[seeds - 2].mean >= threshold),
      interval: share(({ after }) => after[seeds - 2].low > 0),
      peeking: share(({ after }) => after.slice(0, seeds - 1).some(({ low }) => low > 0)),
      exact_threshold: chance(seeds, threshold, data.sd),
    };
  }

  const points = (value) => `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(2)}`;
  const percent = (value) => `${(100 * value).toFixed(1)}%`;
  const start = { seeds: 2, threshold: 0.2 };
  const verdictOf = ({ low, high }) => (low > 0 ? "above 0" : (high < 0 ? "below 0" : "holds 0"));

  return {
    title: "Number of seeds and false discoveries",
    controls: [
      { key: "seeds", label: "Seeds", min: 2, max: MOST, step: 1, value: start.seeds, scale: "linear", format: String },
      { key: "threshold", label: "Gain that counts", min: 0, max: 1, step: 0.05, value: start.threshold, scale: "linear",
        format: (value) => value.toFixed(2) },
      { key: "draw", label: "Experiment no.", min: 1, max: DRAWS, step: 1, value: 1, scale: "linear", format: String,
        button: "Redraw" },
    ],
    question: {
      text: "Two methods are equally good. Each is trained with 2 seeds. How often is the mean of the new one ahead by 0.2 "
        + "points or more, by luck alone?",
      control: { key: "share", label: "My guess, in percent", min: 0, max: 60, step: 1, value: 5, scale: "linear",
        format: (value) => `${value.toFixed(0)}%` },
      answer: (data) => 100 * chance(start.seeds, start.threshold, data.sd),
      points(guess, data) {
        const off = Math.abs(guess - this.answer(data));
        return off < 3 ? 2 : Number(off < 9);
      },
      verdict(guess, data) {
        const right = this.answer(data);
        const here = `With the spread of our record it happens in ${right.toFixed(0)} of 100 experiments.`;
        if (guess === undefined) return here;
        return `You said ${guess.toFixed(0)}%. ${here} ${CLOSENESS[this.points(guess, data)]}`;
      },
    },
    compute,
    readout: (r) => [
      { key: "mean", label: "Mean gain, points", value: r.mean, text: points(r.mean) },
      { key: "state", label: "Its 95% interval", value: r.low, text: verdictOf(r) },
      { key: "ahead", label: "Ahead at all", value: r.ahead, text: percent(r.ahead), sealed: true },
      { key: "threshold", label: "Gain that counts", value: r.threshold, text: percent(r.threshold), sealed: true },
      { key: "interval", label: "Interval above 0", value: r.interval, text: percent(r.interval), sealed: true },
      { key: "peeking", label: "Looking each time", value: r.peeking, text: percent(r.peeking), sealed: true },
    ],
    describe: (r, { parameters }) => `Experiment ${parameters.draw} with ${parameters.seeds} seeds: mean gain ${points(r.mean)} `
      + `points, interval ${points(r.low)} to ${points(r.high)}. Of ${DRAWS} experiments without any gain, ${percent(r.ahead)} `
      + `are ahead, ${percent(r.threshold)} by ${parameters.threshold.toFixed(2)} points, ${percent(r.interval)} have an interval `
      + `above 0, and ${percent(r.peeking)} have one after some seed.`,
    table: (r, { parameters }) => ({
      columns: ["Called a gain when", `Share of ${DRAWS} experiments`, "Expected"],
      rows: [
        ["the mean is above 0", percent(r.ahead), percent(0.5)],
        [`the mean is at least ${parameters.threshold.toFixed(2)}`, percent(r.threshold), percent(r.exact_threshold)],
        ["the 95% interval is above 0", percent(r.interval), percent(0.025)],
        ["that interval is above 0 after any seed so far", percent(r.peeking), "no formula"],
      ],
    }),
    panels: (r, { parameters, data, theme }) => {
      const counts = data.t.map((_, i) => i + 2);
      const wide = 3.2 * data.sd;
      const rules = [
        { name: "ahead", shown: r.ahead, y: counts.map(() => 0.5), colour: theme.fourth, dash: "solid", symbol: "circle" },
        { name: "gain that counts", shown: r.threshold, y: counts.map((n) => chance(n, parameters.threshold, data.sd)),
          colour: theme.third, dash: "dash", symbol: "square" },
        { name: "interval", shown: r.interval, y: counts.map(() => 0.025), colour: theme.first, dash: "dot", symbol: "diamond" },
      ];
      return [
        {
          name: "draw",
          traces: [
            { type: "scatter", mode: "markers", x: r.differences, y: r.differences.map((_, i) => i + 1),
              marker: { color: theme.seed, size: 8 }, hovertemplate: "seed %{y}: %{x:.2f} points<extra></extra>" },
            { type: "scatter", mode: "lines", x: [r.low, r.high], y: [0, 0], line: { color: theme.mean, width: 4 },
              hovertemplate: "95% interval<extra></extra>" },
            { type: "scatter", mode: "markers", x: [r.mean], y: [0], hovertemplate: "mean %{x:.2f} points<extra></extra>",
              marker: { color: theme.mean, size: 12, symbol: "diamond", line: { color: theme.paper, width: 1.5 } } },
          ],
          layout: {
            title: "Seeds, mean and interval", height: 340,
            xaxis: { title: { text: "new minus old, points of accuracy" }, range: [-wide, wide], zeroline: true,
              zerolinecolor: theme.text },
            yaxis: { title: { text: "seed" }, range: [-1.2, MOST + 0.8], tickvals: [0, 5, 10, 15, 20],
              ticktext: ["mean", "5", "10", "15", "20"] },
          },
        },
        {
          name: "shares",
          sealed: true,
          traces: [
            ...rules.map(({ name, y, colour, dash }) => ({ type: "scatter", mode: "lines", name, x: counts, y,
              line: { color: colour, dash, width: 2.5 }, hovertemplate: "%{x} seeds: %{y:.1%}<extra></extra>" })),
            ...rules.map(({ name, shown, colour, symbol }) => ({ type: "scatter", mode: "markers", name, showlegend: false,
              x: [parameters.seeds], y: [shown], marker: { color: colour, size: 11, symbol, line: { color: theme.paper, width: 1.5 } },
              hovertemplate: `%{y:.1%} of ${DRAWS} experiments<extra></extra>` })),
            { type: "scatter", mode: "markers", name: "looking each time", x: [parameters.seeds], y: [r.peeking],
              marker: { color: theme.text, size: 11, symbol: "x" },
              hovertemplate: `%{y:.1%} of ${DRAWS} experiments<extra></extra>` },
          ],
          layout: {
            title: "Noise that looks like a gain", height: 340,
            annotations: [
              // the middle one begins where "looking each time" may stand, and keeps clear of it
              ...rules.map(({ name, y, colour }, i) => ({ x: i === 1 ? 2 : MOST, text: name,
                y: i === 1 ? Math.max(y[0], r.peeking + 0.1) : y.at(-1),
                showarrow: false, xanchor: i === 1 ? "left" : "right", xshift: i === 1 ? 8 : 0, yanchor: "bottom", yshift: 2,
                font: { color: colour, size: 12 } })),
              { x: parameters.seeds, y: r.peeking, text: "looking each time", showarrow: false, yanchor: "bottom", yshift: 6,
                xanchor: parameters.seeds > 10 ? "right" : "left", bgcolor: theme.panel, opacity: 0.92,
                font: { color: theme.text, size: 12 } },
            ],
            xaxis: { title: { text: "seeds" }, range: [1.5, MOST + 0.5] },
            yaxis: { title: { text: "share of experiments" }, range: [0, 0.6], tickformat: ".0%" },
          },
        },
      ];
    },
  };
});
