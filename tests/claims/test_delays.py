"""What the judges of the delay law ask of runs, against counting and fitting by hand."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from grokbook.claims import delays
from tests.claims.delay_runs import cell, made

NEVER = np.nan


def onsets(*pairs: tuple[float, float], **same):
    """Runs with these t_mem and t_grok."""
    t_mem, t_grok = (list(each) for each in zip(*pairs, strict=True))
    return made(cell(t_mem=t_mem, t_grok=t_grok, **same))


PAIRS = ((100.0, 900.0), (100.0, NEVER), (100.0, 100.0), (100.0, 50.0), (NEVER, 900.0))


def test_a_delay_needs_memorisation_first():
    runs = onsets(*PAIRS, (NEVER, NEVER))
    assert delays.memorised(runs)["init_seed"].values.tolist() == [42, 43]
    assert delays.delayed(runs)["init_seed"].values.tolist() == [42]


def test_a_censored_delay_stands_at_the_budget():
    times, seen = delays.delays(delays.memorised(onsets(*PAIRS, budget=5_000)))
    assert times.tolist() == [800, 4_900]
    assert seen.tolist() == [True, False]


def test_a_seed_counts_once_in_however_many_cells():
    assert delays.independent(made(cell(p=[53] * 3), cell(p=[97] * 3))) == 3
    assert delays.independent(made(cell(p=[53] * 3), cell(44, p=[97] * 3))) == 5


def test_squared_norms_are_sums_over_the_parameters_that_a_network_has():
    runs = made(cell(V_mem=[4e3, 3e3], V_grok=1e3, V_end=[500.0, 2e3], t_grok=[1_700.0, NEVER]))
    assert delays.squared_norm_at(runs, "t_mem") == pytest.approx([4e3, 3e3])
    assert delays.squared_norm_at(runs, "t_grok") == pytest.approx([1e3, NEVER], nan_ok=True)
    assert delays.squared_norm_at_end(runs) == pytest.approx([500, 2e3])
    curve = delays.squared_norm_curve(runs)
    assert curve.shape == (2, runs.sizes["step"])
    beyond = runs["step"].values > 3_700
    assert beyond.any() and np.isnan(curve[0, beyond]).all() and np.isfinite(curve[1, -1])


def test_the_axes_of_a_curve_may_lie_in_any_order():
    runs = made(cell(V_end=[500.0, 600.0]))
    turned = runs.transpose("parameter", "step", "onset", "side", "run")
    assert delays.squared_norm_at_end(turned) == pytest.approx([500, 600])


def test_rates_are_those_at_memorisation():
    runs = made(cell(before=[1e-3, 2e-3], after=[3e-3, 4e-3]))
    assert delays.rate(runs, "before").tolist() == [1e-3, 2e-3]
    assert delays.rate(runs, "after").tolist() == [3e-3, 4e-3]


@pytest.mark.parametrize(("rate", "decay"), [(1e-3, 1.0), (5e-4, 2.0), (1e-3, 0.1)])
def test_pure_decay_is_the_time_that_decay_alone_takes(rate, decay):
    runs = made(cell(learning_rate=rate, weight_decay=decay))
    steps = 0
    V = 4_000.0
    while V > 500:
        V, steps = V * (1 - rate * decay) ** 2, steps + 1
    law = delays.pure_decay(runs, np.array([4_000.0]), np.array([500.0]))
    assert steps - 1 <= law[0] <= steps


def test_a_run_is_left_out_of_its_own_statistic():
    values = np.array([1.0, 2.0, 6.0, 10.0, 30.0, 5.0])
    groups = np.array([2.0, 2.0, 2.0, 3.0, 3.0, 9.0])
    found = delays.leave_one_out(values, groups, np.mean)
    np.testing.assert_array_equal(found, [4, 3.5, 1.5, 30, 10, np.nan])


STEPS = np.arange(700.0, 3_701, 50)


@pytest.mark.parametrize(("speed", "floor"), [(1.4e-3, 200.0), (4e-4, 900.0), (6e-3, 0.0)])
def test_an_exponential_is_recovered(speed, floor):
    rate, r2 = delays.exponential_fit(STEPS, 3_000 * np.exp(-speed * (STEPS - 700)) + floor)
    assert rate == pytest.approx(speed, rel=1e-4)
    assert r2 == pytest.approx(1, abs=1e-7)


def test_a_noisy_exponential_is_fitted_as_by_least_squares():
    t = STEPS - STEPS[0]
    V = 3_000 * np.exp(-1.4e-3 * t) + 200 + np.random.default_rng(0).normal(0, 150, len(t))
    rate, r2 = delays.exponential_fit(STEPS, V)

    def model(t, A, speed, C):
        return A * np.exp(-1e-3 * speed * t) + C

    best, _ = curve_fit(model, t, V, p0=[2_500, 1, 300], bounds=(0, np.inf), xtol=1e-12)
    assert rate == pytest.approx(1e-3 * best[1], rel=1e-3)
    left = ((V - model(t, *best)) ** 2).sum() / ((V - V.mean()) ** 2).sum()
    assert r2 == pytest.approx(1 - left, abs=1e-6) and r2 < 0.99


def test_a_fit_has_no_negative_floor():
    falling = 3_000.0 - 0.9 * (STEPS - STEPS[0])  # a line: the best floor is far below 0
    _, r2 = delays.exponential_fit(STEPS, falling)
    t = STEPS - STEPS[0]
    sums = [
        ((falling - wave * (wave @ falling) / (wave @ wave)) ** 2).sum()
        for wave in (np.exp(-speed * t) for speed in np.linspace(1e-5, 3e-3, 3_000))
    ]
    assert r2 == pytest.approx(1 - min(sums) / ((falling - falling.mean()) ** 2).sum(), abs=1e-6)


def test_a_norm_that_grows_is_no_decay():
    growing = 3_000 - 2_000 * np.exp(-1.4e-3 * (STEPS - STEPS[0]))
    assert delays.exponential_fit(STEPS, growing)[1] == pytest.approx(0, abs=1e-9)
