"""The text that ships with the package, in windows."""

import numpy as np
import pytest

from grokbook import Split
from grokbook.models import GPT
from grokbook.tasks import Characters
from grokbook.tasks.characters import TEXTS
from grokbook.training.run import Run


@pytest.mark.parametrize("window", [1, 7, 64])
def test_windows_read_the_text_and_labels_the_character_after(window):
    text = (TEXTS / "as_you_like_it.txt").read_text("ascii")
    characters = sorted(set(text))
    windows, labels, classes = Characters(window=window).table()
    assert classes == len(characters) == 68
    read, later = ("".join(characters[i] for i in part.flatten()) for part in (windows, labels))
    assert text.startswith(read) and len(text) - len(read) <= window
    assert text[1:].startswith(later) and len(later) == len(read)


def test_the_test_set_is_the_end_of_the_play():
    n = len(Characters().table().pairs)
    train, test = Split(0.9, seed=5, method="in_order").indices(n)
    np.testing.assert_array_equal(np.concatenate([train, test]), np.arange(n))
    assert len(train) == int(0.9 * n)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"p": 60}, "p = 60 is not the 68 characters of as_you_like_it"),
        ({"window": 0}, "window = 0 is not a length"),
        ({"window": 200_000}, "window = 200000 does not fit in the 125179 characters"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        Characters(**changes)


def test_a_run_on_it_reads_back():
    model = GPT(2, 16, 2, context=64, answer=64, special=0)
    run = Run(Characters(), Split(0.9, seed=0, method="in_order"), model)
    assert Run.from_json(run.to_json()) == run
