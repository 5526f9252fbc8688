"""The network of sparse parity: both forms against plain loops, and its start."""

import numpy as np
import pytest
import torch

from grokbook.models import MODELS, BitMLP
from grokbook.tasks import SparseParity

BITS, WIDTH = 4, 6
WORDS = torch.from_numpy(SparseParity(BITS, relevant=2, examples=16).table().pairs)


@pytest.mark.parametrize("layers", [1, 2])
def test_both_forms_agree_with_each_other_and_with_plain_loops(layers):
    model = BitMLP(WIDTH, hidden_layers=layers)
    theta = {name: w.double() for name, w in model.initialise(BITS, seed=1).items()}
    watched = {}
    fast = model.forward(theta, WORDS, watch=watched)
    torch.testing.assert_close(fast, model.reference(theta, WORDS), rtol=0, atol=1e-14)
    numbers = {name: w.numpy() for name, w in theta.items()}
    for word, logits in zip(WORDS.tolist(), fast.tolist(), strict=True):
        x = np.array([-1.0 if bit else 1.0 for bit in word])
        for layer in range(1, layers + 1):
            x = np.maximum(numbers[f"W_{layer}"].T @ x + numbers[f"b_{layer}"], 0)
        np.testing.assert_allclose(logits, numbers["W_U"].T @ x + numbers["b_U"], atol=1e-14)
    assert set(watched) == {f"hidden_{layer}" for layer in range(1, layers + 1)}


def test_the_start_is_that_of_linear_layers():
    model = BitMLP(300)
    drawn = [model.initialise(40, seed=seed) for seed in (0, 0, 1)]
    assert {name: tuple(w.shape) for name, w in drawn[0].items()} == model.shapes(40)
    for name, fan_in in (("W_1", 40), ("b_1", 40), ("W_2", 300), ("W_U", 300), ("b_U", 300)):
        bound = fan_in**-0.5
        assert drawn[0][name].abs().max() <= bound
        if name.startswith("W"):
            assert drawn[0][name].abs().max() > 0.99 * bound
        assert torch.equal(drawn[0][name], drawn[1][name])
        assert not torch.equal(drawn[0][name], drawn[2][name])


def test_it_has_a_name_and_refuses_no_layers():
    assert MODELS["bit_mlp"] is BitMLP
    with pytest.raises(ValueError, match="hidden_layers = 0 leaves no hidden layer"):
        BitMLP(hidden_layers=0)
