/*
Temperature and number of bins against the reliability diagram. The data are held-out logits and labels of one trained
network: {logits: [[K numbers] x N], labels: [N], fitted: temperature fitted by likelihood on other images, caption}.
`compute` mirrors lsedu.calibration (apply_temperature, reliability, ece, nll, accuracy, mean_confidence, error_auroc).
*/

lsedu.figure("temperature", ({ CLOSENESS }) => {
  const LOWEST = 0.25;
  const HIGHEST = 8;

  /** Confidence, correctness and loss of each sample at a temperature. */
  function predict(logits, labels, temperature) {
    const size = labels.length;
    const confidence = new Float64Array(size);
    const correct = new Uint8Array(size);
    let loss = 0;
    for (let n = 0; n < size; n += 1) {
      const row = logits[n];
      let best = 0;
      for (let k = 1; k < row.length; k += 1) if (row[k] > row[best]) best = k;
      let sum = 0;
      for (let k = 0; k < row.length; k += 1) sum += Math.exp((row[k] - row[best]) / temperature);
      confidence[n] = 1 / sum;
      correct[n] = best === labels[n] ? 1 : 0;
      loss += Math.log(sum) - (row[labels[n]] - row[best]) / temperature;
    }
    return { confidence, correct, nll: loss / size };
  }

  /** Equal-width bins closed on the right; a value within 1e-12 of an edge lies on it. */
  function binIndex(value, bins) {
    let scaled = value * bins;
    const nearest = Math.round(scaled);
    if (Math.abs(scaled - nearest) <= 1e-12 * bins) scaled = nearest;
    return Math.min(bins - 1, Math.max(0, Math.ceil(scaled) - 1));
  }

  function reliability(confidence, correct, bins) {
    const table = Array.from({ length: bins }, (_, m) => ({
      low: m / bins, high: (m + 1) / bins, count: 0, confidence: 0, accuracy: 0,
    }));
    for (let n = 0; n < confidence.length; n += 1) {
      const bin = table[binIndex(confidence[n], bins)];
      bin.count += 1;
      bin.confidence += confidence[n];
      bin.accuracy += correct[n];
    }
    for (const bin of table) {
      bin.confidence = bin.count ? bin.confidence / bin.count : NaN;
      bin.accuracy = bin.count ? bin.accuracy / bin.count : NaN;
    }
    return table;
  }

  function calibrationError(table, size) {
    let sum = 0;
    for (const bin of table) if (bin.count) sum += (bin.count / size) * Math.abs(bin.accuracy - bin.confidence);
    return sum;
  }

  /** The probability that a right answer is more confident than a wrong one; ties count one half. */
  function errorAuroc(confidence, correct) {
    const order = Array.from(confidence.keys()).sort((a, b) => confidence[a] - confidence[b]);
    let right = 0;
    let ranks = 0;
    for (let start = 0; start < order.length;) {
      let end = start;
      while (end < order.length && confidence[order[end]] === confidence[order[start]]) end += 1;
      const rank = (start + 1 + end) / 2;
      for (let i = start; i < end; i += 1) if (correct[order[i]]) { right += 1; ranks += rank; }
      start = end;
    }
    const wrong = order.length - right;
    return right && wrong ? (ranks - (right * (right + 1)) / 2) / (right * wrong) : NaN;
  }

  /** All that the figure shows, from {temperature, bins} and the data. */
  function compute({ temperature, bins }, { logits, labels }) {
    const { confidence, correct, nll } = predict(logits, labels, temperature);
    const table = reliability(confidence, correct, bins);
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      temperature,
      bins: table,
      ece: calibrationError(table, labels.length),
      nll,
      accuracy: mean(correct),
      confidence: mean(confidence),
      auroc: errorAuroc(confidence, correct),
      counts: table.map((bin) => bin.count),
      bin_confidence: table.map((bin) => bin.confidence),
      bin_accuracy: table.map((bin) => bin.accuracy),
    };
  }

  /** ECE and NLL over a grid of temperatures, and the temperature of the least ECE; kept, as it depends on bins only. */
  const curves = new WeakMap();
  function curve(bins, data) {
    const known = curves.get(data) ?? curves.set(data, new Map()).get(data);
    if (!known.has(bins)) {
      const steps = 120;
      const temperatures = Array.from({ length: steps + 1 }, (_, i) => LOWEST * (HIGHEST / LOWEST) ** (i / steps));
      const points = temperatures.map((temperature) => {
        const { confidence, correct, nll } = predict(data.logits, data.labels, temperature);
        return { ece: calibrationError(reliability(confidence, correct, bins), data.labels.length), nll };
      });
      const eces = points.map(({ ece }) => ece);
      known.set(bins, { temperatures, eces, nlls: points.map(({ nll }) => nll),
        best: temperatures[eces.indexOf(Math.min(...eces))] });
    }
    return known.get(bins);
  }

  /** By the sign of confidence minus accuracy: what it is called, its colour and its hatch. */
  const GAPS = [["too timid", -1, "too-timid", "\\"], ["too sure", 1, "too-sure", "/"]];
  const gapOf = ({ confidence, accuracy }) => confidence - accuracy;

  const percent = (value) => `${(100 * value).toFixed(1)}%`;
  const asTemperature = (value) => value.toFixed(2);
  const temperatureControl = {
    key: "temperature", label: "Temperature T", min: LOWEST, max: HIGHEST, step: 0.005, value: 1, scale: "log",
    format: asTemperature,
  };

  return {
    title: "Temperature against the reliability diagram",
    controls: [
      temperatureControl,
      { key: "bins", label: "Number of bins M", min: 2, max: 50, step: 1, value: 15, scale: "linear", format: String },
    ],
    question: {
      text: "The diagram shows the network as it was trained, T = 1. Which temperature makes its ECE smallest?",
      control: { ...temperatureControl, label: "My guess for T" },
      answer: (data) => curve(15, data).best,
      points: (guess, data) => {
        const ratio = Math.abs(Math.log(guess / curve(15, data).best));
        return ratio < 0.1 ? 2 : Number(ratio < 0.35);
      },
      verdict(guess, data) {
        const { best } = curve(15, data);
        const here = `On these images the smallest ECE, with 15 bins, is at T = ${asTemperature(best)}.`;
        if (guess === undefined) return here;
        const side = best > 1 && guess < 1 ? " A temperature below 1 sharpens, and this network is too sure already." : "";
        return `You said ${asTemperature(guess)}. ${here} ${CLOSENESS[this.points(guess, data)]}${side}`;
      },
    },
    compute,
    readout: ({ ece, nll, accuracy, confidence, auroc }) => [
      { key: "ece", label: "ECE", value: ece, text: ece.toFixed(3) },
      { key: "nll", label: "NLL (nats)", value: nll, text: nll.toFixed(3) },
      { key: "accuracy", label: "Accuracy", value: accuracy, text: percent(accuracy) },
      { key: "confidence", label: "Mean confidence", value: confidence, text: percent(confidence) },
      { key: "auroc", label: "Error AUROC", value: auroc, text: auroc.toFixed(3) },
    ],
    describe: ({ temperature, ece, nll, accuracy, confidence }) =>
      `At temperature ${asTemperature(temperature)}: mean confidence ${percent(confidence)}, accuracy ${percent(accuracy)}, `
      + `ECE ${ece.toFixed(3)}, NLL ${nll.toFixed(3)}.`,
    table: ({ bins }) => ({
      columns: ["Bin of confidence", "Images", "Mean confidence", "Accuracy", "Gap"],
      rows: bins.filter(({ count }) => count).map(({ low, high, count, confidence, accuracy }) => [
        `${low.toFixed(3)} to ${high.toFixed(3)}`, String(count), confidence.toFixed(3), accuracy.toFixed(3),
        (confidence - accuracy >= 0 ? "+" : "\u2212") + Math.abs(confidence - accuracy).toFixed(3),
      ]),
    }),
    panels: ({ bins, temperature, ece, nll }, { parameters, data, theme, guess }) => {
      const filled = bins.filter(({ count }) => count);
      const width = 1 / bins.length;
      const size = data.labels.length;
      const hover = (bin) => `${bin.count} images<br>confidence ${bin.confidence.toFixed(3)}<br>accuracy ${bin.accuracy.toFixed(3)}`;
      const { temperatures, eces, nlls } = curve(parameters.bins, data);
      const marks = [{ at: temperature, text: "T", colour: theme.text, dash: "solid" }];
      if (data.fitted) marks.push({ at: data.fitted, text: "fitted", colour: theme.muted, dash: "dash" });
      if (guess !== undefined) marks.push({ at: guess, text: "your guess", colour: theme.guess, dash: "dot" });
      const bars = (name, chosen, height, { base, ...look }) => ({ type: "bar", name, x: chosen.map(({ low }) => low + width / 2),
        width: chosen.map(() => width), y: chosen.map(height), ...(base && { base: chosen.map(base) }), hoverinfo: "text",
        hovertext: chosen.map(hover), showlegend: false, ...look });
      const diagram = {
        name: "reliability",
        traces: [
          bars("ground", filled, ({ accuracy }) => accuracy, { marker: { color: theme.accuracy }, opacity: 0.35 }),
          ...GAPS.map(([name, sign, meaning, shape]) => bars(name, filled.filter((bin) => sign * gapOf(bin) > 0), gapOf, {
            base: ({ accuracy }) => accuracy, showlegend: true, marker: { color: theme[`${meaning}-ground`],
              line: { width: 1, color: theme[meaning] }, pattern: { shape, fgcolor: theme[meaning],
                bgcolor: theme[`${meaning}-ground`], size: 7, solidity: 0.3 } } })),
          // the outline of the accuracy lies over both hatches
          bars("accuracy", filled, ({ accuracy }) => accuracy, { showlegend: true, marker: { color: "rgba(0,0,0,0)",
            line: { width: 2.5, color: theme.accuracy } } }),
          { type: "scatter", mode: "lines", x: [0, 1], y: [0, 1], hoverinfo: "skip", showlegend: false,
            line: { color: theme.text, dash: "dash", width: 1.5 } },
          bars("share", filled, ({ count }) => count / size, { yaxis: "y2",
            marker: { color: theme.muted, line: { width: 1, color: theme.paper } } }),
        ],
        layout: {
          height: 400, barmode: "overlay", bargap: 0, showlegend: true,
          legend: { orientation: "h", x: 0, y: 1.01, yanchor: "bottom", traceorder: "reversed", bgcolor: "rgba(0,0,0,0)", font: { size: 12 } },
          xaxis: { title: { text: "confidence" }, range: [0, 1], anchor: "y2" },
          yaxis: { title: { text: "accuracy" }, range: [0, 1.02], domain: [0.32, 1], dtick: 0.2 },
          yaxis2: { title: { text: "share" }, range: [0, 1], domain: [0, 0.22], dtick: 0.5 },
        },
      };
      const line = (values, axis, colour) => ({ type: "scatter", mode: "lines", x: temperatures, y: values, yaxis: axis,
        line: { color: colour, width: 2.5 }, hovertemplate: "T = %{x:.2f}: %{y:.3f}<extra></extra>" });
      const dot = (value, axis, colour) => ({ type: "scatter", mode: "markers", x: [temperature], y: [value], yaxis: axis,
        marker: { color: colour, size: 11, line: { color: theme.paper, width: 2 } }, hoverinfo: "skip" });
      const sweep = {
        name: "sweep",
        sealed: true,
        traces: [line(eces, "y", theme.ece), line(nlls, "y2", theme.nll), dot(ece, "y", theme.ece),
          dot(nll, "y2", theme.nll)],
        layout: {
          title: "ECE (above) and NLL (below) by T", height: 400,
          xaxis: { title: { text: "temperature T" }, type: "log", range: [Math.log10(LOWEST), Math.log10(HIGHEST)], anchor: "y2",
            tickvals: [0.25, 0.5, 1, 2, 4, 8], ticktext: ["\u00bc", "\u00bd", "1", "2", "4", "8"] },
          yaxis: { title: { text: "ECE", font: { color: theme.ece } }, rangemode: "tozero", domain: [0.56, 1] },
          yaxis2: { title: { text: "NLL (nats)", font: { color: theme.nll } }, domain: [0, 0.44], nticks: 4 },
          shapes: marks.map(({ at, colour, dash }) => ({ type: "line", x0: at, x1: at, yref: "paper", y0: 0, y1: 1,
            line: { color: colour, dash, width: 1.5 } })),
          annotations: marks.slice(1).map(({ at, text, colour }, i) => ({ x: Math.log10(at), y: 1 - 0.09 * i, yref: "paper",
            text, showarrow: false, bgcolor: theme.panel, borderpad: 1, xanchor: at > 1.2 ? "left" : "right", xshift: at > 1.2 ? 3 : -3, font: { color: colour, size: 12 } })),
        },
      };
      return [diagram, sweep];
    },
  };
});
