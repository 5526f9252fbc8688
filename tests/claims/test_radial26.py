"""Judges of the radial penalty on made-up runs: each verdict comes out where it should."""

import math

import numpy as np
import pytest
import sympy as sp

from grokbook.claims import radial26, radial26_curves, radial26_energy, radial26_sequences
from grokbook.claims.ledger import runs_behind
from grokbook.claims.radial26_arms import penalised, ratio_of_medians
from grokbook.claims.radial26_criteria import CRITERIA
from grokbook.theory.identity import Identity
from tests.claims.radial_runs import arm, dataset

NEVER = math.nan
BASELINE = {"radial_penalty_strength": 0.0}
DECAYS = (1e-3, 1e-2, 0.1, 0.3, 1.0)


def decays(*onsets):
    """Five weight decays without the penalty."""
    return [
        arm(weight_decay=decay, t_grok=onset, **BASELINE)
        for decay, onset in zip(DECAYS, onsets, strict=True)
    ]


# -- onsets -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("onsets", "verdict"),
    [
        ((NEVER, 9e4, 8e4, 7e4, 6e4), "reproduced"),
        ((NEVER, 9e4, 8e4, 3e3, 6e4), "reproduced in part"),  # the best decay beats the penalty
        # Against the best decay the interval holds 1.
        ((NEVER, 9e4, 8e4, [8e3, 1.2e4, 2e4], 6e4), "reproduced in part"),
        ((NEVER, 9e4, 2.9e4, 9e4, 9e4), "not reproduced"),  # 2.9 times
        ((NEVER, 9e4, [5e3, 8e4, 9e4], 9e4, 9e4), "not reproduced"),  # one seed the other way
    ],
)
def test_speedup_is_judged_against_the_published_and_the_best_decay(onsets, verdict):
    runs = dataset(arm(t_grok=1e4), *decays(*onsets))
    assert radial26.judge_speedup_mlp(runs).verdict == verdict


def test_an_onset_that_is_not_reached_stands_at_its_budget_and_is_said():
    runs = dataset(arm(t_grok=1e4), *decays(NEVER, 9e4, NEVER, 9e4, 9e4))
    found = radial26.judge_speedup_mlp(runs)
    assert found.measured == pytest.approx(9.5)
    assert "3 of 3 onsets without the penalty stand at their budget" in found.note
    assert "0.001: >5,000, 0.01: 4,737, 0.1: >5,000" in found.note


@pytest.mark.parametrize("claim", ["radial26.speedup_mlp", "radial26.flatter_minima"])
def test_a_run_that_was_followed_for_longer_counts_once_and_as_the_longer(claim):
    runs = penalised(runs_behind(claim))
    runs = runs.isel(run=runs["beta2"].values == 0.999)
    assert runs["init_seed"].values.tolist() == [42, 43, 44]
    assert (runs["budget"] > 95_000).all() and np.isfinite(runs["t_grok"]).all()


def test_an_onset_beyond_the_budget_of_the_others_is_no_bound():
    found = radial26.judge_speedup_mlp(
        dataset(arm(t_grok=1e5, budget=1.9e5), *decays(NEVER, 9e4, 2e4, 9e4, 9e4))
    )
    assert found.measured == pytest.approx(0.2) and found.n == 3
    assert "budget" not in found.note and "epoch 5,263 with the penalty" in found.note


def with_beta2(beta2, penalty, strong, weak=np.nan):
    """The three arms of the comparison with this β2, onsets in steps, three seeds each."""
    return [
        arm(t_grok=[penalty] * 3, beta2=beta2),
        arm(t_grok=[strong] * 3, beta2=beta2, radial_penalty_strength=0.0, weight_decay=0.1),
        arm(t_grok=[weak] * 3, beta2=beta2, radial_penalty_strength=0.0),
    ]


