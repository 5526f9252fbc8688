"""`grokbook claims`: the ledger as text and as JSON, and what has moved."""

import json
import sys

import pytest

import grokbook.claims
from grokbook.__main__ import main
from grokbook.claims import CLAIMS, VERDICTS, accept, ledger
from tests.tiny import plain

KEYS = (
    "id source kind statement published criterion verdict measured interval n seeds device runs "
    "note"
).split()


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    """Rows of one paper; the theorems of the whole ledger take longer."""
    return ledger("nanda23")


@pytest.fixture
def stored(rows, tmp_path, monkeypatch):
    """Accept these rows in a file of the test, and make them the whole ledger."""
    path = tmp_path / "verdicts.json"
    monkeypatch.setattr(sys.modules["grokbook.claims.ledger"], "STORED", path)
    monkeypatch.setattr(grokbook.claims, "ledger", lambda source=None: rows)
    accept(rows)
    return path


def test_rows_are_flat_and_plain_and_have_the_keys_of_the_design(capsys):
    assert main(["claims", "--json", "--source", "nanda23"]) == 0
    rows = plain(capsys.readouterr().out)
    assert [row["id"] for row in rows] == [name for name in CLAIMS if name.startswith("nanda23.")]
    for row in rows:
        assert set(row) >= set(KEYS)
        assert not any(isinstance(value, dict) for value in row.values())
        assert row["source"] == "nanda23"
        assert row["verdict"] in VERDICTS
        assert row["n"] <= len(row["seeds"]) <= len(row["runs"])  # a sweep has several arms


def test_text_is_a_line_a_claim(rows, stored, capsys):
    assert main(["claims"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [row["id"] for row in rows]
    assert rows[0]["verdict"] in lines[0]


def test_nothing_has_moved_by_itself(stored, capsys):
    assert main(["claims", "--check"]) == 0
    assert "→" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "key, value", [("verdict", "refuted"), ("measured", 1.0), ("interval", None), ("n", 1)]
)
def test_an_edit_by_hand_is_seen(rows, stored, capsys, key, value):
    kept = json.loads(stored.read_text())
    kept[rows[0]["id"]][key] = value
    stored.write_text(json.dumps(kept))
    assert main(["claims", "--check"]) == 1
    moved = [line for line in capsys.readouterr().out.splitlines() if "→" in line]
    assert len(moved) == 1
    before, now = moved[0].removeprefix(f"{rows[0]['id']}: ").split(" → ")
    assert now.startswith(rows[0]["verdict"])
    if key == "verdict":
        assert before.startswith("refuted")


def test_accepting_makes_the_present_verdicts_the_stored_ones(rows, stored):
    stored.write_text("{}")
    assert main(["claims", "--check"]) == 1
    assert main(["claims", "--store"]) == 0
    assert main(["claims", "--check"]) == 0
    kept = plain(stored.read_text())
    assert list(kept) == [row["id"] for row in rows]
    assert set(kept[rows[0]["id"]]) == {"verdict", "measured", "interval", "n"}


def test_what_cannot_be_is_refused_in_one_sentence(stored, refusal, monkeypatch):
    for word in ("--check", "--store"):
        sentence = refusal("claims", "--source", "nanda23", word)
        assert "--check and --store need the whole ledger" in sentence
    stored.write_text("{half a file")
    assert f"{stored} is no JSON (" in refusal("claims", "--check")
    monkeypatch.setattr(grokbook.claims, "ledger", ledger)
    sources = ", ".join(sorted({claim.source for claim in CLAIMS.values()}))
    expected = f"no claim has the source 'nanda24': choose from {sources}."
    assert refusal("claims", "--source", "nanda24") == expected
