"""Optimisers against `torch.optim`, step for step."""

import copy
import dataclasses

import pytest
import torch

from grokbook.training.optimizers import OPTIMIZERS, SGD, Adam, AdamW

STEPS = 200
SETTINGS = [
    AdamW(),
    AdamW(1e-2, 1.0, warmup=10, beta1=0.9, beta2=0.98),
    AdamW(3e-3, 0.1, beta1=0.5, beta2=0.9, epsilon=1e-3),
    Adam(),
    Adam(1e-2, 1.0, warmup=10, beta1=0.9, beta2=0.98),
    Adam(3e-3, 0.1, beta1=0.5, beta2=0.9, epsilon=1e-3),
    SGD(1e-2),
    SGD(1e-2, 0.1),
    SGD(1e-2, 0.1, momentum=0.9),
    SGD(3e-2, 0.5, warmup=10, momentum=0.5),
]
WARMED = [optimizer for optimizer in SETTINGS if optimizer.warmup]


def name(optimizer):
    values = {k: v for k, v in dataclasses.asdict(optimizer).items() if v is not None}.items()
    return f"{optimizer.kind}-" + "-".join(f"{key}={value:g}" for key, value in values)


def data():
    """A start, and gradients that change sign and size as a run's do."""
    generator = torch.Generator().manual_seed(5)
    start = torch.randn(9, generator=generator, dtype=torch.float64)
    gradients = torch.randn(STEPS, 9, generator=generator, dtype=torch.float64)
    return start, gradients * torch.logspace(0, -4, 9, dtype=torch.float64)


def ours(optimizer, dtype=torch.float64):
    return walk(optimizer, *(numbers.to(dtype) for numbers in data()))


def walk(optimizer, theta, gradients):
    """The weights after every step."""
    state, path = optimizer.start(theta), []
    for done, gradient in enumerate(gradients):
        optimizer.step(theta, gradient, state, done)
        path.append(theta.clone())
    return torch.stack(path)


def torch_optimizer(optimizer, weights):
    numbers = {"lr": optimizer.learning_rate, "weight_decay": optimizer.weight_decay}
    if optimizer.kind == "sgd":
        return torch.optim.SGD(weights, momentum=optimizer.momentum, **numbers)
    numbers |= {"betas": (optimizer.beta1, optimizer.beta2), "eps": optimizer.epsilon}
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[optimizer.kind]
    # The formula written out, one tensor at a time: neither side is the other's kernel.
    return kind(weights, foreach=False, fused=False, **numbers)


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


@pytest.mark.parametrize("optimizer", SETTINGS, ids=name)
def test_in_float32_it_is_the_same_but_for_rounding(optimizer):
    path = ours(optimizer, torch.float32)
    assert path.dtype == torch.float32
    assert (path - theirs(optimizer)).abs().max() < 3e-5


@pytest.mark.parametrize(
    ("optimizer", "other"), [(AdamW, "adam"), (Adam, "adamw")], ids=["adamw", "adam"]
)
def test_the_comparison_tells_coupled_decay_from_decoupled(optimizer, other):
    one = optimizer(1e-2, 1.0, beta2=0.98)
    wrong = OPTIMIZERS[other](**dataclasses.asdict(one))
    assert deviation(ours(one), theirs(wrong)) > 1e-3
    # Without decay they are one.
    free = dataclasses.replace(one, weight_decay=0)
    assert deviation(ours(free), theirs(dataclasses.replace(wrong, weight_decay=0))) < 1e-12


@pytest.mark.parametrize("optimizer", WARMED, ids=name)
def test_the_comparison_sees_a_warm_up_that_is_one_step_off(optimizer):
    longer = dataclasses.replace(optimizer, warmup=optimizer.warmup + 1)
    assert deviation(ours(longer), theirs(optimizer)) > 1e-4


@pytest.mark.parametrize("optimizer", WARMED, ids=name)
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


def several(optimizers, together, gradients):
    """The paths of runs that share their steps, and of each alone."""
    alone = [
        walk(optimizer, together[run].clone(), gradients[:, run])
        for run, optimizer in enumerate(optimizers)
    ]
    return walk(stacked(optimizers), together, gradients), torch.stack(alone, dim=1)


def stacked(optimizers):
    """One optimiser with a column of numbers in place of each number in which they differ."""
    one = copy.copy(optimizers[0])
    for item, value in dataclasses.asdict(one).items():
        numbers = [getattr(optimizer, item) for optimizer in optimizers]
        if any(number != value for number in numbers):
            column = torch.tensor(numbers, dtype=torch.float64)[:, None]
            object.__setattr__(one, item, column)
    return one