def test_the_speed_up_is_judged_by_the_closer_beta2_once_it_is_complete():
    first = with_beta2(0.999, penalty=40e3, strong=20e3)
    closer = with_beta2(0.98, penalty=10e3, strong=50e3)
    both = radial26.judge_speedup_mlp(dataset(*first, *closer))
    assert both.verdict == "reproduced in part" and both.measured == 5
    assert both.note.startswith("With β₂ = 0.98: Median onset at epoch 526 with the penalty; ")
    assert "With β₂ = 0.999 not reproduced, 0.5: Median onset at epoch 2,105" in both.note
    lacking = closer[:2] + [row[:2] for row in closer[2:]]  # a seed of one arm
    part = radial26.judge_speedup_mlp(dataset(*first, *lacking))
    assert part.verdict == "not reproduced" and part.measured == 0.5
    assert part.note.startswith("With β₂ = 0.999: ")
    assert "With β₂ = 0.98 reproduced in part, 5: Median onset at epoch 526" in part.note
    alone = radial26.judge_speedup_mlp(dataset(*first))
    assert "β₂" not in alone.note and alone.measured == 0.5
    assert radial26.judge_speedup_mlp(dataset(*closer)).measured == 5


def test_the_best_strength_is_judged_by_the_closer_beta2_once_it_is_complete():
    def swept(beta2, best):
        onsets = {s: 30e3 + 10e3 * (s != best) for s in (0.005, 0.05, 0.5)}
        return [
            arm(t_grok=[t] * 3, beta2=beta2, radial_penalty_strength=s) for s, t in onsets.items()
        ]

    first, closer = swept(0.999, best=0.5), swept(0.98, best=0.05)
    both = radial26.judge_lambda_optimum(dataset(*first, *closer))
    assert both.verdict == "reproduced"
    assert "That of 0.005 is 1.333 (1.333 to 1.333, n = 3) times that of 0.05." in both.note
    assert "in steps (epochs): 0.005: 40,000 (2,105), 0.05: 30,000 (1,579), 0.5: 40," in both.note
    part = radial26.judge_lambda_optimum(dataset(*first, *closer[1:]))
    assert part.verdict == "not reproduced" and "β₂" not in part.note


def test_speedup_needs_both_arms_and_reads_no_other():
    alone = dataset(arm(t_grok=1e4))
    assert radial26.judge_speedup_mlp(alone).verdict == "not yet run"
    others = [
        arm(t_grok=100.0, norm="layer"),
        arm(t_grok=100.0, radial_penalty_radius=0.0),
        arm(t_grok=100.0, radial_penalty_unit="start"),
        arm(t_grok=100.0, interventions="dropout"),
    ]
    runs = dataset(arm(t_grok=1e4), *decays(NEVER, 9e4, 8e4, 7e4, 6e4), *others)
    assert radial26.judge_speedup_mlp(runs).measured == pytest.approx(8)


@pytest.mark.parametrize(
    ("onsets", "verdict"),
    [
        ({0.005: 5e4, 0.05: 2e4, 0.5: 3e4}, "reproduced"),
        ({0.005: 1.7e4, 0.05: 2e4, 0.5: 3e4}, "reproduced in part"),
        ({0.005: 1.6e4, 0.05: 2e4, 0.5: 3e4}, "not reproduced"),
        ({0.005: 5e4, 0.05: NEVER, 0.5: 3e4}, "not reproduced"),
        ({0.005: NEVER, 0.05: NEVER, 0.5: NEVER}, "not reproduced"),
        ({0.005: 5e4, 0.05: 2e4}, "not yet run"),
        ({0.05: 2e4, 0.5: 5e4}, "not yet run"),
    ],
)
def test_the_best_strength(onsets, verdict):
    arms = [arm(radial_penalty_strength=s, t_grok=onset) for s, onset in onsets.items()]
    assert radial26.judge_lambda_optimum(dataset(*arms, arm(**BASELINE))).verdict == verdict


def rests(ratio):
    """A norm that has come to rest when the last quarter begins, but for a burst at its end."""
    return lambda steps: np.where(steps < 7e4, 0.1, np.where(steps < 9.4e4, ratio, 5.0))


def excess(slopes, strengths=(0.005, 0.05, 0.5), **same):
    """Arms whose excess late in the run falls as a power of the strength, by site."""
    return [
        arm(
            **same,
            radial_penalty_strength=s,
            norm_ratio={
                site: rests(1 + sign * 1e-3 * s**slope)
                for site, (sign, slope) in zip(("pre_1", "pre_2"), slopes, strict=True)
            },
        )
        for s in strengths
    ]


@pytest.mark.parametrize(
    ("slopes", "verdict"),
    [
        ([(1, -1.0), (1, -0.9)], "reproduced"),
        ([(1, -1.0), (1, -0.2)], "reproduced in part"),
        ([(-1, -1.0), (1, -1.1)], "reproduced in part"),  # inside the sphere at one layer
        ([(1, -0.5), (1, -1.5)], "not reproduced"),
        ([(-1, -1.0), (-1, -1.0)], "not reproduced"),
    ],
)
def test_equilibrium_is_judged_layer_by_layer(slopes, verdict):
    assert radial26.judge_equilibrium_slope(dataset(*excess(slopes))).verdict == verdict


