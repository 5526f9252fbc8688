"""What a step does to the norm, how fast it falls, and rescalings that no logit sees."""

import math

import pytest
import torch

from grokbook.measures.calibration import calibration_gap
from grokbook.measures.contraction import (
    OF_ONE_STEP,
    contraction_rate,
    next_squared_norm,
    of_one_step,
)
from grokbook.measures.symmetries import SYMMETRIES, rescaled
from grokbook.models import Transformer
from grokbook.protocols import norm_separation26


def vectors(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=generator) for _ in range(3)]


def test_the_sums_are_those_of_plain_loops_and_in_double_precision():
    before, gradient, u = vectors(1_000)
    after = 0.9 * before - 0.1 * u
    found = of_one_step(before, after, gradient, u)
    pairs = (before, gradient), (gradient, gradient), (before, u), (u, u), (after, after)
    for name, (x, y) in zip(OF_ONE_STEP, pairs, strict=True):
        assert found[name].dtype == torch.float64
        expected = math.fsum(a * b for a, b in zip(x.tolist(), y.tolist(), strict=True))
        assert found[name].item() == pytest.approx(expected, rel=1e-14)


def test_several_runs_at_once():
    before, gradient, u = vectors(4, 50)
    found = of_one_step(before, before - u, gradient, u)
    alone = of_one_step(before[2], before[2] - u[2], gradient[2], u[2])
    for name in OF_ONE_STEP:
        assert found[name].shape == (4,)
        torch.testing.assert_close(found[name][2], alone[name])


def test_the_next_squared_norm_is_that_of_the_step():
    theta, _, u = (each.double() for each in vectors(30))
    rate, decay = 0.03, 0.7
    after = (1 - rate * decay) * theta - rate * u
    said = next_squared_norm(theta @ theta, theta @ u, u @ u, rate, decay)
    assert said.item() == pytest.approx((after @ after).item(), rel=1e-14)


def test_a_rate_is_that_of_the_exponential_and_needs_both_ends():
    steps = torch.arange(0.0, 501.0, 50.0, dtype=torch.float64)
    norm = 7 * torch.exp(-0.003 * steps)
    assert contraction_rate(steps, norm, 100, 200).item() == pytest.approx(0.003)
    for start, end in ((100, 225), (75, 200), (200, 200), (math.nan, 200), (200, 700)):
        assert contraction_rate(steps, norm, start, end).isnan()


@pytest.mark.parametrize("scale", [0.1, 1.0, 20.0])
def test_the_gap_is_loss_less_entropy(scale):
    logits = vectors(40, 7)[0].double() * scale
    labels = torch.arange(40) % 7
    loss = torch.nn.functional.cross_entropy(logits, labels)
    entropy = torch.distributions.Categorical(logits=logits).entropy().mean()
    assert calibration_gap(logits, labels).item() == pytest.approx((loss - entropy).item())


def test_one_thing_is_seen_by_no_logit_and_changes_the_norm():
    model = norm_separation26(seeds=1).runs[0].model
    generator = torch.Generator().manual_seed(0)
    weights = {
        name: w.double() + 0.1 * torch.randn(w.shape, generator=generator)
        for name, w in model.initialise(13, seed=0).items()
    }
    pairs = torch.cartesian_prod(torch.arange(13), torch.arange(13))
    logits = model.reference(weights, pairs)
    norm = sum(w.square().sum() for w in weights.values())
    for symmetry in SYMMETRIES:
        # What ε does to a norm is no symmetry: it is of its size.
        small = 1e-3 if "norm" in symmetry or symmetry == "embeddings" else 1e-12
        other = rescaled(weights, symmetry, 2.0)
        change = (model.reference(other, pairs) - logits).abs().max() / logits.abs().max()
        assert change < small, symmetry
        assert abs(sum(w.square().sum() for w in other.values()) / norm - 1) > 1e-3


@pytest.mark.parametrize("symmetry", SYMMETRIES)
def test_each_part_of_a_symmetry_is_needed(symmetry):
    model = norm_separation26(seeds=1).runs[0].model
    generator = torch.Generator().manual_seed(0)
    weights = {
        name: w.double() + 0.3 * torch.randn(w.shape, generator=generator)
        for name, w in model.initialise(7, seed=0).items()
    }
    pairs = torch.cartesian_prod(torch.arange(7), torch.arange(7))
    logits, whole = model.reference(weights, pairs), rescaled(weights, symmetry, 2.0)
    for name in (part for parts in SYMMETRIES[symmetry] for part in parts):
        changed = model.reference(whole | {name: weights[name]}, pairs)
        assert (changed - logits).abs().max() > 1e-3, name


def test_the_bias_of_the_keys_is_seen_by_no_logit():
    model = norm_separation26(seeds=1).runs[0].model
    weights = {name: w.double() for name, w in model.initialise(7, seed=0).items()}
    pairs = torch.cartesian_prod(torch.arange(7), torch.arange(7))
    logits = model.reference(weights, pairs)
    shifted = model.reference(weights | {"b_K": weights["b_K"] + 1}, pairs)
    torch.testing.assert_close(shifted, logits, rtol=0, atol=1e-12)
    other = model.reference(weights | {"b_Q": weights["b_Q"] + 1}, pairs)
    assert (other - logits).abs().max() > 1e-3


def test_it_is_another_architecture_that_has_no_such_symmetry():
    model = Transformer(tokens=2, norm_position="none", attention_bias=True, init="encoder")
    weights = {name: w.double() for name, w in model.initialise(7, seed=0).items()}
    pairs = torch.cartesian_prod(torch.arange(7), torch.arange(7))
    other = rescaled(weights, "embeddings", 2.0)
    assert (model.reference(other, pairs) - model.reference(weights, pairs)).abs().max() > 0.1


@pytest.mark.parametrize("c", [0, -1.0, math.nan])
def test_what_is_no_rescaling_is_refused(c):
    with pytest.raises(ValueError, match=f"c = {c} is no scale: give a positive number"):
        rescaled({}, "embeddings", c)
    with pytest.raises(ValueError, match="symmetry = 'biases' is not known: choose queries and"):
        rescaled({}, "biases", 2.0)
