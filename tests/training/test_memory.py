"""How many runs fit into how much memory."""

import math

import pytest
import torch

from grokbook.training import memory


@pytest.mark.parametrize("one", [100, 1000])
@pytest.mark.parametrize("each", [1, 7, 300])
@pytest.mark.parametrize("free", [0, 900, 5000])
def test_so_many_runs_fit_and_not_one_more(one, each, free):
    def bytes_of(n):
        return one + (n - 1) * each

    most = memory.most_runs(one, one + each, free)
    assert most == 1 or bytes_of(most) <= 0.8 * free
    assert bytes_of(most + 1) > 0.8 * free


def test_a_second_run_that_costs_nothing_is_no_division_by_zero():
    assert memory.most_runs(10, 10, 100) == 71


def test_a_cpu_has_room_for_any_number_and_counts_nothing():
    def take(n):
        raise AssertionError("there is nothing to try")

    memory.start_counting("cpu")
    assert memory.room(take, "cpu") is None
    assert math.isnan(memory.peak("cpu"))


class Cuda:
    """A device on which 30 bytes are held, a step with n runs takes 100 + 50 n, and libraries 1000
    that they never give back."""

    def __init__(self, total):
        self.total, self.highest, self.allocated = total, 0, 30

    def take(self, n):
        self.allocated = 1030
        needed = self.allocated + 100 + 50 * n
        if needed > self.total:
            raise torch.OutOfMemoryError("too much")
        self.highest = max(self.highest, needed)

    def empty_cache(self):
        pass

    def mem_get_info(self, device):
        return self.total - self.allocated, self.total

    def memory_allocated(self, device):
        return self.allocated

    def reset_peak_memory_stats(self, device):
        self.highest = self.allocated

    def max_memory_allocated(self, device):
        return self.highest


@pytest.mark.parametrize(
    "total, most",
    [
        (3030, 30),  # 2000 are free, of which 1600 may be taken: 100 + 50 · 30
        (1300, 2),
        (1230, 1),  # two runs fit, but into more than 80 %
        (1200, 1),  # two runs do not fit at all
    ],
)
def test_room_is_found_by_trying_with_one_and_two_runs(total, most, monkeypatch):
    cuda = Cuda(total)
    for name in ("empty_cache", "mem_get_info", "memory_allocated", "reset_peak_memory_stats",
                 "max_memory_allocated"):  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, getattr(cuda, name))
    assert memory.room(cuda.take, "cuda") == most
