"""Each claim's judge on runs made for each verdict."""

import dataclasses
import json
import sys

import numpy as np
import pytest
import sympy as sp
import xarray as xr

from grokbook import protocols
from grokbook.claims import CLAIMS, VERDICTS, Shown, Verdict, measured
from grokbook.claims.own import judge_mean_of_successes
from grokbook.statistics import Estimate
from grokbook.theory.identity import Identity

RANGE = CLAIMS["nanda23.onset_range"]
FIRST = CLAIMS["nanda23.memorises_first"]
THEOREM = CLAIMS["grokbook.mean_of_successes_is_biased"]


def made(grok: list[float], mem: list[float] | None = None, early: float = 0.05) -> xr.Dataset:
    """Runs with these onsets (NaN: censored at 40,000) and test accuracy `early` before them."""
    grok_steps = np.array(grok, dtype=float)
    mem_steps = np.full(len(grok), 150.0) if mem is None else np.array(mem, dtype=float)
    grid = np.array([0.0, 150.0, 5_000.0, 40_000.0])
    accuracy = np.where(grid >= grok_steps[:, None], 1.0, early)
    return xr.Dataset(
        {
            "t_grok": ("run", grok_steps),
            "t_mem": ("run", mem_steps),
            "budget": ("run", np.full(len(grok), 40_000.0)),
            "test_accuracy": (("run", "step"), accuracy),
        },
        {
            "step": grid,
            "name": ("run", [f"{i:016x}" for i in range(len(grok))]),
            "init_seed": ("run", range(len(grok))),
            "device": ("run", ["cpu"] * len(grok)),
        },
    )


@pytest.mark.parametrize(
    ("grok", "verdict"),
    [
        ([5_000, 7_000, 10_000], "reproduced"),
        ([4_990, 7_000, 9_000], "reproduced in part"),
        ([6_000, 7_000, np.nan], "reproduced in part"),
        ([6_000, 7_000], "reproduced in part"),
        ([4_000, 4_990, 9_000], "not reproduced"),
        ([6_000, 10_010, 12_000], "not reproduced"),
        ([6_000, np.nan, np.nan], "not reproduced"),
    ],
)
def test_onset_range(grok: list[float], verdict: str) -> None:
    assert RANGE.verdict(made(grok)).verdict == verdict


@pytest.mark.parametrize(
    ("runs", "verdict"),
    [
        (made([6_000, 7_000, 8_000]), "reproduced"),
        (made([6_000, 7_000]), "reproduced in part"),
        (made([np.nan, np.nan, np.nan]), "reproduced"),
        (made([6_000, 7_000, 8_000], early=0.6), "reproduced in part"),
        (made([500, 700, 250], mem=[200, 200, 200]), "reproduced in part"),
        (made([300, 310, 290]), "not reproduced"),
        (made([6_000, 7_000, 8_000], mem=[150, np.nan, 150]), "not reproduced"),
    ],
)
def test_memorises_first(runs: xr.Dataset, verdict: str) -> None:
    assert FIRST.verdict(runs).verdict == verdict


@pytest.mark.parametrize("claim", [RANGE, FIRST])
def test_without_runs_a_measurement_is_not_yet_run(claim) -> None:
    verdict = claim.verdict(None)
    assert verdict.verdict == "not yet run" and claim.command in verdict.note


def test_missing_seeds_are_named() -> None:
    for missing, words, them in ((1, "1 run is", "it"), (2, "2 runs are", "them")):
        note = RANGE.verdict(made([6_000, 7_000, 8_000]), missing).note
        assert f"{words} not archived yet; `{RANGE.command}` trains {them}." in note


def test_theorem() -> None:
    x = sp.symbols("x")
    true = Identity("x + x = 2x", x + x, 2 * x, wrong=3 * x)
    false = Identity("x + x = 3x", x + x, 3 * x, wrong=4 * x)
    assert judge_mean_of_successes(identities=(true,)).verdict == "reproduced"
    assert judge_mean_of_successes(identities=(true, false)).verdict == "refuted"
    assert judge_mean_of_successes(identities=()).verdict == "not yet run"


def test_a_wrong_formula_is_refuted_by_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    from grokbook.theory import censoring

    monkeypatch.setattr(
        censoring, "truncated_mean", lambda tau, budget: tau + budget / np.expm1(budget / tau)
    )
    x = sp.symbols("x")
    step = Identity("x + x = 2x", x + x, 2 * x, wrong=3 * x)
    assert judge_mean_of_successes(identities=(step,)).verdict == "refuted"


def test_every_claim_is_whole() -> None:
    for name, claim in CLAIMS.items():
        assert name == claim.id and name.startswith(f"{claim.source}.")
        assert any(letter.isdigit() for letter in claim.criterion), f"{name} names no number"
        assert claim.kind == "theorem" or claim.command


def test_rows_are_plain_json() -> None:
    row = RANGE.row(made([6_000, np.nan, np.nan]))
    assert json.loads(json.dumps(row, allow_nan=False)) == row
    assert row["measured"] == "censored" and row["n"] == 3 and row["seeds"] == [0, 1, 2]


@pytest.mark.parametrize("claim", [RANGE, FIRST])
def test_one_seed_has_no_interval(claim) -> None:
    row = claim.row(made([6_000]))
    assert row["n"] == 1 and row["interval"] is None and row["measured"] is not None
    assert row["verdict"] == "reproduced in part"


def test_an_unknown_verdict_is_refused() -> None:
    assert Verdict(VERDICTS[0]).verdict == "reproduced"
    with pytest.raises(ValueError, match="'proved' is no verdict"):
        Verdict("proved")


def test_shown_has_one_anchor_and_escapes() -> None:
    row = RANGE.row(made([6_000, 7_000, 8_000])) | {"note": "<b> of `make book`"}
    shown = Shown((row,))
    assert 'id="nanda23-onset-range"' in shown._repr_html_()
    assert "&lt;b&gt; of <code>make book</code>" in shown._repr_html_()
    assert "`make book`" in repr(shown)
    assert "id=" not in Shown((row,), link="ledger.html")._repr_html_()
    assert repr(shown).startswith("nanda23.onset_range: reproduced; 7,000 steps")


def test_shown_says_a_bound_and_one_seed() -> None:
    row = RANGE.row(made([6_000, 7_000, 8_000]))
    assert row["bound"] == ""
    alone = measured(row | {"bound": "≥", "interval": None, "n": 1})
    assert alone == "≥\u00a07,000 steps, median t_grok, n = 1 seed"
    at_most = Verdict.of("reproduced", Estimate(2.0, 1.0, 3.0, 3), bound="≤")
    bounded = dataclasses.replace(RANGE, judge=lambda _: at_most)
    assert bounded.row(made([6_000, 7_000, 8_000]))["bound"] == "≤"


def test_outstanding_runs_are_listed_by_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from grokbook.archive import Found

    runs = protocols.nanda23(seeds=3).runs
    module = sys.modules["grokbook.claims.ledger"]
    both = {claim.id: claim for claim in (RANGE, FIRST, THEOREM)}
    monkeypatch.setattr(module, "CLAIMS", both)
    monkeypatch.setattr(module, "_found", lambda experiment: Found(None, runs[1:]))
    assert module.outstanding() == [
        {
            "command": "python -m grokbook run nanda23",
            "missing": 2,
            "runs": 5,
            "claims": ["nanda23.onset_range", "nanda23.memorises_first"],
        }
    ]
    monkeypatch.setattr(module, "_found", lambda experiment: Found(None, ()))
    assert module.outstanding() == []
