"""The exponential after memorisation, on curves made for each verdict; claims without runs."""

import numpy as np
import pytest

from grokbook.claims.norm_separation26 import CLAIMS as SCALING
from grokbook.claims.norm_separation26_rates import (
    CLAIMS,
    fits,
    judge_exponential_fit,
    judge_gamma,
)
from tests.claims.delay_runs import cell, made


def falling(wiggle: float = 0.0):
    """An exponential from the onset at 700 on, with a wave on it; before it, something else."""

    def curve(steps):
        t = steps - 700
        wave = wiggle * 800 * np.sin(t / 60)
        return np.where(t < 0, 9_000.0, 3_000 * np.exp(-1.4e-3 * t) + 800 + wave)

    return curve


# R² is above .999, .9955, .92: told apart by the first of the tests below.
GOOD, FAIR, BAD = falling(), falling(0.1), falling(0.5)


def test_the_curves_differ_as_the_criterion_asks():
    good, fair, bad = fits(made(cell(curve=[GOOD, FAIR, BAD])))
    assert good == pytest.approx([1.4e-3, 1.0], rel=1e-4)
    assert 0.99 < fair[1] < 0.999 and bad[1] < 0.99


@pytest.mark.parametrize(
    ("curves", "verdict"),
    [
        ([GOOD] * 3, "reproduced"),
        ([GOOD, GOOD, FAIR], "reproduced in part"),
        ([FAIR] * 3, "reproduced in part"),
        ([GOOD] * 19 + [BAD], "reproduced in part"),
        ([GOOD] * 18 + [BAD], "not reproduced"),
        ([GOOD, GOOD, BAD], "not reproduced"),
    ],
)
def test_exponential_fit(curves, verdict):
    runs = made(cell(curve=curves))
    found = judge_exponential_fit(runs)
    assert (found.verdict, found.n, found.interval) == (verdict, len(curves), None)
    assert found.measured == pytest.approx(fits(runs)[:, 1].min())


def test_two_cells_of_the_same_seeds_are_no_further_seeds():
    runs = made(cell(p=53, curve=[GOOD] * 3), cell(p=97, curve=[GOOD] * 3))
    assert judge_exponential_fit(runs).n == 3


def test_only_runs_that_grokked_are_fitted():
    censored = cell(60, curve=[BAD] * 3, t_grok=np.nan)
    assert judge_exponential_fit(made(cell(curve=[GOOD] * 3), censored)).verdict == "reproduced"


@pytest.mark.parametrize("judge", [judge_gamma, judge_exponential_fit])
def test_without_a_delay_there_is_nothing_to_judge(judge):
    found = judge(made(cell(t_grok=[np.nan] * 3)))
    assert (found.verdict, found.note) == ("not yet run", "No run with a delay is archived.")


@pytest.mark.parametrize("claim", SCALING + CLAIMS, ids=lambda claim: claim.id)
def test_without_runs_the_claims_name_their_command(claim):
    verdict = claim.verdict(None)
    assert verdict.verdict == "not yet run" and claim.command in verdict.note
