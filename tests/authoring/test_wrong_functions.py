"""Wrong answers to the course's labs, declared or not, earn what they should with every secret; right ones earn all."""

import functools
import itertools
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import lambertw

from lsedu import bottleneck, information, losses
from lsedu.authoring import load_lab
from lsedu.labs.evaluate import attempt, evaluate
from lsedu.labs.feedback import verdict
from lsedu.labs.spec import PUBLIC_SEED
from lsedu.targets import OnlineTable

SOLUTIONS = Path(__file__).parents[2] / "solutions"
SECRETS = 50
# the gate draws declared answers too, and holds them to a mark and not to a bound
OF_DECLARED = 15
LABS = {path.stem: load_lab(path) for path in sorted(SOLUTIONS.glob("lab*.md"))}
QUESTIONS = [(lab.name, q.id) for lab in LABS.values() for q in lab.questions if q.kind == "function"]
T_975 = (0, 12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622)


@functools.cache
def one(lab, name, number):
    question, draw = LABS[lab].question(name), random.Random(f"{name} {number}")
    cases = question.draw([draw.getrandbits(32) for _ in range(4)])
    return cases, [evaluate(question.reference, question, item) for item in cases]


def drawn(lab, name, secrets=SECRETS):
    """Return the cases of a question for many secrets, with what is expected of them."""
    return [one(lab, name, number) for number in range(secrets)]


def passes(function, question, item, expected):
    try:
        with np.errstate(all="ignore"):
            return verdict(attempt(function, question, item), expected, question, item)[0] is None
    except Exception:
        return False


def mark(function, question, cases, expected):
    return question.mark(cases, [passes(function, question, *pair) for pair in zip(cases, expected)])


@pytest.mark.parametrize(("lab", "name"), QUESTIONS)
def test_declared_wrong_answers_get_their_mark_and_less_than_all_with_every_secret(lab, name):
    question = LABS[lab].question(name)
    assert all(wrong.points < question.points for wrong in question.wrong)
    for cases, expected in drawn(lab, name, OF_DECLARED):
        got = {wrong.name: mark(wrong.function, question, cases, expected) for wrong in question.wrong}
        assert got == pytest.approx({wrong.name: wrong.points for wrong in question.wrong}, abs=0.005)


def shifted_by(shift):
    def softmax(logits):
        weights = np.exp(logits - shift(logits))
        return weights / weights.sum(axis=1, keepdims=True)

    return softmax


def clipped(logits):
    weights = np.exp(np.clip(logits, -700, 700))
    return weights / weights.sum(axis=1, keepdims=True)


def in_double(shift=lambda z: 0 * z[:, :1]):
    def cross_entropy(logits, labels):
        z = logits.double()
        z = z - shift(z)
        log_probs = z - z.exp().sum(dim=1, keepdim=True).log()
        return -log_probs[torch.arange(len(labels)), labels].mean().float()

    return cross_entropy


def with_epsilon(logits, labels):
    weights = (logits - logits.max(dim=1, keepdim=True).values).exp()
    probs = weights / weights.sum(dim=1, keepdim=True)
    return -(probs[torch.arange(len(labels)), labels] + 1e-12).log().mean()


def without_minlength(probs, labels, bins):
    confidence, correct = probs.max(axis=1), probs.argmax(axis=1) == labels
    index = np.ceil(confidence * bins).astype(int) - 1
    count = np.bincount(index)
    mean = np.bincount(index, weights=confidence) / np.maximum(count, 1)
    return mean, np.bincount(index, weights=correct) / np.maximum(count, 1), count


def choosing(score=lambda table: table.mean(axis=1), *, worse=None):
    def choose(alphas, accuracy):
        best, n = int(score(accuracy).argmax()), accuracy.shape[1]
        difference = accuracy[best] - accuracy
        half = T_975[n - 1] * difference.std(axis=1, ddof=1) / np.sqrt(n)
        bad = difference.mean(axis=1) - half > 0 if worse is None else worse(difference, best)
        bad[best] = False
        return float(alphas[best]), float(alphas[np.argmin(bad)])

    return choose


def by_shape(question):
    """Answer with the places that the public cases' answers have, by the shape of the case, the first or the last."""
    known = {}
    for item in question.draw(PUBLIC_SEED):
        answer = question.reference(*item.args)
        known[item.args[1].shape] = [int(np.flatnonzero(item.args[0] == value)[0]) for value in answer]
    return lambda alphas, accuracy: tuple(float(alphas[i]) for i in known[accuracy.shape])


def in_turn(question):
    """Answer with the places of the public cases' answers, one after the other."""
    known = []
    for item in question.draw(PUBLIC_SEED):
        known.append([int(np.flatnonzero(item.args[0] == v)[0]) for v in question.reference(*item.args)])
    calls = iter(known * SECRETS)
    return lambda alphas, accuracy: tuple(float(alphas[i]) for i in next(calls))


def by_sign(a, b):
    d, n = a - b, len(a)
    half = 2.0 * d.std(ddof=1) / np.sqrt(n) if n > 20 else T_ALL[n - 1] * d.std(ddof=1) / np.sqrt(n)
    mean = d.mean()
    low, high = float(mean - half), float(mean + half)
    return float(mean), low, high, "higher" if low > 0 else "lower" if mean < 0 else "not shown"


def log2_of(p):
    return np.log2(np.where(p > 0, p, 1.0))


def entropy_of(p):
    return -(p * log2_of(p)).sum(axis=-1)


def mutual_of(joint):
    """Return the mutual information in bits as the divergence of a joint table from the product of its margins."""
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    return float((joint * (log2_of(joint) - log2_of(product))).sum())


def plane_of(encoder, p_y_given_x, p_x):
    """Return I(X;Z) and I(Y;Z) in bits."""
    return mutual_of(p_x[:, None] * encoder), mutual_of((p_y_given_x * p_x[:, None]).T @ encoder)


def code_of(encoder, p_y_given_x, p_x):
    """Return p(z) and p(y|z), of a code never drawn the labels as they come."""
    joint = (p_y_given_x * p_x[:, None]).T @ encoder
    p_z = joint.sum(axis=0)
    return p_z, np.where(p_z > 0, joint / np.where(p_z > 0, p_z, 1.0), joint.sum(axis=1, keepdims=True)).T


