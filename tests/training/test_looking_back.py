"""What is said of frames: the measures themselves, with the key frequencies of the end."""

import math

import numpy as np
import pytest
import torch

from grokbook import MLP, AdamW, Decoder, Run, Split, Task, Transformer
from grokbook.measures import circuits, fourier, neurons
from grokbook.models import Quadratic
from grokbook.training import checkpoint
from grokbook.training.engine import train_run
from grokbook.training.layout import Layout
from grokbook.training.looking_back import AT_THE_END, DIMENSIONS
from grokbook.training.request import Request
from grokbook.training.run import Loss
from grokbook.training.together import train_together

P = 7
RUN = Run(
    Task("add", P),
    Split(0.6, seed=1),
    Transformer(d_model=16, heads=2, d_mlp=24, equals_is_class=True),
    AdamW(1e-2, 1.0, warmup=10, beta2=0.98),
)
OTHERS = [
    pytest.param(MLP(12, embedding="learned", embedding_width=8), id="learned"),
    pytest.param(MLP(12, bias=False), id="one-hot"),
    pytest.param(Quadratic(9), id="quadratic"),
]
FOLLOWED = Request(50, evaluate_every=5, frames=6)
PAIRS = torch.cartesian_prod(torch.arange(P), torch.arange(P))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The dataset of the run, and its frames' weights."""
    path = tmp_path_factory.mktemp("frames") / "state.npz"
    return train_run(RUN, FOLLOWED, checkpoint_path=path), checkpoint.load(path)


def weights(arrays, step):
    """The named weights of a step, the end's where it is no frame."""
    steps = arrays["frame_steps"].tolist()
    flat = arrays["frame_weights"][steps.index(step)] if step in steps else arrays["theta"]
    return Layout(RUN.model.shapes(P)).views(torch.from_numpy(flat))


def table(θ):
    return RUN.model.reference(θ, PAIRS)[:, :P].reshape(P, P, P).double()


def test_frames_are_those_kept_and_the_end(trained):
    found, arrays = trained
    assert found["frame"].values.tolist() == [0, 10, 20, 30, 40, 50]
    assert arrays["frame_steps"].tolist() == found["frame"].values.tolist()
    longer = train_run(RUN, Request(53, evaluate_every=5, frames=6))
    assert longer["frame"].values.tolist() == [0, 10, 20, 30, 40, 50, 53]


