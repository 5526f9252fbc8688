"""The radial penalty against its definition, its gradient, and a network that feels it."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from grokbook.models import MLP, Decoder, Transformer
from grokbook.tasks import Split, Task
from grokbook.theory import radial
from grokbook.training.interventions import Look
from grokbook.training.interventions.radial_penalty import RadialPenalty, off_sphere
from grokbook.training.objective import objective
from grokbook.training.optimizers import AdamW
from grokbook.training.run import Run
from grokbook.training.trajectory import Trajectory
from tests.training.interventions.steps import assert_resumes, assert_trains_as_alone, double, walk

RUN = Run(
    Task("add", 7),
    Split(0.5, seed=1),
    MLP(16, hidden_layers=2),
    AdamW(1e-2, 0.1),
    precision="float64",
    interventions=(RadialPenalty(0.3),),
    init_seed=2,
)


def look(*layers):
    named = {f"pre_{i}": h for i, h in enumerate(layers, 1)} | {"hidden_1": layers[0] * 100}
    return Look({}, torch.zeros(1, 2).int(), torch.zeros(1).int(), torch.zeros(1, 2), named)


@pytest.mark.parametrize("radius", [0.0, 0.5, 1, 2.0])
def test_it_is_its_definition_summed_over_the_layers_and_averaged_over_the_batch(radius):
    first, second = double(6, 5, seed=1), 3 * double(6, 8, seed=2)
    expected = 0.0
    for h in (first, second):
        d = h.shape[-1]
        for row in h.tolist():
            norm = sum(x * x for x in row) ** 0.5
            expected += 0.3 * (norm - radius * d**0.5) ** 2 / d / 6
    found, state = RadialPenalty(0.3, radius).penalty(look(first, second), {})
    assert found.item() == pytest.approx(expected, rel=1e-13)
    assert state == {} and found.dtype == torch.float64


def test_its_gradient_is_strictly_radial_and_turns_at_the_sphere():
    for size, sign in ((0.5, -1), (2.0, 1)):
        h = double(9, 16, seed=3)
        h = (size * 4 * h / h.norm(dim=-1, keepdim=True)).requires_grad_()
        (g,) = torch.autograd.grad(RadialPenalty(0.3).penalty(look(h), {})[0], h)
        inner = (g * h).sum(-1)
        assert (inner.sign() == sign).all()
        across = g - inner[:, None] * h / h.square().sum(-1, keepdim=True)
        assert across.abs().max() < 1e-15
        by_hand = radial.penalty_gradient(h.detach().numpy(), 0.3) / 9
        np.testing.assert_allclose(g, by_hand, rtol=1e-12)


def test_at_rest_a_vector_of_zeros_has_a_finite_gradient():
    h = torch.zeros(1, 4, dtype=torch.float64, requires_grad=True)
    (g,) = torch.autograd.grad(off_sphere(h).sum(), h)
    assert g.isfinite().all()


def test_a_network_minimises_the_loss_and_the_penalty_of_both_layers():
    trajectory = Trajectory(RUN, "cpu")
    pairs, labels = trajectory.train
    found = objective(RUN, trajectory.parameters, pairs, labels, [{}], fused=False)
    seen = {}
    RUN.model.forward(trajectory.parameters, pairs, watch=seen)
    layers = [seen[name].detach().numpy() for name in ("pre_1", "pre_2")]
    added = sum(radial.penalty(h, 0.3).mean() for h in layers)
    assert (found.minimised - found.loss).item() == pytest.approx(added, rel=1e-12)


def test_the_curve_records_the_loss_without_it():
    trajectory = Trajectory(RUN, "cpu")
    plain = Trajectory(RUN.replace(interventions=()), "cpu")
    assert trajectory.gradient()[0] == plain.gradient()[0]


def test_it_inflates_what_starts_inside_the_sphere():
    trajectory = Trajectory(RUN.replace(radial_penalty_strength=3.0), "cpu")
    pairs = trajectory.train[0]

    def ratios():
        seen = {}
        RUN.model.forward(trajectory.parameters, pairs, watch=seen)
        return [seen[f"pre_{i}"].norm(dim=-1).mean().item() / 4 for i in (1, 2)]

    before = ratios()
    walk(trajectory, 150)
    assert max(before) < 0.4
    assert all(0.8 < ratio < 1.2 for ratio in ratios())


def test_runs_of_several_strengths_and_radii_form_an_ensemble():
    runs = [
        RUN.replace(radial_penalty_strength=strength, radial_penalty_radius=radius)
        for strength, radius in ((0.0, 1.0), (0.3, 1.0), (0.3, 2.0))
    ]
    assert_trains_as_alone(runs)


def test_a_resumed_run_is_the_uninterrupted_one():
    assert_resumes(RUN)


def test_it_keeps_its_name_and_its_numbers():
    assert Run.from_json(RUN.to_json()) == RUN
    assert json.loads(RUN.to_json())["interventions"] == [
        {"kind": "radial_penalty", "radius": 1.0, "strength": 0.3}
    ]


@pytest.mark.parametrize("name", ["strength", "radius"])
def test_negative_numbers_are_refused(name):
    with pytest.raises(ValueError, match=rf"{name} = -0.5 is negative: give 0 or more"):
        RadialPenalty(**{name: -0.5})


def test_a_decoder_is_penalised_where_its_blocks_add_to_the_stream():
    model = Decoder(layers=2, d_model=16, heads=2, d_mlp=24, norm_position="pre")
    run = dataclasses.replace(RUN, model=model)
    trajectory = Trajectory(run, "cpu")
    pairs, labels = trajectory.train
    seen = {}
    model.forward(trajectory.parameters, pairs, watch=seen)
    names = [f"{block}_out_{layer}" for layer in (1, 2) for block in ("attention", "mlp")]
    added = sum(radial.penalty(seen[name][:, -1].detach().numpy(), 0.3).mean() for name in names)
    found = objective(run, trajectory.parameters, pairs, labels, [{}], fused=False)
    assert (found.minimised - found.loss).item() == pytest.approx(added, rel=1e-12)


def test_a_radius_at_the_start_is_each_layer_s_own_mean_norm():
    run = RUN.replace(radial_penalty_unit="start", radial_penalty_radius=0.5, batch_size=10)
    trajectory, seen = Trajectory(run, "cpu"), {}
    run.model.forward(trajectory.parameters, trajectory.train[0][:10], watch=seen)
    norms = {name: seen[name].norm(dim=-1).mean() for name in ("pre_1", "pre_2")}
    assert abs(norms["pre_1"] - norms["pre_2"]) > 0.1
    pairs, labels = trajectory.batch()
    trajectory.batches.used -= 1
    found = objective(run, trajectory.parameters, pairs, labels, trajectory.states, fused=False)
    run.model.forward(trajectory.parameters, pairs, watch=seen)
    added = sum(0.3 / 16 * (seen[n].norm(dim=-1) - 0.5 * norms[n]).square().mean() for n in norms)
    assert (found.minimised - found.loss).item() == pytest.approx(added.item(), rel=1e-12)
    walk(trajectory, 5)  # it stays where the start was
    torch.testing.assert_close(trajectory.states[0]["pre_1"], norms["pre_1"] / 4)
    assert_resumes(run)


def test_at_all_positions_the_mean_is_over_them_too():
    h = double(6, 3, 8, seed=4)
    answer, everywhere = (
        RadialPenalty(0.3, at=at).penalty(look(h), {})[0].item() for at in ("answer", "all")
    )
    by_hand = [[0.3 / 8 * (x.norm().item() - 8**0.5) ** 2 for x in row] for row in h]
    assert everywhere == pytest.approx(np.mean(by_hand), rel=1e-12)
    assert answer == pytest.approx(np.mean([row[-1] for row in by_hand]), rel=1e-12)


@pytest.mark.parametrize(("name", "known"), [("unit", "start"), ("at", "all")])
def test_unknown_words_are_refused(name, known):
    penalty = RadialPenalty()
    object.__setattr__(penalty, name, "else")  # past the type checks of the tests
    with pytest.raises(ValueError, match=f"{name} = 'else' is not known: .*{known!r}"):
        penalty.__post_init__()


def test_a_model_that_shows_none_of_these_is_refused():
    model = Transformer(d_model=16, heads=2, d_mlp=24)
    trajectory = Trajectory(dataclasses.replace(RUN, model=model), "cpu")
    with pytest.raises(ValueError, match="shows no pre-activations and nothing that its blocks"):
        trajectory.gradient()


def test_a_strength_of_0_adds_nothing_and_still_asks_for_a_model_that_fits():
    seen = look(double(6, 5, seed=1))
    assert RadialPenalty(0.0).penalty(seen, {}) is None
    with pytest.raises(ValueError, match="no pre-activations"):
        RadialPenalty(0.0).penalty(seen._replace(activations={}), {})
    bare = RUN.replace(radial_penalty_strength=0.0)
    plain, penalised = (Trajectory(run, "cpu") for run in (bare.replace(interventions=()), bare))
    for each in (plain, penalised):
        walk(each, 5)
    assert torch.equal(plain.theta, penalised.theta)
