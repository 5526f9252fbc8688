"""The judges of weight decay and data of `nanda23` on runs made for each verdict."""

import numpy as np
import pytest

from grokbook.claims.nanda23_sweeps import judge_data_fraction_limits, judge_weight_decay_order
from tests.claims.made import sweep

NEVER = [np.nan] * 3


def decays(**onsets: list[float]):
    """A sweep over weight decay, `_3=` standing for .3."""
    cells = {"_0": 0.0, "_1": 0.1, "_3": 0.3, "one": 1.0, "three": 3.0}
    return sweep(*((cells[name], 0.3, each) for name, each in onsets.items()))


@pytest.mark.parametrize(
    ("runs", "verdict", "measured"),
    [
        (decays(_0=NEVER, _3=[9e3] * 3, one=[6e3] * 3, three=[3e3] * 3), "reproduced", 3),
        # One seed out of order, or one that groks without decay, leaves a part.
        (
            decays(_0=NEVER, _3=[9e3] * 3, one=[6e3, 6e3, 10e3], three=[3e3] * 3),
            "reproduced in part",
            3,
        ),
        (
            decays(_0=[9e3, np.nan, np.nan], _3=[9e3] * 3, one=[6e3] * 3, three=[3e3] * 3),
            "reproduced in part",
            3,
        ),
        # The order of the text.
        (decays(_0=NEVER, _3=[3e3] * 3, one=[6e3] * 3, three=[9e3] * 3), "not reproduced", 1 / 3),
        (decays(_0=NEVER, _3=[3e3] * 3, one=[6e3] * 3, three=[3e3] * 3), "not reproduced", 1),
        # Censored at λ = .3: its budget is a lower bound.
        (decays(_0=NEVER, _3=NEVER, one=[6e3] * 3, three=[3e3] * 3), "reproduced", 5),
        (decays(_0=NEVER, one=[6e3] * 3, three=[3e3] * 3), "not yet run", None),
    ],
)
def test_weight_decay_order(runs, verdict, measured):
    found = judge_weight_decay_order(runs)
    assert found.verdict == verdict
    assert found.measured == (None if measured is None else pytest.approx(measured))


def test_weight_decay_order_compares_seed_with_seed():
    runs = decays(
        _0=NEVER, _3=[2e3, 9e3, 12e3], one=[1.5e3, 6e3, 9e3], three=[1e3, 3e3, 3e3]
    )  # by seed 2, 3 and 4
    found = judge_weight_decay_order(runs)
    assert (found.measured, found.interval, found.n) == (3.0, (2.0, 4.0), 3)
    turned = judge_weight_decay_order(runs.isel(run=[*range(9), 11, 10, 9]))
    assert (turned.measured, turned.interval) == (found.measured, found.interval)


def fractions(few: list[float], delayed: list[float], at_once: list[float]):
    cells = [(1.0, 0.2, few), *((1.0, f, delayed) for f in (0.3, 0.4, 0.5)), (1.0, 0.6, at_once)]
    # Runs without decay say nothing here, whatever they do.
    return sweep(*cells, (0.0, 0.6, [90.0] * 3))


@pytest.mark.parametrize(
    ("few", "delayed", "at_once", "verdict", "measured"),
    [
        (NEVER, [900.0] * 3, [150.0] * 3, "reproduced", 1.5),
        (NEVER, [900.0] * 3, [250.0] * 3, "reproduced in part", 2.5),
        ([9e3, np.nan, np.nan], [900.0] * 3, [150.0] * 3, "reproduced in part", 1.5),
        (NEVER, [900.0, 900.0, np.nan], [150.0] * 3, "reproduced in part", 1.5),
        (NEVER, [190.0] * 3, [150.0] * 3, "reproduced in part", 1.5),
        ([9e3] * 3, [190.0] * 3, [250.0] * 3, "not reproduced", 2.5),
    ],
)
def test_data_fraction_limits(few, delayed, at_once, verdict, measured):
    found = judge_data_fraction_limits(fractions(few, delayed, at_once))
    assert (found.verdict, found.measured, found.n) == (verdict, measured, 3)
    assert "within 15,000 steps" in found.note


def test_a_share_that_was_not_trained_is_not_yet_run():
    runs = fractions(NEVER, [900.0] * 3, [150.0] * 3)
    missing = runs.isel(run=runs["train_fraction"].values != 0.4)
    found = judge_data_fraction_limits(missing)
    assert (found.verdict, found.note) == ("not yet run", "No runs on 40% of the pairs.")
