"""The dataset of a run: its layout, its thinned curves, and onsets that thinning leaves alone."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grokbook.measures.onset import Rule
from grokbook.models import MLP
from grokbook.tasks import Split, Task
from grokbook.training.interventions import GradientNoise
from grokbook.training.optimizers import SGD
from grokbook.training.request import Request
from grokbook.training.result import CURVES, STORED_POINTS, Curves, dataset, thin
from grokbook.training.run import Batch, Run
from grokbook.training.trajectory import Evaluation

RUN = Run(Task("add", 7), Split(0.5, seed=1), MLP(4), SGD(0.1), batch=Batch(5, seed=2), init_seed=3)
REQUEST = Request(100, evaluate_every=10, rule=Rule(0.97, 2), protocol="test")
WEIGHTS = {"W_1": torch.tensor([[0.1, 1.0], [-2.0, 1e-9]]), "b_U": torch.tensor([1 / 3])}


def curves(n, every=10, mem=math.inf, grok=math.inf, bursts=()):
    """n evaluations; accuracies jump from 0.1 to 1 at the evaluations `mem` and `grok`."""
    made = Curves()
    for i in range(n):
        numbers = {
            "train_loss": 100.0 if i in bursts else 1 / (i + 1),
            "train_accuracy": 1.0 if i >= mem else 0.1,
            "test_loss": 2 / (i + 1),
            "test_accuracy": 1.0 if i >= grok else 0.1,
            "softmax_collapse/correct_logit": i / 8192,
            "softmax_collapse/all_logits": i / 16384,
            "squared_norm/W_1": 3.0 + i,
            "squared_norm/b_U": 0.5 * i,
        }
        made.append(i * every, numbers)
    return made


def made(n=6, request=REQUEST, weights=WEIGHTS, run=RUN, **onsets):
    return dataset(run, request, curves(n, **onsets), weights, device="cpu")


def test_dimensions_are_those_of_the_archive():
    found = made()
    assert dict(found.sizes) == {
        "run": 1,
        "step": 6,
        "logit": 2,
        "parameter": 2,
        "W_1_0": 2,
        "W_1_1": 2,
        "b_U_0": 1,
    }
    assert found["step"].values.tolist() == [0, 10, 20, 30, 40, 50]
    assert found["parameter"].values.tolist() == ["W_1", "b_U"]
    assert found["logit"].values.tolist() == ["correct_logit", "all_logits"]
    dims = {name: variable.dims for name, variable in found.data_vars.items()}
    assert {name: dims.pop(name) for name in CURVES} == dict.fromkeys(CURVES, ("run", "step"))
    assert set(CURVES) == {"train_loss", "train_accuracy", "test_loss", "test_accuracy"}
    assert dims.pop("slingshots") == ("run", "step")
    assert dims.pop("softmax_collapse") == ("run", "step", "logit")
    assert dims.pop("squared_norm") == ("run", "step", "parameter")
    assert dims.pop("final_W_1") == ("run", "W_1_0", "W_1_1")
    assert dims.pop("final_b_U") == ("run", "b_U_0")
    onsets = {f"{t}{level}" for t in ("t_mem", "t_grok") for level in ("", "_90", "_95", "_99")}
    numbers = {"budget", "censored", "diverged_at", "wall_seconds", "first_slingshot"}
    assert set(dims) == onsets | numbers
    assert set(dims.values()) == {("run",)}


def test_every_hyper_parameter_and_origin_is_a_coordinate():
    found = made()
    coords = {name: c.values[0] for name, c in found.coords.items() if c.dims == ("run",)}
    for name, value in RUN.coordinates().items():
        expected = np.nan if value is None else value
        np.testing.assert_equal(coords.pop(name), str(value) if name == "batch_size" else expected)
    assert coords.pop("name") == RUN.name
    assert Run.from_json(str(coords.pop("run_json"))) == RUN
    assert coords.pop("protocol") == "test"
    assert (coords.pop("onset_level"), coords.pop("onset_sustained")) == (0.97, 2)
    assert (coords.pop("evaluate_every"), coords.pop("device")) == (10, "cpu")
    assert len(coords.pop("code_digest")) == 16
    assert json.loads(str(coords.pop("versions")))["torch"] == torch.__version__
    assert set(coords) == {"git_commit"}


def test_interventions_and_their_numbers_are_coordinates():
    assert made()["interventions"].item() == ""
    found = made(run=RUN.replace(interventions=(GradientNoise(0.5),)))
    assert found["interventions"].item() == "gradient_noise"
    assert found["interventions"].dims == found["gradient_noise_std"].dims == ("run",)
    assert found["gradient_noise_std"].item() == 0.5


def test_batch_size_is_a_word_so_that_full_and_drawn_share_a_column():
    assert made()["batch_size"].item() == "5"
    assert made(run=RUN.replace(batch_size=None))["batch_size"].item() == "full"


def test_values_stand_at_their_steps_and_parameters():
    found = made().isel(run=0)
    for i, step in enumerate(found["step"].values):
        at = found.sel(step=step)
        assert at["train_loss"].item() == 1 / (i + 1)
        assert at["test_loss"].item() == 2 / (i + 1)
        assert at["squared_norm"].sel(parameter="W_1").item() == 3 + i
        assert at["squared_norm"].sel(parameter="b_U").item() == i / 2
        assert at["softmax_collapse"].sel(logit="correct_logit").item() == i / 8192
        assert at["softmax_collapse"].sel(logit="all_logits").item() == i / 16384


def test_onsets_are_exact_although_the_curve_is_thinned():
    found = made(n=5001, mem=803, grok=3217)
    assert found.sizes["step"] <= STORED_POINTS == 400
    assert 32_170 not in found["step"].values
    for suffix in ("", "_90", "_95", "_99"):
        assert found[f"t_mem{suffix}"].item() == 8030
        assert found[f"t_grok{suffix}"].item() == 32_170
    assert found["censored"].item() is False
    assert found["budget"].item() == 50_000
    assert found["step"].values[[0, -1]].tolist() == [0, 50_000]
    index = found["step"].values / 10
    np.testing.assert_array_equal(found["train_loss"].values[0], 1 / (index + 1))
    np.testing.assert_array_equal(found["squared_norm"].sel(parameter="W_1").values[0], 3 + index)
    collapse = found["softmax_collapse"].sel(logit="all_logits").values[0]
    np.testing.assert_array_equal(collapse, index / 16384)


def test_slingshots_are_exact_although_the_curve_is_thinned():
    bursts = (500, 803, 804, 3217, 4001)
    found = made(n=5001, mem=600, bursts=bursts)
    assert not {8030, 8040, 32_170} & set(found["step"].values)
    # The first one came before memorisation; two evaluations side by side are one burst.
    assert found["first_slingshot"].item() == 8030
    assert made(n=5001, mem=4, bursts=bursts)["first_slingshot"].item() == 5000
    # How many have begun by each step that is kept.
    steps = found["step"].values
    expected = sum((steps >= begun).astype(float) for begun in (8030, 32_170, 40_010))
    np.testing.assert_array_equal(found["slingshots"].values[0], expected)
    assert set(expected) == {0, 1, 2, 3}


def test_a_slingshot_counts_from_its_own_evaluation_on():
    found = made(n=40, mem=3, bursts=(20, 30)).isel(run=0)["slingshots"]
    assert found.sel(step=[0, 190, 200, 290, 300, 390]).values.tolist() == [0, 0, 1, 1, 2, 2]
    assert found.dtype == np.float64


def test_slingshots_are_counted_from_the_protocol_s_onset():
    # By this request the run memorises at once, by the usual one never.
    request = Request(100, rule=Rule(0.05, 1))
    assert made(n=40, bursts=(20,), request=request)["slingshots"].values[0, -1] == 1
    assert made(n=40, bursts=(20,))["slingshots"].values[0, -1] == 0


def test_a_run_without_slingshots_has_no_first_one():
    for found in (made(n=40, mem=3), made(n=40, bursts=(20,)), made(n=3, bursts=(2,))):
        assert not found["slingshots"].values.any()
        assert np.isnan(found["first_slingshot"].item())


def test_the_protocol_s_rule_and_the_common_ones_are_kept_apart():
    # Two evaluations at the level are enough for this request, not for the common rules.
    found = made(n=6, grok=4)
    assert found["t_grok"].item() == 40
    assert np.isnan(found["t_grok_99"].item())
    assert found["censored"].item() is False
    assert found["onset_level"].item() == 0.97


def test_a_run_that_has_not_grokked_is_censored_at_its_budget():
    found = made(n=6, mem=2)
    assert found["t_mem"].item() == 20
    assert np.isnan(found["t_grok"].item())
    assert (found["censored"].item(), found["budget"].item()) == (True, 50)
    assert np.isnan(found["diverged_at"].item())


def test_weights_are_rounded_to_half_precision():
    found = made()
    assert found["final_W_1"].dtype == np.float32
    expected = np.array([[0.1, 1.0], [-2.0, 1e-9]], dtype=np.float16)
    np.testing.assert_array_equal(found["final_W_1"].values[0], expected)
    assert found["final_b_U"].item() != 1 / 3
    assert not [name for name in made(weights={}).variables if str(name).startswith("final_")]


def test_only_the_measures_asked_for_are_there():
    found = made(request=Request(100, measures=()))
    assert "squared_norm" not in found
    assert "parameter" not in found.dims


@settings(max_examples=60)
@example(400, 400)
@example(401, 400)
@example(2, 400)
@given(st.integers(1, 200_000), st.sampled_from([50, 399, 400]))
def test_thinning_keeps_both_ends_and_no_more_than_asked(n, most):
    kept = thin(n, most)
    assert 1 <= len(kept) <= most
    assert (kept[0], kept[-1]) == (0, n - 1)
    assert (np.diff(kept) > 0).all()


def test_thinning_leaves_no_wide_gap():
    assert thin(30).tolist() == list(range(30))
    kept = thin(4_000)
    assert (np.diff(kept) <= np.maximum(1, 0.02 * kept[1:] + 1)).all()


def test_runs_that_ended_at_different_steps_share_their_grid():
    short, long = thin(1_000), thin(4_001)
    assert set(short[:-1]) == {i for i in long if i < 999}


def test_curves_come_back_from_a_checkpoint():
    before = curves(4, mem=2)
    before.diverged_at, before.seconds = 35.0, 1.5
    after = Curves.from_arrays(before.arrays())
    assert after == before
    empty = Curves.from_arrays(Curves().arrays())
    assert empty.values == {}
    assert math.isnan(empty.diverged_at)


def test_a_record_keeps_both_parts_the_collapse_and_the_measures():
    recorded = Curves()
    train = Evaluation(0.5, 0.75, {"correct_logit": 0.25, "all_logits": 0.125})
    test = Evaluation(2.0, 0.1, {})
    recorded.record(30, train, test, {"squared_norm/W": 9.0})
    assert recorded.latest() == {
        "step": 30.0,
        "train_loss": 0.5,
        "train_accuracy": 0.75,
        "test_loss": 2.0,
        "test_accuracy": 0.1,
        "softmax_collapse/correct_logit": 0.25,
        "softmax_collapse/all_logits": 0.125,
        "squared_norm/W": 9.0,
    }


def test_latest_and_last_step():
    assert curves(0).last_step() == -1
    assert curves(0).latest() == {}
    assert curves(3).last_step() == 20
    assert curves(3).latest()["train_loss"] == 1 / 3
    assert curves(3).tensor("step").tolist() == [0, 10, 20]
    assert curves(0).tensor("test_accuracy").shape == (0,)


@pytest.mark.parametrize(
    ("request_", "serves"),
    [
        (Request(500, evaluate_every=10), True),
        (Request(500, evaluate_every=10, measures=()), True),
        (Request(500, evaluate_every=5), False),
        (Request(500, evaluate_every=20), False),
    ],
)
def test_an_earlier_record_serves_a_request_on_its_own_grid(request_, serves):
    assert curves(4).serves(request_) is serves


def test_an_earlier_record_without_the_measures_serves_none_that_asks_for_them():
    bare = Curves()
    bare.append(0, {"train_loss": 1.0, "softmax_collapse/all_logits": 0.0})
    assert not bare.serves(Request(10))
    assert bare.serves(Request(10, measures=()))


def test_a_last_look_off_the_grid_ends_a_record():
    ended = curves(3)
    ended.append(25, {"train_loss": 1.0})
    assert not ended.serves(Request(500, evaluate_every=10))
