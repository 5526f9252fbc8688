"""What holds for every intervention: numbers, names, state, order, and classes of one's own."""

import dataclasses
import json
import math
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
import xarray as xr

from grokbook.protocols import nanda23
from grokbook.training.engine import StoppedError, train_run
from grokbook.training.ensemble import Ensemble
from grokbook.training.interventions import INTERVENTIONS, Intervention, Look, Moment, register
from grokbook.training.interventions.dropout import Dropout
from grokbook.training.interventions.gradient_noise import GradientNoise
from grokbook.training.interventions.grokfast import GrokfastEMA, GrokfastMA
from grokbook.training.interventions.intervention import Real
from grokbook.training.interventions.isotropic_force import IsotropicForce
from grokbook.training.interventions.norm_clamp import NormClamp
from grokbook.training.interventions.perpgrad import PerpGrad
from grokbook.training.interventions.radial_penalty import RadialPenalty
from grokbook.training.interventions.stablemax import StableMax
from grokbook.training.request import Request
from grokbook.training.run import Run
from grokbook.training.trajectory import Trajectory
from tests.tiny import tiny
from tests.training.interventions.steps import assert_resumes, walk, with_intervention

ROOT = Path(__file__).resolve().parents[3]
EVERY = (
    Dropout(0.25),
    GradientNoise(0.02, 0.3),
    GrokfastEMA(0.9, 2),
    GrokfastMA(window=4, lamb=1),
    IsotropicForce(0.2),
    NormClamp(5, "most"),
    PerpGrad(),
    RadialPenalty(0.1, 2, "start", "all"),
    StableMax(),
)


# -- numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize("intervention", EVERY, ids=lambda each: each.kind)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_refused(intervention, value):
    for item in dataclasses.fields(intervention):
        if item.type == Real:
            sentence = rf"{item.name} = {value!r} is not a finite number: give one"
            with pytest.raises(ValueError, match=sentence):
                dataclasses.replace(intervention, **{item.name: value})


def test_the_numbers_that_were_asked_for_are_asked():
    reals = {
        each.kind: [item.name for item in dataclasses.fields(each) if item.type == Real]
        for each in EVERY
    }
    assert reals == {
        "dropout": ["rate"],
        "gradient_noise": ["std", "decay"],
        "grokfast_ema": ["alpha", "lamb"],
        "grokfast_ma": ["lamb"],
        "isotropic_force": ["strength"],
        "norm_clamp": [],  # its radius may be None: a test of its own
        "perpgrad": [],
        "radial_penalty": ["strength", "radius"],
        "stablemax": [],
    }


@pytest.mark.parametrize("intervention", EVERY, ids=lambda each: each.kind)
def test_nothing_happens_at_the_places_that_are_not_overridden(intervention):
    hooks = ("begin", "factors", "criterion", "penalty", "gradient", "update", "weights")
    changed = {
        "dropout": {"begin", "factors", "weights"},
        "gradient_noise": {"gradient"},
        "grokfast_ema": {"gradient"},
        "grokfast_ma": {"gradient"},
        "isotropic_force": {"begin", "penalty", "weights"},
        "norm_clamp": {"weights"},
        "perpgrad": {"gradient"},
        "radial_penalty": {"begin", "penalty"},
        "stablemax": {"criterion"},
    }
    assert {hook for hook in hooks if intervention.changes(hook)} == changed[intervention.kind]


def test_the_base_class_changes_no_step():
    @dataclasses.dataclass(frozen=True)
    class Nothing(Intervention):
        kind: ClassVar[str] = "nothing"

    watched = Trajectory(with_intervention(Nothing()), "cpu")
    plain = Trajectory(tiny(), "cpu")
    assert walk(watched, 5) == walk(plain, 5)
    assert torch.equal(watched.theta, plain.theta)
    assert watched.state().keys() == plain.state().keys()


# -- names --------------------------------------------------------------------------------


def test_every_intervention_is_found_by_its_kind():
    assert {each.kind: type(each) for each in EVERY} == INTERVENTIONS


def test_a_run_with_every_intervention_reads_back():
    run = with_intervention(*EVERY)
    again = Run.from_json(run.to_json())
    assert again == run and again.name == run.name
    assert [type(each) for each in again.interventions] == [type(each) for each in EVERY]
    plain = json.loads(run.to_json())["interventions"]
    assert {"kind": "grokfast_ema", "alpha": 0.9, "lamb": 2.0} in plain
    assert {"kind": "perpgrad"} in plain


