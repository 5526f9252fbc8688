"""One line of progress on a terminal; a line a finished run where the output is a file."""

import sys
import time
from typing import Any, TextIO


class Display:
    """Takes the events of `train`: runs finished and at hand, steps a second, time left."""

    def __init__(self, *, total: int, steps: int, stream: TextIO | None = None) -> None:
        self.total, self.steps = total, steps
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.finished = self.grokked = 0
        self.first: dict[str, tuple[float, int]] = {}
        self.done: dict[str, int] = {}

    def __call__(self, event: dict[str, Any]) -> None:
        """Heed one event."""
        name = event["name"]
        if event["event"] == "progress":
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
        parts = [f"{self.finished} finished", f"{len(self.done)} training"]
        rates = [
            (self.done[name] - done) / (time.monotonic() - when)
            for name, (when, done) in self.first.items()
            if self.done[name] > done
        ]
        if rates:
            left = max(self.steps - done for done in self.done.values()) / (sum(rates) / len(rates))
            parts += [f"{sum(rates):.1f} steps/s", f"at most {left / 60:.0f} min left for these"]
        return " · ".join(parts)

    def close(self) -> None:
        """End the line."""
        if self.live:
            print(file=self.stream)
