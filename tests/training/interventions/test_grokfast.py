"""Grokfast against its definition: an average and a window, written out gradient by gradient."""

import pytest
import torch

from grokbook.training.interventions.grokfast import GrokfastEMA, GrokfastMA
from grokbook.training.run import Run
from tests.training.interventions.steps import (
    LAYOUT,
    SIZE,
    assert_gradient_feeds_the_run_s_own_optimizer,
    assert_gradients_run_by_run,
    assert_resumes,
    at,
    double,
    gradients_after,
    with_intervention,
)


def average(history, alpha):
    """The unrolled sum: the first gradient counts as if it had always been there."""
    last = len(history) - 1
    weights = [alpha**last, *((1 - alpha) * alpha ** (last - s) for s in range(1, last + 1))]
    return sum(w * g for w, g in zip(weights, history, strict=True))


def windowed(history, window):
    """The mean over the list, or nothing while it is too short."""
    kept = history[-window:]
    return sum(kept) / window if len(kept) == window else torch.zeros_like(kept[0])


def test_ema_is_its_unrolled_sum():
    gradients = double(15, SIZE)
    found = gradients_after(GrokfastEMA(alpha=0.8, lamb=3.0), gradients)
    for t in range(15):
        expected = gradients[t] + 3 * average(list(gradients[: t + 1]), 0.8)
        torch.testing.assert_close(found[t], expected, rtol=1e-13, atol=1e-14)


def test_ema_by_hand():
    found = gradients_after(
        GrokfastEMA(alpha=0.5, lamb=2.0), torch.tensor([[8.0], [4.0], [0.0]]).expand(3, SIZE)
    )
    # mu = 8, then 6, then 3
    assert found[:, 0].tolist() == [24.0, 16.0, 6.0]


@pytest.mark.parametrize("window", [1, 3, 5])
def test_ma_is_the_mean_of_the_last_gradients_once_there_are_enough(window):
    gradients = double(17, SIZE)
    found = gradients_after(GrokfastMA(window=window, lamb=5.0), gradients)
    for t in range(17):
        expected = gradients[t] + 5 * windowed(list(gradients[: t + 1]), window)
        torch.testing.assert_close(found[t], expected, rtol=1e-13, atol=1e-14)
    assert torch.equal(found[: window - 1], gradients[: window - 1])
    assert not torch.allclose(found[window - 1], gradients[window - 1])


def test_ma_forgets_large_early_gradients():
    window, large = 20, 10
    gradients = double(70, SIZE).float()
    gradients[:large] *= 1e8
    found = gradients_after(GrokfastMA(window=window, lamb=5.0), gradients)
    exact = gradients.double()
    naive = torch.zeros(SIZE)
    for t in range(70):
        naive += gradients[t]
        if t >= window:
            naive -= gradients[t - window]
        if t >= large + window - 1:  # they have left the window, and the lap is not over
            mean = exact[t - window + 1 : t + 1].mean(0)
            slow = (found[t].double() - exact[t]) / 5
            torch.testing.assert_close(slow, mean, rtol=2e-5, atol=2e-6)
            # What a running sum in float32 would have made of it.
            assert (naive / window - mean).abs().max() > 0.1


def test_ma_drops_the_rounding_of_its_sum_at_each_lap():
    intervention, theta = GrokfastMA(window=4, lamb=1.0), torch.zeros(SIZE)
    state = intervention.start(theta, LAYOUT)
    for done, g in enumerate(double(7, SIZE).float()):
        intervention.gradient(g, at(theta, done), state)
    state["total"] += 1.0  # an error, however it came about
    g = torch.ones(SIZE)
    intervention.gradient(g, at(theta, 7), state)
    assert torch.equal(state["total"], state["ring"].double().sum(0))


@pytest.mark.parametrize("intervention", [GrokfastEMA(), GrokfastMA(window=3)])
def test_gradients_are_copied(intervention):
    gradients = double(9, SIZE)
    expected = gradients_after(intervention, gradients)
    theta, buffer = torch.zeros(SIZE, dtype=torch.float64), torch.empty(SIZE, dtype=torch.float64)
    state = intervention.start(theta, LAYOUT)
    for done, g in enumerate(gradients):
        buffer.copy_(g)  # one buffer for all, as an optimiser that zeroes its gradients has
        found = intervention.gradient(buffer, at(theta, done), state)
        assert torch.equal(buffer, g)  # nor is it changed
        assert torch.equal(found, expected[done])
        buffer.fill_(float("nan"))


def test_a_step_of_ma_does_not_read_the_whole_window():
    intervention, theta = GrokfastMA(window=50), torch.zeros(SIZE)
    state = intervention.start(theta, LAYOUT)
    state["ring"][10:40] = float("nan")  # a step that adds them up would find them
    found = intervention.gradient(torch.ones(SIZE), at(theta, 3), state)
    assert found.isfinite().all() and state["total"].isfinite().all()


def test_ema_run_by_run():
    assert_gradients_run_by_run([GrokfastEMA(0.98, 2), GrokfastEMA(0.5, 1), GrokfastEMA(0.0, 0.5)])


def test_ma_run_by_run():
    assert_gradients_run_by_run([GrokfastMA(4, 2), GrokfastMA(4, 1), GrokfastMA(4, 0.5)])


@pytest.mark.parametrize(
    "intervention", [GrokfastEMA(0.9, 2), GrokfastMA(window=5), GrokfastMA(window=40)]
)
def test_a_resumed_run_is_the_uninterrupted_one(intervention):
    assert_resumes(with_intervention(intervention))
    assert_resumes(with_intervention(intervention, batch_size=4))


def test_the_optimizer_behind_ema_keeps_its_numbers():
    assert_gradient_feeds_the_run_s_own_optimizer(
        GrokfastEMA(0.9, 2), lambda history, _: history[-1] + 2 * average(history, 0.9)
    )


def test_the_optimizer_behind_ma_keeps_its_numbers():
    assert_gradient_feeds_the_run_s_own_optimizer(
        GrokfastMA(4, 3), lambda history, _: history[-1] + 3 * windowed(history, 4)
    )


def test_the_defaults_are_the_paper_s():
    assert (GrokfastEMA().alpha, GrokfastEMA().lamb) == (0.98, 2.0)
    assert (GrokfastMA().window, GrokfastMA().lamb) == (100, 5.0)


@pytest.mark.parametrize("alpha", [-0.1, 1, 1.5])
def test_an_average_without_end_is_refused(alpha):
    with pytest.raises(ValueError, match=rf"alpha = {float(alpha)} is no memory: give 0 or more"):
        GrokfastEMA(alpha=alpha)


@pytest.mark.parametrize("window", [0, -3])
def test_an_empty_window_is_refused(window):
    with pytest.raises(ValueError, match=rf"window = {window} holds no gradient: give 1 step"):
        GrokfastMA(window=window)


@pytest.mark.parametrize("intervention", [GrokfastEMA(1 / 3, 7), GrokfastMA(9, 7)])
def test_json_reads_back(intervention):
    run = with_intervention(intervention)
    assert Run.from_json(run.to_json()) == run