def test_a_run_without_interventions_is_named_as_before():
    with xr.open_dataset(ROOT / "book" / "runs" / "nanda23.nc") as archived:
        assert nanda23(seeds=1).runs[0].name == archived["name"].values[0]
    run = tiny()
    assert "interventions" not in run.to_json()
    assert with_intervention().name == run.name


def test_kinds_numbers_and_order_are_part_of_the_name():
    runs = [
        tiny(),
        with_intervention(GrokfastEMA()),
        with_intervention(GrokfastEMA(lamb=3)),
        with_intervention(GrokfastMA()),
        with_intervention(GrokfastEMA(), PerpGrad()),
        with_intervention(PerpGrad(), GrokfastEMA()),
    ]
    assert len({run.name for run in runs}) == len(runs)


@pytest.mark.parametrize(
    "text", ['{"kind":"sing"}', '{"alpha":0.5}', '{"kind":"grokfast_ema","beta":0.5}', "3"]
)
def test_json_of_an_unknown_intervention_is_refused(text):
    run = with_intervention(PerpGrad())
    broken = run.to_json().replace('{"kind":"perpgrad"}', text)
    assert broken != run.to_json()
    with pytest.raises(ValueError, match="does not describe a run"):
        Run.from_json(broken)


# -- short names --------------------------------------------------------------------------


def test_coordinates_carry_every_number_under_its_kind():
    found = with_intervention(GrokfastEMA(0.9, 2), NormClamp(3)).coordinates()
    plain = tiny().coordinates()
    assert plain["interventions"] == ""
    assert found == plain | {
        "interventions": "grokfast_ema+norm_clamp",
        "grokfast_ema_alpha": 0.9,
        "grokfast_ema_lamb": 2.0,
        "norm_clamp_radius": 3.0,
        "norm_clamp_mode": "equal",
        "norm_clamp_after": 0,
    }


def test_replace_takes_the_short_names():
    run = with_intervention(GrokfastEMA(), GrokfastMA(), NormClamp())
    changed = run.replace(
        grokfast_ema_alpha=0.5, grokfast_ma_window=7, norm_clamp_mode="most", weight_decay=0
    )
    assert changed.interventions == (GrokfastEMA(0.5), GrokfastMA(7), NormClamp(mode="most"))
    assert changed.optimizer.weight_decay == 0
    assert run.replace(interventions=()) == tiny()
    for name in ("grokfast_ema", "grokfast_ema_window", "alpha", "perpgrad_alpha"):
        with pytest.raises(ValueError, match=rf"a run has no '{name}': .*grokfast_ema_alpha"):
            run.replace(**{name: 0.5})
    with pytest.raises(ValueError, match=r"a run has no 'grokfast_ema_alpha'"):
        tiny().replace(grokfast_ema_alpha=0.5)


# -- several at once ----------------------------------------------------------------------


def first_update(*interventions):
    trajectory = Trajectory(with_intervention(*interventions, precision="float64"), "cpu")
    walk(trajectory, 3)
    return trajectory.theta


def test_interventions_act_in_the_run_s_order():
    noise, turn = GradientNoise(1.0), PerpGrad()
    assert not torch.allclose(first_update(noise, turn), first_update(turn, noise))
    trajectory = Trajectory(with_intervention(noise, turn, precision="float64"), "cpu")
    _, gradient = trajectory.gradient()
    moment = trajectory._moment()
    expected = turn.gradient(noise.gradient(gradient, moment, {}), moment, {})
    before = {name: m.clone() for name, m in trajectory.moments.items()}
    trajectory.step(gradient)
    kept = before["m"] * 0.9 + expected * (1 - 0.9)
    torch.testing.assert_close(trajectory.moments["m"], kept)


def test_two_losses_are_refused():
    @dataclasses.dataclass(frozen=True)
    class Hinge(Intervention):
        kind: ClassVar[str] = "hinge"

        def criterion(self, logits, labels):
            return logits.relu().mean()

    sentence = r"interventions \['stablemax', 'hinge'\] replace the loss more than once: keep one"
    with pytest.raises(ValueError, match=sentence):
        with_intervention(StableMax(), Hinge())


def test_one_kind_twice_is_refused():
    with pytest.raises(ValueError, match=r"\['perpgrad', 'perpgrad'\] name one kind twice"):
        with_intervention(PerpGrad(), PerpGrad())


def test_all_at_once_survive_a_checkpoint():
    assert_resumes(with_intervention(*EVERY))
    assert_resumes(with_intervention(*EVERY, batch_size=4))


