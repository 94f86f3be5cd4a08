"""The rows of the ledger: what is claimed and by whom, the label of our page, and where our finding comes from.

The ledger lists all of them; the score of sealed predictions names one beside each prediction.
"""

from dataclasses import dataclass

from lsedu.experiments import load_record

EXACT, NOT_RUN = "exact", "not yet run"


@dataclass(frozen=True)
class Claim:
    """A row of the ledger.

    Attributes
    ----------
    key : str
        How other pages name the row.
    text : str
        The claim.
    source : str
        Where it is made.
    anchor : str
        Label of the section that treats it.
    measured : (str, str) or str
        Record and contrast whose verdict it has; or `EXACT`, where the page proves or computes it, or `NOT_RUN`, where
        we have no test of it and the page says why.
    """

    key: str
    text: str
    source: str
    anchor: str
    measured: tuple[str, str] | str

    @property
    def verdict(self) -> str:
        """The verdict of its contrast in the record, or its state."""
        if isinstance(self.measured, str):
            return self.measured
        record, contrast = self.measured
        return load_record(record).verdict(contrast)


CLAIMS = (
    Claim(
        "one-hot-loss",
        "With one-hot targets the loss is the negative log-probability of the label.",
        "textbook, One-Hot Targets",
        "why-one-hot",
        measured=EXACT,
    ),
    Claim(
        "gap-always-pays",
        "That loss can always be lowered by a larger gap between logits.",
        "textbook, One-Hot Targets",
        "why-one-hot",
        measured=EXACT,
    ),
    Claim(
        "mlp-overconfident",
        "An MLP trained on one-hot targets is overconfident.",
        "textbook, Poor Calibration",
        "overconfidence-how-sure",
        measured=("overconfidence", "mlp-overconfident"),
    ),
    Claim(
        "cnn-overconfident",
        "A small CNN trained on one-hot targets is overconfident.",
        "textbook, Poor Calibration",
        "overconfidence-how-sure",
        measured=("overconfidence", "cnn-overconfident"),
    ),
    Claim(
        "softmax-overconfident",
        "Softmax regression trained on one-hot targets is overconfident.",
        "textbook, Poor Calibration",
        "not-every-model",
        measured=("overconfidence", "softmax-overconfident"),
    ),
    Claim(
        "temperature-mlp",
        "Temperature scaling lowers the calibration error of an MLP.",
        "Guo et al. (2017), table 1",
        "one-number",
        measured=("overconfidence", "mlp-temperature-ece"),
    ),
    Claim(
        "temperature-cnn",
        "Temperature scaling lowers the calibration error of a CNN.",
        "Guo et al. (2017), table 1",
        "one-number",
        measured=("overconfidence", "cnn-temperature-ece"),
    ),
    Claim(
        "temperature-accuracy",
        "Temperature scaling leaves accuracy as it is.",
        "Guo et al. (2017), section 4.2",
        "one-number",
        measured=EXACT,
    ),
    Claim(
        "temperature-errors",
        "Temperature scaling makes errors easier to detect.",
        "a hope often met, made by neither text",
        "find-errors",
        measured=("overconfidence", "mlp-temperature-auroc"),
    ),
    Claim(
        "smoothed-target",
        "The smoothed target keeps 1 - alpha + alpha/K for the label and gives alpha/K to each other class.",
        "textbook, Essence",
        "smoothing-targets",
        measured=EXACT,
    ),
    Claim(
        "smoothed-example",
        "Five classes, alpha = 0.1: the target is 0.92 and four times 0.02.",
        "textbook, Essence",
        "smoothing-targets",
        measured=EXACT,
    ),
    Claim(
        "best-is-target",
        "Minimising cross-entropy is minimising the divergence from the target; the best prediction is the target.",
        "textbook, Optimal Prediction",
        "smoothing-kl",
        measured=EXACT,
    ),
    Claim(
        "calibration-0.1",
        "Smoothing with alpha = 0.1 improves calibration.",
        "textbook, Benefits",
        "smoothing-how-sure",
        measured=("smoothing", "ece-0.1"),
    ),
    Claim(
        "calibration-0.05",
        "Smoothing with alpha = 0.05 improves calibration.",
        "textbook, Benefits",
        "smoothing-how-sure",
        measured=("smoothing", "ece-0.05"),
    ),
    Claim(
        "accuracy-0.1",
        "Smoothing with alpha = 0.1 raises accuracy.",
        "textbook, Benefits",
        "smoothing-how-sure",
        measured=("smoothing", "accuracy"),
    ),
    Claim(
        "underconfident",
        "On clean and simple data smoothing can lead to underconfidence.",
        "textbook, Practical Considerations",
        "smoothing-how-sure",
        measured=("smoothing", "underconfident-0.2"),
    ),
    Claim(
        "temperature-beats",
        "Temperature scaling of the plain network is better calibrated than alpha = 0.1.",
        "a question of ours",
        "smoothing-how-sure",
        measured=("smoothing", "temperature-ece"),
    ),
    Claim(
        "errors-harder",
        "Smoothing makes errors harder to detect.",
        "Xia et al. (2025), as cited by the bottleneck paper",
        "smoothing-how-sure",
        measured=("smoothing", "auroc"),
    ),
    Claim(
        "gradient",
        "The gradient on the logits is prediction less target.",
        "textbook, Gradient Dynamics",
        "gradient-difference",
        measured=EXACT,
    ),
    Claim(
        "fixed-point",
        "With smoothing the gradient vanishes at a prediction of 1 - alpha + alpha/K, and alpha/K for the others.",
        "textbook, Gradient Dynamics",
        "gradient-fixed",
        measured=EXACT,
    ),
    Claim(
        "gap-grows",
        "One-hot targets push the gap between logits up without end.",
        "textbook, Gradient Dynamics",
        "gradients-how-sure",
        measured=("gaps", "one-hot-grows"),
    ),
    Claim(
        "gap-bounded",
        "Smoothing keeps the gap smaller.",
        "textbook, Gradient Dynamics",
        "gradients-how-sure",
        measured=("gaps", "smoothed-smaller"),
    ),
    Claim(
        "noise-0.1",
        "With 40% of the labels wrong, smoothing with alpha = 0.1 raises accuracy.",
        "textbook, Benefits",
        "noise-how-sure",
        measured=("noise", "accuracy-0.1"),
    ),
    Claim(
        "noise-0.6",
        "With 40% of the labels wrong, smoothing with alpha = 0.6 raises accuracy.",
        "textbook, Benefits",
        "noise-how-sure",
        measured=("noise", "accuracy-0.6"),
    ),
    Claim(
        "noise-people-0.1",
        "With the wrong labels of real annotators (40%), smoothing with alpha = 0.1 raises accuracy.",
        "textbook, Benefits",
        "noise-people",
        measured=("real_noise", "worst-0.1"),
    ),
    Claim(
        "noise-people-0.4",
        "With the wrong labels of real annotators (40%), smoothing with alpha = 0.4 raises accuracy.",
        "textbook, Benefits",
        "noise-people",
        measured=("real_noise", "worst-0.4"),
    ),
    Claim(
        "noise-memorised",
        "Smoothing with alpha = 0.1 keeps a network from learning wrong labels by heart.",
        "a hope often met, made by neither text",
        "noise-learnt",
        measured=("noise", "memorised-0.1"),
    ),
    Claim(
        "alpha-is-rate",
        "The best alpha is the noise rate: 0.4 is better than 0.6 at 40% wrong labels.",
        "a belief often met, made by neither text",
        "choosing-alpha",
        measured=("noise", "rate-is-best"),
    ),
    Claim(
        "noise-adds",
        "Symmetric noise smooths the targets; smoothing on top of it adds to it.",
        "Lukasik et al. (2020)",
        "noise-smooths",
        measured=EXACT,
    ),
    Claim(
        "start-0.1",
        "An alpha of 0.1 is an effective start: it raises accuracy on clean labels.",
        "textbook, Practical Considerations",
        "choosing-alpha",
        measured=("smoothing", "accuracy"),
    ),
    Claim(
        "best-depends",
        "The best alpha depends on the data: alpha = 0.6 gains more with 40% wrong labels than with none.",
        "textbook, Practical Considerations",
        "choosing-alpha",
        measured=("noise", "noise-gains-more"),
    ),
    Claim(
        "large-networks",
        "Large networks gain most from smoothing.",
        "textbook, Practical Considerations",
        "noise-how-sure",
        measured=NOT_RUN,
    ),
    Claim(
        "separable-underconfident",
        "On clean, separable data smoothing leads to underconfidence.",
        "textbook, Practical Considerations",
        "noise-separable",
        measured=("separable", "underconfident-0.1"),
    ),
    Claim(
        "separable-accuracy",
        "A target below 1 costs accuracy, here on separable data with alpha = 0.4.",
        "a misconception that the textbook names",
        "noise-separable",
        measured=("separable", "accuracy-0.4"),
    ),
    Claim(
        "focal-calibrates",
        "The focal loss improves calibration.",
        "Mukhoti et al. (2020)",
        "noise-alternatives",
        measured=("alternatives", "focal-ece"),
    ),
    Claim(
        "flsd-calibrates",
        "FLSD-53 is better calibrated than the focal loss with exponent 3.",
        "Mukhoti et al. (2020)",
        "noise-alternatives",
        measured=("alternatives", "flsd-53-focal"),
    ),
    Claim(
        "penalty-calibrates",
        "The confidence penalty improves calibration.",
        "a question of ours",
        "noise-alternatives",
        measured=("alternatives", "penalty-ece"),
    ),
    Claim(
        "selective-worse",
        "Smoothing with alpha = 0.1 makes selective classification worse.",
        "Xia et al. (2025), as cited by the bottleneck paper",
        "noise-selective",
        measured=("alternatives", "selective-0.1"),
    ),
    Claim(
        "fgsm",
        "Under one step on cross-entropy a smoothed network is right less often.",
        "Zantedeschi et al. (2017), as cited by the bottleneck paper",
        "said-attacks",
        measured=("attacks", "fgsm-0.1"),
    ),
    Claim(
        "survives-attacks",
        "A smoothed network survives all our attacks less often.",
        "Zantedeschi et al. (2017), as cited by the bottleneck paper",
        "said-attacks",
        measured=("attacks", "worst-0.1"),
    ),
    Claim(
        "fewer-passes",
        "Smoothing reaches a given validation accuracy in fewer passes, each at its best learning rate.",
        "Xu et al. (2020), as cited by the bottleneck paper",
        "said-speed",
        measured=("speed", "passes-best"),
    ),
    Claim(
        "gradient-variance",
        "Smoothing lowers the variance of the gradient (logarithm, at the start).",
        "Xu et al. (2020), as cited by the bottleneck paper",
        "said-speed",
        measured=("speed", "variance-start"),
    ),
    Claim(
        "gradient-noise",
        "Smoothing lowers that variance relative to the gradient's length (logarithm, at the start).",
        "Xu et al. (2020), as cited by the bottleneck paper",
        "said-speed",
        measured=("speed", "relative-start"),
    ),
    Claim(
        "transfer",
        "The features of a smoothed network serve other classes worse.",
        "Kornblith et al. (2021), as cited by the bottleneck paper",
        "said-transfer",
        measured=("transfer", "many-0.1"),
    ),
    Claim(
        "tight-train",
        "Smoothing makes the classes of training pictures tighter for their distance.",
        "Müller et al. (2019); LLS, section 5.2",
        "said-inside",
        measured=("features", "tight-train"),
    ),
    Claim(
        "tight-test",
        "Smoothing makes the classes of test pictures tighter for their distance.",
        "Müller et al. (2019); LLS, section 5.2; textbook, Gradient Dynamics",
        "said-inside",
        measured=("features", "tight-test"),
    ),
    Claim(
        "equidistant",
        "Smoothing makes classes more nearly equally far apart.",
        "Müller et al. (2019); LLS, section 5.2",
        "said-inside",
        measured=("features", "equidistant"),
    ),
    Claim(
        "overfit",
        "With smoothing, accuracy on training and on test pictures differ less.",
        "textbook, Benefits",
        "said-inside",
        measured=("features", "overfit"),
    ),
    Claim(
        "bounded-generalises",
        "The bounded logits are a key reason for better generalisation.",
        "textbook, Gradient Dynamics",
        "said-untested",
        measured=NOT_RUN,
    ),
    Claim(
        "no-sparse-answers",
        "Smoothing forbids sparse predictions; the confidence penalty does not.",
        "Meister et al. (2020), as cited by the bottleneck paper",
        "said-sparse",
        measured=EXACT,
    ),
    Claim(
        "few-near-zero",
        "A smoothed network gives fewer probabilities below 0.001.",
        "Meister et al. (2020), as cited by the bottleneck paper",
        "said-sparse",
        measured=("features", "tiny"),
    ),
    Claim(
        "least-variance",
        "In a linear model smoothing uses the feature that varies less.",
        "Chidambaram and Ge (2025), as cited by the bottleneck paper",
        "said-variance",
        measured=("variance", "toy-share"),
    ),
    Claim(
        "false-cue",
        "A smoothed network is more easily led by a false cue.",
        "Chidambaram and Ge (2025), as cited by the bottleneck paper",
        "said-variance",
        measured=("variance", "cue-false"),
    ),
    Claim(
        "teacher-4",
        "A smoothed teacher makes a worse student at temperature 4.",
        "Müller et al. (2019); LLS, Introduction",
        "said-teachers",
        measured=("teachers", "student-4"),
    ),
    Claim(
        "teacher-1",
        "A smoothed teacher makes a worse student at temperature 1.",
        "Müller et al. (2019); against it LLS, table 5",
        "said-teachers",
        measured=("teachers", "student-1"),
    ),
    Claim(
        "at-scale",
        "Smoothing adds to the accuracy of the largest networks.",
        "the bottleneck paper, Introduction",
        "said-untested",
        measured=NOT_RUN,
    ),
)
