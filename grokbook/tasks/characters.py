"""The next character of a text: a task in which there is no rule to be found late."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from grokbook.groups import checked_integer
from grokbook.tasks.task import Table

TEXTS = Path(__file__).parent / "texts"


@dataclass(frozen=True)
class Characters:
    """Windows of `window` characters of a text that ships with the package, end to end.

    The tokens are its p distinct characters in the order of their codes; the labels of a window are
    the same characters one place later. Raises `ValueError` for a p that is not the text's, and for
    windows that do not fit in it.

    >>> windows, labels, classes = Characters(window=8).table()
    >>> windows.shape, bool((windows[:, 1:] == labels[:, :-1]).all()), classes
    ((15647, 8), True, 68)
    """

    kind: ClassVar[str] = "characters"

    p: int = 68
    text: Literal["as_you_like_it"] = "as_you_like_it"
    window: int = 64
    operation: Literal["next_character"] = "next_character"

    def __post_init__(self) -> None:
        window = checked_integer(self.window, name="window", what="a length", least=1)
        object.__setattr__(self, "window", window)
        written = self._written()
        if self.p != (characters := len(set(written))):
            raise ValueError(f"p = {self.p} is not the {characters} characters of {self.text}.")
        if window >= len(written):
            raise ValueError(
                f"window = {window} does not fit in the {len(written)} characters of "
                f"{self.text}: give less."
            )

    def table(self) -> Table:
        """Return the windows in the order of the text, their characters one place later, and p."""
        _, codes = np.unique(np.frombuffer(self._written(), dtype=np.uint8), return_inverse=True)
        codes = codes.astype(np.int64)
        n = (len(codes) - 1) // self.window
        windows, later = codes[: n * self.window], codes[1 : n * self.window + 1]
        return Table(windows.reshape(n, -1), later.reshape(n, -1), self.p)

    def _written(self) -> bytes:
        return (TEXTS / f"{self.text}.txt").read_bytes()
