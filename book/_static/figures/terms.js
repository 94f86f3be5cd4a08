/*
Nine losses made of four terms: a prediction and a row of Q under the flow of each, among few classes and among many. The
label is class 1, class 2 is alike, and all other classes are equal. Everything begins even but the logit of class 2. No
data. `compute` mirrors lsedu.book.figures.terms.
*/

lsedu.figure("terms", ({ labels: atEnds }) => {
  const STEP = 0.05;
  const LONGEST = 40;
  const ALPHA = 0.1;
  const FACTOR = 20;
  // the multipliers of H(s, q), H(q, s), -H(q) and -H(s)
  const ROWS = {
    "no-fce": [0, 1, 1, 1], "no-rce": [1, 0, 1, 1], "no-pred-em": [1, 1, 0, 1], "no-targets-em": [1, 1, 1, 0],
    "fce-only": [1, 0, 0, 0], "symmetric-ce": [1, 1, 0, 0], "forward-kl": [1, 0, 0, 1], "reverse-kl": [0, 1, 1, 0],
    lls: [1, 1, 1, 1],
  };
  const NAMES = {
    lls: "LLS, all four", "no-fce": "No FCE", "no-rce": "No RCE", "no-pred-em": "No Pred EM", "no-targets-em": "No Targets EM",
    "fce-only": "FCE only", "symmetric-ce": "Symmetric CE", "forward-kl": "Forward KL", "reverse-kl": "Reverse KL",
  };
  const TERMS = ["H(s, q)", "H(q, s)", "\u2212H(q)", "\u2212H(s)"];

  const weighted = (a, b, rest) => a[0] * b[0] + a[1] * b[1] + rest * a[2] * b[2];
  const ONES = [1, 1, 1];

  /** The softmax where the third logit stands for `rest` equal ones: a share of each. */
  function shares(z, rest) {
    const top = Math.max(...z);
    const e = z.map((value) => Math.exp(value - top));
    const total = weighted(e, ONES, rest);
    return e.map((value) => value / total);
  }

  const targetOf = (r) => r.map((share, k) => (k === 0 ? 1 - ALPHA : 0) + ALPHA * share);

  /** Minus the gradients on each logit and, times the rate, on each of Q's logits. */
  function pushed(z, t, row, rest) {
    const [fce, rce, predEm, targetEm] = ROWS[row];
    const q = shares(z, rest);
    const r = shares(t, rest);
    const s = targetOf(r);
    const a = q.map((value, k) => fce * Math.log(value) - targetEm * Math.log(s[k]));
    const b = q.map((value, k) => predEm * Math.log(value) - rce * Math.log(s[k]));
    const pull = r.map((share, k) => (ALPHA * share * q[k]) / s[k]);
    const ofA = weighted(r, a, rest);
    const ofB = weighted(q, b, rest);
    const ofPull = weighted(pull, ONES, rest);
    return [
      ...q.map((value, k) => -(fce * (value - s[k]) + value * (b[k] - ofB))),
      ...r.map((share, k) => -FACTOR * (ALPHA * share * (ofA - a[k]) + rce * (share * ofPull - pull[k]))),
    ];
  }

  /** Whole paths, kept by what they depend on: moving the time only reads them. */
  const kept = new Map();
  function flow(row, classes, alike) {
    const key = JSON.stringify([row, classes, alike]);
    if (!kept.has(key)) {
      if (kept.size > 20) kept.clear();
      const rest = classes - 2;
      const path = lsedu.descend((state) => pushed(state.slice(0, 3), state.slice(3), row, rest), [0, alike, 0, 0, 0, 0],
        { step: STEP, count: Math.round(LONGEST / STEP) });
      kept.set(key, path.map((six) => {
        const learned = shares(six.slice(3), rest);
        return { prediction: shares(six.slice(0, 3), rest), target: targetOf(learned), row: learned };
      }));
    }
    return kept.get(key);
  }

  /** All that the figure shows, from {row, classes, alike, time}. */
  function compute({ row, classes, alike, time }) {
    const path = flow(row, classes, alike);
    const index = Math.round(time / STEP);
    return {
      terms: ROWS[row],
      pull: pushed([0, alike, 0], [0, 0, 0], row, classes - 2)[0],
      ...path[index],
      path,
    };
  }

  const number = (value) => value.toFixed(3).replace("-", "\u2212");
  const three = (values) => values.map(number);
  const said = (terms) => TERMS.filter((_, k) => terms[k]).join(" + ").replaceAll("+ \u2212", "\u2212 ");

  return {
    title: "Four terms, nine losses",
    controls: [
      { key: "row", label: "The loss", choices: Object.entries(NAMES), value: "lls" },
      { key: "classes", label: "Number of classes", steps: [3, 10, 50, 200], value: 10, format: (value) => `${value}` },
      { key: "time", label: "Time", min: 0.1, max: LONGEST, step: 0.01, value: 5, scale: "log", format: (v) => v.toFixed(1) },
      { key: "alike", label: "Logit of class 2 at the start", min: 0, max: 2, step: 0.1, value: 1, scale: "linear",
        format: (value) => value.toFixed(1) },
    ],
    question: {
      text: "Every prediction begins nearly even. Take the reverse KL, and go from 3 classes to 200. What becomes of the label's share "
        + "after time 5?",
      choices: [
        ["same", "Much the same: the target is the same"],
        ["half", "About half as large"],
        ["stays", "It has hardly left its even share"],
      ],
      answer: () => "stays",
      verdict: (guess) => {
        const here = "Each gradient of the reverse divergence has the prediction itself as a factor. Where 200 classes share alike, "
          + "that is 1/200, and the forward cross-entropy, which has no such factor, is missing.";
        if (guess === undefined) return here;
        return `${guess === "stays" ? "Yes." : "Not so."} ${here}`;
      },
    },
    compute,
    readout: (r) => [
      { key: "pull", label: "Pull on the label's logit at the start", value: r.pull, text: number(r.pull) },
      { key: "label", label: "q of the label", value: r.prediction[0], text: number(r.prediction[0]), sealed: true },
      { key: "own", label: "Q: the label's share", value: r.row[0], text: number(r.row[0]), sealed: true },
      { key: "other", label: "Q: class 2's share", value: r.row[1], text: number(r.row[1]), sealed: true },
    ],
    describe: (r, { parameters }) => `The loss is ${said(r.terms)}. After time ${parameters.time.toFixed(1)} the label has `
      + `${number(r.prediction[0])} in the prediction and ${number(r.target[0])} in the target. Q's row gives the label `
      + `${number(r.row[0])}, class 2 ${number(r.row[1])} and each of the ${parameters.classes - 2} others ${number(r.row[2])}.`,
    table: (r) => ({
      columns: ["", "Label", "Class 2", "Each other"],
      rows: [["prediction", r.prediction], ["target", r.target], ["row of Q", r.row]].map(([name, values]) => [name, ...three(values)]),
    }),
    panels: (r, { parameters, theme }) => {
      const { dots, line } = lsedu.layout;
      const index = [];
      for (let i = 2; i < r.path.length; i += Math.max(1, Math.floor(i / 20))) index.push(i);
      const lines = {
        "q of the label": [(now) => now.prediction[0], theme.first, "solid"],
        "Q of the label": [(now) => now.row[0], theme.second, "dot"],
        "Q of class 2": [(now) => now.row[1], theme.third, "dash"],
      };
      const drawn = Object.entries(lines).flatMap(([name, [of, colour, dash]]) => [
        line(index.map((i) => [i * STEP, of(r.path[i])]), { name, colour, dash, width: 3,
          hover: `${name}, time %{x:.1f}: %{y:.3f}<extra></extra>` }),
        dots([[parameters.time, of(r)]], { theme, colour }),
      ]);
      return [{
        name: "shares",
        sealed: true,
        traces: drawn,
        layout: {
          title: said(r.terms), height: 380,
          annotations: atEnds(Object.entries(lines).map(([text, [of, colour]]) => (
            { text, x: Math.log10(LONGEST), y: of(r.path.at(-1)), colour })), theme),
          xaxis: { title: { text: "time (logarithmic)" }, type: "log", range: [-1, Math.log10(LONGEST)],
            tickvals: [0.1, 1, 10], ticktext: ["0.1", "1", "10"] },
          yaxis: { title: { text: "share" }, range: [-0.1, 1.03], tickvals: [0, 0.2, 0.4, 0.6, 0.8, 1] },
        },
      }];
    },
  };
});
