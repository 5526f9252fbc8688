"""Every claim, as `claim: stored → now`, where a verdict or its number has moved."""

import copy

import pytest

from grokbook.claims import ledger, moved, stored_verdicts

# One process computes the ledger, while others replay runs.
pytestmark = pytest.mark.xdist_group("ledger")


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return ledger()


def test_no_claim_has_moved(rows: list[dict]) -> None:
    changes = moved(rows, stored_verdicts())
    print("\n" + "\n".join(changes or [f"{len(rows)} claims, none moved"]))
    assert not changes, "accept them by `python -m grokbook claims --store`, with the reason"


@pytest.mark.parametrize(
    ("key", "value"), [("verdict", "refuted"), ("measured", 6_801.0), ("n", 4), ("interval", None)]
)
def test_an_edit_by_hand_is_seen(rows: list[dict], key: str, value: object) -> None:
    edited = copy.deepcopy(stored_verdicts())
    edited["nanda23.onset_range"][key] = value
    (line,) = moved(rows, edited)
    assert line.startswith("nanda23.onset_range: ") and " → " in line


def test_a_claim_that_comes_or_goes_is_seen(rows: list[dict]) -> None:
    stored = stored_verdicts()
    (added,) = moved(rows, {key: value for key, value in stored.items() if "range" not in key})
    assert added.startswith("nanda23.onset_range: nothing → reproduced")
    (gone,) = moved(rows, stored | {"nanda23.lost": stored["nanda23.onset_range"]})
    assert gone.endswith("→ no such claim")