def of_lab(lab, name):
    return LABS[lab].question(name).reference


def finite(value):
    return np.nan_to_num(value, nan=0.0, posinf=1e6, neginf=-1e6)


def surplus_in_all(encoder, labels, p_x, num_classes):
    x, y = plane_of(encoder, np.eye(num_classes)[labels], p_x)
    return np.full(num_classes, x - y)


def reading(place):
    """Read points by where they are, the corner by `place`."""

    def read(i_x, i_y, p_y, tolerance):
        top, words = float(entropy_of(p_y)), []
        for x, y in zip(i_x, i_y):
            above = y - min(x, top)
            if place(x, y, top, tolerance):
                words.append("corner")
            elif abs(above) > tolerance:
                words.append("impossible" if above > 0 else "below")
            else:
                words.append("line" if x < top else "flat")
        return words

    return read


def stepping(change=lambda score: score, *, base=np.exp, prior=np.log, least=0.0):
    """One step of Blahut-Arimoto by the whole divergence, with scores changed before the powers are taken."""

    def step(p_z, p_y_given_z, p_y_given_x, beta):
        x, z = p_y_given_x[:, None, :], np.maximum(p_y_given_z[None], least)
        logarithm = {np.exp: np.log, np.exp2: np.log2}[base]
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(x > 0, x * (logarithm(x) - logarithm(z)), 0.0)
            score = change(prior(p_z) - beta * terms.sum(axis=2))
        powers = base(score)
        return powers / powers.sum(axis=1, keepdims=True)

    return step


def at_top(score):
    return score - score.max(axis=1, keepdims=True)


def descending(choose=lambda history: int(history[:, -1].argmin())):
    """Descend by the lab's own step from all starts at once, and keep the start that is chosen."""
    given = of_lab("lab04", "descend").__globals__
    objective, swept = given["objective"], given["swept"]

    def descend(starts, table, p_x, beta, steps):
        ends, columns = list(starts), []
        for turn in range(steps + 1):
            if turn:
                ends = [swept(encoder, table, p_x, beta) for encoder in ends]
            columns.append([objective(encoder, table, p_x, beta) for encoder in ends])
        history = np.array(columns).T
        return history, ends[choose(history)]

    return descend


def by_pieces(i_x, i_y, curve_x, curve_y, *, beyond=0.0):
    """Height of the curve minus that of the points, piece by piece; `beyond` is the slope right of its end."""
    known = sorted([(0.0, 0.0), *zip(curve_x.tolist(), curve_y.tolist())])
    gaps = []
    for x, y in zip(i_x, i_y):
        height = known[-1][1] + beyond * (x - known[-1][0])
        for (x0, y0), (x1, y1) in itertools.pairwise(known):
            if x0 <= x <= x1:
                height = y0 + (y1 - y0) * (x - x0) / (x1 - x0)
        gaps.append(height - y)
    return np.array(gaps)


def through_the_nearest(i_x, i_y, curve_x, curve_y):
    x, y = np.r_[0.0, curve_x], np.r_[0.0, curve_y]
    return np.array([y[np.abs(x - at).argmin()] for at in i_x]) - i_y


def by_xlogy(encoder, p_y_given_x, p_x, prior, q):
    e, t, w, r, d = map(torch.as_tensor, (encoder, p_y_given_x, p_x, prior, q))
    p_xz, p_zy = w[:, None] * e, (w[:, None] * e).T @ t
    upper = torch.xlogy(p_xz, torch.where(p_xz > 0, e, 1.0)).sum() - torch.xlogy(p_xz, r).sum()
    lower = torch.special.entr(p_zy.sum(0)).sum() + torch.xlogy(p_zy, d).sum()
    return upper.item() / np.log(2), lower.item() / np.log(2)


def bounds_without_nan(encoder, p_y_given_x, p_x, prior, q):
    p_xz = p_x[:, None] * encoder
    p_zy = p_xz.T @ p_y_given_x
    upper = finite(p_xz * np.log2(encoder / prior)).sum()
    return float(upper), float(entropy_of(p_x @ p_y_given_x) + finite(p_zy * np.log2(q)).sum())


def bounds_of_even_classes(encoder, p_y_given_x, p_x, prior, q):
    upper, lower = by_xlogy(encoder, p_y_given_x, p_x, prior, q)
    return upper, lower - float(entropy_of(p_x @ p_y_given_x)) + float(np.log2(p_y_given_x.shape[1]))


def by_difference(encoder, p_y_given_x, p_x, prior, q):
    (upper, lower), (i_x, i_y) = by_xlogy(encoder, p_y_given_x, p_x, prior, q), plane_of(encoder, p_y_given_x, p_x)
    return upper - i_x, i_y - lower


def bottleneck_loss(*, code=lambda p: p, own=lambda q: q, prior=lambda log_p: -np.log(log_p.shape[1]), rate=1.0):
    """The loss of task 8 with one-hot labels and sums by einsum, its parts changed."""

    def vib_loss(encoder_logits, decoder_logits, labels, price):
        log_p = encoder_logits - encoder_logits.logsumexp(1, keepdim=True)
        log_q = own(decoder_logits) - own(decoder_logits).logsumexp(1, keepdim=True)
        hard = torch.nn.functional.one_hot(labels, decoder_logits.shape[1]).to(log_p.dtype)
        surprise = -torch.einsum("bm,mk,bk->b", code(log_p.exp()), log_q, hard)
        return (surprise + price * rate * (log_p.exp() * (log_p - prior(log_p))).sum(1)).mean()

    return vib_loss


def most_likely(p):
    return torch.nn.functional.one_hot(p.argmax(1), p.shape[1]).to(p.dtype)


def given(name):
    """One of the losses that lab 5 gives."""
    return of_lab("lab05", "slopes").__globals__["LOSSES"][name]


