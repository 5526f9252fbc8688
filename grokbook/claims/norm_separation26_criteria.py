"""What the claims of arXiv 2603.13331 say, and when each would have failed; fixed before the runs.

A delay is t_grok - t_mem in steps, V the squared norm of all weights, V_post that at a run's end,
2,000 steps after its last onset, as in the authors' logs. An exponent is the slope of a log-log
fit, its interval over seeds.
"""

from collections.abc import Iterable

from grokbook.claims.claim import Claim
from grokbook.protocols import PROTOCOLS, SWEEPS, Protocol

SOURCE = "norm_separation26"
PAPER = "arXiv 2603.13331v2"

NEAR_MINUS_ONE = (-1.25, -0.75)  # of an exponent
ERROR = (0.300, 0.394)  # the published interval of the predictor's mean absolute error

CRITERIA = {
    "inverse_weight_decay": (
        "Two parts. The exponent of the delay in the weight decay over .1 to 1, the published "
        "range: its interval lies within -1.25 and -.75. And a line of slope -1 through these "
        "delays predicts the median delay at .03, outside the range, within a factor of 1.5. "
        "Reproduced if both hold; not reproduced if neither does or the interval misses the band; "
        "in part otherwise."
    ),
    "inverse_learning_rate": (
        "The exponent of the delay in the learning rate over all archived rates, censored delays "
        "at their budget. Reproduced if its interval lies within -1.25 and -.75, not reproduced "
        "if it misses that band, in part if it overlaps it."
    ),
    "log_norm_ratio": (
        "Two parts, over the runs of the seven moduli: Pearson's r of the delay with "
        "log(V_mem / V_post) / (2 eta lambda) is .8 or more; and within a modulus, each modulus' "
        "means taken off both, r is .5 or more with an interval above 0. Reproduced if both hold, "
        "in part if only the first does, not reproduced otherwise."
    ),
    "sgd_fails": (
        "Reproduced if no run of SGD, as published or at one of four settings with larger "
        "learning rates, reaches 99 % of training accuracy within its budget; in part if one "
        "does and none reaches 99 % of test accuracy; refuted if one does, which is named."
    ),
    "predictor": (
        "The published rule on every archived run of the predictor's test, inputs frozen at "
        "memorisation: the rate is that of log V over the 100 steps after t_mem, V_post the median "
        "of the other runs that read the same tokens. Reproduced if the mean absolute error is at "
        "most 39.4 %, the end of the published interval, and smaller than that of a constant, the "
        "mean delay of the other runs, the interval of the difference below 0; in part if only "
        "the first holds; not reproduced otherwise."
    ),
    "upper_bound": (
        "A theorem. Reproduced if every identity of its proof holds from the published "
        "assumptions alone; not testable as stated if it needs a premise that is not among them; "
        "refuted if gradient descent on cross-entropy at 100 % of training accuracy breaks the "
        "published recursion, in exact arithmetic; the example is named."
    ),
    "lower_bound": (
        "A theorem. Reproduced if it follows from the published assumptions without the rate of "
        "contraction among them; refuted if gradient descent is named that satisfies the published "
        "update and passes from V_mem to V_post in less than 1/10 of the stated order."
    ),
    "necessity": (
        "Over all archived runs with weight decay at work and 0 < t_mem < t_grok, those of the "
        "controls included: refuted if in at least one, which is named, V at t_grok and V at the "
        "end are both V_mem or more, or if networks whose norm is held from t_mem on grok in the "
        "majority of their seeds; reproduced if there is neither in at least ten runs."
    ),
    "gamma_at_least_eta_lambda": (
        "Two parts, over all cells of AdamW on addition whose delay is seen, gamma being "
        "log(V_mem / V(t_grok)) over the delay, its median a cell: gamma is at least eta lambda in "
        "every cell; and the optimiser's step does not slow the contraction, which means "
        "gamma >= 2 eta lambda, the rate of weight decay alone. Reproduced if both hold, in part "
        "if one does, refuted if a cell is below eta lambda with its whole interval."
    ),
    "exponential_fit": (
        "V = A r^t + C is fitted from t_mem to the end to every archived run of AdamW on addition "
        "that grokked. Reproduced if R^2 is above .999 in all of them, in part if it is above .99 "
        "in 95 % of them, not reproduced otherwise."
    ),
    "multiplication": (
        "log(V_mem / V_post) / (2 eta lambda) against the delay of each run of the four moduli. "
        "Reproduced if the median absolute error is at most 34.6 %, that of the predictor, at "
        "every modulus, in part at some, not reproduced at none."
    ),
    "parity": (
        "With 25,000 words, at n = 20, 30 and 40: the median delay is at most 200 steps, the "
        "authors' grid, and V at the end is above V_mem in every run. Reproduced if so at all "
        "three, in part at one or two, not reproduced otherwise."
    ),
    "corrected_delay_law": (
        "The law log(V_mem / V_post) / (2 kappa eta lambda) with kappa from log V over the 100 "
        "steps before t_mem and V_post the median of V(t_grok) of the other runs that read the "
        "same tokens, on the runs of the predictor's test. Reproduced if its mean absolute error "
        "is below that of the published rule and below that of a constant, the intervals of both "
        "differences below 0; in part if below the first only; not reproduced otherwise."
    ),
}


def measurement(name: str, experiments: Iterable[str], **of: object) -> Claim:
    """A measured claim of the paper on the runs of these protocols, and what trains them."""
    names = tuple(experiments)

    def experiment() -> tuple[Protocol, ...]:
        return tuple((PROTOCOLS | SWEEPS)[each]() for each in names)

    return Claim(
        id=f"{SOURCE}.{name}",
        source=SOURCE,
        kind="measurement",
        criterion=CRITERIA[name],
        experiment=experiment,
        command=f"python -m grokbook run {' '.join(names)}",
        **of,
    )
