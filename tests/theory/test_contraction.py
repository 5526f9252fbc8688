"""Chapter 03's predictions against simulation, brute force and the exact constants."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import lambertw

from grokbook.theory import contraction

ETA, LAM = 0.01, 1.0


def walk(V_0, sigma, level, seed, runs=400):
    """Plain descent on no loss at all: decay and noise, until V first passes the level."""
    rng = np.random.default_rng(seed)
    size = 20
    theta = np.full((runs, size), np.sqrt(V_0 / size))
    times, path = np.full(runs, np.nan), [np.full(runs, V_0)]
    for step in range(1, 2_000):
        noise = rng.standard_normal(theta.shape) * sigma / np.sqrt(size)
        theta = (1 - ETA * LAM) * theta - ETA * noise
        V = (theta**2).sum(1)
        path.append(V)
        times[np.isnan(times) & (V <= level)] = step
        if not np.isnan(times).any():
            break
    return times, np.array(path)


def test_mean_and_hitting_time_of_decay_with_noise():
    V_0, sigma, level = 100.0, 20.0, 10.0
    floor = contraction.noise_floor(sigma**2, ETA, LAM)
    times, path = walk(V_0, sigma, level, seed=0)
    crossing = contraction.delay(V_0 - floor, level - floor, ETA, LAM)
    assert path[60].mean() == pytest.approx((1 - ETA) ** 120 * (V_0 - floor) + floor, rel=0.02)
    assert times.mean() == pytest.approx(crossing, rel=0.03)
    bound = contraction.mean_hitting_time(V_0, level, floor, ETA, LAM)
    assert crossing < bound < 2 * crossing
    assert times.mean() < bound


def test_the_published_floor_is_twice_the_floor():
    assert contraction.noise_floor(3.0, 1e-3, 1.0) == pytest.approx(1e-3 * 3.0 / 2, rel=1e-3)


@pytest.mark.parametrize("classes", [2, 5, 97, 113])
def test_no_logits_exceed_the_largest_gap(classes):
    def negative(z):
        shifted = z - z.max()
        logs = shifted - np.log(np.exp(shifted).sum())
        return -(-(np.exp(logs) * logs).sum() + logs[0])

    start = np.zeros(classes)
    start[0] = 1.0
    found = minimize(negative, start, method="BFGS", options={"gtol": 1e-10})
    bound = contraction.largest_gap(classes)
    assert -found.fun == pytest.approx(bound, rel=1e-6)
    assert bound == pytest.approx(lambertw((classes - 1) / np.e).real, rel=1e-12)
    rng = np.random.default_rng(classes)
    assert all(-negative(z * s) <= bound for s in (1, 5) for z in rng.normal(size=(200, classes)))


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.9, 0.98)])
def test_no_gradients_move_a_component_further(beta1, beta2):
    rng = np.random.default_rng(0)

    def update(gradients):
        m = v = 0.0
        for g in gradients:
            m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        t = len(gradients)
        return m / (1 - beta1**t) / np.sqrt(v / (1 - beta2**t))

    for t in (1, 2, 10, 300):
        bound = float(contraction.largest_update(t, beta1, beta2))
        growing = (beta1 / beta2) ** np.arange(t, 0, -1.0)
        assert update(growing) == pytest.approx(bound, rel=1e-10)
        assert all(abs(update(rng.standard_normal(t) ** 5)) <= bound + 1e-12 for _ in range(50))
    bounds = contraction.largest_update(np.arange(1, 20_001), beta1, beta2)
    assert (np.diff(bounds) > -1e-12).all()
    assert bounds[-1] <= contraction.largest_update(np.inf, beta1, beta2) + 1e-12


def test_the_naive_constant_is_no_bound():
    assert contraction.largest_update(np.inf, 0.9, 0.999) > 2 * 0.1 / np.sqrt(0.001)


def test_the_shortest_delay_is_that_of_a_push_straight_inwards():
    s, steps, B = 60.0, 0, 5.0
    while s > 33:
        s, steps = (1 - ETA * LAM) * s - ETA * B, steps + 1
    bound = contraction.shortest_delay(3600.0, 33.0**2, B, ETA, LAM)
    assert bound <= steps < bound + 1


def test_pure_decay_is_the_case_of_no_push_and_an_outward_one_takes_longer():
    pure = contraction.shortest_delay(3600.0, 900.0, 0.0, ETA, LAM)
    assert pure == pytest.approx(contraction.delay(3600.0, 900.0, ETA, LAM), rel=1e-12)
    assert contraction.shortest_delay(3600.0, 900.0, -10.0, ETA, LAM) > pure
    assert np.isnan(contraction.shortest_delay(3600.0, 900.0, -30.0, ETA, LAM))


def test_kappa_over_a_delay_gives_the_delay_back():
    kappa = contraction.measured_kappa(3900.0, 1100.0, 1_200, 1e-3, 1.0)
    assert contraction.delay(3900.0, 1100.0, 1e-3, 1.0, kappa) == pytest.approx(1_200)


def test_descent_catapults_past_the_published_lower_bound():
    path = contraction.catapult((10.0, 1e-3), 0.03, 1e-3, 3_000)
    passed = int((path[:, 0] <= 60).argmax())
    published = np.log(path[0, 0] / 60) / (0.03 * 1e-3)
    assert 0 < passed <= 13
    assert passed < published / 1_000
    assert path[-1, 1] < 1e-10


def test_gradient_flow_stays_between_its_bounds():
    """Logits ±abx of degree 2, two classes, by small steps: V within both curves."""
    a, b, lam, step, low_since = 1.5, 1.0, 0.05, 1e-3, 0
    V_0 = a * a + b * b
    for i in range(1, 20_001):
        s = 1 / (1 + np.exp(2 * a * b))  # probability of the wrong class, x = 1
        slope = -2 * s
        a, b = a - step * (slope * b + lam * a), b - step * (slope * a + lam * b)
        low, high = contraction.flow_bounds(i * step, V_0, lam, degree=2, classes=2)
        assert low * (1 - 1e-3) <= a * a + b * b <= high * (1 + 1e-3)
        low_since += low < a * a + b * b
    assert low_since > 19_000
