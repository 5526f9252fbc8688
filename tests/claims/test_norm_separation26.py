"""The judges of how the delay scales, on runs made for each verdict."""

import numpy as np
import pytest

from grokbook.claims.norm_separation26 import (
    judge_inverse_learning_rate,
    judge_inverse_weight_decay,
    judge_log_norm_ratio,
)
from grokbook.claims.norm_separation26_rates import judge_gamma, rates_by_cell
from tests.claims.delay_runs import cell, made

NEVER = np.nan
NEAR, WIDE = (0.95, 1.0, 1.05), (0.8, 1.0, 1.25)  # the seeds' delays over the law's
PUBLISHED = (0.1, 0.3, 0.5, 1.0)


def decays(exponent: float, at_03: list[float], spread=NEAR, inner=PUBLISHED, budget=150_000):
    """Delays 1000 λ^exponent over `inner`, and at .03 over what slope -1 says of PUBLISHED."""
    cells = [
        cell(weight_decay=decay, delay=[1e3 * decay**exponent * each for each in spread])
        for decay in inner
    ]
    line = 1e3 * np.prod(PUBLISHED) ** ((exponent + 1) / 4) / 0.03
    outer = [cell(weight_decay=0.03, delay=[line * each for each in at_03], budget=budget)]
    return made(*cells, *(outer if at_03 else []))


@pytest.mark.parametrize(
    ("exponent", "at_03", "spread", "verdict"),
    [
        (-1.0, [1, 1, 1], NEAR, "reproduced"),
        (-1.2, [1, 1.49, 1.6], NEAR, "reproduced"),
        (-0.8, [0.6, 0.67, 1], NEAR, "reproduced"),
        # Only within the published range.
        (-1.0, [1, 1.51, 1.6], NEAR, "reproduced in part"),
        (-1.0, [0.6, 0.66, 1], NEAR, "reproduced in part"),
        (-1.0, [1, NEVER, NEVER], NEAR, "reproduced in part"),
        (-1.0, [], NEAR, "reproduced in part"),
        # An interval that sticks out of the band leaves the prediction.
        (-1.25, [1, 1, 1], WIDE, "reproduced in part"),
        (-0.75, [1, 1, 1], WIDE, "reproduced in part"),
        (-1.25, [2, 2, 2], WIDE, "not reproduced"),
        # One that misses it decides alone.
        (-1.4, [1, 1, 1], NEAR, "not reproduced"),
        (-0.6, [1, 1, 1], NEAR, "not reproduced"),
    ],
)
def test_inverse_weight_decay(exponent, at_03, spread, verdict):
    found = judge_inverse_weight_decay(decays(exponent, at_03, spread))
    assert found.verdict == verdict
    assert found.n == 3
    centre = np.log(np.prod(spread)) / 3  # the same at every decay: no change of slope
    assert abs(centre) < 0.01 and found.measured == pytest.approx(exponent)
    assert found.interval[0] < exponent < found.interval[1]


def test_the_note_compares_the_delay_outside_the_range_with_the_line():
    note = judge_inverse_weight_decay(decays(-1.0, [1.3, 1.3, 1.3], (1, 1, 1))).note
    assert "median delay 43,333 steps, slope -1 says 33,333" in note
    assert "nothing is archived" in judge_inverse_weight_decay(decays(-1.0, [])).note


def test_a_median_delay_that_was_not_reached_is_not_the_budget():
    found = judge_inverse_weight_decay(decays(-1.0, [1, NEVER, NEVER], budget=34_000))
    assert found.verdict == "reproduced in part" and "median delay inf steps" in found.note


def test_decays_beyond_the_published_range_do_not_enter_the_exponent():
    runs = decays(-1.0, [1.0, 1.4, 1.4])
    with_more = made(
        *(cell(weight_decay=w, delay=[1e3 / w * each for each in NEAR]) for w in PUBLISHED),
        cell(weight_decay=2.0, delay=[9e3] * 3),
    )
    alone, more = judge_inverse_weight_decay(runs), judge_inverse_weight_decay(with_more)
    assert (alone.measured, alone.interval) == (more.measured, more.interval)


@pytest.mark.parametrize("missing", PUBLISHED)
def test_every_published_weight_decay_is_needed(missing):
    inner = [decay for decay in PUBLISHED if decay != missing]
    found = judge_inverse_weight_decay(decays(-1.0, [1.0], inner=inner))
    assert found.verdict == "not yet run" and found.note == f"No runs at weight decay {missing:g}."


