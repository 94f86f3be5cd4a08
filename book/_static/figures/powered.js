/*
How many seeds a difference needs: the chance that the interval of n seeds lies beyond the margin, or within it. The data
are {chosen: by key the difference in points, the spread that the paper's plus-minus signs give, place and rival; t:
two-sided 95% quantiles of Student's t for 2 seeds and more}.
`compute` mirrors lsedu.experiments.planning: the mean, over the spread that n seeds show, of a normal probability.
*/

lsedu.figure("powered", ({ CLOSENESS }) => {
  const MOST = 500;
  const SHOWN = 60;
  const STEPS = 4000;
  const CURVE = [2, 5, 10, 20, 40, 60];
  const WHICH = [
    ["cifar10", "CIFAR-10, AlexNet: over TF-KD"],
    ["svhn", "SVHN, LeNet: over TF-KD"],
    ["fashion", "Fashion-MNIST, AlexNet: over TF-KD"],
    ["animals", "Animals-10N, ResNet-18: over OLS"],
    ["fashion-plain", "Fashion-MNIST, AlexNet: over one-hot"],
    ["cub", "CUB-200, MobileNetV2: OLS over LLS"],
    ["cifar100", "CIFAR-100, ResNet-18: over Zipf"],
  ];

  /** P(Z <= x) of a standard normal Z, to 1e-7 (Abramowitz and Stegun, 7.1.26). */
  function normal(x) {
    if (x === Infinity) return 1;
    const z = Math.abs(x) / Math.SQRT2;
    const t = 1 / (1 + 0.3275911 * z);
    const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    const tail = 0.5 * sum * Math.exp(-z * z);
    return x < 0 ? tail : 1 - tail;
  }

  /** Spreads that n seeds may show, over the true one, and how likely each is: kept, as they depend on n alone. */
  const kept = new Map();
  function spreads(n) {
    if (!kept.has(n)) {
      const free = n - 1;
      const values = Array.from({ length: STEPS }, (_, i) => ((i + 0.5) / STEPS) * (1 + 9 / Math.sqrt(2 * free)));
      const logs = values.map((value) => (free - 1) * Math.log(value) - (free * value ** 2) / 2);
      const top = Math.max(...logs);
      const weights = logs.map((value) => Math.exp(value - top));
      const sum = weights.reduce((a, b) => a + b, 0);
      kept.set(n, { values, weights: weights.map((value) => value / sum) });
    }
    return kept.get(n);
  }

  /** The chance that the interval of n seeds settles a true effect: lies beyond the margin, or within it. */
  function power(n, { effect, sd, margin }, t) {
    const { values, weights } = spreads(n);
    const root = Math.sqrt(n);
    let chance = 0;
    for (let i = 0; i < STEPS; i += 1) {
      const half = (t[n - 2] * values[i]) / root;
      const [low, high] = effect > margin ? [margin / sd + half, Infinity] : [half - margin / sd, margin / sd - half];
      const within = normal((high - effect / sd) * root) - normal((low - effect / sd) * root);
      if (within > 0) chance += weights[i] * within;
    }
    return chance;
  }

  /** The least number of seeds for four times in five, MOST + 1 where MOST do not do. */
  function planned(given, t) {
    if (power(MOST, given, t) < 0.8) return MOST + 1;
    let [low, high] = [2, MOST];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (power(middle, given, t) >= 0.8) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** All that the figure shows, from {which, spread, margin, seeds} and the data. */
  function compute({ which, spread, margin, seeds }, { chosen, t }) {
    const effect = Math.abs(chosen[which].difference);
    const given = { effect, sd: spread, margin };
    return {
      difference: effect,
      beyond: effect > margin,
      chance: power(seeds, given, t),
      curve: CURVE.map((n) => power(n, given, t)),
      needed: planned(given, t),
      turned: 1 - normal((effect * Math.sqrt(seeds)) / spread),
    };
  }

  const percent = (value) => (value > 0.995 ? "over 99%" : `${(100 * value).toFixed(0)}%`);
  const seedsOf = (n) => (n > MOST ? `over ${MOST}` : String(n));
  const points = (value) => `${value.toFixed(2)} points`;
  const said = (beyond) => (beyond ? "beyond the margin" : "within the margin");

  return {
    title: "How many seeds does a difference need?",
    controls: [
      { key: "which", label: "Difference in the paper", choices: WHICH, value: "cifar10" },
      { key: "spread", label: "Spread over seeds, points", min: 0.05, max: 1, step: 0.05, value: 0.3, scale: "linear",
        format: (value) => value.toFixed(2) },
      { key: "margin", label: "Margin, points", min: 0, max: 0.5, step: 0.05, value: 0, scale: "linear",
        format: (value) => value.toFixed(2) },
      { key: "seeds", label: "Seeds", min: 2, max: SHOWN, step: 1, value: 5, scale: "linear", format: String },
    ],
    question: {
      text: "On CIFAR-10 LLS leads TF-KD by 0.10 points. Let that be the truth, let the difference spread by 0.3 points over "
        + "seeds, and let 5 seeds be trained. How often does the 95% interval lie above 0?",
      control: { key: "share", label: "My guess, in percent", min: 0, max: 100, step: 1, value: 50, scale: "linear",
        format: (value) => `${value.toFixed(0)}%` },
      answer: ({ chosen, t }) => 100 * power(5, { effect: chosen.cifar10.difference, sd: 0.3, margin: 0 }, t),
      points(guess, data) {
        const off = Math.abs(guess - this.answer(data));
        return off < 5 ? 2 : Number(off < 15);
      },
      verdict(guess, data) {
        const right = this.answer(data);
        const here = `It does in ${right.toFixed(0)} of 100 experiments. In the others a true difference is not seen.`;
        if (guess === undefined) return here;
        return `You said ${guess.toFixed(0)}%. ${here} ${CLOSENESS[this.points(guess, data)]}`;
      },
    },
    compute,
    readout: (r) => [
      { key: "difference", label: "Difference", value: r.difference, text: points(r.difference) },
      { key: "chance", label: r.beyond ? "Shown beyond the margin" : "Shown within the margin", value: r.chance,
        text: percent(r.chance), sealed: true },
      { key: "needed", label: "Seeds for 4 times in 5", value: r.needed, text: seedsOf(r.needed), sealed: true },
      { key: "turned", label: "Order turned by luck", value: r.turned, text: percent(r.turned), sealed: true },
    ],
    describe: (r, { parameters }) => `A true difference of ${points(r.difference)} with ${parameters.seeds} seeds and a spread of `
      + `${points(parameters.spread)}: the interval lies ${said(r.beyond)} of ${points(parameters.margin)} in ${percent(r.chance)} `
      + `of experiments. Four times in five need ${seedsOf(r.needed)} seeds.`,
    table: (r, { parameters, data }) => ({
      columns: ["What", "Value"],
      rows: [
        ["place", data.chosen[parameters.which].place],
        ["difference printed", `${data.chosen[parameters.which].difference.toFixed(2).replace("-", "\u2212")} points`],
        ["spread printed", data.chosen[parameters.which].printed ? points(data.chosen[parameters.which].printed) : "none"],
        ...CURVE.map((n, i) => [`${n} seeds: ${said(r.beyond)}`, percent(r.curve[i])]),
        ["seeds for four times in five", seedsOf(r.needed)],
      ],
    }),
    panels: (r, { parameters, data, theme }) => {
      const { dots, line, note } = lsedu.layout;
      const given = { effect: r.difference, sd: parameters.spread, margin: parameters.margin };
      const counts = [...Array.from({ length: 14 }, (_, i) => i + 2), ...Array.from({ length: 15 }, (_, i) => 18 + 3 * i)];
      const drawn = [
        line(counts.map((n) => [n, power(n, given, data.t)]), { colour: theme.first, width: 3,
          hover: "%{x} seeds: %{y:.0%}<extra></extra>" }),
        line([[2, 0.8], [SHOWN, 0.8]], { colour: theme.text, width: 1, dash: "dot" }),
        dots([[parameters.seeds, r.chance]], { theme, colour: theme.first, hover: `${parameters.seeds} seeds: ${percent(r.chance)}` }),
      ];
      return [{
        name: "chance",
        sealed: true,
        traces: drawn,
        layout: {
          title: `Intervals ${said(r.beyond)}`,
          height: 340,
          annotations: [note("four times in five", [SHOWN, 0.8], { colour: theme.text, xanchor: "right", yshift: 10 })],
          xaxis: { title: { text: "seeds" }, range: [0, SHOWN + 1] },
          yaxis: { title: { text: "share of experiments" }, range: [0, 1.04], tickformat: ".0%" },
        },
      }];
    },
  };
});
