/*
Noise rate, smoothing strength and temperature against accuracy and calibration. The data are the values of a record,
seed by seed: {rates, alphas, accuracy: [rate][alpha][seed], memorised: [rate] of null or [alpha][seed],
scores: {state: {overconfidence, ece, nll: [rate][alpha][seed]}}}. Nothing is interpolated: the sliders stop where there
is a measurement. `compute` mirrors lsedu.book.figures.noise.
*/

lsedu.figure("noise", ({ labels }) => {
  const RATES = [0, 0.2, 0.4, 0.6];
  const ALPHAS = [0, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95];
  const ASKED = 0.4;

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const extreme = (values, better) => values.reduce((best, value, i) => (better(value, values[best]) ? i : best), 0);

  /** All that the figure shows, from {rate, alpha, temperature} and the data. */
  function compute({ rate, alpha, temperature }, { rates, alphas, accuracy, memorised, scores }) {
    const row = rates.indexOf(rate);
    const column = alphas.indexOf(alpha);
    const accuracies = accuracy[row].map(mean);
    const { overconfidence, ece, nll } = scores[temperature];
    const eces = ece[row].map(mean);
    const confidences = accuracy[row].map((seeds, i) => mean(seeds.map((value, s) => value + overconfidence[row][i][s])));
    const shares = memorised[row] === null ? alphas.map(() => NaN) : memorised[row].map(mean);
    return {
      accuracy: accuracies[column],
      confidence: confidences[column],
      overconfidence: mean(overconfidence[row][column]),
      ece: eces[column],
      nll: mean(nll[row][column]),
      memorised: shares[column],
      best: alphas[extreme(accuracies, (a, b) => a > b)],
      best_ece: alphas[extreme(eces, (a, b) => a < b)],
      accuracies,
      lowest: accuracy[row].map((seeds) => Math.min(...seeds)),
      highest: accuracy[row].map((seeds) => Math.max(...seeds)),
      confidences,
      shares,
    };
  }

  const percent = (value) => (Number.isFinite(value) ? `${(100 * value).toFixed(1)}%` : "none wrong");
  const signed = (value) => `${value < 0 ? "\u2212" : "+"}${(100 * Math.abs(value)).toFixed(1)}`;
  const strength = (value) => (value === 0 ? "0 (one-hot)" : String(value));
  const asked = (data) => ALPHAS.map((alpha) => compute({ rate: ASKED, alpha, temperature: "before" }, data));
  const TEMPERATURES = [["before", "none"], ["noisy", "fitted on noisy labels"], ["clean", "fitted on clean labels"]];

  return {
    title: "Noise rate, smoothing and temperature against accuracy and calibration",
    controls: [
      { key: "rate", label: "Wrong labels \u03b7", steps: RATES, value: ASKED, format: (value) => `${Math.round(100 * value)}%` },
      { key: "alpha", label: "Smoothing \u03b1", steps: ALPHAS, value: 0, format: String },
      { key: "temperature", label: "Temperature", choices: TEMPERATURES, value: "before" },
    ],
    question: {
      text: "40% of the training labels are wrong, each other class as likely, and no temperature is fitted. Which \u03b1 has "
        + "the smallest ECE on clean test labels?",
      choices: ALPHAS.map((alpha) => [alpha, strength(alpha)]),
      answer: (data) => asked(data)[0].best_ece,
      points: (guess, data) => {
        const mine = asked(data)[ALPHAS.indexOf(guess)].ece;
        return Math.max(0, 2 - asked(data).filter(({ ece }) => ece < mine).length);
      },
      verdict: (guess, data) => {
        const all = asked(data);
        const { best, best_ece: least } = all[0];
        const { ece, memorised, accuracy } = all[ALPHAS.indexOf(least)];
        const here = `The smallest ECE of those measured, ${ece.toFixed(3)}, is at \u03b1 = ${strength(least)}. That network has `
          + `learnt ${percent(memorised)} of the wrong labels and is right on ${percent(accuracy)} of the test pictures; the one `
          + `with \u03b1 = ${strength(best)} is right on ${percent(all[ALPHAS.indexOf(best)].accuracy)}.`;
        if (guess === undefined) return here;
        const word = guess === least ? "Right." : `That has ${all[ALPHAS.indexOf(guess)].ece.toFixed(3)}.`;
        return `You said ${strength(guess)}. ${word} ${here}`;
      },
    },
    compute,
    readout: (r) => [
      { key: "accuracy", label: "Accuracy", value: r.accuracy, text: percent(r.accuracy) },
      { key: "confidence", label: "Mean confidence", value: r.confidence, text: percent(r.confidence) },
      { key: "ece", label: "ECE", value: r.ece, text: r.ece.toFixed(3) },
      { key: "nll", label: "NLL (nats)", value: r.nll, text: r.nll.toFixed(3) },
      { key: "memorised", label: "Wrong labels learnt", value: r.memorised, text: percent(r.memorised) },
    ],
    describe: (r, { parameters: { rate, alpha, temperature } }) =>
      `With ${Math.round(100 * rate)}% wrong labels, alpha ${strength(alpha)} and temperature `
      + `${TEMPERATURES.find(([key]) => key === temperature)[1]}: accuracy ${percent(r.accuracy)}, mean confidence `
      + `${percent(r.confidence)}, ECE ${r.ece.toFixed(3)}; wrong labels learnt: ${percent(r.memorised)}.`,
    table: (r, { data }) => ({
      columns: ["\u03b1", "Accuracy", "Least and largest over seeds", "Mean confidence", "Overconfidence, points", "Wrong labels learnt"],
      rows: data.alphas.map((alpha, i) => [
        strength(alpha), percent(r.accuracies[i]), `${percent(r.lowest[i])} to ${percent(r.highest[i])}`, percent(r.confidences[i]),
        signed(r.confidences[i] - r.accuracies[i]), percent(r.shares[i]),
      ]),
    }),
    panels: (r, { parameters, data, theme, guess }) => {
      const { alphas } = data;
      const at = alphas.indexOf(parameters.alpha);
      const line = (name, values, colour, dash) => ({ type: "scatter", mode: "lines+markers", name, x: alphas, y: values,
        line: { color: colour, width: 2.5, dash }, marker: { color: colour, size: 6 },
        hovertemplate: `\u03b1 = %{x}: %{y:.3f}<extra>${name}</extra>` });
      const dot = (values, colour) => ({ type: "scatter", mode: "markers", x: [alphas[at]], y: [values[at]], showlegend: false,
        hoverinfo: "skip", marker: { color: colour, size: 13, line: { color: theme.paper, width: 2 } } });
      const accurate = { ...line("accuracy", r.accuracies, theme.accuracy, "solid"),
        error_y: { type: "data", symmetric: false, array: r.highest.map((value, i) => value - r.accuracies[i]),
          arrayminus: r.accuracies.map((value, i) => value - r.lowest[i]), color: theme.accuracy, thickness: 1.5, width: 4 } };
      const learnt = Number.isFinite(r.memorised);
      const layout = (title) => ({
        title, height: 360, xaxis: { title: { text: "smoothing \u03b1", standoff: 4 }, range: [-0.04, 0.99], dtick: 0.2 }, yaxis: { range: [-0.14, 1.08], dtick: 0.2 },
      });
      const end = (text, values, colour) => ({ text, x: alphas.at(-1), y: values.at(-1), colour });
      const marks = guess === undefined || parameters.rate !== ASKED ? [] : [guess];
      return [
        {
          name: "accuracy",
          sealed: true,
          traces: [accurate, ...(learnt ? [line("wrong labels learnt", r.shares, theme.memorised, "dot")] : []),
            dot(r.accuracies, theme.accuracy), ...(learnt ? [dot(r.shares, theme.memorised)] : [])],
          layout: { ...layout("Accuracy, and what was learnt by heart"),
            shapes: marks.map((x) => ({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1,
              line: { color: theme.guess, dash: "dot", width: 1.5 } })),
            annotations: [...labels([end("accuracy", r.accuracies, theme.accuracy),
              ...(learnt ? [end("wrong labels learnt", r.shares, theme.memorised)] : [])], theme), ...marks.map((x) => ({ x, y: 0.04, yref: "paper", text: "your guess", showarrow: false,
              xanchor: x > 0.5 ? "right" : "left", xshift: x > 0.5 ? -3 : 3, bgcolor: theme.panel,
              font: { color: theme.guess, size: 12 } }))] },
        },
        {
          name: "calibration",
          sealed: true,
          traces: [line("accuracy", r.accuracies, theme.accuracy, "solid"), line("mean confidence", r.confidences, theme.confidence, "dash"),
            dot(r.accuracies, theme.accuracy), dot(r.confidences, theme.confidence)],
          layout: { ...layout("Accuracy and mean confidence"), annotations: labels([
            end("accuracy", r.accuracies, theme.accuracy), end("confidence", r.confidences, theme.confidence)], theme) },
        },
      ];
    },
  };
});
