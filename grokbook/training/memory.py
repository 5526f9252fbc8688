"""How much of a device's memory training takes, and how many runs therefore fit on it at once."""

import math
from collections.abc import Callable

import torch

SHARE = 0.8  # of the free memory; what is left is for the allocator's fragments


def start_counting(device: str) -> None:
    """Forget the peak so far; a CPU has none."""
    if torch.device(device).type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak(device: str) -> float:
    """Largest number of bytes that tensors took since `start_counting`, NaN on a CPU."""
    if torch.device(device).type != "cuda":
        return math.nan
    return float(torch.cuda.max_memory_allocated(device))


def most_runs(one: float | int, two: float | int, free: float | int) -> int:
    """How many runs fit into 80 % of the free bytes, given the peaks with one and with two runs.

    Each run adds what the second one added. At least 1: that a run does not fit is for the device
    to say.

    >>> most_runs(one=30, two=40, free=100), most_runs(one=30, two=40, free=10)
    (6, 1)
    """
    each = max(two - one, 1)
    return max(1, 1 + int((SHARE * free - one) // each))


def room(take: Callable[[int], None], device: str) -> int | None:
    """How many runs the device has room for, None for any number; `take(n)` takes a step with n."""
    if torch.device(device).type != "cuda":
        return None
    peaks = []
    try:
        take(1)  # what the libraries claim once is no run's
        for n in (1, 2):
            torch.cuda.empty_cache()
            before, _ = torch.cuda.mem_get_info(device)
            held = torch.cuda.memory_allocated(device)
            start_counting(device)
            take(n)
            peaks.append(peak(device) - held)
    except torch.OutOfMemoryError:
        return 1
    return most_runs(*peaks, before)
