"""The judges of the circuit of `nanda23` on runs made for each verdict."""

import numpy as np
import pytest

from grokbook.claims import nanda23_circuits as module
from grokbook.claims.nanda23_circuits import phases
from tests.claims.framed import STEPS, P, framed

JUDGES = {claim.id.split(".")[1]: claim.judge for claim in module.CLAIMS}
CENSORED = {"t_grok": np.nan}


def keys(number: int) -> np.ndarray:
    """That many key frequencies."""
    return (np.arange(P // 2 + 1) > 0) & (np.arange(P // 2 + 1) <= number)


LATE_CIRCUIT = {"restricted_loss": np.where(STEPS < 800, 2.5, 0.05)}
NO_RISE = {"excluded_loss": np.where(STEPS < 100, 2.5, 0.5)}
STAYS_LARGE = {"frame_squared_norm": np.full(len(STEPS), 100.0)}


def restricted(loss: float) -> dict[str, np.ndarray]:
    """A restricted test loss at the end, beside a test loss of .1."""
    return {"restricted_test_loss": np.full(len(STEPS), loss)}


def explained(share: float) -> dict[str, np.ndarray]:
    """A share of the variance at the end."""
    return {"variance_explained": np.full(len(STEPS), share)}


@pytest.mark.parametrize(
    ("claim", "seeds", "verdict", "measured"),
    [
        ("key_frequencies", [{}, {"key": keys(5)}, {"key": keys(4)}], "reproduced", 4),
        ("key_frequencies", [{}, {"key": keys(2)}, {"key": keys(4)}], "reproduced in part", 3),
        ("key_frequencies", [{"key": keys(2)}] * 3, "not reproduced", 2),
        ("key_frequencies", [CENSORED] * 3, "not yet run", None),
        ("key_frequencies", [{"key": keys(5)}, CENSORED, CENSORED], "reproduced", 5),
        ("single_frequency_neurons", [{}] * 3, "reproduced", 0.85),
        (
            "single_frequency_neurons",
            [{}, {}, {"single_frequency_neurons": 0.5}],
            "reproduced in part",
            0.85,
        ),
        (
            "single_frequency_neurons",
            [{"single_frequency_neurons": 0.98}] * 3,
            "not reproduced",
            0.98,
        ),
        ("single_frequency_neurons", [CENSORED], "not yet run", None),
        ("logit_variance", [{}] * 3, "reproduced", 0.95),
        ("logit_variance", [{}, {}, explained(0.8)], "reproduced in part", 0.95),
        ("logit_variance", [explained(0.89)] * 3, "not reproduced", 0.89),
        ("logit_variance", [CENSORED], "not yet run", None),
        ("ablating_other_frequencies_helps", [{}] * 3, "reproduced", 0.5),
        ("ablating_other_frequencies_helps", [{}, {}, restricted(0.2)], "reproduced in part", 0.5),
        ("ablating_other_frequencies_helps", [restricted(0.1)] * 3, "not reproduced", 1),
        ("ablating_other_frequencies_helps", [CENSORED], "not yet run", None),
        ("three_phases", [{}] * 3, "reproduced", 300),
        ("three_phases", [{}, {}, NO_RISE], "reproduced in part", 300),
        ("three_phases", [{}, {}, STAYS_LARGE], "reproduced in part", 300),
        ("three_phases", [{}, LATE_CIRCUIT, LATE_CIRCUIT], "not reproduced", -100),
        ("three_phases", [NO_RISE] * 3, "not reproduced", 300),
        ("three_phases", [CENSORED], "not yet run", None),
    ],
)
def test_verdicts(claim, seeds, verdict, measured):
    found = JUDGES[claim](framed(*seeds))
    assert found.verdict == verdict
    assert found.measured == (None if measured is None else pytest.approx(measured))


def test_a_run_that_ended_earlier_is_read_at_its_own_end():
    short = explained(0.92)
    short["variance_explained"][-3:] = np.nan
    found = JUDGES["logit_variance"](framed(short, explained(0.94), explained(0.96)))
    assert (found.verdict, found.measured) == ("reproduced", pytest.approx(0.94))


def test_seeds_that_did_not_grok_are_counted_in_the_note():
    found = JUDGES["key_frequencies"](framed({}, CENSORED, {}))
    assert found.n == 2
    assert found.note.endswith("by seed: 3, 3. 1 seeds had not grokked.")


def test_phases_are_read_before_the_onset():
    # What the excluded loss does after the onset proves nothing.
    late = np.where(STEPS < 100, 2.5, np.where(STEPS <= 700, 0.5, 9.0))
    parts = phases(framed({}, {"excluded_loss": late}))
    assert parts["the excluded loss falls, then rises twofold before the onset"].tolist() == [
        True,
        False,
    ]


def test_a_loss_that_never_halves_has_no_lead():
    flat = {"restricted_loss": np.full(len(STEPS), 2.5)}
    found = JUDGES["three_phases"](framed(flat, flat, flat))
    assert (found.verdict, found.measured, found.interval) == ("not reproduced", None, None)
