"""Ranks of a batch of activations, three ways: NumPy by another road, known spectra, bounds."""

import pytest
import torch

from grokbook.measures.ranks import RANKS, ranks
from grokbook.theory import radial


def drawn(n, d, decay=0.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    h = torch.randn(n, d, generator=generator, dtype=torch.float64)
    return h * torch.arange(1, d + 1) ** -decay


@pytest.mark.parametrize("shape", [(40, 12), (12, 40)])
@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_they_are_those_of_the_covariance(shape, decay):
    h = drawn(*shape, decay)
    found, expected = ranks(h), radial.ranks(h.numpy())
    assert tuple(found) == RANKS == tuple(expected)
    for name, value in expected.items():
        assert found[name].item() == pytest.approx(value, rel=1e-9), name


@pytest.mark.parametrize("k", [1, 3, 7])
def test_k_equal_directions_have_rank_k(k):
    h = torch.linalg.qr(drawn(20, k))[0] @ torch.linalg.qr(drawn(30, k, seed=1))[0].T
    assert all(value.item() == pytest.approx(k) for value in ranks(5 * h).values())


def test_none_exceeds_the_number_of_examples():
    """443 of a batch of 256 cannot be."""
    few, many = ranks(drawn(256, 512)), ranks(drawn(2048, 512))
    assert all(value <= 256 for value in few.values())
    assert all(value <= 512 for value in many.values())
    assert many["entropy_rank"] > 443 > many["stable_rank"]


def test_single_precision_is_enough():
    h = drawn(50, 20, 2.0)
    for name, value in ranks(h.float()).items():
        assert value.item() == pytest.approx(ranks(h)[name].item(), rel=1e-5)
