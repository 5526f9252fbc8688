"""The picture of a torus: what two characters make of an embedding."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from grokbook.figures.colours import wheel
from grokbook.figures.torus import torus
from grokbook.theory import cyclic

PAIR = ((1, 0), (3, 5))


def ideal(moduli, characters, *, d: int = 12, seed: int = 0) -> np.ndarray:
    """A perfect circle for each character, in planes that are orthogonal."""
    directions = np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]
    angles = 2 * np.pi / np.lcm.reduce(moduli) * cyclic.phases(characters, moduli)
    waves = np.concatenate([np.cos(angles), np.sin(angles)])
    return waves.T @ directions[: len(waves)]


def elements(axes) -> np.ndarray:
    (found,) = (one for one in axes.collections if one.get_gid() == "elements")
    return found


@pytest.mark.parametrize("moduli", [(11, 11), (7, 11), (3, 4)])
def test_a_clean_picture_of_a_perfect_torus_and_of_noise(check, moduli):
    pair = ((1, 0), (0, 1))
    check(torus(ideal(moduli, pair), pair, moduli))
    noise = np.random.default_rng(1).normal(size=(np.prod(moduli), 20))
    check(torus(noise, pair, moduli))


def test_a_perfect_torus_stands_on_its_lattice():
    picture = torus(ideal((11, 11), PAIR), PAIR, (11, 11))
    circle, lattice = picture.figure.axes
    told = cyclic.phases(PAIR, (11, 11)) / 11
    np.testing.assert_allclose(elements(lattice).get_offsets(), told.T, atol=1e-12)
    waves = np.stack([np.cos(2 * np.pi * told[0]), np.sin(2 * np.pi * told[0])], axis=1)
    np.testing.assert_allclose(elements(circle).get_offsets(), waves, atol=1e-12)
    assert len(np.unique(elements(circle).get_offsets().round(6), axis=0)) == 11
    assert len(np.unique(elements(lattice).get_offsets().round(6), axis=0)) == 121
    second = np.array(wheel(11))[np.rint(11 * told[1]).astype(int)]
    for axes in (circle, lattice):
        assert [to_hex(each) for each in elements(axes).get_facecolors()] == list(second)


def test_the_text_says_how_far_elements_are_off_and_how_many_are_told_apart():
    W = ideal((11, 11), PAIR)
    assert repr(torus(W, PAIR, (11, 11))) == (
        "The embedding of 121 elements in the planes of two characters. "
        "Character (1, 0) has 11 points on its circle; no element is farther than 0 degrees from "
        "its own. Character (3, 5) has 11 points on its circle; no element is farther than 0 "
        "degrees from its own. Together they tell 121 of 121 elements apart."
    )
    lame = ((1, 2), (2, 4))
    assert "Together they tell 11 of 121 elements apart." in repr(
        torus(ideal((11, 11), lame), lame, (11, 11))
    )
    moved = W.copy()
    moved[17] = 0.5 * W[17] + 0.5 * W[18]  # between two lattice points of the second character
    assert "farther than 0 degrees from its own. Together" not in repr(torus(moved, PAIR, (11, 11)))


def test_what_has_no_plane_and_what_is_no_embedding_is_refused():
    with pytest.raises(ValueError, match=r"character \(0, 0\) has 1 points on its circle, and no"):
        torus(ideal((11, 11), PAIR), ((1, 0), (0, 0)), (11, 11))
    with pytest.raises(ValueError, match=r"character \(2, 0\) has 2 points on its circle, and no"):
        torus(ideal((4, 5), PAIR), ((2, 0), (0, 1)), (4, 5))
    with pytest.raises(ValueError, match="121 rows are no embedding of 77 elements"):
        torus(ideal((11, 11), PAIR), PAIR, (7, 11))
    with pytest.raises(ValueError, match=r"no plane of character \(0, 1\): no power in it"):
        torus(ideal((11, 11), PAIR), ((1, 0), (0, 1)), (11, 11))
