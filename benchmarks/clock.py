"""Timing on a machine that others use too: in turns, and the least of many."""

import time
from collections.abc import Callable


def least(
    works: dict[str, Callable[[], None]], *, seconds: float = 10.0, rounds: int = 5
) -> dict[str, float]:
    """Seconds that one call of each work takes: the least mean of `rounds` turns.

    The works take turns, so that a slow stretch of the machine falls on all of them, and each turn
    lasts as long as the others. `seconds` is the time for everything.
    """
    for work in works.values():
        work()  # what is done once (allocations, caches) is not what is measured
    first = {name: _time(work, 1) for name, work in works.items()}
    turn = seconds / rounds / len(works)
    calls = {name: max(1, round(turn / once)) for name, once in first.items()}
    best = first
    for _ in range(rounds):
        for name, work in works.items():
            best[name] = min(best[name], _time(work, calls[name]))
    return best


def _time(work: Callable[[], None], calls: int) -> float:
    begin = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - begin) / calls
