"""Sparse parity: what its words are, and what is refused."""

import numpy as np
import pytest

from grokbook import Split
from grokbook.models import BitMLP
from grokbook.tasks import SparseParity
from grokbook.training.run import Run


@pytest.mark.parametrize(("bits", "relevant"), [(5, 1), (20, 3), (62, 3)])
def test_the_label_is_the_parity_of_the_first_bits(bits, relevant):
    words, labels, classes = SparseParity(bits, relevant=relevant, examples=30).table()
    assert words.shape == (30, bits) and classes == 2
    assert set(np.unique(words)) == {0, 1}
    for word, label in zip(words.tolist(), labels.tolist(), strict=True):
        assert label == sum(word[:relevant]) % 2


def test_words_are_distinct_and_always_the_same():
    first, again = (SparseParity(20, examples=5_000).table().pairs for _ in range(2))
    assert len(np.unique(first, axis=0)) == 5_000
    np.testing.assert_array_equal(first, again)
    assert abs(first.mean() - 0.5) < 0.01


def test_all_words_can_be_drawn():
    words = SparseParity(4, examples=16).table().pairs
    assert sorted((words @ 2 ** np.arange(4)).tolist()) == list(range(16))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"p": 63}, "p = 63 bits are too many: give 62 or fewer"),
        ({"p": 1}, "p = 1 is not a number of bits"),
        ({"relevant": 0}, "relevant = 0 is not from 1 to p = 20"),
        ({"relevant": 21}, "relevant = 21 is not from 1 to p = 20"),
        ({"p": 4, "examples": 17}, "examples = 17 cannot be drawn of the 16 words of 4 bits"),
        ({"examples": 1}, "examples = 1 cannot be drawn"),
    ],
)
def test_what_cannot_be_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        SparseParity(**{"p": 20} | changes)


def test_a_run_on_it_is_read_back_and_has_the_coordinates_of_any_task():
    run = Run(SparseParity(10, examples=100), Split(0.5, seed=3), BitMLP(8))
    assert Run.from_json(run.to_json()) == run
    assert run.replace(p=12, examples=50).task == SparseParity(12, examples=50)
    known = run.coordinates()
    assert (known["operation"], known["p"], known["task"]) == ("parity", 10, "sparse_parity")
    assert known["relevant"] == 3
