"""Sums of written numbers: what stands in a line, and what is refused."""

import numpy as np
import pytest

from grokbook import Split
from grokbook.models import GPT
from grokbook.tasks import DigitAddition
from grokbook.training.run import Run


@pytest.mark.parametrize(("base", "digits"), [(10, 3), (2, 5), (16, 1)])
@pytest.mark.parametrize("backwards", [True, False])
def test_each_line_is_the_sum_as_a_pupil_writes_it(base, digits, backwards):
    task = DigitAddition(base, digits=digits, examples=50, reversed=backwards)
    tokens, answers, classes = task.table()
    assert tokens.shape == (50, 3 * digits + 2) and answers.shape == (50, digits + 1)
    assert classes == base
    for line, answer in zip(tokens.tolist(), answers.tolist(), strict=True):
        assert line[digits] == base and line[2 * digits + 1] == base + 1
        a, b = (
            int("".join(np.base_repr(d, base) for d in part), base)
            for part in (line[:digits], line[digits + 1 : 2 * digits + 1])
        )
        written = answer[::-1] if backwards else answer
        assert int("".join(np.base_repr(d, base) for d in written), base) == a + b
        assert line[2 * digits + 2 :] == answer[:-1]


def test_lines_are_distinct_and_always_the_same():
    first, again = (DigitAddition().table().pairs for _ in range(2))
    assert len(np.unique(first[:, :8], axis=0)) == 12_500
    np.testing.assert_array_equal(first, again)


def test_all_pairs_can_be_drawn():
    tokens, _, _ = DigitAddition(3, digits=1, examples=9).table()
    assert sorted(map(tuple, tokens[:, [0, 2]].tolist())) == [
        (a, b) for a in range(3) for b in range(3)
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"p": 1}, "p = 1 is not a base"),
        ({"digits": 0}, "digits = 0 is not a number of digits"),
        ({"digits": 9}, "digits = 9 in base 10 are too many: give fewer"),
        ({"digits": 1, "examples": 101}, "examples = 101 cannot be drawn of the 100 pairs"),
        ({"examples": 0}, "examples = 0 cannot be drawn"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        DigitAddition(**changes)


def test_a_run_on_it_reads_back():
    run = Run(DigitAddition(digits=2, examples=500), Split(0.8, seed=0), GPT(context=8, answer=3))
    assert Run.from_json(run.to_json()) == run
    assert run.coordinates()["operation"] == "add_digits"