def by_library(loss):
    """The gradient of a loss of the library, picture by picture, by autograd."""

    def pull(logits, labels, *options):
        z = torch.tensor(logits, requires_grad=True)
        (found,) = torch.autograd.grad(loss(z, torch.as_tensor(labels), *options).sum(), z)
        return found.numpy()

    return pull


def focal_of_the_library(z, y, gamma):
    rows = zip(z, y, gamma)
    return torch.stack([losses.focal(row[None], label[None], gamma=float(g)) for row, label, g in rows])


def table_of_the_library(logits, labels):
    online = OnlineTable(logits.shape[1], dtype=torch.float64)
    for part in np.array_split(np.arange(len(labels)), 3):
        online.update(torch.as_tensor(logits[part]), torch.as_tensor(labels[part]))
    online.end_of_epoch()
    return online.table.numpy()


def disguise_by_two_pulls(k, correct, temperature, alpha, multiplier):
    """Two slopes of the library's loss at one picture are enough for two unknowns."""
    pulled = by_library(
        lambda z, y: losses.tf_kd_reg(
            z, y, alpha=alpha, temperature=temperature, correct=correct, form="code", multiplier=multiplier
        )
    )
    q = torch.softmax(torch.arange(float(k), dtype=torch.float64) / k, 0).numpy()
    (pull,) = pulled(np.log(q)[None], np.array([0]))
    scale = (pull[-1] - pull[-2]) / (q[-1] - q[-2])
    return scale, k * (q[-1] - pull[-1] / scale)


def slopes_at_once(name, logits, labels, options, step):
    k, loss = logits.shape[1], given(name)
    moves = step * np.eye(k)
    return np.stack([(loss(logits + m, labels, **options) - loss(logits - m, labels, **options)) for m in moves], 1) / (
        2 * step
    )


def penalty_by_jacobian(logits, labels, beta):
    log_q = torch.log_softmax(torch.as_tensor(logits), 1).numpy()
    q = np.exp(log_q)
    jacobian = q[:, :, None] * (np.eye(q.shape[1]) - q[:, None, :])
    return q - np.eye(q.shape[1])[labels] + beta * np.einsum("njk,nk->nj", jacobian, log_q)


def focal_by_subtraction(logits, labels, gamma):
    """The formula of the hint, with 1 - q_y by subtraction and 0 where it is 0."""
    log_q = torch.log_softmax(torch.as_tensor(logits), 1).numpy()
    q = np.exp(log_q)
    at, log_at = at_labels(q, labels), at_labels(log_q, labels)
    with np.errstate(all="ignore"):
        weight = (1 - at) ** gamma - gamma * at * (1 - at) ** (gamma - 1) * log_at
    weight = np.where(gamma == 0, 1.0, np.where(at == 1, 0.0, weight))
    return weight[:, None] * (q - np.eye(q.shape[1])[labels])


def zipf_with(*, scores=lambda z: z, power=1.0, at_label=0.0):
    """The pull of Zipf's smoothing row by row; ranks of other scores, another power, or something at the label."""

    def pull_zipf(logits, labels, strength):
        found = torch.softmax(torch.as_tensor(logits), 1).numpy()
        for row, z, s, y in zip(found, logits, scores(logits), labels):
            others = np.delete(np.arange(len(z)), y)
            law = np.array([(1 + sum(s[i] > s[j] for i in others)) ** -power for j in others])
            q = np.exp(z[others] - z[others].max())
            row[others] += strength * (q / q.sum() - law / law.sum())
            row[y] += strength * at_label * row[y] - 1
        return found

    return pull_zipf


def softmax_of(z):
    return torch.softmax(torch.as_tensor(z), 1).numpy()


def at_labels(table, labels):
    return table[np.arange(len(labels)), labels]


def tables_of_winners(logits, labels):
    return of_lab("lab05", "next-table")(1e6 * (logits == logits.max(axis=1, keepdims=True)), labels)


T_ALL = LABS["lab01"].question("paired").reference.__globals__["T_975"]


def probing(*, seen=lambda train, new: train, base=lambda targets: targets.mean(axis=0), weigh=lambda penalty: penalty):
    """The probe of lab 7 by its dual: as many unknowns as rows."""

    def probe(train, labels, new, penalty):
        rows = seen(train, new)
        mean, spread = rows.mean(axis=0), rows.std(axis=0)
        spread[spread == 0] = 1.0
        s, fresh, targets = (train - mean) / spread, (new - mean) / spread, np.eye(labels.max() + 1)[labels]
        within = s @ s.T + len(s) * weigh(penalty) * np.eye(len(s))
        return base(targets) + fresh @ s.T @ np.linalg.solve(within, targets - targets.mean(axis=0))

    return probe


def by_least_squares(train, labels, new, penalty):
    """The probe of lab 7 as a regression with more rows, which ask for small weights."""
    spread = np.where(np.ptp(train, axis=0) > 0, train.std(axis=0), 1.0)
    s, targets = (train - train.mean(axis=0)) / spread, np.eye(labels.max() + 1)[labels]
    wide = np.r_[np.c_[s, np.ones(len(s))], np.c_[np.sqrt(len(s) * penalty) * np.eye(s.shape[1]), np.zeros(s.shape[1])]]
    weights = np.linalg.lstsq(wide, np.r_[targets, np.zeros((s.shape[1], targets.shape[1]))], rcond=None)[0]
    return np.c_[(new - train.mean(axis=0)) / spread, np.ones(len(new))] @ weights


def by_combinations(features, *, ready=lambda features: features):
    pairs = itertools.combinations(ready(features).T, 2)
    return np.column_stack([features, *(a * b for a, b in pairs)])


def by_marks(image, size, step, fill, *, last=lambda side, size: side - size):
    rows, columns = (np.arange(side) for side in image.shape)
    copies = []
    for top, left in itertools.product(*(range(0, last(side, size) + 1, step) for side in image.shape)):
        mark = ((rows >= top) & (rows < top + size))[:, None] & (columns >= left) & (columns < left + size)
        copies.append(np.where(mark, fill(image) if callable(fill) else fill, image))
    return np.array(copies)


