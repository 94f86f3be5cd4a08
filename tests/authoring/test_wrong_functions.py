"""Wrong answers to the course's labs, declared or not, earn what they should with every secret; right ones earn all."""

import functools
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from lsedu.authoring import load_lab
from lsedu.labs.evaluate import attempt, evaluate
from lsedu.labs.feedback import verdict
from lsedu.labs.spec import PUBLIC_SEED

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


T_ALL = LABS["lab01"].question("paired").reference.__globals__["T_975"]
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
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_of_another_make_earn_everything(name):
    lab, asked, function = RIGHT[name]
    question = LABS[lab].question(asked)
    for cases, expected in drawn(lab, asked, OF_DECLARED):
        assert all(passes(function, question, *pair) for pair in zip(cases, expected))