def three_runs(dtype):
    generator = torch.Generator().manual_seed(6)
    starts = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    gradients = torch.randn(20, 3, 4, generator=generator, dtype=torch.float64)
    return starts.to(dtype), gradients.to(dtype)


@pytest.mark.parametrize("optimizer", SETTINGS, ids=name)
def test_a_leading_run_axis_steps_each_run_alone(optimizer):
    together, alone = several([optimizer] * 3, *three_runs(torch.float64))
    torch.testing.assert_close(together, alone, rtol=1e-13, atol=1e-15)


APART = {
    "adamw": [AdamW(1e-2), AdamW(3e-3, 2.0, beta1=0.5), AdamW(1e-1, 0.1, beta2=0.9, epsilon=0.1)],
    "adam": [Adam(1e-2), Adam(3e-3, 2.0, beta1=0.5), Adam(1e-1, 0.1, beta2=0.9, epsilon=0.1)],
    "sgd": [SGD(1e-2), SGD(3e-2, 0.5), SGD(1e-1, 0.1, momentum=0.9)],
}


@pytest.mark.parametrize("kind", APART)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_runs_that_share_a_step_keep_their_own_numbers(kind, dtype):
    together, alone = several(APART[kind], *three_runs(dtype))
    assert together.dtype == dtype
    rounding = 1e-5 if dtype == torch.float32 else 1e-13
    torch.testing.assert_close(together, alone, rtol=rounding, atol=rounding)
    assert not torch.allclose(alone[:, 0], alone[:, 1], atol=1e-2)


@pytest.mark.parametrize("field", ["learning_rate", "weight_decay"])
@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
@pytest.mark.parametrize("optimizer", [AdamW, Adam, SGD])
def test_bad_rates_are_refused(optimizer, value, field):
    with pytest.raises(ValueError, match=rf"{field} = {value} is not a rate: give a number"):
        optimizer(**{field: value})


def test_whole_numbers_become_floats():
    assert AdamW(1, 2, beta1=0) == AdamW(1.0, 2.0, beta1=0.0)
    assert Adam(1, 2, beta1=0) == Adam(1.0, 2.0, beta1=0.0) != AdamW(1, 2, beta1=0)
    assert all(type(value) is float for value in (AdamW(1, 2).learning_rate, SGD(1, 2).momentum))
    assert type(AdamW(warmup=10).warmup) is int


def test_optimizers_are_found_by_kind():
    assert OPTIMIZERS == {"adamw": AdamW, "adam": Adam, "sgd": SGD}


@pytest.mark.parametrize("kind", [AdamW, Adam, SGD])
def test_the_decay_ends_after_its_last_step(kind):
    """As with a decay up to there, and from there on with none, the state handed on."""
    start, gradients = data()
    ending = kind(1e-2, 0.5, decay_until=80)
    decaying, free = kind(1e-2, 0.5), kind(1e-2, 0.0)
    theta, state = start.clone(), decaying.start(start)
    path = []
    for done, gradient in enumerate(gradients):
        (decaying if done < 80 else free).step(theta, gradient, state, done)
        path.append(theta.clone())
    torch.testing.assert_close(walk(ending, *data()), torch.stack(path), rtol=0, atol=0)
    assert deviation(walk(decaying, *data()), torch.stack(path)) > 1e-3
    fused = walk(ending, *(numbers.float() for numbers in data()))
    assert deviation(fused.double(), torch.stack(path)) < 1e-3


def test_the_end_of_the_decay_is_a_step_and_no_part_of_older_names():
    with pytest.raises(ValueError, match="decay_until = -1 is no step: give 0 or more"):
        AdamW(decay_until=-1)
    assert AdamW(1e-3, 1.0, decay_until=0).decay(0) == 0
    assert AdamW(1e-3, 1.0).decay(10**9) == 1


@pytest.mark.parametrize("optimizer", SETTINGS, ids=name)
def test_the_direction_is_what_the_weights_moved_by(optimizer):
    """All but the decay, which is a part of it where it is coupled."""
    theta, gradients = data()
    state = optimizer.start(theta)
    for done, gradient in enumerate(gradients[:20]):
        before = theta.clone()
        optimizer.step(theta, gradient, state, done)
        rate = optimizer.learning_rate * optimizer.factor(done)
        decay = 0.0 if optimizer.kind == "adam" else optimizer.weight_decay
        u = optimizer.direction(before, state, done)
        torch.testing.assert_close((1 - rate * decay) * before - rate * u, theta)
