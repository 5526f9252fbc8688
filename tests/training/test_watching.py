"""Watching activations: each logged number against a slow loop, alone, resumed and together."""

import dataclasses

import numpy as np
import pytest
import scipy.stats
import torch
import torch.nn.functional as F

from grokbook.archive.lookup import cut, serves
from grokbook.models import GPT, MLP, Decoder, Transformer
from grokbook.tasks import DigitAddition
from grokbook.theory import radial
from grokbook.training.engine import StoppedError, train_run
from grokbook.training.interventions import RadialPenalty
from grokbook.training.request import Request
from grokbook.training.together import train_together
from grokbook.training.trajectory import Trajectory
from grokbook.training.watching import AT_SITES, OVERALL, watched
from tests.tiny import assert_same, tiny
from tests.training.ensembles import assert_close

REQUEST = Request(40, evaluate_every=10, follow_radial=True)
RUN = tiny(precision="float64", interventions=(RadialPenalty(0.7),)).replace(hidden_layers=2)
UNBIASED = RUN.replace(bias=False)


def looked(run, steps=5):
    """What is watched after some steps, and the trajectory."""
    trajectory = Trajectory(run, "cpu")
    for _ in range(steps):
        trajectory.step(trajectory.gradient()[1])
    theta, states = trajectory.parameters, trajectory.states
    return watched(run, theta, *trajectory.train, states), trajectory


def example_by_example(run, trajectory, *, with_penalty):
    """Activations and gradients of one example after the other, by perturbing them."""
    theta = {name: w.detach() for name, w in trajectory.parameters.items()}
    for pair, label in zip(*trajectory.train, strict=True):
        zeros = [torch.zeros(run.model.width, dtype=torch.float64, requires_grad=True)] * 2
        zeros = [each.clone().detach().requires_grad_() for each in zeros]
        h1 = theta["W_1"][pair[0]] + theta["W_1"][run.task.p + pair[1]]
        h1 = h1 + theta.get("b_1", 0) + zeros[0]
        h2 = torch.relu(h1) @ theta["W_2"] + theta.get("b_2", 0) + zeros[1]
        z = torch.relu(h2) @ theta["W_U"] + theta.get("b_U", 0)
        loss = F.cross_entropy(z[None], label[None])
        if with_penalty:
            d = run.model.width
            loss = loss + sum(0.7 / d * (h.norm() - d**0.5) ** 2 for h in (h1, h2))
        entropy = -(z.softmax(-1) * z.log_softmax(-1)).sum()
        gap = (F.cross_entropy(z[None], label[None]) - entropy).item()
        gradients = torch.autograd.grad(loss, zeros)
        yield [h.detach().numpy() for h in (h1, h2)], [g.numpy() for g in gradients], gap


@pytest.mark.parametrize("run", [RUN, UNBIASED], ids=["biases", "plain"])
def test_every_number_is_the_mean_over_examples_one_by_one(run):
    found, trajectory = looked(run)
    task = list(example_by_example(run, trajectory, with_penalty=False))
    total = list(example_by_example(run, trajectory, with_penalty=True))
    gaps = np.array([gap for *_, gap in task])
    assert found["calibration_gap"].item() == pytest.approx(gaps.mean(), rel=1e-10)
    assert found["calibration_spread"].item() == pytest.approx(np.sqrt((gaps**2).mean()), rel=1e-10)
    for layer in (0, 1):
        h, g, g_total = (
            np.array([each[which][layer] for each in rows])
            for rows, which in ((task, 0), (task, 1), (total, 1))
        )
        product = (h * g).sum(-1)
        expected = {
            "norm_ratio": (np.linalg.norm(h, axis=-1) / np.sqrt(h.shape[-1])).mean(),
            "radial_energy": np.nanmean(radial.radial_energy(h, g)),
            "radial_energy_total": np.nanmean(radial.radial_energy(h, g_total)),
            "radial_null": np.nanmean(radial.masked_null(h, h > 0)),
            "radial_product": product.mean(),
            "radial_product_error": np.sqrt(((product - gaps) ** 2).mean()),
            "radial_energy_error": scipy.stats.sem(radial.radial_energy(h, g), nan_policy="omit"),
        }
        assert tuple(expected) == AT_SITES
        for name, value in expected.items():
            assert found[f"{name}/pre_{layer + 1}"].item() == pytest.approx(
                value, rel=1e-9, abs=1e-12
            )


def test_without_biases_the_radial_product_is_confidence_and_with_them_it_is_not():
    plain, biased = looked(UNBIASED)[0], looked(RUN)[0]
    for layer in ("pre_1", "pre_2"):
        assert plain[f"radial_product_error/{layer}"] < 1e-12 * plain["calibration_spread"]
        assert biased[f"radial_product_error/{layer}"] > 1e-3 * biased["calibration_spread"]


def test_the_task_s_energy_does_not_feel_the_penalty_s_strength():
    """At fixed weights: a penalty that measured itself would leak into it."""
    found, trajectory = looked(RUN)
    stronger = RUN.replace(radial_penalty_strength=50.0)
    other = watched(stronger, trajectory.parameters, *trajectory.train, trajectory.states)
    assert found.keys() == other.keys()
    for name in found:
        same = not name.startswith("radial_energy_total")
        assert torch.equal(found[name], other[name]) == same, name


def test_looking_changes_nothing():
    watching = train_run(RUN, REQUEST)
    plain = train_run(RUN, dataclasses.replace(REQUEST, follow_radial=False))
    assert_same(watching[list(plain.data_vars)].drop_vars("site", errors="ignore"), plain)