def by_masks(maps, boxes, *, value=lambda maps: maps):
    rows, columns = np.arange(maps.shape[1])[None, :, None], np.arange(maps.shape[2])[None, None]
    top, left, bottom, right = (side[:, None, None] for side in boxes.T)
    inside = (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
    with np.errstate(invalid="ignore"):
        return (value(maps) * inside).sum(axis=(1, 2)) / value(maps).sum(axis=(1, 2))


def by_counts(before, after, labels):
    table = np.zeros((2, 2))
    np.add.at(table, ((before == labels).astype(int), (after == labels).astype(int)), 1)
    lost, won = table[1, 0], table[0, 1]
    return (lost - won) / table.sum(), np.count_nonzero(before - after) / table.sum(), lost / table.sum()


def planned_at_once(pilot, effect, margin, t, *, room=0.84, root=np.sqrt, least=2, quantile=lambda t: t):
    n = np.arange(2, len(t))
    enough = (quantile(t)[2:] + room) * np.sqrt(np.var(pilot, ddof=1)) <= (effect - margin) * root(n)
    return max(int(n[enough][0]), least) if enough.any() else None


def of_pairs(differences, margin, *, mean=np.mean):
    means = [mean(pair) for pair in itertools.combinations(differences, 2)]
    return sum(m > margin for m in means) / len(means), sum(m < -margin for m in means) / len(means)


def by_rows(z, effect, sd, margin, t, claimed):
    """Power, experiment by experiment, each judged as one's own is."""
    judged = [of_lab("lab08", "judge")(effect + sd * row, 0 * row, claimed, margin, t) for row in z]
    return np.mean([word == "shown" for *_, word in judged]), np.mean([(high - low) / 2 for low, high, _ in judged])


def one_by_one(z, first, t, step=1):
    """Peeking, experiment by experiment."""
    sizes = []
    for row in z:
        for n in range(first, len(row) + 1, step):
            low, high, _ = of_lab("lab08", "judge")(row[:n], np.zeros(n), "positive", 0.0, t)
            if low > 0 or high < 0:
                sizes.append(abs(low + high) / 2)
                break
    return len(sizes) / len(z), float(np.mean(sizes)) if sizes else 0.0


def step_up(p):
    """Adjusted p-values of Hochberg, who goes through them from the largest."""
    order = np.argsort(p)[::-1]
    adjusted = np.zeros(len(p))
    adjusted[order] = np.minimum.accumulate(np.minimum(p[order] * (1 + np.arange(len(p))), 1.0))
    return adjusted


def one_after_the_other(p):
    """Holm's adjusted p-values in a loop."""
    so_far, adjusted = 0.0, {}
    for i, place in enumerate(sorted(range(len(p)), key=lambda place: p[place])):
        so_far = adjusted[place] = max(so_far, min(1.0, p[place] * (len(p) - i)))
    return np.array([adjusted[place] for place in range(len(p))])


def by_covariance(ours, theirs):
    """Welch's comparison by the covariances of single rows."""
    v, free = [float(np.cov(d)) / len(d) for d in (ours, theirs)], [len(ours) - 1, len(theirs) - 1]
    return np.mean(ours) - np.mean(theirs), sum(v) ** 0.5, sum(v) ** 2 / sum(a**2 / f for a, f in zip(v, free))


def by_the_mean(plus, minus, claimed, margin, t):
    """The interval, and a word for the mean alone."""
    low, high, _ = of_lab("lab08", "judge")(plus, minus, claimed, margin, t)
    mean = (low + high) / 2
    return low, high, of_lab("lab08", "judge")(np.full(2, mean), np.zeros(2), claimed, margin, t)[2]


UNDECLARED = {
    "softmax less the row minimum": ("lab01", "softmax", shifted_by(lambda z: z.min(axis=1, keepdims=True))),
    "softmax less the row mean": ("lab01", "softmax", shifted_by(lambda z: z.mean(axis=1, keepdims=True))),
    "softmax less the row median": ("lab01", "softmax", shifted_by(lambda z: np.median(z, axis=1, keepdims=True))),
    "softmax less the first logit": ("lab01", "softmax", shifted_by(lambda z: z[:, :1])),
    "softmax less the last logit": ("lab01", "softmax", shifted_by(lambda z: z[:, -1:])),
    "softmax less the middle of the range": (
        "lab01",
        "softmax",
        shifted_by(lambda z: (z.max(axis=1, keepdims=True) + z.min(axis=1, keepdims=True)) / 2),
    ),
    "softmax of clipped logits": ("lab01", "softmax", clipped),
    "naive cross-entropy in double": ("lab01", "cross-entropy", in_double()),
    "cross-entropy in double less the mean": ("lab01", "cross-entropy", in_double(lambda z: z.mean(1, keepdim=True))),
    "cross-entropy in double less the median": (
        "lab01",
        "cross-entropy",
        in_double(lambda z: z.median(1, keepdim=True).values),
    ),
    "cross-entropy in double less the minimum": (
        "lab01",
        "cross-entropy",
        in_double(lambda z: z.min(1, keepdim=True).values),
    ),
    "cross-entropy with an epsilon": ("lab01", "cross-entropy", with_epsilon),
    "reliability without minlength": ("lab01", "reliability", without_minlength),
    "verdict of the mean's sign": ("lab01", "paired", by_sign),
    "best by its maximum": ("lab02", "choose", choosing(lambda table: table.max(axis=1))),
    "best by its minimum": ("lab02", "choose", choosing(lambda table: table.min(axis=1))),
    "best by its median": ("lab02", "choose", choosing(lambda table: np.median(table, axis=1))),
    "best by its first run": ("lab02", "choose", choosing(lambda table: table[:, 0])),
    "best by its last run": ("lab02", "choose", choosing(lambda table: table[:, -1])),
    **{
        f"worse by more than {c}": ("lab02", "choose", choosing(worse=lambda d, _, c=c: d.mean(axis=1) > c))
        for c in (0.0, 1e-5, 1e-4, 5e-4, 1e-3, 3e-3, 0.01, 0.02, 0.05)
    },
    "worse in most runs": ("lab02", "choose", choosing(worse=lambda d, _: (d > 0).mean(axis=1) > 0.5)),
    "worse in all runs": ("lab02", "choose", choosing(worse=lambda d, _: (d > 0).all(axis=1))),
    "worse by a deviation": ("lab02", "choose", choosing(worse=lambda d, _: d.mean(axis=1) > d.std(axis=1, ddof=1))),
    "one place for each shape": ("lab02", "choose", by_shape(LABS["lab02"].question("choose"))),
    "one place after the other": ("lab02", "choose", in_turn(LABS["lab02"].question("choose"))),
    "entropy of clipped probabilities": ("lab03", "entropy", lambda p: -(p.clip(1e-9) * np.log2(p.clip(1e-9))).sum(1)),
    "entropy in single precision": ("lab03", "entropy", lambda p: entropy_of(p.astype(np.float32)).astype(float)),
    "entropy as a share of its most": ("lab03", "entropy", lambda p: entropy_of(p) / np.log2(p.shape[1])),
    "divergence with NaN and infinity made numbers": ("lab03", "kl", lambda p, q: finite(p * np.log2(p / q)).sum(1)),
    "half of both divergences": (
        "lab03",
        "kl",
        lambda p, q: (of_lab("lab03", "kl")(p, q) + of_lab("lab03", "kl")(q, p)) / 2,
    ),
    "divergence by its size": ("lab03", "kl", lambda p, q: np.abs(p * np.log2(p / q)).sum(1)),
    "information of the picture by the mean of its rows' maxima": (
        "lab03",
        "input-information",
        lambda encoder, p_x: float(np.log2(encoder.shape[1]) + p_x @ np.log2(encoder.max(axis=1))),
    ),
    "information from the uniform distribution": (
        "lab03",
        "input-information",
        lambda encoder, p_x: float(np.log2(encoder.shape[1]) - p_x @ entropy_of(encoder)),
    ),
    "information about the label, codes of one weight": (
        "lab03",
        "label-information",
        lambda encoder, t, p_x: float(entropy_of(p_x @ t) - entropy_of(code_of(encoder, t, p_x)[1]).mean()),
    ),
    "what the picture tells about the label": (
        "lab03",
        "label-information",
        lambda encoder, t, p_x: mutual_of(p_x[:, None] * t),
    ),
    "point of smoothing by the coin alone": (
        "lab03",
        "smoothing-point",
        lambda p_y, alpha: float(entropy_of((1 - alpha) * p_y + alpha / len(p_y)) - alpha * np.log2(len(p_y))),
    ),
    "erasing as a share of the picture's entropy": (
        "lab03",
        "erasure",
        lambda labels, k, i_x: np.column_stack(
            [i_x / np.log2(len(labels)) * np.eye(k)[labels], np.full(len(labels), 1 - i_x / np.log2(len(labels)))]
        ),
    ),
    "surplus of all classes together": ("lab03", "surplus", surplus_in_all),
    "corner before anything else": ("lab03", "read", reading(lambda x, y, top, t: abs(x - top) <= t)),
    "corner by distance": ("lab03", "read", reading(lambda x, y, top, t: np.hypot(x - top, y - top) <= t)),
    "multiplier on both": (
        "lab04",
        "lagrangian",
        lambda encoder, t, p_x, beta: beta * np.subtract(*plane_of(encoder, t, p_x)),
    ),
    "what the code leaves open of the label": (
        "lab04",
        "lagrangian",
        lambda encoder, t, p_x, beta: (
            plane_of(encoder, t, p_x)[0] - beta * float(entropy_of(p_x @ t) - plane_of(encoder, t, p_x)[1])
        ),
    ),
    "a code never drawn says what all say": ("lab04", "decoder", code_of),
    "a code never drawn says nothing at all": (
        "lab04",
        "decoder",
        lambda encoder, t, p_x: (
            code_of(encoder, t, p_x)[0],
            finite(code_of(encoder, t, p_x)[1]) * (p_x @ encoder > 0)[:, None],
        ),
    ),
    "step less the largest score of all rows": ("lab04", "step", stepping(lambda score: score - score.max())),
    "step with scores held above -30": ("lab04", "step", stepping(lambda score: np.maximum(at_top(score), -30))),
    "step with a decoder held off 0": ("lab04", "step", stepping(at_top, least=1e-15)),
    "step with bits to base 2 and nats of p(z)": ("lab04", "step", stepping(at_top, base=np.exp2)),
    "best by how far it fell": ("lab04", "descend", descending(lambda h: int((h[:, -1] - h[:, 0]).argmin()))),
    "best is the first": ("lab04", "descend", descending(lambda history: 0)),
    "best is the last": ("lab04", "descend", descending(lambda history: -1)),
    "gap to the nearest point of the curve": ("lab04", "below", through_the_nearest),
    "gap that is never below 0": ("lab04", "below", lambda *points: by_pieces(*points).clip(min=0)),
    "curve that goes on rising": ("lab04", "below", lambda *points: by_pieces(*points, beyond=0.2)),
    "bounds with NaN and infinity made numbers": ("lab04", "bounds", bounds_without_nan),
    "bounds with log2 K for H(Y)": ("lab04", "bounds", bounds_of_even_classes),
    "cost of the bounds together": (
        "lab04",
        "gaps",
        lambda *tables: (sum(by_difference(*tables)), sum(by_difference(*tables))),
    ),
    "cost of a uniform prior": (
        "lab04",
        "gaps",
        lambda encoder, t, p_x, r, q: by_difference(encoder, t, p_x, np.full(len(r), 1 / len(r)), q),
    ),
    "loss of the most likely code": ("lab04", "vib-loss", bottleneck_loss(code=most_likely)),
    "loss that does not teach the decoder": ("lab04", "vib-loss", bottleneck_loss(own=torch.Tensor.detach)),
    "loss that does not teach the encoder's surprise": ("lab04", "vib-loss", bottleneck_loss(code=torch.Tensor.detach)),
    "loss with the batch's own prior": (
        "lab04",
        "vib-loss",
        bottleneck_loss(prior=lambda log_p: log_p.exp().mean(0).log()),
    ),
    "loss that rewards the rate": ("lab04", "vib-loss", bottleneck_loss(rate=-1.0)),
    "loss in bits": (
        "lab04",
        "vib-loss",
        lambda *batch: bottleneck_loss()(*batch) / np.log(2),
    ),
    "slopes of the sum of all pictures": (
        "lab05",
        "slopes",
        lambda *given: np.tile(slopes_at_once(*given).sum(axis=0), (len(given[1]), 1)),
    ),
    "slopes by five points": (
        "lab05",
        "slopes",
        lambda *given: (4 * slopes_at_once(*given) - slopes_at_once(*given[:4], 2 * given[4])) / 3,
    ),
    "penalty of a sure network by differences": (
        "lab05",
        "pull-penalty",
        lambda z, y, beta: slopes_at_once("penalty", z, y, {"beta": beta}, 1e-4),
    ),
    "penalty with the exchanged divergence, smoothing": (
        "lab05",
        "pull-penalty",
        lambda z, y, beta: softmax_of(z) - (np.eye(z.shape[1])[y] + beta / z.shape[1]) / (1 + beta),
    ),
    "rest to four digits": ("lab05", "rest", lambda k, beta: round(of_lab("lab05", "rest")(k, beta), 4)),
    "rest with a base of 2": ("lab05", "rest", lambda k, beta: of_lab("lab05", "rest")(k, beta) / np.log(2)),
    "focal by differences": (
        "lab05",
        "pull-focal",
        lambda z, y, gamma: slopes_at_once("focal", z, y, {"gamma": gamma}, 1e-5),
    ),
    "focal with the published exponents": (
        "lab05",
        "pull-focal",
        lambda z, y, _: of_lab("lab05", "pull-focal")(z, y, np.where(at_labels(softmax_of(z), y) < 0.2, 5.0, 3.0)),
    ),
    "teacher-free by differences": (
        "lab05",
        "pull-tf-kd",
        lambda z, y, t, alpha, tau: slopes_at_once(
            "tf-kd", z, y, {"teacher_logits": t, "alpha": alpha, "temperature": tau}, 1e-5
        ),
    ),
    "teacher-free with the parts' weights exchanged": (
        "lab05",
        "pull-tf-kd",
        lambda z, y, t, alpha, tau: of_lab("lab05", "pull-tf-kd")(z, y, t, 1 - alpha, tau),
    ),
    "disguise of the same strength": (
        "lab05",
        "disguise",
        lambda k, correct, tau, alpha, m: (of_lab("lab05", "disguise")(k, correct, tau, alpha, m)[0], alpha),
    ),
    "table of hard answers": ("lab05", "next-table", tables_of_winners),
    "Zipf ranked by answers that may be 0": ("lab05", "pull-zipf", zipf_with(scores=softmax_of)),
    "Zipf with the squares of ranks": ("lab05", "pull-zipf", zipf_with(power=2.0)),
    "Zipf that pulls at the label too": ("lab05", "pull-zipf", zipf_with(at_label=1.0)),
    "probe standardised by all rows": ("lab07", "probe", probing(seen=lambda train, new: np.r_[train, new])),
    "probe with even classes": ("lab07", "probe", probing(base=lambda targets: 1 / targets.shape[1])),
    "probe with half the penalty": ("lab07", "probe", probing(weigh=lambda penalty: penalty / 2)),
    "probe without penalty": ("lab07", "probe", probing(weigh=lambda penalty: 1e-9)),
    "products of centred columns": (
        "lab07",
        "with-products",
        lambda features: by_combinations(features, ready=lambda values: values - values.mean(axis=0)),
    ),
    "products before the columns": (
        "lab07",
        "with-products",
        lambda features: np.roll(by_combinations(features), -features.shape[1], axis=1),
    ),
    "patches of the scene's mean": (
        "lab07",
        "covered",
        lambda image, size, step, fill: by_marks(image, size, step, np.mean),
    ),
    "patches that leave a step at the edge": (
        "lab07",
        "covered",
        lambda image, size, step, fill: by_marks(image, size, step, fill, last=lambda side, size: side - size - step),
    ),
    "share of the pixels with saliency": ("lab07", "share", lambda *given: by_masks(*given, value=lambda m: m > 0)),
    "share of the squared map": ("lab07", "share", lambda *given: by_masks(*given, value=np.square)),
    "share of the logarithms": ("lab07", "share", lambda *given: by_masks(*given, value=np.log1p)),
    "changed among those that were wrong": (
        "lab07",
        "swap",
        lambda before, after, labels: (
            by_counts(before, after, labels)[0],
            float(((before != after) & (before != labels)).mean()),
            by_counts(before, after, labels)[2],
        ),
    ),
    "drop of what was not won": (
        "lab07",
        "swap",
        lambda *answers: (max(by_counts(*answers)[0], 0.0), *by_counts(*answers)[1:]),
    ),
    "interval by 1.96": ("lab07", "paired", lambda plus, minus, t: of_lab("lab07", "paired")(plus, minus, 1.96)),
    "interval of relative differences": (
        "lab07",
        "paired",
        lambda plus, minus, t: of_lab("lab07", "paired")(plus / minus, np.ones(len(minus)), t),
    ),
    "interval of distances": (
        "lab07",
        "paired",
        lambda plus, minus, t: of_lab("lab07", "paired")(abs(plus - minus), np.zeros(len(plus)), t),
    ),
    "interval, the upper end first": (
        "lab07",
        "paired",
        lambda *given: of_lab("lab07", "paired")(*given)[::-1],
    ),
    "seeds for a chance of nine in ten": (
        "lab07",
        "seeds-needed",
        lambda *given: planned_at_once(*given, room=1.28),
    ),
    "seeds by the root of n - 1": (
        "lab07",
        "seeds-needed",
        lambda *given: planned_at_once(*given, root=lambda n: np.sqrt(n - 1)),
    ),
    "at least three seeds": ("lab07", "seeds-needed", lambda *given: planned_at_once(*given, least=3)),
    "seeds by the quantile of one seed less": (
        "lab07",
        "seeds-needed",
        lambda *given: planned_at_once(*given, quantile=lambda t: np.r_[np.inf, t[:-1]]),
    ),
    "pairs of which one lies beyond": (
        "lab07",
        "misled",
        lambda differences, margin: (
            of_pairs(differences, margin, mean=max)[0],
            of_pairs(differences, margin, mean=min)[1],
        ),
    ),
    "pairs on either side": (
        "lab07",
        "misled",
        lambda *given: (sum(of_pairs(*given)),) * 2,
    ),
    "pairs in every order": (
        "lab07",
        "misled",
        lambda differences, margin: tuple(value / 2 for value in of_pairs(differences, margin)),
    ),
    "verdict by the mean": ("lab08", "judge", by_the_mean),
    "verdict of an interval half as wide": (
        "lab08",
        "judge",
        lambda plus, minus, *asked: of_lab("lab08", "judge")((plus + minus) / 2, minus, *asked),
    ),
    "power by 1.96": (
        "lab08",
        "power",
        lambda z, effect, sd, margin, t, claimed: by_rows(z, effect, sd, margin, np.full(len(t), 1.96), claimed),
    ),
    "power of an effect as large as its margin allows": (
        "lab08",
        "power",
        lambda z, effect, sd, margin, t, claimed: by_rows(z, effect - margin, sd, 0.0, t, claimed),
    ),
    "peeking at every other seed": ("lab08", "peeking", lambda z, first, t: one_by_one(z, first, t, step=2)),
    "peeking from the second seed on": ("lab08", "peeking", lambda z, first, t: one_by_one(z, 2, t)),
    "Hochberg for Holm": ("lab08", "holm", step_up),
    "agreement of standardised effects": (
        "lab08",
        "agree",
        lambda ours, theirs: by_covariance(ours / ours.std(ddof=1), theirs / theirs.std(ddof=1)),
    ),
}


@pytest.mark.parametrize("name", UNDECLARED)
def test_undeclared_wrong_answers_never_earn_full_marks(name):
    lab, asked, function = UNDECLARED[name]
    question = LABS[lab].question(asked)
    for cases, expected in drawn(lab, asked):
        assert not all(passes(function, question, *pair) for pair in zip(cases, expected))


def floored(probs, labels, bins):
    """Bins by comparisons, as the first hint of the task proposes."""
    confidence, correct = probs.max(axis=1), probs.argmax(axis=1) == labels
    rows = []
    for b in range(bins):
        inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)
        n = int(inside.sum())
        rows.append((confidence[inside].mean() if n else 0.0, correct[inside].mean() if n else 0.0, n))
    mean, accuracy, count = zip(*rows)
    return np.array(mean), np.array(accuracy), np.array(count)


