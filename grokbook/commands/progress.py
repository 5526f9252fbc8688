"""One line of progress on a terminal; a line a finished run where the output is a file."""

import math
import sys
import time
from io import TextIOBase
from typing import Any


class Display:
    """Takes the events of `train`: runs alive, steps a second, grokked so far, time left."""

    def __init__(self, *, total: int, steps: int, stream: TextIOBase | None = None) -> None:
        self.total, self.steps = total, steps
        self.stream = sys.stderr if stream is None else stream
        self.live = self.stream.isatty()
        self.finished = self.kept = 0
        self.grokked: set[str] = set()
        self.first: dict[str, tuple[float, int]] = {}
        self.done: dict[str, int] = {}

    def __call__(self, event: dict[str, Any]) -> None:
        """Heed one event."""
        name = event["name"]
        if not math.isnan(event.get("latest", {}).get("t_grok", math.nan)):
            self.grokked.add(name)
        if event["event"] == "kept":
            self.kept += 1
        elif event["event"] == "progress":
            self.first.setdefault(name, (time.monotonic(), event["done"]))
            self.done[name] = event["done"]
        elif event["event"] == "finished":
            self.finished += 1
            self.done.pop(name, None)
            self.first.pop(name, None)
            if not self.live:
                print(f"{name} finished ({self.finished} in this sitting)", file=self.stream)
        if self.live:
            print(f"\r\033[K{self.line()}", end="", file=self.stream, flush=True)

    def line(self) -> str:
        """What is known now."""
        ended = self.kept + self.finished
        parts = [
            f"{ended} of {self.total} finished",
            f"{len(self.done)} training",
            f"{len(self.grokked)} grokked",
        ]
        now = time.monotonic()
        rates = [
            (self.done[name] - done) / (now - when)
            for name, (when, done) in self.first.items()
            if self.done[name] > done and now > when
        ]
        if rates:
            left = self.steps * (self.total - ended) - sum(self.done.values())
            parts += [f"{sum(rates):.1f} steps/s", f"at most {duration(left / sum(rates))} left"]
        return " · ".join(parts)

    def close(self) -> None:
        """End the line."""
        if self.live:
            print(file=self.stream)


def duration(seconds: float | int) -> str:
    """A time in the unit that a reader thinks in.

    >>> duration(42), duration(600), duration(20_000)
    ('42 s', '10 min', '5.6 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
