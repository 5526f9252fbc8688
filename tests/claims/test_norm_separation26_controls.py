"""The judges of SGD, products, parity and necessity, on runs made for each verdict."""

import numpy as np
import pytest

from grokbook.claims.norm_separation26_controls import (
    CLAIMS,
    judge_multiplication,
    judge_necessity,
    judge_parity,
    judge_sgd,
    without_decay,
)
from tests.claims.delay_runs import cell, made

NEVER = np.nan
IDLE = {"t_mem": NEVER, "t_grok": NEVER, "weight_decay": 2.0}
PUBLISHED = cell(**IDLE, train_accuracy=[0.04, 0.05])
TUNED = {"learning_rate": 0.03, "momentum": 0.9, "weight_decay": 1e-3}


@pytest.mark.parametrize(
    ("tuned", "verdict", "largest"),
    [
        (cell(**IDLE | TUNED, train_accuracy=[0.5, 0.98]), "reproduced", 0.98),
        (
            cell(**TUNED, t_mem=[NEVER, 9e3], t_grok=NEVER, train_accuracy=[0.5, 0.99]),
            "reproduced in part",
            0.99,
        ),
        (
            cell(**TUNED, t_mem=[NEVER, 9e3], t_grok=[NEVER, 15e3], train_accuracy=[0.5, 1.0]),
            "refuted",
            1.0,
        ),
        # To grok is to refute it, memorised first or not.
        (cell(**TUNED, t_mem=NEVER, t_grok=[8e3, NEVER]), "refuted", 1.0),
    ],
)
def test_sgd(tuned, verdict, largest):
    found = judge_sgd(made(PUBLISHED, tuned))
    assert (found.verdict, found.measured, found.n) == (verdict, largest, 2)


def test_sgd_names_the_setting_that_groks():
    tuned = cell(**TUNED, t_mem=[NEVER, 9e3], t_grok=[NEVER, 15e3], train_accuracy=[0.5, 1.0])
    note = judge_sgd(made(PUBLISHED, tuned)).note
    assert "η = 0.001, μ = 0, λ = 2: 0.040 (t_grok –), 0.050 (t_grok –);" in note
    assert "η = 0.03, μ = 0.9, λ = 0.001: 0.500 (t_grok –), 1.000 (t_grok 15,000)." in note


def products(**errors: list[float]):
    """`p53=` the law's errors at that modulus, each against a delay of 1000; NaN: censored."""
    cells = []
    for name, each in errors.items():
        delay = [NEVER if np.isnan(error) else 1e3 for error in each]
        law = [1e3 if np.isnan(error) else 1e3 * (1 + error) for error in each]
        cells.append(cell(p=int(name[1:]), delay=delay, law=law))
    return made(*cells)


SMALL = [0.1, 0.34, -0.5]  # their median is .34


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        (SMALL, "reproduced"),
        ([-0.34, 0.1, 0.9], "reproduced"),
        ([0.36, 0.1, 0.9], "reproduced in part"),
        ([-0.36, -0.36, -0.36], "reproduced in part"),
        # A modulus without a delay is one at which the law does not hold.
        ([NEVER] * 3, "reproduced in part"),
    ],
)
def test_multiplication_at_one_modulus_of_four(last, verdict):
    found = judge_multiplication(products(p53=SMALL, p67=SMALL, p89=SMALL, p97=last))
    assert (found.verdict, found.n) == (verdict, 3)
    assert "34% at p = 53" in found.note
    assert ("No run at p = 97 grokked late" in found.note) == bool(np.isnan(last).all())


def test_multiplication_at_no_modulus():
    large = [0.4, 0.5, -0.6]
    found = judge_multiplication(products(p53=large, p67=large))
    assert (found.verdict, found.n) == ("not reproduced", 3)
    assert found.measured == pytest.approx(np.median(1 / (1 + np.array(large))))
    never = judge_multiplication(products(p53=[NEVER] * 3, p67=[NEVER] * 3))
    assert (never.verdict, never.measured, never.n) == ("not reproduced", None, 3)


def parity(*delays: list[float], grew=(1.2, 1.3, 1.4), share=0.5):
    """20, 30 and 40 bits, with these delays; `grew` is V at the end over V_mem, by seed."""
    V_end = [4e3 * each for each in grew]
    cells = [
        cell(p=n, delay=each, V_end=V_end, train_fraction=share, t_mem=300.0)
        for n, each in zip((20, 30, 40), delays, strict=False)
    ]
    return [row for each in cells for row in each]


SHORT, LONG = [0.0, -100.0, 250.0], [0.0, 201.0, 250.0]