def by_digitize(probs, labels, bins):
    confidence, correct = probs.max(axis=1), probs.argmax(axis=1) == labels
    index = np.digitize(confidence, np.linspace(0, 1, bins + 1), right=True) - 1
    count = np.array([(index == b).sum() for b in range(bins)])
    sums = [[value[index == b].sum() / max(count[b], 1) for b in range(bins)] for value in (confidence, correct)]
    return np.array(sums[0]), np.array(sums[1]), count


def added_back(logits, labels):
    m = logits.amax(dim=1)
    log_sum = m + (logits - m[:, None]).exp().sum(dim=1).log()
    return (log_sum - logits.gather(1, labels[:, None])[:, 0]).mean()


def descent_of_the_library(starts, table, p_x, beta, steps):
    history, ends = [], []
    for start in starts:
        encoders = [start] + [
            bottleneck.blahut_arimoto(
                table,
                beta=beta,
                p_x=p_x,
                start=start,
                tolerance=1e-300,
                max_iterations=t,
                accelerate=False,
                unit="bits",
            ).encoder
            for t in range(1, steps + 1)
        ]
        history.append([bottleneck.lagrangian(e, table, beta=beta, p_x=p_x, unit="bits") for e in encoders])
        ends.append(encoders[-1])
    return np.array(history), ends[int(np.array(history)[:, -1].argmin())]


