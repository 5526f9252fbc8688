"""Addition of numbers written in digits, to be answered digit by digit."""

import random
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Int64

from grokbook.groups import checked_integer
from grokbook.tasks.task import Table

LARGEST = 2**53  # pairs of numbers, each of which an int64 holds with ease


@dataclass(frozen=True)
class DigitAddition:
    r"""Sums of two numbers of `digits` digits in base p, read as tokens: `a…a + b…b = c…c`.

    The digits are the tokens $0, \dots, p-1$, "+" is p and "=" is p + 1. Numbers begin with their
    highest digit, zeros written; an answer has one digit more and, `reversed`, begins with its
    lowest, so that each digit needs the carry of the one before it alone
    {cite}`lee2023teaching`. Of all pairs `examples` distinct ones are drawn, always the same; a
    split divides these. An example's tokens end before the last digit of its answer, all of whose
    digits are its labels: each is to be predicted from what stands before it. Raises `ValueError`
    for more examples than there are pairs, and for numbers without digits.

    >>> tokens, digits, classes = DigitAddition(10, digits=2, examples=1).table()
    >>> tokens.tolist(), digits.tolist(), classes
    ([[6, 3, 10, 1, 1, 11, 4, 7]], [[4, 7, 0]], 10)
    """

    kind: ClassVar[str] = "digit_addition"

    p: int = 10
    digits: int = 3
    examples: int = 12_500
    reversed: bool = True
    operation: Literal["add_digits"] = "add_digits"

    def __post_init__(self) -> None:
        p = checked_integer(self.p, name="p", what="a base", least=2)
        digits = checked_integer(self.digits, name="digits", what="a number of digits", least=1)
        object.__setattr__(self, "p", p)
        object.__setattr__(self, "digits", digits)
        pairs = p ** (2 * digits)
        if pairs > LARGEST:
            raise ValueError(f"digits = {digits} in base {p} are too many: give fewer.")
        if not 1 <= self.examples <= pairs:
            raise ValueError(
                f"examples = {self.examples} cannot be drawn of the {pairs} pairs of numbers: "
                "give from 1 to that number."
            )

    def table(self) -> Table:
        """Return the tokens of each example, the digits of its answer, and p."""
        drawn = random.Random(0).sample(range(self.p ** (2 * self.digits)), self.examples)
        a, b = np.divmod(np.array(drawn, dtype=np.int64), self.p**self.digits)
        answer = self._written(a + b, self.digits + 1)
        answer = answer[:, ::-1] if self.reversed else answer
        plus, equals = (np.full((len(a), 1), self.p + sign) for sign in (0, 1))
        question = [self._written(a, self.digits), plus, self._written(b, self.digits), equals]
        return Table(np.hstack([*question, answer[:, :-1]]), answer.copy(), self.p)

    def _written(self, numbers: Int64[np.ndarray, "n"], digits: int) -> Int64[np.ndarray, "n _"]:
        """Digits, the highest first."""
        return numbers[:, None] // self.p ** np.arange(digits)[::-1] % self.p
