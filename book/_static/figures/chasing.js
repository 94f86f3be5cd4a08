/*
Three classes on a triangle: the prediction of one picture and the target of its class, which is learned, under the flow
of the loss on the logits and on Q's logits. The label is class 1, the third logit and all of Q's start at 0. No data.
`compute` mirrors the gradients of lsedu.losses.lls_gradients and, for the flow, the Runge-Kutta steps of its Python side.
*/

lsedu.figure("chasing", ({ labels: atEnds }) => {
  const STEP = 0.05;
  const LONGEST = 40;
  const TERMS = [["lls", "both divergences"], ["forward-kl", "forward: KL(s \u2016 q)"], ["reverse-kl", "reverse: KL(q \u2016 s)"]];

  function softmax(z) {
    const top = Math.max(...z);
    const e = z.map((value) => Math.exp(value - top));
    const sum = e[0] + e[1] + e[2];
    return e.map((value) => value / sum);
  }

  const targetOf = (r, alpha) => r.map((share, k) => (k === 0 ? 1 - alpha : 0) + alpha * share);
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

  /** The gradients on the logits and on Q's logits. */
  function gradients(z, t, alpha, terms) {
    const q = softmax(z);
    const r = softmax(t);
    const s = targetOf(r, alpha);
    const ratio = q.map((value, k) => value / s[k]);
    const logs = ratio.map(Math.log);
    let onZ = [0, 0, 0];
    let onT = [0, 0, 0];
    if (terms !== "reverse-kl") {
      const mean = dot(r, logs);
      onZ = q.map((value, k) => value - s[k]);
      onT = r.map((share, k) => alpha * share * (mean - logs[k]));
    }
    if (terms !== "forward-kl") {
      const divergence = dot(q, logs);
      const mean = dot(r, ratio);
      onZ = onZ.map((was, k) => was + q[k] * (logs[k] - divergence));
      onT = onT.map((was, k) => was + alpha * r[k] * (mean - ratio[k]));
    }
    return { onZ, onT };
  }

  /** Logits and Q's logits, six numbers, at times 0, STEP, ..., by the classical Runge-Kutta rule. */
  function flow(start, { alpha, factor, terms }) {
    const pushed = (state) => {
      const { onZ, onT } = gradients(state.slice(0, 3), state.slice(3), alpha, terms);
      return [...onZ.map((g) => -g), ...onT.map((g) => -factor * g)];
    };
    const path = lsedu.descend(pushed, [...start, 0, 0, 0], { step: STEP, count: Math.round(LONGEST / STEP) });
    return path.map((six) => {
      const row = softmax(six.slice(3));
      return { prediction: softmax(six.slice(0, 3)), target: targetOf(row, alpha), row };
    });
  }

  /** Whole paths, kept by all that they depend on: moving the time only reads them. */
  const kept = new Map();
  function flowFrom(start, chosen) {
    const key = JSON.stringify([start, chosen]);
    if (!kept.has(key)) {
      if (kept.size > 20) kept.clear();
      kept.set(key, flow(start, chosen));
    }
    return kept.get(key);
  }

  /** All that the figure shows, from {first, second, alpha, factor, terms, time}. */
  function compute({ first, second, alpha, factor, terms, time }) {
    const start = [first, second, 0];
    const { onZ, onT } = gradients(start, [0, 0, 0], alpha, terms);
    const path = flowFrom(start, { alpha, factor, terms });
    const index = Math.round(time / STEP);
    const now = path[index];
    return {
      q: softmax(start),
      on_prediction: onZ,
      on_q: onT,
      ...now,
      apart: now.prediction.reduce((sum, a, k) => sum + (a - now.target[k]) * Math.log(a / now.target[k]), 0),
      path,
      index,
    };
  }

  const number = (value) => value.toFixed(2).replace("-", "\u2212");
  const three = (values) => values.map((value) => value.toFixed(3).replace("-", "\u2212"));
  const small = (value) => (value < 0.0005 ? "under 0.001" : value.toFixed(3));

  /** Indices up to the last, dense where a path moves fast: at most some hundred of them. */
  function thin(last) {
    const out = [];
    for (let i = 0; i <= last; i += Math.max(1, Math.floor(i / 20))) out.push(i);
    if (out[out.length - 1] !== last) out.push(last);
    return out;
  }

  return {
    title: "A prediction and a learned target, chasing each other",
    controls: [
      { key: "factor", label: "Q's rate, in the network's", steps: [0, 1, 5, 20], value: 1, format: (value) => `\u00d7 ${value}` },
      { key: "time", label: "Time", min: 0.1, max: LONGEST, step: 0.01, value: 20, scale: "log", format: (v) => v.toFixed(1) },
      { key: "terms", label: "The loss", choices: TERMS, value: "lls" },
      { key: "alpha", label: "Share \u03b1 of Q", min: 0.05, max: 0.6, step: 0.01, value: 0.3, scale: "linear",
        format: (value) => value.toFixed(2) },
      { key: "first", label: "Logit of the label", min: -4, max: 4, step: 0.1, value: -1, scale: "linear", format: number },
      { key: "second", label: "Logit of class 2", min: -4, max: 4, step: 0.1, value: 1.5, scale: "linear", format: number },
    ],
    question: {
      text: "The prediction begins near class 2, Q is even. Make Q twenty times as fast as the network. Where do target and "
        + "prediction meet?",
      choices: [
        ["even", "Where they do with smoothing: Q stays even"],
        ["near", "Nearer to class 2, where the prediction began"],
        ["corner", "In the label's corner: Q gives all to the label"],
      ],
      answer: () => "near",
      verdict: (guess) => {
        const here = "The loss is 0 wherever the two are equal, and every target in the small triangle at the label will do. Which "
          + "one it is depends on where the prediction began, and on who ran faster.";
        if (guess === undefined) return here;
        return `${guess === "near" ? "Yes." : "Not so."} ${here}`;
      },
    },
    compute,
    readout: (r) => [
      { key: "apart", label: "Both divergences, nats", value: r.apart, text: small(r.apart), sealed: true },
      { key: "label", label: "q of the label", value: r.prediction[0], text: r.prediction[0].toFixed(3), sealed: true },
      { key: "own", label: "Q: the label's share", value: r.row[0], text: r.row[0].toFixed(3), sealed: true },
      { key: "other", label: "Q: class 2's share", value: r.row[1], text: r.row[1].toFixed(3), sealed: true },
    ],
    describe: (r, { parameters }) => `After time ${parameters.time.toFixed(1)} the label has ${r.prediction[0].toFixed(3)} in the `
      + `prediction and ${r.target[0].toFixed(3)} in the target; Q's row is ${three(r.row).join(", ")}. The sum of both divergences is `
      + `${small(r.apart)} nats.`,
    table: (r) => ({
      columns: ["", "Label", "Class 2", "Class 3"],
      rows: [["start q", r.q], ["pull on the logits", r.on_prediction.map((g) => -g)], ["pull on Q's logits", r.on_q.map((g) => -g)],
        ["later q", r.prediction], ["later target", r.target], ["later row of Q", r.row]].map(([name, values]) => [name, ...three(values)]),
    }),
    panels: (r, { parameters, theme, revealed }) => {
      const { dots, line, note, triangle } = lsedu.layout;
      const { place } = triangle;
      const colours = { prediction: theme.first, target: theme.smoothed };
      const names = ["prediction", "target"];
      const dash = { prediction: "solid", target: "dot" };
      const within = [1, 2].map((k) => place(targetOf([0, 0, 0].map((_, i) => Number(i === k)), parameters.alpha)));
      const corner = place([1, 0, 0]);
      const drawn = [
        triangle.outline(theme),
        line([corner, ...within, corner], { colour: theme.smoothed, width: 1, dash: "dash" }),
      ];
      const start = { prediction: r.q, target: r.path[0].target };
      for (const name of names) {
        drawn.push(dots([place(start[name])], { theme, colour: colours[name], symbol: "circle-open", size: 11, ring: 0,
          hover: `${name} at the start: ${three(start[name]).join(", ")}` }));
        if (!revealed) continue;
        drawn.push(line(thin(r.index).map((i) => place(r.path[i][name])), { name, colour: colours[name], width: 3, dash: dash[name] }));
        drawn.push(dots([place(r[name])], { theme, colour: colours[name], symbol: name === "target" ? "x" : "circle",
          hover: `${name}, time ${parameters.time.toFixed(1)}: ${three(r[name]).join(", ")}` }));
      }
      const index = thin(r.path.length - 1).slice(1);
      const chased = (name) => line(index.map((i) => [i * STEP, r.path[i][name][1]]), { name, colour: colours[name], dash: dash[name],
        hover: `${name}, time %{x:.1f}: %{y:.3f}<extra></extra>` });
      const now = (name) => dots([[parameters.time, r[name][1]]], { theme, colour: colours[name] });
      return [
        {
          name: "triangle",
          traces: drawn,
          layout: {
            ...triangle.panel(0.08), title: "Rings: the start. Dashed: all targets there are",
            annotations: [...triangle.names(), ...names.map((name) => note(name, place(start[name]), { colour: colours[name],
              xanchor: "left", xshift: 10, yshift: name === "target" ? 6 : -8 }))],
          },
        },
        {
          name: "share",
          sealed: true,
          traces: [...names.map(chased), ...names.map(now)],
          layout: {
            title: "Share of class 2 in both", height: 360,
            annotations: atEnds(names.map((name) => ({ text: name, x: Math.log10(LONGEST), y: r.path.at(-1)[name][1],
              colour: colours[name] })), theme),
            xaxis: { title: { text: "time (logarithmic)" }, type: "log", range: [-1, Math.log10(LONGEST)],
              tickvals: [0.1, 1, 10], ticktext: ["0.1", "1", "10"] },
            yaxis: { title: { text: "share" }, rangemode: "tozero" },
          },
        },
      ];
    },
  };
});