def bounds_of_the_library(encoder, p_y_given_x, p_x, prior, q):
    tables = (encoder, q, p_x[:, None] * p_y_given_x, prior)
    found = losses.vib_bounds(*map(torch.as_tensor, tables))
    return found.rate.item() / np.log(2), found.relevance.item() / np.log(2)


def through_logarithms(logits):
    z = torch.as_tensor(logits)
    z = z - z.amax(dim=1, keepdim=True)
    return (z - z.exp().sum(dim=1, keepdim=True).log()).exp().numpy()


def by_grid(logits, labels):
    low, high = np.log(1 / 20), np.log(1 / 0.05)
    z = logits - logits.max(axis=1, keepdims=True)
    for _ in range(8):
        grid = np.linspace(low, high, 30)
        got = z[np.arange(len(z)), labels].mean()
        loss = [np.log(np.exp(np.exp(g) * z).sum(axis=1)).mean() - np.exp(g) * got for g in grid]
        best = int(np.argmin(loss))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, 29)]
    return float(np.exp(-(low + high) / 2))


def choose_by_loop(alphas, accuracy):
    best = max(range(len(alphas)), key=lambda i: np.mean(accuracy[i]))
    n = accuracy.shape[1]
    for i, alpha in enumerate(alphas):
        d = accuracy[best] - accuracy[i]
        if d.mean() - T_975[n - 1] * np.sqrt(((d - d.mean()) ** 2).sum() / (n - 1)) / n**0.5 <= 0:
            return alphas[best], alpha
    raise AssertionError