def test_it_is_stored_along_the_run_by_activation():
    found = train_run(RUN, REQUEST)
    assert found["site"].values.tolist() == ["pre_1", "pre_2"]
    for name in AT_SITES:
        assert found[name].dims == ("run", "step", "site")
        assert np.isfinite(found[name]).all(), name
    for name in OVERALL:
        assert found[name].dims == ("run", "step")
    last, trajectory = looked(RUN, 40)
    assert found["norm_ratio"].sel(step=40, site="pre_2").item() == pytest.approx(
        last["norm_ratio/pre_2"].item(), rel=1e-12
    )
    assert trajectory.done == 40


def test_a_resumed_run_is_the_uninterrupted_one(tmp_path):
    path, calls = tmp_path / "state.npz", iter(range(1_000))
    with pytest.raises(StoppedError):
        train_run(RUN, REQUEST, checkpoint_path=path, stop=lambda: next(calls) == 25)
    assert_same(train_run(RUN, REQUEST, checkpoint_path=path), train_run(RUN, REQUEST))


def test_runs_together_say_what_each_says_alone():
    runs = [RUN.replace(seed=seed, radial_penalty_strength=0.1 * seed) for seed in range(3)]
    for run, found in zip(runs, train_together(runs, REQUEST), strict=True):
        assert_close(
            found, train_run(run, REQUEST), leave_out=("wall_seconds", "peak_memory_bytes")
        )


def test_only_a_run_that_was_watched_serves_a_request_to_watch():
    found = train_run(RUN, REQUEST)
    plain = train_run(RUN, dataclasses.replace(REQUEST, follow_radial=False))
    assert serves(found, REQUEST) and not serves(plain, REQUEST)
    shorter = dataclasses.replace(REQUEST, steps=20)
    assert_same(cut(found, shorter), train_run(RUN, shorter))


def test_a_dead_layer_has_no_direction():
    trajectory = Trajectory(RUN, "cpu")
    weights = {name: w.detach().clone() for name, w in trajectory.parameters.items()}
    weights["b_2"] -= 100.0  # no unit of the second layer is active
    found = watched(RUN, weights, *trajectory.train, trajectory.states)
    assert found["radial_energy/pre_1"].isnan() and found["radial_energy/pre_2"].isnan()
    assert found["radial_energy_total/pre_2"].item() == pytest.approx(RUN.model.width)


def test_a_model_that_shows_no_activations_is_refused():
    model = Transformer(d_model=16, heads=2, d_mlp=16)
    run = dataclasses.replace(RUN, model=model, interventions=())
    with pytest.raises(ValueError, match="shows no pre-activations"):
        train_run(run, REQUEST)


def test_a_decoder_is_watched_position_by_position():
    """The last layer's MLP adds to the stream that the read-out reads: its gradient by hand."""
    model = Decoder(d_model=16, heads=2, d_mlp=16, norm_position="pre")
    run = dataclasses.replace(RUN, model=model)
    found, trajectory = looked(run)
    blocks = [f"{block}_out_{layer}" for layer in (1, 2) for block in ("attention", "mlp")]
    before = ["attention_out_1[-2]", "mlp_out_1[-2]"]  # above, nothing but "=" is read
    assert {name.split("/")[1] for name in found if "/" in name} == {*blocks, *before}
    seen, (pairs, labels) = {}, trajectory.train
    logits = model.forward(trajectory.parameters, pairs, watch=seen)
    error = logits.softmax(-1) - F.one_hot(labels, logits.shape[-1])
    last = error @ trajectory.parameters["W_U"].T
    (first,) = torch.autograd.grad(F.cross_entropy(logits, labels), seen["mlp_out_1"])
    for site, h, g in (
        ("mlp_out_2", seen["mlp_out_2"][:, -1], last),
        ("mlp_out_1", seen["mlp_out_1"][:, 1], len(labels) * first[:, 1]),
        ("mlp_out_1[-2]", seen["mlp_out_1"][:, 0], len(labels) * first[:, 0]),
    ):
        h, g = h.detach().numpy(), g.detach().numpy()
        for name, expected in (
            ("norm_ratio", np.linalg.norm(h, axis=-1) / 4),
            ("radial_energy", radial.radial_energy(h, g)),
            ("radial_product", (h * g).sum(-1)),
        ):
            assert found[f"{name}/{site}"].item() == pytest.approx(expected.mean(), rel=1e-9)
        assert found[f"radial_null/{site}"].item() == pytest.approx(1.0)


def test_an_answer_of_several_places_is_watched_at_every_position():
    model = GPT(1, 16, 2, context=13, answer=4)
    run = dataclasses.replace(RUN, task=DigitAddition(examples=40), model=model)
    found, trajectory = looked(run.replace(interventions=()), 1)
    seen, (tokens, labels) = {}, trajectory.train
    logits = model.forward(trajectory.parameters, tokens, watch=seen)
    entropies = torch.distributions.Categorical(logits=logits).entropy()
    losses = F.cross_entropy(logits.mT, labels, reduction="none")
    gaps = (losses - entropies).mean(1)
    assert found["calibration_gap"].item() == pytest.approx(gaps.mean().item(), rel=1e-9)
    (slope,) = torch.autograd.grad(losses.mean(1).sum(), seen["mlp_out_1"])
    products = (seen["mlp_out_1"] * slope).sum(-1)
    for place in range(-4, 0):
        name = "radial_product/mlp_out_1" + (f"[{place}]" if place < -1 else "")
        assert found[name].item() == pytest.approx(products[:, place].mean().item(), rel=1e-9)


def test_one_hidden_layer_has_one_site():
    run = dataclasses.replace(RUN, model=MLP(8))
    found, _ = looked(run, 1)
    assert {name.split("/")[1] for name in found if "/" in name} == {"pre_1"}
