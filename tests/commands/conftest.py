"""A store, a `book/runs` and a tiny protocol for the tests of the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from grokbook import Request, Store, protocols
from grokbook.__main__ import main
from grokbook.protocols import Protocol
from tests.tiny import book_runs, tiny

__all__ = ["book_runs"]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Make an empty store the user's."""
    monkeypatch.setenv("GROKBOOK_RUNS", str(tmp_path / "store"))
    return Store()


@pytest.fixture
def protocol(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Protocol]:
    """Register a protocol of tiny runs under the name `tiny`."""

    def protocol(*, seeds: int = 2, steps: int = 20, **changes: object) -> Protocol:
        runs = tuple(tiny(seed=seed).replace(**changes) for seed in range(seeds))
        return Protocol(runs, Request(steps, keep_weights=True, protocol="tiny"))

    monkeypatch.setitem(protocols.PROTOCOLS, "tiny", protocol)
    return protocol


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a function that expects a command to be refused, and returns the sentence."""

    def refused(*words: str) -> str:
        assert main([*words]) == 2
        said = capsys.readouterr().err
        assert said.startswith("grokbook: ")
        assert said.count("\n") == 1 and said.endswith("\n")
        return said.removeprefix("grokbook: ").rstrip("\n")

    return refused
