/*
Smoothing strength, number of classes and convention: the target, and where the push on the logits ends. No data.
The prediction has the label's logit a gap above all others, which are equal. `compute` mirrors lsedu.targets.smooth,
lsedu.losses.label_smoothing (its value and gradient) and lsedu.losses.logit_gap.
*/

lsedu.figure("smoothing", ({ CLOSENESS, labels }) => {
  /** Target probability of the label and of each other class. */
  function target(alpha, classes, convention) {
    return convention === "all"
      ? { label: 1 - alpha + alpha / classes, other: alpha / classes }
      : { label: 1 - alpha, other: alpha / (classes - 1) };
  }

  /** log q of the label and of each other class, at a gap. */
  function logPrediction(gap, classes) {
    const top = Math.max(gap, 0);
    const total = top + Math.log(Math.exp(gap - top) + (classes - 1) * Math.exp(-top));
    return { label: gap - total, other: -total };
  }

  function fixedGap(alpha, classes, convention) {
    if (alpha === 0) return Infinity;
    return convention === "all"
      ? Math.log1p((classes * (1 - alpha)) / alpha)
      : Math.log(((classes - 1) * (1 - alpha)) / alpha);
  }

  const xlogx = (x) => (x > 0 ? x * Math.log(x) : 0);

  /** All that the figure shows, from {alpha, classes, convention, gap}. */
  function compute({ alpha, classes, convention, gap }) {
    const p = target(alpha, classes, convention);
    const logq = logPrediction(gap, classes);
    const q = { label: Math.exp(logq.label), other: Math.exp(logq.other) };
    return {
      target_label: p.label,
      target_other: p.other,
      q_label: q.label,
      q_other: q.other,
      gradient_label: q.label - p.label,
      gradient_other: q.other - p.other,
      loss: -p.label * logq.label - (classes - 1) * p.other * logq.other,
      least_loss: Math.abs(xlogx(p.label) + (classes - 1) * xlogx(p.other)),
      fixed_gap: fixedGap(alpha, classes, convention),
    };
  }

  const number = (value) => (Number.isFinite(value) ? value.toFixed(2).replace("-", "\u2212") : "\u221e");
  const signed = (value) => (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(3);
  const gapControl = { key: "gap", label: "Gap of the logits", min: -2, max: 14, step: 0.05, value: 0, scale: "linear",
    format: number };
  const start = { alpha: 0.1, classes: 10, convention: "all" };

  return {
    title: "Smoothing strength, targets and the push on the logits",
    controls: [
      { key: "alpha", label: "Smoothing \u03b1", min: 0, max: 0.95, step: 0.01, value: start.alpha, scale: "linear",
        format: (value) => value.toFixed(2) },
      { key: "classes", label: "Classes K", min: 2, max: 100, step: 1, value: start.classes, scale: "linear",
        format: String },
      { key: "convention", label: "Convention", value: start.convention,
        choices: [["all", "\u03b1/K on all classes"], ["others", "\u03b1/(K\u22121) on the others"]] },
      gapControl,
    ],
    question: {
      text: "Ten classes, \u03b1 = 0.1, spread over all classes. At which gap between the label's logit and the others does "
        + "the push end?",
      control: { ...gapControl, label: "My guess for the gap", min: 0 },
      answer: () => fixedGap(start.alpha, start.classes, start.convention),
      points(guess) {
        const off = Math.abs(guess - this.answer());
        return off < 0.3 ? 2 : Number(off < 1.2);
      },
      verdict(guess) {
        const right = this.answer();
        const here = `The push ends at a gap of log(1 + K(1\u2212\u03b1)/\u03b1) = ${number(right)}.`;
        if (guess === undefined) return here;
        return `You said ${number(guess)}. ${here} ${CLOSENESS[this.points(guess)]}`;
      },
    },
    compute,
    readout: (r) => [
      { key: "target_label", label: "Target, label", value: r.target_label, text: r.target_label.toFixed(4) },
      { key: "target_other", label: "Target, others", value: r.target_other, text: r.target_other.toFixed(4) },
      { key: "gradient_label", label: "Gradient, label", value: r.gradient_label, text: signed(r.gradient_label) },
      { key: "gradient_other", label: "Gradient, others", value: r.gradient_other, text: signed(r.gradient_other) },
      { key: "excess", label: "Loss over least", value: r.loss - r.least_loss,
        text: (r.loss - r.least_loss).toFixed(3) },
      { key: "fixed_gap", label: "Push ends at gap", value: r.fixed_gap, text: number(r.fixed_gap), sealed: true },
    ],
    describe: (r, { parameters }) => `At alpha ${parameters.alpha.toFixed(2)} with ${parameters.classes} classes and a gap of `
      + `${number(parameters.gap)}: target ${r.target_label.toFixed(3)} for the label, gradient ${signed(r.gradient_label)}; `
      + `the push ends at a gap of ${Number.isFinite(r.fixed_gap) ? number(r.fixed_gap) : "infinity"}.`,
    table: (r) => ({
      columns: ["Class", "Target p", "Prediction q", "Gradient q \u2212 p"],
      rows: [
        ["label", r.target_label.toFixed(4), r.q_label.toFixed(4), signed(r.gradient_label)],
        ["each other", r.target_other.toFixed(4), r.q_other.toFixed(4), signed(r.gradient_other)],
      ],
    }),
    panels: (r, { parameters, theme, guess }) => {
      const shown = Math.min(parameters.classes, 12);
      const names = ["label", ...Array.from({ length: shown - 1 }, (_, k) => `${k + 2}`)];
      const spread = (label, other) => [label, ...Array(shown - 1).fill(other)];
      const gaps = Array.from({ length: 161 }, (_, i) => -2 + i / 10);
      const at = (alpha) => gaps.map((gap) => compute({ ...parameters, alpha, gap }).gradient_label);
      const marks = [];
      if (Number.isFinite(r.fixed_gap)) marks.push({ at: r.fixed_gap, text: "push ends", colour: theme.smoothed, dash: "dash" });
      if (guess !== undefined) marks.push({ at: guess, text: "your guess", colour: theme.guess, dash: "dot" });
      return [
        {
          name: "targets",
          traces: [
            { type: "bar", name: "target p", x: names, y: spread(r.target_label, r.target_other),
              marker: { color: theme.smoothed }, hovertemplate: "target %{y:.4f}<extra></extra>" },
            { type: "bar", name: "prediction q", x: names, y: spread(r.q_label, r.q_other),
              marker: { color: theme["too-sure-ground"], line: { color: theme.confidence, width: 1.5 },
                pattern: { shape: "/", fgcolor: theme.confidence, bgcolor: theme["too-sure-ground"], size: 6, solidity: 0.25 } },
              hovertemplate: "prediction %{y:.4f}<extra></extra>" },
          ],
          layout: {
            title: parameters.classes > shown ? `The first ${shown} of ${parameters.classes} classes` : "Target and prediction",
            height: 360, barmode: "group", showlegend: true, bargap: 0.25,
            legend: { x: 1, xanchor: "right", y: 1, bgcolor: "rgba(0,0,0,0)" },
            xaxis: { title: { text: "class" }, type: "category" }, yaxis: { title: { text: "probability" }, range: [0, 1.02] },
          },
        },
        {
          name: "push",
          sealed: true,
          traces: [
            { type: "scatter", mode: "lines", name: "one-hot", x: gaps, y: at(0), line: { color: theme["one-hot"], width: 2.5 },
              hovertemplate: "gap %{x:.1f}: %{y:.3f}<extra>one-hot</extra>" },
            { type: "scatter", mode: "lines", name: "smoothed", x: gaps, y: at(parameters.alpha),
              line: { color: theme.smoothed, width: 2.5 }, hovertemplate: "gap %{x:.1f}: %{y:.3f}<extra>smoothed</extra>" },
            { type: "scatter", mode: "markers", x: [parameters.gap], y: [r.gradient_label], showlegend: false,
              hoverinfo: "skip", marker: { color: theme.smoothed, size: 12, line: { color: theme.paper, width: 2 } } },
          ],
          layout: {
            title: "Gradient on the label's logit", height: 360,
            xaxis: { title: { text: "gap of the logits" }, range: [-2, 14] },
            yaxis: { title: { text: "q \u2212 p of the label" }, zeroline: true, zerolinecolor: theme.muted },
            shapes: marks.map(({ at: x, colour, dash }) => ({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1,
              line: { color: colour, dash, width: 1.5 } })),
            annotations: [...labels([
              { text: "one-hot", x: 14, y: at(0).at(-1), colour: theme["one-hot"] },
              { text: `\u03b1 = ${parameters.alpha.toFixed(2)}`, x: 14, y: at(parameters.alpha).at(-1), colour: theme.smoothed },
            ].slice(0, parameters.alpha > 0 ? 2 : 1), theme), ...marks.map(({ at: x, text, colour }, i) => ({ x, y: 0.62 - 0.1 * i, yref: "paper", text,
              showarrow: false, bgcolor: theme.panel, xanchor: x > 9 ? "right" : "left", xshift: x > 9 ? -3 : 3,
              font: { color: colour, size: 12 } }))],
          },
        },
      ];
    },
  };
});