def test_a_run_that_groks_first_has_no_delay_to_scale():
    early = cell(60, weight_decay=1.0, delay=[-100.0, 0.0])
    never = cell(70, weight_decay=1.0, t_mem=[NEVER], t_grok=NEVER)
    runs = decays(-1.0, [1.0] * 3)
    cells = [cell(weight_decay=w, delay=[1e3 / w * each for each in NEAR]) for w in PUBLISHED]
    found = judge_inverse_weight_decay(made(*cells, early, never))
    assert (found.measured, found.n) == (judge_inverse_weight_decay(runs).measured, 3)


def rates(exponent: float, spread=NEAR, of=(2e-3, 1e-3, 5e-4, 2e-4), ends_after=np.inf):
    """Delays 1000 (η/10⁻³)^exponent, censored after some steps."""
    cells = []
    for rate in of:
        delay = [1e3 * (rate / 1e-3) ** exponent * each for each in spread]
        delay = [each if each <= ends_after else NEVER for each in delay]
        budget = 700 + ends_after if NEVER in delay else None
        cells.append(cell(learning_rate=rate, delay=delay, budget=budget))
    return made(*cells)


@pytest.mark.parametrize(
    ("exponent", "spread", "verdict"),
    [
        (-1.0, NEAR, "reproduced"),
        (-1.15, NEAR, "reproduced"),
        (-0.85, NEAR, "reproduced"),
        (-1.25, WIDE, "reproduced in part"),
        (-0.75, WIDE, "reproduced in part"),
        (-1.4, NEAR, "not reproduced"),
        (-0.6, NEAR, "not reproduced"),
    ],
)
def test_inverse_learning_rate(exponent, spread, verdict):
    found = judge_inverse_learning_rate(rates(exponent, spread))
    assert (found.verdict, found.n) == (verdict, 3)
    assert found.measured == pytest.approx(exponent)
    assert "η = 0.001: 1,000;" in found.note and "censored" not in found.note


def test_a_censored_delay_is_no_delay_at_the_budget():
    whole = rates(-1.0, WIDE)
    cut = rates(-1.0, WIDE, ends_after=2_100)  # one at η = 5e-4, all at 2e-4
    found = judge_inverse_learning_rate(cut)
    as_seen = np.polyfit(
        np.log(cut["learning_rate"].values),
        np.log(np.fmin(cut["t_grok"], cut["budget"]).values - 700),
        1,
    )[0]
    assert as_seen > -0.7
    assert found.measured < -0.85
    assert found.measured == pytest.approx(judge_inverse_learning_rate(whole).measured, abs=0.15)
    assert found.note.endswith("steps. 4 delays are censored.")


def test_learning_rates_without_a_delay_do_not_count():
    assert judge_inverse_learning_rate(rates(-1.0, of=(2e-3, 1e-3))).verdict == "not yet run"
    censored = rates(-1.0, of=(2e-3, 1e-3, 2e-4), ends_after=2_000)
    assert judge_inverse_learning_rate(censored).verdict == "not yet run"


MODULI = (53, 67, 89, 97, 101, 113, 127)


def moduli(across: float, within: float, noise: float = 0.0, of=MODULI):
    """The law, and delays `across` times it between moduli, `within` times it inside of one."""
    rank = np.arange(len(of))[:, None]
    between = 100.0 * rank
    inside = np.array([-40.0, 10.0, 30.0]) + 0 * rank
    random = noise * np.random.default_rng(0).normal(size=inside.shape)
    return 1_000 + between + inside, 2_000 + across * between + within * inside + random


def following(law, delay, of=MODULI):
    """Runs with this law and delay; V at t_grok says nothing of either."""
    at_onset = [900.0, 1_000.0, 1_100.0]
    cells = zip(of, law.tolist(), delay.tolist(), strict=True)
    return made(*(cell(p=p, law=T, delay=t, V_grok=at_onset) for p, T, t in cells))