@pytest.mark.parametrize(
    ("runs", "verdict", "measured"),
    [
        (parity(SHORT, SHORT, [200.0] * 3), "reproduced", 200),
        (parity(SHORT, SHORT, LONG), "reproduced in part", 0),
        (parity(SHORT, LONG, LONG), "reproduced in part", 201),
        (parity(LONG, LONG, LONG), "not reproduced", 201),
        # The norm has to grow in every run.
        (parity(SHORT, SHORT, SHORT, grew=(1.2, 1.3, 0.99)), "not reproduced", 0),
        (parity(SHORT, SHORT, [NEVER] * 3), "reproduced in part", None),
    ],
)
def test_parity(runs, verdict, measured):
    found = judge_parity(made(runs))
    assert (found.verdict, found.measured, found.n) == (verdict, measured, 3)


def test_parity_from_few_words_is_said_beside_and_not_judged():
    few = parity(LONG, [NEVER] * 3, share=0.1)
    found = judge_parity(made(parity(SHORT, SHORT, SHORT), few))
    assert found.verdict == "reproduced"
    assert found.note.endswith("From 1,000 words 6 of 6 memorise and 2 grok later.")
    assert "n = 20: delay 0, V grows 1.30×;" in found.note
    alone = judge_parity(made(few))
    assert (alone.verdict, alone.note) == ("not yet run", "No runs with 25,000 words.")


LATE = cell(delay=[1e3] * 10)
HIGH = {"V_grok": 5e3, "V_end": 6e3}
HELD = {"interventions": "norm_clamp", "V_grok": 4e3, "V_end": 4e3}


@pytest.mark.parametrize(
    ("controls", "verdict", "measured"),
    [
        ([], "reproduced", 0),
        (cell(delay=[1e3], **HIGH), "refuted", 1),
        (cell(delay=[1e3], V_grok=4e3, V_end=4e3), "refuted", 1),
        # Both V at t_grok and V at the end have to be as high, and the delay has to be one.
        (cell(delay=[1e3], V_grok=5e3, V_end=3_999.0), "reproduced", 0),
        (cell(delay=[1e3], V_grok=3_999.0, V_end=5e3), "reproduced", 0),
        (cell(delay=[0.0, -50.0, NEVER], **HIGH), "reproduced", 0),
        # Without decay the theorem says nothing.
        (cell(delay=[1e3] * 3, decay_until=800.0, **HIGH), "reproduced", 0),
        # With the norm held it is the majority of the seeds.
        (cell(delay=[1e3, 1e3, NEVER], **HELD), "refuted", 2),
        (cell(delay=[1e3, 1e3, NEVER, NEVER], **HELD), "reproduced", 0),
        (cell(delay=[1e3, NEVER, NEVER], **HELD), "reproduced", 0),
    ],
)
def test_necessity(controls, verdict, measured):
    found = judge_necessity(made(LATE, controls))
    assert (found.verdict, found.measured, found.n) == (verdict, measured, 10)


def test_necessity_counts_late_runs_to_ten_before_it_holds():
    assert judge_necessity(made(LATE[:9])).verdict == "not yet run"
    assert judge_necessity(made(LATE[:9], cell(delay=[0.0]))).verdict == "not yet run"
    assert judge_necessity(made(LATE)).verdict == "reproduced"
    # One counter-example is enough.
    found = judge_necessity(made(LATE[:2], cell(delay=[1e3], **HIGH)))
    assert (found.verdict, found.n) == ("refuted", 2)


def test_necessity_names_its_counter_examples():
    note = judge_necessity(made(LATE, cell(delay=[1e3] * 4, learning_rate=2e-3, **HIGH))).note
    assert note.startswith("4 of 14 runs grok late")
    assert "000000000000000a (η = 0.002, λ = 1, seed 42), 000000000000000b" in note
    assert "000000000000000c (η = 0.002, λ = 1, seed 44) and others." in note
    held = judge_necessity(made(LATE, cell(delay=[NEVER, 1e3], **HELD))).note
    assert held.endswith("on 1 of 2 grok: 000000000000000b (η = 0.001, λ = 1, seed 43).")


def test_the_runs_whose_decay_ended_are_shown_beside():
    runs = made(LATE, cell(60, delay=[1e3, NEVER, 0.0], decay_until=800.0))
    assert without_decay(runs)["init_seed"].values.tolist() == [60, 61]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_without_runs_the_claims_name_their_command(claim):
    verdict = claim.verdict(None)
    assert verdict.verdict == "not yet run" and claim.command in verdict.note