def test_equilibrium_is_judged_with_the_beta2_of_the_comparison_alone():
    first, closer = excess([(1, -1.0)] * 2), excess([(1, -0.2)] * 2, beta2=0.98)
    found = radial26.judge_equilibrium_slope(dataset(*first, *closer))
    assert found.verdict == "reproduced" and found.n == 3
    assert radial26.judge_equilibrium_slope(dataset(*closer)).verdict == "not yet run"


def test_two_strengths_have_no_slope_to_speak_of():
    runs = dataset(*excess([(1, -1.0)] * 2, (0.05, 0.5)))
    assert radial26.judge_equilibrium_slope(runs).verdict == "not yet run"


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        ((0.1, 1.0), (0.1, 0.5), "reproduced"),
        ({"pre_1": (0.1, 1.0), "pre_2": (0.1, 0.4)}, (0.1, 0.5), "reproduced in part"),
        ((0.1, 0.4), (0.1, 0.5), "not reproduced"),
        ((1.1, 2.0), (1.1, 1.5), "not reproduced"),  # starts outside
    ],
)
def test_inflation_is_judged_fifty_epochs_from_the_start(ours, theirs, verdict):
    runs = dataset(arm(norm_ratio=ours), arm(norm_ratio=theirs, **BASELINE))
    assert radial26.judge_penalty_inflates(runs).verdict == verdict


def test_what_comes_later_does_not_count_for_inflation():
    late = {"norm_ratio": lambda steps: np.where(steps <= 950, 0.1 + steps / 1e4, 0.01)}
    runs = dataset(arm(**late), arm(norm_ratio=0.1, **BASELINE))
    found = radial26.judge_penalty_inflates(runs)
    assert found.verdict == "reproduced" and found.measured == pytest.approx(1.95)


# -- energy, curvature, ranks ---------------------------------------------------------------


def test_late_is_the_last_quarter_of_each_run_s_own_steps():
    spike = {"norm_ratio": lambda steps: np.where(steps == 76_000, 9.0, steps / 95_000)}
    runs = dataset(arm(**spike, budget=[95_000.0, 76_000.0, 38_000.0]))
    medians = radial26_curves.late(runs, "norm_ratio", "pre_1")
    assert medians == pytest.approx([0.875, 0.7, 0.35], abs=3e-3)
    largest = radial26_curves.late(runs, "norm_ratio", "pre_2", np.max)
    assert largest == pytest.approx([9.0, 9.0, 0.4])


@pytest.mark.parametrize(
    ("energy", "verdict"),
    [
        (0.5, "reproduced"),
        ({"pre_1": 0.5, "pre_2": 2.0}, "reproduced in part"),
        (1.5, "not reproduced"),
        ([0.5, 0.5, 1.5], "not reproduced"),  # an interval that holds 0
    ],
)
def test_energy_is_judged_against_its_null_at_each_layer(energy, verdict):
    runs = dataset(arm(radial_energy=energy), arm(radial_energy=0.01, **BASELINE))
    assert radial26_energy.judge_energy(runs).verdict == verdict


def test_energy_is_the_mean_over_steps_up_to_the_onset():
    runs = dataset(arm(radial_energy=lambda steps: np.where(steps <= 40_000, steps / 1e4, 1e9)))
    mean = radial26_curves.before_onset(runs, "radial_energy", "pre_1")
    np.testing.assert_allclose(mean, 2.0, rtol=0.01)
    thinned = runs.isel(step=np.unique((1.05 ** np.arange(128)).astype(int) - 1))
    assert thinned.sizes["step"] < 100
    mean = radial26_curves.before_onset(thinned, "radial_energy", "pre_1")
    np.testing.assert_allclose(mean, 2.0, rtol=0.05)


@pytest.mark.parametrize(
    ("trace", "scaled", "verdict"),
    [
        (12.0, 2.0, "reproduced"),
        (9.0, 2.0, "reproduced in part"),
        (12.0, 0.5, "reproduced in part"),
        (5.0, 0.5, "not reproduced"),
    ],
)
def test_flatness_is_judged_plain_and_in_the_weights_own_sizes(trace, scaled, verdict):
    runs = dataset(arm(), arm(hessian_trace=trace, scaled_trace=scaled, **BASELINE))
    assert radial26_energy.judge_flatter(runs).verdict == verdict


