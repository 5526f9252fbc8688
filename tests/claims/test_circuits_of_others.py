"""The judges of Gromov, Morwani, Zhong, the torus notes and our own, on what was made for each."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

from grokbook.claims import gromov23, morwani23, own_circuits, torus26, zhong23
from grokbook.claims.own_circuits import group_moduli, key_characters, predicted_margins
from grokbook.theory import max_margin, random_phases
from tests.claims.framed import STEPS, P, framed, spectra

CENSORED = {"t_grok": np.nan}
KEYS = np.isin(np.arange(P // 2 + 1), (1, 3, 4))


# -- theorems -------------------------------------------------------------------------------------


def test_the_maximum_margin_is_reproduced():
    found = morwani23.judge_max_margin()
    assert found.verdict == "reproduced"
    assert found.measured == max_margin.max_margin(113)
    assert "3(p − 1) suffice" in found.note


def test_a_false_step_refutes_a_theorem():
    for module, judge in (
        (max_margin, morwani23.judge_max_margin),
        (random_phases, gromov23.judge_analytic_accuracy),
    ):
        step = module.identities()[0]
        false = dataclasses.replace(step, right=step.wrong, wrong=step.right)
        assert judge(None, (false,)).verdict == "refuted"
        assert judge(None, ()).verdict == "not yet run"


def test_a_network_that_misses_the_bound_refutes_it(monkeypatch):
    worse = max_margin.construction(5, 5)
    monkeypatch.setattr(morwani23.max_margin, "construction", lambda p, phases: worse)
    monkeypatch.setattr(morwani23, "MODULI", (5,))
    found = morwani23.judge_max_margin(None, max_margin.identities()[:1])
    assert found.verdict == "refuted"


@pytest.mark.parametrize(
    ("accuracy", "shift", "verdict"),
    [(1.0, 0.0, "reproduced"), (0.99, 0.0, "refuted"), (1.0, 0.2, "refuted")],
)
def test_analytic_accuracy(accuracy, shift, verdict, monkeypatch):
    theory = gromov23.random_phases
    built = theory.analytic_accuracy

    def network(p, width, *, seed):
        return accuracy if width == gromov23.WIDE else built(p, width, seed=seed) - shift

    monkeypatch.setattr(gromov23, "NETWORKS", 4)
    monkeypatch.setattr(theory, "analytic_accuracy", network)
    found = gromov23.judge_analytic_accuracy(None, random_phases.identities()[:1])
    assert (found.verdict, found.measured) == (verdict, accuracy)


# -- trained networks -----------------------------------------------------------------------------


def ratios(*rows: tuple[float, float, float, float]) -> xr.Dataset:
    """Participation at the start, at t_mem = 100, at t_grok = 300 and at the end, by seed."""
    n = len(rows)
    curves = np.repeat(np.array(rows)[:, :, None], 3, axis=2)
    onset = [np.nan if row[3] == 0 else 300.0 for row in rows]
    return xr.Dataset(
        {
            "participation": (("run", "step", "part"), curves),
            "t_mem": ("run", [100.0] * n),
            "t_grok": ("run", onset),
        },
        {"step": [0, 100, 300, 500]},
    )


@pytest.mark.parametrize(
    ("rows", "verdict", "measured"),
    [
        ([(0.02, 0.03, 0.3, 0.4)] * 3, "reproduced", 20),
        # Most of it after the onset, or in one seed only twofold.
        ([(0.02, 0.03, 0.1, 0.4)] * 3, "reproduced in part", 20),
        ([(0.02, 0.02, 0.3, 0.4), (0.02, 0.02, 0.3, 0.4), (0.02, 0.02, 0.03, 0.04)],
         "reproduced in part", 20),
        ([(0.02, 0.02, 0.05, 0.06)] * 3, "not reproduced", 3),
        ([(0.02, 0.02, 0.02, 0.0)] * 3, "not yet run", None),
    ],
)  # fmt: skip
def test_ipr_rises(rows, verdict, measured):
    found = gromov23.judge_ipr_rises(ratios(*rows))
    assert found.verdict == verdict
    assert found.measured == (None if measured is None else pytest.approx(measured))


CLOCK = {"gradient_symmetricity": 0.4, "distance_irrelevance": 0.8}
PIZZA = {"gradient_symmetricity": 0.99, "distance_irrelevance": 0.2}


def arms(uniform: list[dict], softmax: list[dict]) -> xr.Dataset:
    """Runs of both attention rates."""
    rates = [0.0] * len(uniform) + [1.0] * len(softmax)
    return framed(*uniform, *softmax).assign_coords(attention_rate=("run", rates))


@pytest.mark.parametrize(
    ("uniform", "softmax", "verdict"),
    [
        ([PIZZA] * 3, [CLOCK] * 3, "reproduced"),
        ([PIZZA, PIZZA, CLOCK], [CLOCK] * 3, "reproduced in part"),
        ([PIZZA] * 3, [CLOCK, CLOCK, PIZZA], "reproduced in part"),
        ([PIZZA] * 3, [PIZZA] * 3, "not reproduced"),
        ([CLOCK] * 3, [CLOCK] * 3, "not reproduced"),
        ([PIZZA | CENSORED] * 3, [CLOCK] * 3, "not yet run"),
        ([PIZZA] * 3, [], "not yet run"),
    ],
)
def test_clock_pizza(uniform, softmax, verdict):
    assert zhong23.judge_clock_pizza(arms(uniform, softmax)).verdict == verdict


def one_circle(share: float) -> dict[str, np.ndarray]:
    """A last spectrum with that share of the power in frequency 2."""
    power = np.full((len(STEPS), P // 2 + 1), (1 - share) / (P // 2 - 1))
    power[:, 2] = share
    power[:, 0] = 9.0  # the constant does not count
    return {"embedding_power": power}


@pytest.mark.parametrize(
    ("seeds", "verdict", "measured"),
    [
        ([one_circle(0.9)] * 3, "reproduced", 0.9),
        ([one_circle(0.9), one_circle(0.9), one_circle(0.5)], "reproduced in part", 0.9),
        ([{}] * 3, "not reproduced", 1 / 3),
        ([CENSORED] * 3, "not yet run", None),
    ],
)
def test_embedding_is_circle(seeds, verdict, measured):
    found = torus26.judge_embedding_is_circle(framed(*seeds))
    assert found.verdict == verdict
    assert found.measured == (None if measured is None else pytest.approx(measured))


def structured(step: int) -> dict[str, np.ndarray]:
    """An embedding that turns from noise to its circles at a step."""
    return {"embedding_power": spectra((STEPS >= step).astype(float), KEYS)}


@pytest.mark.parametrize(
    ("steps", "verdict", "measured"),
    [
        ((300, 400, 500), "reproduced", 300),
        ((300, 400, 800), "reproduced in part", 300),
        ((700, 700, 700), "not reproduced", 0),
        ((800, 900, 300), "not reproduced", -100),
    ],
)
def test_structure_before_accuracy(steps, verdict, measured):
    found = torus26.judge_structure_before_accuracy(framed(*map(structured, steps)))
    assert (found.verdict, found.measured) == (verdict, measured)


def test_structure_of_what_has_not_grokked_is_not_judged():
    found = torus26.judge_structure_before_accuracy(framed(CENSORED, CENSORED))
    assert found.verdict == "not yet run"


# -- our own --------------------------------------------------------------------------------------


def test_the_predicted_margin_is_that_of_the_last_amplitudes():
    delta = np.arange(1, P)
    gaps = sum(2.0 * (1 - np.cos(2 * np.pi * k * delta / P)) for k in (1, 3, 4))
    assert predicted_margins(framed({})) == pytest.approx(gaps.min())


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ((1.0, 1.2, 0.8), "reproduced"),
        ((1.0, 1.2, 1.6), "reproduced in part"),
        ((1.5, 1.6, 1.4), "not reproduced"),
    ],
)
def test_margin_prediction(ratios, verdict):
    margin = predicted_margins(framed({}))[0]
    seeds = [{"margin_mean": margin / ratio} for ratio in ratios]
    found = own_circuits.judge_margin_prediction(framed(*seeds))
    assert (found.verdict, found.measured) == (verdict, pytest.approx(np.median(ratios)))
    assert own_circuits.judge_margin_prediction(framed(CENSORED)).verdict == "not yet run"


def unembedding(characters, moduli):
    """Cosine and sine of some characters, one a row."""
    grid = np.stack(np.unravel_index(np.arange(np.prod(moduli)), moduli), axis=1)
    angles = [2 * np.pi * (np.array(k) / moduli * grid).sum(1) for k in characters]
    return np.concatenate([[np.cos(a), np.sin(a)] for a in angles]) + 3.0  # and a constant


@pytest.mark.parametrize(
    ("characters", "moduli"),
    [([(1, 2), (3, 0)], (5, 5)), ([(3,), (7,)], (77,)), ([(1, 1)], (2, 4))],
)
def test_key_characters_are_those_that_are_there(characters, moduli):
    found = key_characters(unembedding(characters, moduli), moduli)
    inverses = [tuple(-k % n for k, n in zip(c, moduli, strict=True)) for c in characters]
    assert {frozenset([c, i]) for c, i in zip(characters, inverses, strict=True)} == {
        frozenset([c, tuple(-k % n for k, n in zip(c, moduli, strict=True))]) for c in found
    }


def networks(*cells: tuple[str, list, float]) -> xr.Dataset:
    """Runs of one order with the unembeddings of given characters."""
    rows = [unembedding(characters, group_moduli(group)) for group, characters, _ in cells]
    width = max(len(row) for row in rows)
    padded = [np.pad(row, ((0, width - len(row)), (0, 1))) for row in rows]  # a column for "="
    return xr.Dataset(
        {
            "final_W_U": (("run", "d", "class"), np.array(padded)),
            "t_grok": ("run", [onset for _, _, onset in cells]),
        },
        {"group": ("run", [group for group, _, _ in cells]), "p": ("run", [25] * len(cells))},
    )


@pytest.mark.parametrize(
    ("second", "onset", "verdict", "measured"),
    [
        ([(1, 0), (0, 1)], 9.0, "reproduced", 1.0),
        ([(1, 0), (2, 0)], 9.0, "reproduced in part", 0.5),
        ([(1, 0), (0, 1)], np.nan, "not yet run", None),
    ],
)
def test_characters_generate(second, onset, verdict, measured):
    runs = networks(("Z_25", [(1,), (5,)], 9.0), ("Z_5 × Z_5", second, onset))
    found = own_circuits.judge_characters_generate(runs)
    assert (found.verdict, found.measured) == (verdict, measured)


def test_no_network_generates():
    runs = networks(("Z_25", [(5,)], 9.0), ("Z_5 × Z_5", [(1, 1)], 9.0))
    assert own_circuits.judge_characters_generate(runs).verdict == "not reproduced"
