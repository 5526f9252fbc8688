"""nanoGPT: both forms, PyTorch's own encoder layer with the same weights, start, and training."""

import math

import pytest
import torch
import torch.nn.functional as F

from grokbook.models import GPT, MODELS
from grokbook.tasks import DigitAddition, Split
from grokbook.training.engine import train_run
from grokbook.training.interventions import RadialPenalty
from grokbook.training.objective import objective
from grokbook.training.optimizers import AdamW
from grokbook.training.request import Request
from grokbook.training.run import Run
from grokbook.training.trajectory import Trajectory, accuracy
from tests.tiny import assert_same
from tests.training.interventions.steps import assert_resumes, assert_trains_as_alone

MODEL = GPT(2, 16, 2, context=5, answer=2)
TASK = DigitAddition(4, digits=1, examples=16)
RUN = Run(TASK, Split(0.75, seed=1), MODEL, AdamW(1e-2, 0.1), precision="float64")
TOKENS = torch.from_numpy(TASK.table().pairs)


def drawn(model=MODEL, order=4, scale=12.0):
    """Float64 weights, larger than at the start, so that attention and GELU are far from linear."""
    theta = model.initialise(order, seed=3)
    generator = torch.Generator().manual_seed(4)
    return {
        name: (w + torch.randn(w.shape, generator=generator) * 0.3).double()
        if name.startswith("norm")
        else w.double() * scale
        for name, w in theta.items()
    }


def test_both_forms_agree():
    theta = drawn()
    fast, slow = MODEL.forward(theta, TOKENS), MODEL.reference(theta, TOKENS)
    assert fast.shape == (16, 2, 6)
    torch.testing.assert_close(fast, slow, rtol=0, atol=1e-12)


def test_it_is_pytorch_s_encoder_layer_with_a_causal_mask():
    theta, d = drawn(), MODEL.d_model
    x = theta["W_E"][TOKENS] + theta["W_pos"]
    mask = torch.nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64)
    for layer in (1, 2):
        block = torch.nn.TransformerEncoderLayer(
            d, 2, 4 * d, 0.0, F.gelu, batch_first=True, norm_first=True, bias=False
        ).double()
        weights = {
            "self_attn.in_proj_weight": theta[f"W_QKV_{layer}"].T,
            "self_attn.out_proj.weight": theta[f"W_O_{layer}"].T,
            "linear1.weight": theta[f"W_in_{layer}"].T,
            "linear2.weight": theta[f"W_out_{layer}"].T,
            "norm1.weight": theta[f"norm1_w_{layer}"],
            "norm2.weight": theta[f"norm2_w_{layer}"],
        }
        block.load_state_dict(weights)
        x = block(x, src_mask=mask, is_causal=True)
    x = F.layer_norm(x, (d,), theta["norm_w_final"])
    expected = x[:, -2:] @ theta["W_E"].T
    torch.testing.assert_close(MODEL.forward(theta, TOKENS), expected.detach(), rtol=0, atol=1e-11)


def test_what_stands_later_changes_nothing():
    theta, other = drawn(), TOKENS.clone()
    other[:, -1] = (other[:, -1] + 1) % 4
    before, after = (MODEL.forward(theta, tokens) for tokens in (TOKENS, other))
    assert torch.equal(before[:, 0], after[:, 0])
    assert not torch.allclose(before[:, 1], after[:, 1])


def test_what_is_watched_is_what_the_blocks_add():
    theta, seen = drawn(), {}
    MODEL.forward(theta, TOKENS, watch=seen)
    assert set(seen) == {f"{block}_out_{i}" for i in (1, 2) for block in ("attention", "mlp")}
    stream = theta["W_E"][TOKENS] + theta["W_pos"] + sum(seen.values())
    read = F.layer_norm(stream, (16,), theta["norm_w_final"])[:, -2:]
    torch.testing.assert_close(read @ theta["W_E"].T, MODEL.forward(theta, TOKENS))


def test_the_start_is_that_of_nanogpt():
    model = GPT(3, 64, 2, context=40)
    first, again, other = (model.initialise(100, seed=seed) for seed in (0, 0, 1))
    assert {name: tuple(w.shape) for name, w in first.items()} == model.shapes(100)
    for name, w in first.items():
        if name.startswith("norm"):
            assert (w == 1).all()
            continue
        std = 0.02 / math.sqrt(6) if name[:3] == "W_O" or "_out_" in name else 0.02
        assert w.std().item() == pytest.approx(std, rel=0.05), name
        assert torch.equal(w, again[name]) and not torch.equal(w, other[name])


def test_the_published_size_is_about_ten_million():
    sizes = [math.prod(shape) for shape in GPT().shapes(10).values()]
    assert sum(sizes) == pytest.approx(10.6e6, rel=0.01)


def test_all_places_of_the_answer_must_be_right():
    logits = F.one_hot(torch.tensor([[1, 2], [0, 3], [3, 3]]), 4).double()
    assert accuracy(logits, torch.tensor([[1, 2], [0, 3], [0, 3]])) == pytest.approx(2 / 3)
    assert accuracy(logits[:, 0], torch.tensor([1, 0, 0])) == pytest.approx(2 / 3)


def test_the_loss_is_the_mean_over_examples_and_places():
    trajectory = Trajectory(RUN, "cpu")
    tokens, labels = trajectory.train
    logits = MODEL.reference(trajectory.parameters, tokens).log_softmax(-1)
    by_hand = [
        -logits[i, place, labels[i, place]].item() for i in range(len(labels)) for place in (0, 1)
    ]
    expected = sum(by_hand) / len(by_hand)
    assert trajectory.gradient()[0] == pytest.approx(expected, rel=1e-12)
    assert trajectory.evaluate("train").loss == pytest.approx(expected, rel=1e-12)


def test_a_penalty_at_all_positions_is_over_every_block_and_place():
    run = RUN.replace(interventions=(RadialPenalty(0.3, at="all"),))
    trajectory, seen = Trajectory(run, "cpu"), {}
    tokens, labels = trajectory.train
    found = objective(run, trajectory.parameters, tokens, labels, [{}], fused=False)
    MODEL.forward(trajectory.parameters, tokens, watch=seen)
    added = sum((0.3 / 16 * (h.norm(dim=-1) - 4).square()).mean() for h in seen.values())
    assert len(seen) == 4
    assert (found.minimised - found.loss).item() == pytest.approx(added.item(), rel=1e-12)


def test_a_resumed_run_is_the_uninterrupted_one():
    assert_resumes(RUN.replace(batch_size=5, batch_epochs=True))


def test_runs_form_an_ensemble():
    runs = [RUN.replace(seed=seed, weight_decay=0.1 * seed, batch_size=5) for seed in range(3)]
    assert_trains_as_alone(runs)


def test_it_learns_its_training_set():
    found = train_run(RUN.replace(batch_size=6, batch_epochs=True), Request(300))
    assert found["train_accuracy"].values[0, -1] == 1
    assert found["train_loss"].values[0, -1] < 0.1
    assert_same(train_run(RUN.replace(batch_size=6, batch_epochs=True), Request(300)), found)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"layers": 0}, "layers = 0 is too few: give 1 or more"),
        ({"special": -1}, "special = -1 is too few: give 0 or more"),
        ({"heads": 5}, "d_model = 384 does not divide into 5 heads"),
        ({"answer": 12}, "answer = 12 is longer than the context of 11"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        GPT(**changes)


def test_it_has_a_name():
    assert MODELS["gpt"] is GPT
