/*
Seeds of a probe arriving one by one. The data are {effects: {probe: {alpha: [points, seed by seed]}}, margin: in points,
t: two-sided 95% quantiles of Student's t by number of seeds minus two}. `compute` mirrors lsedu.book.figures.arriving.
*/

lsedu.figure("arriving", ({ CLOSENESS }) => {
  const PRIME = 101;
  const ASKED = { probe: "linear", alpha: "0.1", first: 2 };
  const PROBES = [["linear", "linear probe"], ["network", "new network"]];

  /** The order in which the seeds arrive: the multiples of `order` modulo a prime pass all of them. */
  function arrival(order, count) {
    return Array.from({ length: PRIME - 1 }, (_, i) => (order * (i + 1)) % PRIME)
      .filter((place) => place <= count).map((place) => place - 1);
  }

  /** The share of all orders in which the first few seeds are all among those that `hit` picks. */
  function agreeing(values, first, hit) {
    const picked = values.filter(hit).length;
    let share = 1;
    for (let i = 0; i < first; i += 1) share *= Math.max(picked - i, 0) / (values.length - i);
    return share;
  }

  /** All that the figure shows, from {alpha, probe, order, seeds} and the data. */
  function compute({ alpha, probe, order, seeds }, data) {
    const given = data.effects[probe][String(alpha)];
    const values = arrival(Math.round(order), given.length).map((place) => given[place]);
    const first = Math.min(Math.round(seeds), values.length);
    const all = lsedu.interval(values, data.t);
    return {
      values,
      first,
      ...lsedu.interval(values.slice(0, first), data.t),
      all_mean: all.mean,
      all_low: all.low,
      all_high: all.high,
      below: agreeing(values, first, (value) => value < 0),
      above: agreeing(values, first, (value) => value > 0),
      path: values.slice(1).map((_, i) => lsedu.interval(values.slice(0, i + 2), data.t)),
    };
  }

  const points = (value) => `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(1)}`;
  const percent = (value) => (value > 0 && value < 0.0005 ? "under 0.1%" : `${(100 * value).toFixed(value < 0.1 ? 1 : 0)}%`);
  const verdictOf = (low, high, margin) => {
    if (low > -margin && high < margin) return "within the margin";
    if (high < 0) return "below 0";
    return low > 0 ? "above 0" : "open";
  };
  const asked = (data) => data.effects[ASKED.probe][ASKED.alpha];
  /** In what share of orders the first two are on that side of 0. */
  const both = (data, side) => agreeing(asked(data), ASKED.first, (value) => side * value > 0);

  return {
    title: "Seeds of a probe, arriving one by one",
    controls: [
      { key: "seeds", label: "Arrived", min: 2, max: 20, step: 1, value: 2, scale: "linear", format: String, button: "Next seed" },
      { key: "rest", label: "The others", choices: [["hidden", "hidden: I do not believe it yet"], ["shown", "shown: I believe it"]],
        value: "hidden" },
      { key: "order", label: "Order no.", min: 1, max: PRIME - 1, step: 1, value: 1, scale: "linear", format: String,
        button: "Other order" },
      { key: "alpha", label: "Smoothing \u03b1", steps: [0.05, 0.1, 0.2, 0.4], value: 0.1, format: String },
      { key: "probe", label: "Probe", choices: PROBES, value: "linear" },
    ],
    question: {
      text: "At \u03b1 = 0.1, let the seeds of the record arrive in any order. In what share of all orders do the first two agree: "
        + "both say that the linear probe finds the digit less often, or both say more often?",
      control: { key: "share", label: "My guess, in percent", min: 0, max: 100, step: 1, value: 50, scale: "linear",
        format: (value) => `${value.toFixed(0)}%` },
      answer: (data) => 100 * (both(data, -1) + both(data, 1)),
      points(guess, data) {
        const off = Math.abs(guess - this.answer(data));
        return off < 5 ? 2 : Number(off < 15);
      },
      verdict(guess, data) {
        const values = asked(data);
        const { mean, low, high } = lsedu.interval(values, data.t);
        const here = `In ${this.answer(data).toFixed(0)} of 100 orders: in ${(100 * both(data, -1)).toFixed(0)} on less often, in `
          + `${(100 * both(data, 1)).toFixed(0)} on more often. All ${values.length} together: ${points(mean)} points, from ${points(low)} to `
          + `${points(high)}, ${verdictOf(low, high, data.margin)}.`;
        if (guess === undefined) return here;
        return `You said ${guess.toFixed(0)}%. ${here} ${CLOSENESS[this.points(guess, data)]}`;
      },
    },
    compute,
    readout: (r) => [
      { key: "mean", label: "Mean so far, points", value: r.mean, text: points(r.mean) },
      { key: "low", label: "Interval from", value: r.low, text: points(r.low) },
      { key: "high", label: "Interval to", value: r.high, text: points(r.high) },
      { key: "below", label: `First ${r.first} all below 0`, value: r.below, text: percent(r.below), sealed: true },
      { key: "above", label: `First ${r.first} all above 0`, value: r.above, text: percent(r.above), sealed: true },
    ],
    describe: (r, { parameters, data }) => {
      const rest = parameters.rest === "shown" ? ` All ${r.values.length}: ${points(r.all_mean)} points, interval ${points(r.all_low)} to `
        + `${points(r.all_high)}, ${verdictOf(r.all_low, r.all_high, data.margin)}.` : "";
      return `${r.first} seeds have arrived: ${r.values.slice(0, r.first).map(points).join(", ")} points. Mean ${points(r.mean)}, interval `
        + `${points(r.low)} to ${points(r.high)}, ${verdictOf(r.low, r.high, data.margin)}. As many first seeds are all below 0 in `
        + `${percent(r.below)} of all orders, all above in ${percent(r.above)}.${rest}`;
    },
    table: (r, { parameters }) => {
      const upto = parameters.rest === "shown" ? r.values.length : r.first;
      return {
        columns: ["Seeds arrived", "The last one, points", "Mean", "95% interval"],
        rows: r.values.slice(0, upto).map((value, i) => (i === 0 ? ["1", points(value), points(value), "none"]
          : [String(i + 1), points(value), points(r.path[i - 1].mean), `${points(r.path[i - 1].low)} to ${points(r.path[i - 1].high)}`])),
      };
    },
    panels: (r, { parameters, data, theme }) => {
      const { dots, line, note } = lsedu.layout;
      const n = r.values.length;
      const { margin } = data;
      const shown = parameters.rest === "shown";
      const wide = Math.max(2 * margin, 1.15 * Math.max(...Object.values(data.effects).flatMap((by) => Object.values(by).flat().map(Math.abs))));
      const clip = (value) => Math.max(-wide, Math.min(wide, value));
      const arrived = r.values.slice(0, r.first).map((value, i) => [i + 1, value]);
      const later = r.values.slice(r.first).map((value, i) => [r.first + i + 1, value]);
      const upto = shown ? n : r.first;
      const path = r.path.slice(0, upto - 1);
      const at = path.map((_, i) => i + 2);
      const shared = {
        height: 300,
        xaxis: { title: { text: "seeds, as they arrive", standoff: 4 }, range: [0.3, n + 0.7], dtick: 5, tick0: 0 },
        yaxis: { title: { text: "points" }, range: [-wide, wide], zeroline: true, zerolinecolor: theme.text },
        shapes: [{ type: "rect", xref: "paper", x0: 0, x1: 1, y0: -margin, y1: margin, fillcolor: theme.grid, opacity: 0.6,
          line: { width: 0 }, layer: "below" }],
      };
      const bars = path.map(({ low, high }, i) => line([[at[i], clip(low)], [at[i], clip(high)]], { colour: theme.mean,
        width: at[i] === r.first ? 4 : 1.5, hover: `${at[i]} seeds: ${points(low)} to ${points(high)}<extra></extra>` }));
      return [
        {
          name: "seeds",
          traces: [
            ...(shown ? [dots(later, { theme, colour: theme.muted, size: 9, symbol: "circle-open", ring: 0, hover: "a seed that was hidden" })] : []),
            dots(arrived, { theme, colour: theme.seed, size: 10, ring: 1, hover: "a seed" }),
          ],
          layout: { ...shared, title: "Each seed: smoothed minus unsmoothed",
            annotations: [note("digit found more often", [0.5, wide], { colour: theme.muted, xanchor: "left", yshift: -10 }),
              note("digit found less often", [0.5, -wide], { colour: theme.muted, xanchor: "left", yshift: 10 })] },
        },
        {
          name: "means",
          traces: [...bars, dots(path.map(({ mean }, i) => [at[i], clip(mean)]), { theme, colour: theme.mean, size: 9, symbol: "diamond", ring: 1,
            hover: "mean so far" })],
          layout: { ...shared, title: "Mean so far, and its 95% interval",
            annotations: [note(shown ? `all ${n}: ${points(r.all_mean)}` : "", [n + 0.5, wide], { colour: theme.text, xanchor: "right", yshift: -12 })] },
        },
      ];
    },
  };
});