def test_a_rank_of_443_cannot_be_tested():
    found = radial26_energy.judge_stable_rank(dataset(arm(rank=120.0)))
    assert found.verdict == "not testable as stated" and found.measured == 120
    assert "256 at most" in found.note
    nothing = radial26_energy.judge_stable_rank(dataset(arm(**BASELINE)))
    assert nothing.verdict == "not yet run"


@pytest.mark.parametrize(
    ("product", "verdict"),
    [
        ((2.0, -3.0), "reproduced"),
        ({"pre_1": (2.0, -3.0), "pre_2": np.sin}, "reproduced in part"),
        (np.sin, "not reproduced"),
        ((-1.0, 1.0), "not reproduced"),  # the sign turned
    ],
)
def test_calibration_is_a_correlation_along_each_run(product, verdict):
    runs = dataset(arm(radial_product=product), arm(radial_product=product, **BASELINE))
    assert radial26_energy.judge_calibration(runs).verdict == verdict


@pytest.mark.parametrize(
    ("largest", "verdict"),
    [(1.9, "reproduced in part"), (30.0, "reproduced"), ([20.0, 30.0, 40.0], "reproduced in part")],
)
def test_the_published_form_is_judged_where_its_premise_holds(largest, verdict):
    norms = [(0.5, each) for each in largest] if isinstance(largest, list) else (0.5, largest)
    found = radial26_energy.judge_anisotropic(dataset(arm(norm_ratio=norms)))
    assert found.verdict == verdict and "within 10 % from 21.5 on" in found.note
    assert found.measured == pytest.approx(np.median(largest))


def test_a_derivation_that_fails_refutes_the_published_form():
    broken = Identity("1 = 2", sp.Integer(1), sp.Integer(2), wrong=sp.Integer(3))
    found = radial26_energy.judge_anisotropic(dataset(arm()), steps=(broken,))
    assert found.verdict == "refuted" and "1 = 2" in found.note


def test_a_run_that_ends_within_a_slingshot_is_known_by_its_loss():
    steady = {"train_loss": lambda steps: np.exp(-steps / 1e4)}
    burst = {"train_loss": lambda steps: np.where(steps < 9.45e4, np.exp(-steps / 1e4), 1.0)}
    early = {"train_loss": lambda steps: np.where(abs(steps - 5e4) > 1e3, 1e-3, 1.0)}
    runs = dataset(arm(**steady), arm(**burst), arm(**early))
    thin = runs.isel(step=slice(None, None, 5))
    assert (
        radial26_curves.ends_in_slingshot(thin).tolist() == [False] * 3 + [True] * 3 + [False] * 3
    )
    found = radial26_energy.judge_flatter(dataset(arm(**burst), arm(**BASELINE)))
    assert "3 of 3 penalised runs end within a slingshot" in found.note


# -- all ------------------------------------------------------------------------------------


def test_ratios_are_of_medians_over_paired_seeds():
    slow, fast = np.array([6.0, 8.0, 10.0]), np.array([3.0, 4.0, 5.0])
    found = ratio_of_medians(slow, fast)
    assert found.value == found.low == found.high == 2
    assert ratio_of_medians(slow, fast[::-1]).high > 2


def test_every_criterion_has_its_claim():
    modules = (radial26, radial26_energy, radial26_sequences)
    claims = [claim for module in modules for claim in module.CLAIMS]
    assert {claim.id.split(".")[1] for claim in claims} == set(CRITERIA)
    assert all(claim.criterion == CRITERIA[claim.id.split(".")[1]] for claim in claims)
    own = {claim.id for claim in claims if claim.source == "grokbook"}
    assert own == {"grokbook.penalty_inflates_inside", "grokbook.radial_gradient_is_calibration"}


@pytest.mark.parametrize(
    "judge",
    [
        radial26.judge_penalty_inflates,
        radial26_energy.judge_anisotropic,
        radial26_energy.judge_energy,
        radial26_energy.judge_flatter,
        radial26_sequences.judge_transformer,
        radial26_sequences.judge_text,
    ],
)
def test_without_the_penalised_arm_nothing_is_judged(judge):
    assert judge(dataset(arm(**BASELINE))).verdict == "not yet run"
