"""The published predictor, the corrected law and a constant, on runs made for each verdict."""

import numpy as np
import pytest

from grokbook.claims.norm_separation26_predictor import (
    CLAIMS,
    absolute_errors,
    judge_corrected,
    judge_predictor,
    predictions,
)
from tests.claims.delay_runs import cell, made

WIDE = np.array([400.0, 900.0, 1_500.0, 2_500.0, 4_000.0])  # a constant is far off
EQUAL = np.array([980.0, 1_000.0, 1_020.0, 1_010.0, 990.0])  # a constant is near
V_MEM, V_GROK, V_END = 4e3, 1e3, 500.0


def foretold(delay, published: float, corrected: float = 0.1, turns=(1, -1, 1, -1, 1)):
    """Two ways to read, five runs each: every prediction off by these shares, up or down."""
    off = np.array(turns)
    after = np.log(V_MEM / V_END) / (delay * (1 + published * off))
    before = np.log(V_MEM / V_GROK) / (delay * (1 + corrected * off))
    same = {"delay": delay.tolist(), "V_mem": V_MEM, "V_grok": V_GROK, "V_end": V_END}
    rates = {"after": after.tolist(), "before": before.tolist()}
    return made(cell(**same, **rates, tokens=2), cell(52, **same, **rates, tokens=3))


@pytest.mark.parametrize(
    ("delay", "error", "verdict"),
    [
        (WIDE, 0.1, "reproduced"),
        (WIDE, 0.39, "reproduced"),
        (WIDE, 0.4, "not reproduced"),
        (EQUAL, 0.1, "reproduced in part"),
        (EQUAL, 0.4, "not reproduced"),
    ],
)
def test_predictor(delay, error, verdict):
    found = judge_predictor(foretold(delay, error))
    assert (found.verdict, found.n) == (verdict, 10)
    assert found.measured == pytest.approx(error)
    assert found.interval == pytest.approx((error, error))
    assert f"Mean absolute error {error:.1%}, signed {error / 5:+.1%}" in found.note


def test_a_smaller_error_than_a_constants_needs_an_interval_below_zero():
    # Off by more than the constant in some runs, by less in most.
    runs = foretold(WIDE, 0.3)
    found = predictions(runs)
    gap = absolute_errors(found, "published") - absolute_errors(found, "constant")
    one_large = foretold(np.array([400.0, 1_000.0, 1_000.0, 1_000.0, 1_000.0]), 0.2)
    found = predictions(one_large)
    near = absolute_errors(found, "published") - absolute_errors(found, "constant")
    assert gap.mean() < 0 and near.mean() < 0 < np.quantile(near, 0.8)
    assert judge_predictor(runs).verdict == "reproduced"
    assert judge_predictor(one_large).verdict == "reproduced in part"


@pytest.mark.parametrize(
    ("delay", "published", "corrected", "verdict"),
    [
        (WIDE, 0.3, 0.1, "reproduced"),
        (WIDE, 0.1, 0.1, "not reproduced"),
        (WIDE, 0.1, 0.2, "not reproduced"),
        (EQUAL, 0.3, 0.1, "reproduced in part"),
        (EQUAL, 0.1, 0.3, "not reproduced"),
    ],
)
def test_corrected_law(delay, published, corrected, verdict):
    found = judge_corrected(foretold(delay, published, corrected))
    assert (found.verdict, found.n) == (verdict, 10)
    assert found.measured == pytest.approx(corrected)
    if gap := round(corrected - published, 12):
        assert (
            f"difference to the published rule {gap:+.1%} ({gap:+.1%} to {gap:+.1%})" in found.note
        )


def scattered():
    """Twelve runs with every quantity of its own, as a dictionary of arrays too."""
    rng, n = np.random.default_rng(3), 12
    own = {
        "delay": rng.uniform(500, 3_000, n),
        "V_mem": rng.uniform(3e3, 4e3, n),
        "V_grok": rng.uniform(800, 1_200, n),
        "V_end": rng.uniform(300, 600, n),
        "before": rng.uniform(1e-3, 2e-3, n),
        "after": rng.uniform(1e-3, 2e-3, n),
    }
    rows = cell(**{k: v.tolist() for k, v in own.items()}, tokens=[2] * 5 + [3] * 7)
    return rows, own | {"tokens": np.array([2] * 5 + [3] * 7)}


def test_every_rule_takes_from_the_others_that_read_alike():
    rows, own = scattered()
    found = predictions(made(rows))
    np.testing.assert_allclose(found.measured, own["delay"])
    for i in range(12):
        others = (own["tokens"] == own["tokens"][i]) & (np.arange(12) != i)
        end = np.log(own["V_mem"][i] / np.median(own["V_end"][others]))
        grok = np.log(own["V_mem"][i] / np.median(own["V_grok"][others]))
        assert found.published[i] == pytest.approx(end / own["after"][i])
        assert found.nominal[i] == pytest.approx(end / (-2 * np.log(1 - 1e-3)))
        assert found.corrected[i] == pytest.approx(grok / own["before"][i])
        assert found.constant[i] == pytest.approx(own["delay"][others].mean())


@pytest.mark.parametrize("name", ["delay", "V_grok", "V_end"])
def test_what_comes_after_memorisation_does_not_enter_a_runs_own_prediction(name):
    rows, own = scattered()
    changed = cell(**{k: v.tolist() for k, v in (own | {name: own[name] / 2}).items()})
    before = predictions(made(rows))
    after = predictions(made([changed[0], *rows[1:]]))
    for rule in ("published", "nominal", "corrected", "constant"):
        ours, theirs = getattr(before, rule), getattr(after, rule)
        assert theirs[0] == pytest.approx(ours[0], rel=1e-12)
    if name != "delay":
        rule = {"V_grok": "corrected", "V_end": "published"}[name]
        assert (getattr(after, rule) != getattr(before, rule)).any()


@pytest.mark.parametrize("judge", [judge_predictor, judge_corrected])
def test_five_runs_of_either_kind_are_needed(judge):
    runs = foretold(WIDE, 0.1)
    for few in (runs.isel(run=range(9)), runs.isel(run=[])):
        found = judge(few)
        assert (found.verdict, found.measured) == ("not yet run", None)
        assert found.note.startswith("Fewer than 5 runs")
    censored = cell(60, t_grok=[np.nan] * 3, tokens=3)
    row = cell(delay=WIDE.tolist())
    assert judge(made(row, censored)).verdict != "not yet run"


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_without_runs_the_claims_name_their_command(claim):
    verdict = claim.verdict(None)
    assert verdict.verdict == "not yet run" and claim.command in verdict.note