RIGHT = {
    "softmax through logarithms": ("lab01", "softmax", through_logarithms),
    "cross-entropy by the logarithm of the sum": ("lab01", "cross-entropy", added_back),
    "bins by comparisons": ("lab01", "reliability", floored),
    "bins by digitize": ("lab01", "reliability", by_digitize),
    "temperature by a finer and finer grid": ("lab01", "fit-temperature", by_grid),
    "choice by a loop": ("lab02", "choose", choose_by_loop),
    "entropy row by row": (
        "lab03",
        "entropy",
        lambda p: np.array([sum(-v * np.log2(v) for v in row if v > 0) for row in p]),
    ),
    "divergence by xlogy": (
        "lab03",
        "kl",
        lambda p, q: (
            (torch.xlogy(*map(torch.as_tensor, (p, p))) - torch.xlogy(*map(torch.as_tensor, (p, q)))).sum(1) / np.log(2)
        ).numpy(),
    ),
    "information as a divergence": (
        "lab03",
        "input-information",
        lambda encoder, p_x: mutual_of(p_x[:, None] * encoder),
    ),
    "information about the label as a divergence": ("lab03", "label-information", lambda *table: plane_of(*table)[1]),
    "point of smoothing by its table": (
        "lab03",
        "smoothing-point",
        lambda p_y, alpha: mutual_of(p_y[:, None] * ((1 - alpha) * np.eye(len(p_y)) + alpha / len(p_y))),
    ),
    "surplus of the class's own pictures": (
        "lab03",
        "surplus",
        lambda encoder, labels, p_x, k: np.array(
            [
                mutual_of((p_x[labels == y] / p_x[labels == y].sum())[:, None] * encoder[labels == y])
                if p_x[labels == y].sum() > 0
                else 0.0
                for y in range(k)
            ]
        ),
    ),
    "point of smoothing of the library": (
        "lab03",
        "smoothing-point",
        lambda p_y, alpha: information.smoothed_point(np.eye(len(p_y)), alpha=alpha, p_x=p_y, unit="bits").i_x,
    ),
    "plane of the library": (
        "lab03",
        "label-information",
        lambda encoder, t, p_x: information.plane_point(encoder, t, p_x=p_x, unit="bits").i_y,
    ),
    "Lagrangian of the library": (
        "lab04",
        "lagrangian",
        lambda encoder, t, p_x, beta: bottleneck.lagrangian(encoder, t, beta=beta, p_x=p_x, unit="bits"),
    ),
    "descent of the library": ("lab04", "descend", descent_of_the_library),
    "bounds of the library": ("lab04", "bounds", bounds_of_the_library),
    "Lagrangian by divergences": (
        "lab04",
        "lagrangian",
        lambda encoder, t, p_x, beta: float(np.dot((1.0, -beta), plane_of(encoder, t, p_x))),
    ),
    "codes with the gap filled in afterwards": (
        "lab04",
        "decoder",
        lambda encoder, t, p_x: (
            p_x @ encoder,
            np.where((p_x @ encoder > 0)[:, None], code_of(encoder, t, p_x)[1], 1 / t.shape[1]),
        ),
    ),
    "step by the whole divergence": ("lab04", "step", stepping(at_top)),
    "step in bits": ("lab04", "step", stepping(at_top, base=np.exp2, prior=np.log2)),
    "descent of all starts at once": ("lab04", "descend", descending()),
    "gap piece by piece": ("lab04", "below", by_pieces),
    "bounds by xlogy": ("lab04", "bounds", by_xlogy),
    "costs as differences": ("lab04", "gaps", by_difference),
    "loss by one-hot labels": ("lab04", "vib-loss", bottleneck_loss()),
    "slopes at once": ("lab05", "slopes", slopes_at_once),
    "penalty of the library": (
        "lab05",
        "pull-penalty",
        by_library(lambda z, y, beta: losses.confidence_penalty(z, y, beta=beta, reduction="sum")),
    ),
    "penalty by its Jacobian": ("lab05", "pull-penalty", penalty_by_jacobian),
    "rest by Lambert's function": (
        "lab05",
        "rest",
        lambda k, beta: 1 / beta + lambertw((k - 1) / beta * np.exp(-1 / beta)).real,
    ),
    "focal of the library": ("lab05", "pull-focal", by_library(focal_of_the_library)),
    "focal by subtraction": ("lab05", "pull-focal", focal_by_subtraction),
    "teacher-free of the library": (
        "lab05",
        "pull-tf-kd",
        by_library(
            lambda z, y, teacher, alpha, tau: losses.tf_kd_self(
                z, torch.as_tensor(teacher), y, alpha=alpha, temperature=tau, reduction="sum"
            )
        ),
    ),
    "disguise of the library": ("lab05", "disguise", disguise_by_two_pulls),
    "table of the library": ("lab05", "next-table", table_of_the_library),
    "Zipf of the library": (
        "lab05",
        "pull-zipf",
        by_library(lambda z, y, strength: losses.zipf_smoothing(z, y, strength=strength, reduction="sum")),
    ),
    "Zipf row by row": ("lab05", "pull-zipf", zipf_with()),
    "probe by its dual": ("lab07", "probe", probing()),
    "probe by least squares": ("lab07", "probe", by_least_squares),
    "products by combinations": ("lab07", "with-products", by_combinations),
    "patches by masks": ("lab07", "covered", by_marks),
    "share by masks": ("lab07", "share", by_masks),
    "swap by a table": ("lab07", "swap", by_counts),
    "interval by NumPy numbers": (
        "lab07",
        "paired",
        lambda plus, minus, t: tuple(
            np.mean(plus - minus) + t * np.array([-1, 1]) * np.sqrt(np.cov(plus - minus) / len(plus))
        ),
    ),
    "seeds at once": ("lab07", "seeds-needed", planned_at_once),
    "pairs by combinations": ("lab07", "misled", of_pairs),
    "verdict of the differences alone": (
        "lab08",
        "judge",
        lambda plus, minus, *asked: of_lab("lab08", "judge")(plus - minus, np.zeros(len(plus)), *asked),
    ),
    "power experiment by experiment": ("lab08", "power", by_rows),
    "peeking experiment by experiment": ("lab08", "peeking", one_by_one),
    "Holm in a loop": ("lab08", "holm", one_after_the_other),
    "agreement by covariances": ("lab08", "agree", by_covariance),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_of_another_make_earn_everything(name):
    lab, asked, function = RIGHT[name]
    question = LABS[lab].question(asked)
    for cases, expected in drawn(lab, asked, OF_DECLARED):
        assert all(passes(function, question, *pair) for pair in zip(cases, expected))
