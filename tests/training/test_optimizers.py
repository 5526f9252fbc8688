"""Optimisers against `torch.optim`, step for step."""

import dataclasses

import pytest
import torch

from grokbook.training.optimizers import OPTIMIZERS, SGD, AdamW

STEPS = 200
SETTINGS = [
    AdamW(),
    AdamW(1e-2, 1.0, warmup=10, beta1=0.9, beta2=0.98),
    AdamW(3e-3, 0.1, beta1=0.5, beta2=0.9, epsilon=1e-3),
    SGD(1e-2),
    SGD(1e-2, 0.1),
    SGD(1e-2, 0.1, momentum=0.9),
    SGD(3e-2, 0.5, warmup=10, momentum=0.5),
]


def name(optimizer):
    values = dataclasses.asdict(optimizer).items()
    return f"{optimizer.kind}-" + "-".join(f"{key}={value:g}" for key, value in values)


def data():
    """A start, and gradients that change sign and size as a run's do."""
    generator = torch.Generator().manual_seed(5)
    start = torch.randn(9, generator=generator, dtype=torch.float64)
    gradients = torch.randn(STEPS, 9, generator=generator, dtype=torch.float64)
    return start, gradients * torch.logspace(0, -4, 9, dtype=torch.float64)


def ours(optimizer):
    theta, gradients = data()
    state, path = optimizer.start(theta), []
    for done, gradient in enumerate(gradients):
        optimizer.step(theta, gradient, state, done)
        path.append(theta.clone())
    return torch.stack(path)


def torch_optimizer(optimizer, weights):
    numbers = {"lr": optimizer.learning_rate, "weight_decay": optimizer.weight_decay}
    if optimizer.kind == "sgd":
        return torch.optim.SGD(weights, momentum=optimizer.momentum, **numbers)
    betas = (optimizer.beta1, optimizer.beta2)
    return torch.optim.AdamW(weights, betas=betas, eps=optimizer.epsilon, **numbers)


def theirs(optimizer, make=torch_optimizer):
    start, gradients = data()
    weight = torch.nn.Parameter(start)
    torchs = make(optimizer, [weight])
    factor = (lambda t: min(t / optimizer.warmup, 1)) if optimizer.warmup else (lambda t: 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(torchs, factor)
    path = []
    for gradient in gradients:
        weight.grad = gradient.clone()
        torchs.step()
        schedule.step()
        path.append(weight.detach().clone())
    return torch.stack(path)


def deviation(path, expected):
    """Largest difference over all steps, relative to the weight."""
    return ((path - expected).abs() / (expected.abs() + 1e-3)).max().item()


@pytest.mark.parametrize("optimizer", SETTINGS, ids=name)
def test_equals_torch_step_for_step(optimizer):
    torch.testing.assert_close(ours(optimizer), theirs(optimizer), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("optimizer", SETTINGS, ids=name)
def test_the_comparison_sees_a_doubled_learning_rate(optimizer):
    doubled = dataclasses.replace(optimizer, learning_rate=2 * optimizer.learning_rate)
    assert deviation(ours(doubled), theirs(optimizer)) > 1e-3


def test_the_comparison_sees_coupled_decay():
    def coupled(optimizer, weights):
        betas = (optimizer.beta1, optimizer.beta2)
        numbers = {"lr": optimizer.learning_rate, "weight_decay": optimizer.weight_decay}
        return torch.optim.Adam(weights, betas=betas, **numbers)

    assert deviation(ours(SETTINGS[1]), theirs(SETTINGS[1], coupled)) > 1e-3


@pytest.mark.parametrize("optimizer", [SETTINGS[1], SETTINGS[6]], ids=name)
def test_the_comparison_sees_a_warm_up_that_is_one_step_off(optimizer):
    longer = dataclasses.replace(optimizer, warmup=optimizer.warmup + 1)
    assert deviation(ours(longer), theirs(optimizer)) > 1e-4


@pytest.mark.parametrize("optimizer", [SETTINGS[1], SETTINGS[6]], ids=name)
def test_first_step_of_a_warm_up_changes_no_weight(optimizer):
    theta, gradients = data()
    start, state = theta.clone(), optimizer.start(theta)
    optimizer.step(theta, gradients[0], state, 0)
    assert torch.equal(theta, start)
    assert all(moment.any() for moment in state.values())  # but the moments have begun
    optimizer.step(theta, gradients[1], state, 1)
    assert not torch.equal(theta, start)


def test_factor_climbs_to_one_and_stays():
    assert [AdamW(warmup=4).factor(done) for done in range(7)] == [0, 0.25, 0.5, 0.75, 1, 1, 1]
    assert [AdamW().factor(done) for done in (0, 1, 1000)] == [1, 1, 1]


@pytest.mark.parametrize("optimizer", [SETTINGS[1], SETTINGS[5]], ids=name)
def test_a_leading_run_axis_steps_each_run_alone(optimizer):
    generator = torch.Generator().manual_seed(6)
    starts = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    gradients = torch.randn(20, 3, 4, generator=generator, dtype=torch.float64)
    together = starts.clone()
    state = optimizer.start(together)
    for done, gradient in enumerate(gradients):
        optimizer.step(together, gradient, state, done)
    for run in range(3):
        alone = starts[run].clone()
        state = optimizer.start(alone)
        for done, gradient in enumerate(gradients[:, run]):
            optimizer.step(alone, gradient, state, done)
        torch.testing.assert_close(together[run], alone, rtol=1e-14, atol=0)


@pytest.mark.parametrize("field", ["learning_rate", "weight_decay"])
@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
@pytest.mark.parametrize("optimizer", [AdamW, SGD])
def test_bad_rates_are_refused(optimizer, value, field):
    with pytest.raises(ValueError, match=rf"{field} = {value} is not a rate: give a number"):
        optimizer(**{field: value})


def test_whole_numbers_become_floats():
    assert AdamW(1, 2, beta1=0) == AdamW(1.0, 2.0, beta1=0.0)
    assert all(type(value) is float for value in (AdamW(1, 2).learning_rate, SGD(1, 2).momentum))
    assert type(AdamW(warmup=10).warmup) is int


def test_optimizers_are_found_by_kind():
    assert OPTIMIZERS == {"adamw": AdamW, "sgd": SGD}