def test_a_checkpoint_of_the_engine_resumes_to_the_same_dataset(tmp_path):
    run, request = with_intervention(*EVERY), Request(steps=30, evaluate_every=3)
    whole = train_run(run, request)
    path, asked = tmp_path / "run.npz", iter(range(14))
    with pytest.raises(StoppedError, match="was stopped at step 13"):
        train_run(run, request, checkpoint_path=path, stop=lambda: next(asked) == 13)
    resumed = train_run(run, request, checkpoint_path=path)
    for name in ("train_loss", "test_loss", "squared_norm"):
        np.testing.assert_array_equal(resumed[name].values, whole[name].values)


@pytest.mark.parametrize("several", [*((each,) for each in EVERY), EVERY], ids=len)
def test_runs_that_share_their_steps_are_the_runs_alone(several):
    numbers = [{}, {"grokfast_ema_alpha": 0.5, "gradient_noise_std": 0.2, "grokfast_ma_lamb": 3}]
    runs = [
        with_intervention(*several, precision="float64", seed=seed).replace(
            **{k: v for k, v in changes.items() if any(k.startswith(i.kind) for i in several)}
        )
        for seed, changes in enumerate(numbers)
    ]
    ensemble = Ensemble([Trajectory(run, "cpu") for run in runs], "cpu")
    for _ in range(9):
        ensemble.differentiate()
        ensemble.step()
    ensemble.hand_back()
    for run, found in zip(runs, ensemble.trajectories, strict=True):
        alone = Trajectory(run, "cpu")
        walk(alone, 9)
        torch.testing.assert_close(found.theta, alone.theta, rtol=1e-8, atol=1e-11)
        for state, expected in zip(found.states, alone.states, strict=True):
            assert {k: v.shape for k, v in state.items()} == {
                k: v.shape for k, v in expected.items()
            }


# -- a class of one's own -----------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Tether(Intervention):
    """Pull the weights back to where they started, and never move them by more than `reach`."""

    kind: ClassVar[str] = "tether"

    strength: Real = 0.0
    reach: Real = 1.0

    def start(self, theta, layout):
        return {"home": theta.clone()}

    def penalty(self, look: Look, state):
        theta = torch.cat([w.flatten() for w in look.parameters.values()])
        return self.strength * (theta - state["home"]).square().sum(), state

    def update(self, update, moment: Moment, state):
        return update * (self.reach / update.norm()).clamp(max=1)


@pytest.fixture
def tether(monkeypatch):
    """Make it known for one test."""
    monkeypatch.delitem(INTERVENTIONS, "tether", raising=False)
    register(Tether)
    yield Tether
    monkeypatch.delitem(INTERVENTIONS, "tether")


def distance(run, steps=40):
    trajectory = Trajectory(run, "cpu")
    home, before, longest = trajectory.theta.clone(), trajectory.theta.clone(), 0.0
    for _ in range(steps):
        walk(trajectory, 1)
        longest = max(longest, (trajectory.theta - before).norm().item())
        before = trajectory.theta.clone()
    return (trajectory.theta - home).norm().item(), longest


def test_a_class_of_one_s_own_trains_through_the_engine(tether):
    run = with_intervention(Tether(strength=3, reach=0.05))
    found = train_run(Run.from_json(run.to_json()), Request(steps=40, evaluate_every=10))
    assert found["step"].values.tolist() == [0, 10, 20, 30, 40]
    assert found["interventions"].item() == "tether"
    assert found["tether_strength"].item() == 3.0
    plain = train_run(tiny(), Request(steps=40, evaluate_every=10))
    assert (found["train_loss"] - plain["train_loss"]).values[0, 0] == 0  # the penalty is no loss
    assert found["train_loss"].values[0, -1] > plain["train_loss"].values[0, -1]
    free, longest = distance(run.replace(tether_strength=0, tether_reach=100))
    tied, _ = distance(run.replace(tether_reach=100))
    assert tied < 0.5 * free
    assert longest > 0.06 > 0.0501 > distance(run)[1]
    assert_resumes(run)


def test_registering_again_takes_the_newer_and_another_is_refused(tether):
    @dataclasses.dataclass(frozen=True)
    class Other(Intervention):
        kind: ClassVar[str] = "tether"

    with pytest.raises(ValueError, match="kind = 'tether' is taken by Tether: choose another"):
        register(Other)
    assert INTERVENTIONS["tether"] is Tether
    newer = dataclasses.make_dataclass("Tether", [], bases=(Tether,), frozen=True)
    assert register(newer) is newer
    assert INTERVENTIONS["tether"] is newer
