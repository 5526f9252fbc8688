"""The judges of Power et al. on runs made for each verdict."""

import numpy as np
import pytest

from grokbook.claims import CLAIMS
from grokbook.claims.power22 import (
    bracket,
    growth,
    judge_data_fraction_slope,
    judge_figure_1,
    judge_weight_decay_saves_data,
)
from tests.claims.made import sweep

NEVER = [np.nan] * 3
GROKS = [5e3] * 3


@pytest.mark.parametrize(
    ("onsets", "t_mem", "verdict"),
    [
        ([2e5, 5e5, 9e5], 800.0, "reproduced"),
        ([2e5, 5e5, np.nan], 800.0, "reproduced"),
        ([1e4, 5e4, 9e5], 800.0, "reproduced in part"),
        ([5e3, 9e3, 9e5], 800.0, "not reproduced"),
        ([2e5, np.nan, np.nan], 800.0, "not reproduced"),
        ([2e5, 5e5, 9e5], 1_100.0, "not reproduced"),
        ([2e5, 5e5, 9e5], np.nan, "not reproduced"),
    ],
)
def test_figure_1(onsets, t_mem, verdict):
    runs = sweep((0.0, 0.5, onsets), budget=1e6, t_mem=t_mem)
    assert judge_figure_1(runs).verdict == verdict


def test_a_bracket_is_the_last_share_that_fails_and_the_first_from_which_on_none_does():
    cells = [(1.0, 0.2, NEVER), (1.0, 0.3, [5e3, 5e3, np.nan]), (1.0, 0.4, GROKS)]
    assert bracket(sweep(*cells)) == (0.2, 0.3)
    assert bracket(sweep(*cells, (1.0, 0.5, NEVER))) == (0.5, 1.0)
    assert bracket(sweep(*cells[1:])) == (0.0, 0.3)
    gap = [(1.0, 0.2, GROKS), (1.0, 0.3, NEVER), (1.0, 0.4, GROKS)]
    assert bracket(sweep(*gap)) == (0.3, 0.4)


@pytest.mark.parametrize(
    ("with_decay", "without", "verdict", "interval"),
    [
        # .3 against none up to .8: at most .375 whatever the true limit above .8 is.
        ({0.25: NEVER, 0.3: GROKS}, {0.8: NEVER}, "reproduced", (0.25, 0.375)),
        # .3 against (.4, .6]: between .42 and .75.
        (
            {0.25: NEVER, 0.3: GROKS},
            {0.4: NEVER, 0.6: GROKS},
            "reproduced in part",
            (0.25 / 0.6, 0.75),
        ),
        ({0.25: NEVER, 0.4: GROKS}, {0.3: NEVER, 0.4: GROKS}, "not reproduced", (0.625, 4 / 3)),
        ({0.5: NEVER, 0.6: GROKS}, {0.4: GROKS}, "not reproduced", (1.25, np.inf)),
    ],
)
def test_weight_decay_saves_data(with_decay, without, verdict, interval):
    cells = [(1.0, fraction, each) for fraction, each in with_decay.items()]
    cells += [(0.0, fraction, each) for fraction, each in without.items()]
    found = judge_weight_decay_saves_data(sweep(*cells))
    assert (found.verdict, found.n) == (verdict, 3)
    assert found.interval == pytest.approx(interval)
    assert "budget 15,000 steps" in found.note and "stand in" in found.note


def test_data_saved_needs_both_arms():
    assert judge_weight_decay_saves_data(sweep((1.0, 0.3, GROKS))).verdict == "not yet run"


FACTOR = 1.45**5  # 45 % for each of five points


@pytest.mark.parametrize(
    ("few", "more", "verdict", "measured"),
    [
        ([2e3 * FACTOR] * 3, [2e3] * 3, "reproduced", 0.45),
        ([2e3 * 1.3**5, 2e3 * 1.3**5, 2e3 * FACTOR], [2e3] * 3, "reproduced in part", 0.3),
        ([2e3 * 1.3**5] * 3, [2e3] * 3, "not reproduced", 0.3),
        (NEVER, [1e3] * 3, "not reproduced", np.inf),  # at least 20^(1/5) = 1.82
        (NEVER, [9e3] * 3, "reproduced in part", np.inf),  # at least 1.17
        (NEVER, [9e3, np.nan, np.nan], "not testable as stated", None),
    ],
)
def test_data_fraction_slope(few, more, verdict, measured):
    runs = sweep((1.0, 0.25, few), (1.0, 0.3, more), (1.0, 0.4, [900.0] * 3), budget=20_000)
    found = judge_data_fraction_slope(runs)
    assert (found.verdict, found.n) == (verdict, 3)
    assert found.measured == (None if measured is None else pytest.approx(measured))
    assert "stands in for the product of S_5" in found.note


def test_a_censored_slope_states_its_bound():
    runs = sweep((1.0, 0.25, NEVER), (1.0, 0.3, [1e3] * 3), budget=20_000)
    assert "at least 82%" in judge_data_fraction_slope(runs).note


def test_growth_against_its_definition():
    few, more = np.array([9e3, 5e3, 7e3]), np.array([2e3, 4e3, 3e3])
    slope, low, high = growth(few, more, 5.0)
    assert slope == pytest.approx((7 / 3) ** 0.2 - 1)
    # Medians of three resampled seeds are the seeds themselves: the ends are the extreme ratios.
    assert (low, high) == pytest.approx(((5 / 4) ** 0.2 - 1, (9 / 2) ** 0.2 - 1))


def test_the_slope_needs_both_of_its_shares():
    assert judge_data_fraction_slope(sweep((1.0, 0.4, GROKS))).verdict == "not yet run"


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS.values() if claim.source == "power22"])
def test_without_runs_the_claims_name_their_command(claim):
    verdict = claim.verdict(None)
    assert verdict.verdict == "not yet run" and claim.command in verdict.note
