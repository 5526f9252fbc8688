"""The flat vector of parameters, cut by hand."""

import numpy as np
import torch

from grokbook.models import MLP, Transformer
from grokbook.training.layout import Layout

SHAPES = {"W_E": (2, 3), "b": (4,), "W_Q": (2, 2, 3), "b_U": (1,)}
P = 6 + 4 + 12 + 1


def cut(flat):
    """Each parameter by its place, in NumPy."""
    places = {"W_E": (0, 6), "b": (6, 10), "W_Q": (10, 22), "b_U": (22, 23)}
    return {name: flat[..., start:end] for name, (start, end) in places.items()}


def test_parameters_lie_one_after_another_row_by_row():
    flat = torch.arange(float(P))
    layout = Layout(SHAPES)
    expected = cut(flat.numpy())
    segments, views = layout.segments(flat), layout.views(flat)
    assert list(segments) == list(views) == list(SHAPES)
    for name, shape in SHAPES.items():
        np.testing.assert_array_equal(segments[name].numpy(), expected[name])
        np.testing.assert_array_equal(views[name].numpy(), expected[name].reshape(shape))


def test_a_leading_run_axis_stays():
    flat = torch.randn(3, 2, P)
    layout = Layout(SHAPES)
    expected = cut(flat.numpy())
    for name, shape in SHAPES.items():
        np.testing.assert_array_equal(layout.segments(flat)[name].numpy(), expected[name])
        found = layout.views(flat)[name]
        assert found.shape == (3, 2, *shape)
        np.testing.assert_array_equal(found.flatten(2).numpy(), expected[name])


def test_both_are_views_of_the_vector():
    flat = torch.zeros(P)
    layout = Layout(SHAPES)
    layout.views(flat)["W_Q"][1, 0, 2] = 5
    assert flat.nonzero().tolist() == [[10 + 6 + 2]]
    layout.segments(flat)["b"].fill_(7)
    assert flat[6:10].tolist() == [7] * 4
    assert flat.count_nonzero() == 5


def test_what_a_model_draws_comes_back_in_its_own_shape():
    for model in (MLP(5, 2, "learned", 3), Transformer(d_model=8, heads=2, d_mlp=12)):
        start = model.initialise(7, seed=1)
        layout = Layout({name: tuple(weight.shape) for name, weight in start.items()})
        flat = torch.cat([weight.flatten() for weight in start.values()])
        assert sum(layout.sizes) == len(flat)
        for name, view in layout.views(flat).items():
            assert torch.equal(view, start[name])
