/*
Relatives of label smoothing by their pull on the label's logit, over the label's probability q: ten classes, the other
nine alike. No data. `compute` mirrors the gradients of the losses in lsedu.losses, in closed form.
*/

lsedu.figure("kin", ({ labels: atEnds }) => {
  const K = 10;
  const LOW = 1e-4;
  const HIGH = 1 - 1e-6;
  const HALVINGS = 50;
  const POINTS = Array.from({ length: 101 }, (_, i) => LOW + ((HIGH - LOW) * i) / 100);
  const NAMES = [["ls", "label smoothing"], ["penalty", "confidence penalty"], ["focal", "focal loss"], ["flsd", "FLSD-53"],
    ["ols", "online smoothing (OLS)"], ["distil", "distillation, T = 1"], ["tf-kd", "TF-KD reg, as printed"],
    ["tf-kd-code", "TF-KD reg, as released"], ["zipf", "Zipf"], ["lls", "LLS, Q even"], ["ls++", "LS++"]];
  const TEMPERATURE = 20;
  const CORRECT = 0.99;
  const MULTIPLIER = 100;
  /** No pull below this is drawn. */
  const LOWEST = -2;

  const other = (q) => (1 - q) / (K - 1);
  const plain = (q) => 1 - q;

  /** The label's share where it has weight `label` and each other class weight `rest`. */
  const share = (label, rest) => label / (label + (K - 1) * rest);

  /** What the focal loss takes the pull of one-hot targets times. */
  function factor(q, gamma) {
    return (1 - q) ** gamma - gamma * q * (1 - q) ** (gamma - 1) * Math.log(q);
  }

  /** The pull of LLS: that of the forward and that of the reverse divergence. */
  function ofLls(q, alpha) {
    const s = 1 - alpha + alpha / K;
    return s - q - q * (1 - q) * (Math.log(q / s) - Math.log(other(q) / (alpha / K)));
  }

  /** The pull of TF-KD reg; released, the temperature divides probabilities and leaves the student alone. */
  function ofTeacher(q, alpha, released) {
    if (released) {
      const teacher = share(Math.exp(CORRECT / TEMPERATURE), Math.exp(other(CORRECT) / TEMPERATURE));
      return (1 - alpha) * plain(q) + ((alpha * MULTIPLIER) / K) * (teacher - q);
    }
    const soft = (p) => share(p ** (1 / TEMPERATURE), other(p) ** (1 / TEMPERATURE));
    return (1 - alpha) * plain(q) + (alpha / TEMPERATURE) * (soft(CORRECT) - soft(q));
  }

  const PULLS = {
    ls: (q, { alpha }) => 1 - alpha + alpha / K - q,
    penalty: (q, { alpha }) => plain(q) * (1 - alpha * q * Math.log(q / other(q))),
    focal: (q, { gamma }) => plain(q) * factor(q, gamma),
    flsd: (q) => plain(q) * factor(q, q < 0.2 ? 5 : 3),
    ols: (q, { own }) => 0.5 + 0.5 * own - q,
    distil: (q, { own }) => own - q,
    "tf-kd": (q, { alpha }) => ofTeacher(q, alpha, false),
    "tf-kd-code": (q, { alpha }) => ofTeacher(q, alpha, true),
    zipf: plain,
    lls: (q, { alpha }) => ofLls(q, alpha),
    "ls++": (q, { alpha }) => 1 - alpha - q,
  };

  /** Where the loss pulls no more, 1 where it pulls up to the end. */
  function restOf(pull) {
    if (pull(HIGH) >= 0) return 1;
    let [low, high] = [LOW, HIGH];
    for (let i = 0; i < HALVINGS; i += 1) {
      const middle = (low + high) / 2;
      if (pull(middle) > 0) low = middle; else high = middle;
    }
    return (low + high) / 2;
  }

  /** All that the figure shows, from {loss, alpha, gamma, own, q}. */
  function compute({ loss, q, ...chosen }) {
    const pull = (at) => PULLS[loss](at, chosen);
    const rest = restOf(pull);
    const sure = Math.min(rest, HIGH);
    return {
      pull: pull(q),
      plain: plain(q),
      ratio: pull(q) / plain(q),
      rest,
      gap: Math.log((sure * (K - 1)) / (1 - sure)),
      curve: POINTS.map(pull),
    };
  }

  const number = (value) => value.toFixed(3).replace("-", "\u2212");
  const two = (value) => value.toFixed(2);
  const restText = (r) => (r.rest === 1 ? "nowhere below 1" : r.rest.toFixed(4));
  const gapText = (r) => (r.rest === 1 ? "none" : two(r.gap));

  return {
    title: "What a loss does to the label's logit, by how sure the network is",
    controls: [
      { key: "loss", label: "The loss", choices: NAMES, value: "tf-kd" },
      { key: "alpha", label: "\u03b1 (penalty: \u03b2; Zipf: \u03bb)", min: 0.02, max: 0.9, step: 0.01, value: 0.1, scale: "linear", format: two },
      { key: "gamma", label: "Focal exponent \u03b3", min: 0.5, max: 5, step: 0.1, value: 3, scale: "linear", format: (v) => v.toFixed(1) },
      { key: "own", label: "Table or teacher: the label's share", min: 0.1, max: 0.99, step: 0.01, value: 0.8, scale: "linear", format: two },
      { key: "q", label: "Probability of the label", min: 0.02, max: 0.99, step: 0.01, value: 0.5, scale: "linear", format: two },
    ],
    question: {
      text: "Smoothing with \u03b1 = 0.1 pulls the label's logit up until the label has 0.91. TF-KD reg, as printed, mixes with the "
        + "same 0.1 and is said to behave as smoothing does. Up to which probability does it pull?",
      choices: [
        ["lower", "Below 0.91"],
        ["same", "About 0.91"],
        ["higher", "Above 0.99"],
      ],
      answer: () => "higher",
      verdict: (guess) => {
        const here = "At temperature 20 the student's answers are nearly even as well, and the teacher's term comes with a factor "
          + "1/20. It turns the logit only where one-hot targets have almost stopped pulling. The released code leaves the student "
          + "unsoftened and multiplies by 100: see what that does.";
        if (guess === undefined) return here;
        return `${guess === "higher" ? "Yes." : "Not so."} ${here}`;
      },
    },
    compute,
    readout: (r) => [
      { key: "pull", label: "Pull on the label's logit", value: r.pull, text: number(r.pull), sealed: true },
      { key: "plain", label: "Pull of one-hot targets", value: r.plain, text: number(r.plain) },
      { key: "rest", label: "At rest where the label has", value: r.rest, text: restText(r), sealed: true },
      { key: "gap", label: "Gap of the logits there", value: r.gap, text: gapText(r), sealed: true },
    ],
    describe: (r, { parameters }) => `Where the label has ${two(parameters.q)}, this loss raises its logit by ${number(r.pull)} and one-hot `
      + `targets by ${number(r.plain)}. It is at rest ${r.rest === 1 ? "nowhere" : `where the label has ${restText(r)}`}.`,
    table: (r) => ({
      columns: ["Label's probability", "This loss", "One-hot targets"],
      rows: POINTS.map((q, i) => [q, r.curve[i], plain(q)]).filter((_, i) => i % 10 === 0).map((row) => row.map(number)),
    }),
    panels: (r, { parameters, theme, revealed }) => {
      const { dots, line } = lsedu.layout;
      const name = NAMES.find(([key]) => key === parameters.loss)[1];
      const hover = (of) => `${of}: label %{x:.2f}, pull %{y:.3f}<extra></extra>`;
      const traces = [
        line([[0, 0], [1, 0]], { colour: theme.muted, width: 1, dash: "dash" }),
        line(POINTS.map((q) => [q, plain(q)]), { name: "one-hot", colour: theme["one-hot"], dash: "dot", hover: hover("one-hot") }),
        dots([[parameters.q, r.plain]], { theme, colour: theme["one-hot"] }),
      ];
      const ends = [{ text: "one-hot", x: 0.02, y: plain(0.02), colour: theme["one-hot"], anchor: "left" }];
      if (revealed) {
        traces.push(line(POINTS.map((q, i) => [q, r.curve[i]]), { name, colour: theme.first, width: 3, hover: hover(name) }));
        traces.push(dots([[parameters.q, r.pull]], { theme, colour: theme.first }));
        if (r.rest < 1) {
          traces.push(dots([[r.rest, 0]], { theme, colour: theme.first, symbol: "diamond", size: 11,
            hover: `at rest: the label has ${restText(r)}` }));
        }
        ends.push({ text: name, x: HIGH, y: Math.max(r.curve.at(-1), LOWEST), colour: theme.first });
      }
      const range = revealed ? [Math.max(Math.min(0, ...r.curve), LOWEST) - 0.25, Math.max(1.05, ...r.curve) + 0.05] : [-0.2, 1.1];
      return [{
        name: "pull",
        traces,
        layout: {
          title: "Above 0 the logit rises, below it falls", height: 420,
          annotations: atEnds(ends, theme),
          xaxis: { title: { text: "probability of the label" }, range: [0, 1] },
          yaxis: { title: { text: "pull" }, range },
        },
      }];
    },
  };
});
