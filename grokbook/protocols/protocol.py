"""What a protocol is: runs, and the request that follows them."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from grokbook.training.request import Request
from grokbook.training.run import Run, grid


@dataclass(frozen=True)
class Protocol:
    """Runs, and the request that follows them as their paper did."""

    runs: tuple[Run, ...]
    request: Request

    def replace(self, **changes: Any) -> "Protocol":
        """Change the request; raises `TypeError` for a field that it does not have."""
        return dataclasses.replace(self, request=dataclasses.replace(self.request, **changes))


def repeated(run: Run, seeds: int) -> tuple[Run, ...]:
    """One run a seed, from 0: split, start and batches. Raises `ValueError` below one."""
    if seeds < 1:
        raise ValueError(f"seeds = {seeds} is no number of runs: give 1 or more.")
    return tuple(grid(run, seed=range(seeds)))


def refuse_unknown_arm(arm: str, arms: Iterable[str]) -> None:
    """Raise `ValueError` for an arm that a protocol does not have."""
    if arm not in arms:
        raise ValueError(f"arm = {arm!r} is not known: choose one of {', '.join(arms)}.")