@pytest.mark.parametrize(
    ("across", "within", "noise", "verdict"),
    [
        (1, 1, 0, "reproduced"),
        (1, 1, 20, "reproduced"),
        (1, 0, 20, "reproduced in part"),
        (1, -1, 0, "reproduced in part"),
        (1, 1, 110, "reproduced"),
        (1, 1, 130, "reproduced in part"),
        (1, 1, 150, "reproduced in part"),
        (0, 1, 0, "not reproduced"),
        (-1, 1, 0, "not reproduced"),
        (1, 1, 180, "not reproduced"),
    ],
)
def test_log_norm_ratio(across, within, noise, verdict):
    law, delay = moduli(across, within, noise)
    found = judge_log_norm_ratio(following(law, delay))
    assert (found.verdict, found.n) == (verdict, 3)
    r = np.corrcoef(law.ravel(), delay.ravel())[0, 1]
    assert found.measured == pytest.approx(r)
    assert found.interval[0] <= r <= found.interval[1]
    centred = (each - each.mean(1, keepdims=True) for each in (law, delay))
    inside = np.corrcoef(*(each.ravel() for each in centred))[0, 1]
    assert f"within a modulus r = {inside:.2f} (" in found.note


def test_the_law_within_a_modulus_needs_an_interval_above_zero():
    law, delay = (each[:3] for each in moduli(1, 1))
    delay[0, 2] -= 100  # one run turns the sign
    found = judge_log_norm_ratio(following(law, delay, MODULI[:3]))
    assert found.verdict == "reproduced in part"
    assert "within a modulus r = 0.59 (-0.1" in found.note


def test_three_moduli_are_needed():
    two = made(*(cell(p=p, delay=[900.0, 950.0, 990.0]) for p in MODULI[:2]))
    single = made(*(cell(p=[p]) for p in MODULI[:5]))
    assert judge_log_norm_ratio(two).verdict == "not yet run"
    assert judge_log_norm_ratio(single).verdict == "not yet run"


def contracting(*cells: list[float], **same):
    """A modulus a cell, with these γ/(ηλ)."""
    rate, delay = 1e-3, 800.0
    return made(
        *(
            cell(p=p, delay=delay, V_grok=[4e3 * np.exp(-g * rate * delay) for g in each], **same)
            for p, each in zip(MODULI, cells, strict=False)
        )
    )


@pytest.mark.parametrize(
    ("cells", "verdict", "measured", "n"),
    [
        (([2.1, 2.3, 2.5], [3, 3, 3]), "reproduced", 2.3, 3),
        (([2.1, 2.3, 2.5], [1.8, 1.9, 2.5]), "reproduced in part", 1.9, 3),
        (([1.1, 1.2], [3, 3, 3]), "reproduced in part", 1.15, 2),
        # Below ηλ, but not with its whole interval; of one run there is none.
        (([0.8, 0.9, 1.1], [3, 3, 3]), "not reproduced", 0.9, 3),
        (([0.8], [3, 3, 3]), "not reproduced", 0.8, 1),
        (([0.8, 0.9, 0.95], [3, 3, 3]), "refuted", 0.9, 3),
        # A cell that is refuted need not be the smallest.
        (([0.8, 0.9, 0.95], [0.1, 0.1, 0.1, 1.1, 1.1]), "refuted", 0.1, 5),
    ],
)
def test_gamma(cells, verdict, measured, n):
    found = judge_gamma(contracting(*cells))
    assert (found.verdict, found.n) == (verdict, n)
    assert found.measured == pytest.approx(measured)


def test_gamma_names_its_smallest_cell():
    note = judge_gamma(contracting([3.0] * 3, [1.5] * 3, [0.9] * 3)).note
    assert note.startswith("3 cells; γ is below ηλ in 1 and below 2ηλ, decay alone, in 2.")
    assert note.endswith("The smallest is at p = 89, η = 0.001, λ = 1, 2 tokens.")


def test_a_cell_is_a_modulus_a_rate_a_decay_and_a_way_to_read():
    cells = [{}, {"p": 53}, {"learning_rate": 5e-4}, {"weight_decay": 0.5}, {"tokens": 3}]
    found = rates_by_cell(made(*(cell(delay=[800.0] * 2, **each) for each in cells)))
    slow = np.log(4) / 800 / 1e-3
    assert {key: each.value for key, each in found.items()} == pytest.approx(
        {
            (97.0, 1e-3, 1.0, 2.0): slow,
            (53.0, 1e-3, 1.0, 2.0): slow,
            (97.0, 5e-4, 1.0, 2.0): 2 * slow,
            (97.0, 1e-3, 0.5, 2.0): 2 * slow,
            (97.0, 1e-3, 1.0, 3.0): slow,
        }
    )
    assert {each.n for each in found.values()} == {2}
