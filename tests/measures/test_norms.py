"""Squared norms against NumPy."""

import numpy as np
import torch

from grokbook.measures import MEASURES
from grokbook.measures.norms import squared_norm


def test_squared_norm_is_numpy_s_one_number_a_parameter():
    weights = {
        "W_E": torch.randn(3, 4),
        "W_Q": torch.randn(2, 3, 5),
        "b": torch.zeros(2),
        "W_U": torch.randn(7, dtype=torch.float64),
    }
    found = squared_norm(weights)
    assert list(found) == list(weights)
    for name, weight in weights.items():
        expected = np.linalg.norm(weight.double().numpy().ravel()) ** 2
        assert found[name].shape == ()
        np.testing.assert_allclose(found[name].item(), expected, rtol=1e-14, atol=0)


def test_squared_norm_of_float32_weights_is_summed_in_float64():
    # In float32 the square overflows, or the small weight would be lost beside the large one.
    assert squared_norm({"W": torch.tensor([1e25])})["W"].item() > 9e49
    total = squared_norm({"W": torch.tensor([2.0**13, 1.0])})["W"].item()
    assert total == 2.0**26 + 1


def test_the_table_of_measures_names_it_and_its_dimension():
    assert MEASURES["squared_norm"] == (squared_norm, "parameter")
