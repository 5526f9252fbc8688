"""What every test may rely on: one thread, the same seeds, and a run store of its own.

`grokbook` is not imported here: `--jaxtyping-packages` checks only what is imported after it.
"""

import random
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import settings

# The same examples in every run, judged without a clock and remembered nowhere.
settings.register_profile("grokbook", derandomize=True, deadline=None, database=None)
settings.load_profile("grokbook")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked `gpu`, by name, on a machine without a CUDA device."""
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


@pytest.fixture(scope="session", autouse=True)
def own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Point GROKBOOK_RUNS at a folder of this session, so that no test sees the user's runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROKBOOK_RUNS", str(tmp_path_factory.mktemp("runs")))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Use one thread: faster on a shared machine, and the sums keep their order."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Start every test from the same global random states, whatever ran before it."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