def test_key_frequencies_are_those_of_the_last_weights(trained):
    found, arrays = trained
    θ = weights(arrays, 50)
    W_L = (θ["W_out"].double() @ θ["W_U"].double())[:, :P]
    power = np.abs(np.fft.rfft(W_L.numpy(), axis=1)) ** 2  # each pair counted once
    strongest = np.argsort(-power.sum(0)[1:]) + 1
    shares = np.cumsum(power.sum(0)[strongest]) / power.sum(0)[1:].sum()
    expected = np.zeros(P // 2 + 1, dtype=bool)
    expected[strongest[: int((shares < 0.95).sum()) + 1]] = True
    assert found["key"].values[0].tolist() == expected.tolist()


@pytest.mark.parametrize("step", [0, 20, 50])
def test_a_frame_is_measured_with_them(trained, step):
    found, arrays = trained
    row, θ = found.sel(frame=step).isel(run=0), weights(arrays, step)
    keys, L = torch.from_numpy(found["key"].values[0]), table(θ)
    train = torch.zeros(P * P, dtype=torch.bool)
    train[torch.from_numpy(RUN.split.indices(P * P)[0])] = True
    labels = PAIRS.sum(1) % P
    each = torch.nn.functional.cross_entropy(L.flatten(0, 1), labels, reduction="none")
    kept = circuits.restricted(L, keys).flatten(0, 1)
    without = circuits.excluded(L, keys).flatten(0, 1)
    expected = {
        "frame_train_loss": each[train].mean(),
        "frame_test_loss": each[~train].mean(),
        "frame_test_accuracy": (L.flatten(0, 1).argmax(1) == labels)[~train].double().mean(),
        "restricted_loss": torch.nn.functional.cross_entropy(kept, labels),
        "restricted_test_loss": torch.nn.functional.cross_entropy(kept[~train], labels[~train]),
        "excluded_loss": torch.nn.functional.cross_entropy(without[train], labels[train]),
        "frame_squared_norm": sum(w.double().square().sum() for w in θ.values()),
        "variance_explained": circuits.variance_explained(L, keys),
    }
    for name, value in expected.items():
        assert row[name].item() == pytest.approx(value.item(), rel=1e-4), name
    np.testing.assert_allclose(row["logit_amplitude"], circuits.amplitudes(L), atol=1e-4)
    np.testing.assert_allclose(row["embedding_power"], fourier.power(θ["W_E"][:P]), rtol=1e-4)
    assert np.isnan(row["excluded_by_frequency"].values).tolist() == (~keys).tolist()
    half = θ["W_E"][:P].half().float().numpy()
    assert np.array_equal(row["frame_W_E"].values, half)


def test_the_curves_and_the_last_frame_agree(trained):
    found, _ = trained
    # "=" can be predicted, which the frames leave out: the loss of the curve is the larger one, but
    # for rounding where "=" is hardly predicted any more.
    assert found["test_accuracy"].values[0, -1] <= found["frame_test_accuracy"].values[0, -1]
    loss, framed = (found[name].values[0, -1].item() for name in ("test_loss", "frame_test_loss"))
    assert -1e-6 * loss < loss - framed < 0.2


def test_neurons_are_those_at_the_position_read_out(trained):
    found, arrays = trained
    θ = weights(arrays, 50)
    stream = _stream(θ)
    activations = torch.relu(stream @ θ["W_in"] + θ["b_in"]).reshape(P, P, -1)
    shares = neurons.neuron_shares(activations)
    expected = shares.nan_to_num(0.0).amax(0)
    np.testing.assert_allclose(found["neuron_share"].values[0], expected, atol=1e-4)
    dead = int((activations.flatten(0, 1) == activations[0, 0]).all(0).sum())
    assert found["dead_neurons"].item() == dead
    above = (expected > 0.85).double().mean().item()
    assert found["single_frequency_neurons"].item() == pytest.approx(above)


def _stream(θ):
    """What the MLP reads at "=", by the textbook."""
    equals = torch.full_like(PAIRS[:, :1], P)
    x = θ["W_E"][torch.cat([PAIRS, equals], dim=1)] + θ["W_pos"]
    out = x[:, -1].clone()
    for head in range(2):
        q, k, v = (x @ θ[f"W_{name}"][head] for name in "QKV")
        pattern = (q[:, -1:] @ k.transpose(1, 2) / math.sqrt(8)).softmax(-1)
        out += (pattern @ v)[:, 0] @ θ["W_O"][head]
    return out


@pytest.mark.parametrize("model", OTHERS)
def test_other_networks_of_one_hidden_layer_are_read_too(model):
    run = Run(Task("add", P), Split(0.6, seed=1), model, AdamW(1e-2, 1.0), Loss("float64"))
    found = train_run(run, Request(10, evaluate_every=5, frames=4))
    assert np.isfinite(found["restricted_loss"].values).all()
    assert found.sizes["neuron"] == model.width
    has_embedding = "W_E" in model.shapes(P)
    assert np.isfinite(found["gradient_symmetricity"].item()) == has_embedding
    assert set(AT_THE_END) <= set(found.data_vars)
    assert set(DIMENSIONS) - {"sample"} <= set(found.dims)


def test_an_even_modulus_has_no_distance_irrelevance():
    found = train_run(RUN.replace(p=6), Request(5, evaluate_every=5, frames=4))
    assert np.isnan(found["distance_irrelevance"].item())
    assert np.isfinite(found["gradient_symmetricity"].item())


def test_an_ensemble_reads_its_frames_alike(trained):
    found, _ = trained
    together = train_together([RUN, RUN.replace(seed=5)], FOLLOWED)[0]
    for name in ("restricted_loss", "excluded_loss", "embedding_power"):
        np.testing.assert_allclose(together[name], found[name], rtol=0.02)


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (RUN.replace(operation="multiply"), "operation = 'multiply' has no frames"),
        (Run(Task("add", P), Split(0.6, seed=1), MLP(8, 2)), "model = 'mlp' has no frames"),
        (Run(Task("add", P), Split(0.6, seed=1), Decoder()), "model = 'decoder' has no frames"),
    ],
)
def test_what_cannot_be_read_is_refused_before_it_is_trained(run, says):
    for begin in (lambda: train_run(run, FOLLOWED), lambda: train_together([run], FOLLOWED)):
        with pytest.raises(ValueError, match=says):
            begin()


def test_without_frames_nothing_is_read():
    found = train_run(RUN, Request(5, evaluate_every=5))
    assert not set(DIMENSIONS) & set(found.dims)
    assert not set(AT_THE_END) & set(found.data_vars)
