"""The tables of the page `reproduce`, and that the page types none of their numbers."""

import json
import re
from pathlib import Path

import pytest

from grokbook import reproducing
from grokbook.protocols import PROTOCOLS, nanda23

PAGE = Path(__file__).parents[1] / "book" / "reproduce.md"
COST = {"protocol": "a", "runs": 3, "steps": 36_000, "ms_per_step": 100.0, "memory_mib": 1200}


def test_the_stored_result_has_every_protocol_and_its_conditions():
    result = reproducing.stored("cpu")
    assert [row["protocol"] for row in result["costs"]] == list(PROTOCOLS)
    for row in result["costs"]:
        protocol = PROTOCOLS[row["protocol"]]()
        assert (row["runs"], row["steps"]) == (len(protocol.runs), protocol.request.steps)
    said = reproducing.conditions(result)
    assert result["device"] in said
    assert re.search(r"on \d{4}-\d\d-\d\d on \d+ cores", said)


def test_a_device_without_a_result_is_not_yet_run():
    assert reproducing.stored("abacus") is None
    assert reproducing.costs({"costs": [COST]}).endswith("not yet run |")


@pytest.mark.parametrize(("runs", "hours"), [(1, 1.0), (2, 1.0), (3, 2.0), (5, 3.0)])
def test_hours_are_those_of_two_at_a_time(runs, hours):
    assert reproducing.hours(COST | {"runs": runs}) == hours


def test_a_cost_is_a_row():
    table = reproducing.costs({"costs": [COST]}, {"costs": [COST | {"ms_per_step": 2.5}]})
    assert table.splitlines()[2] == (
        "| `a` | 3 | 36,000 | 100.0 | 2.0 | 1,200 | 2.5 ms a step of all runs, 1,200 MiB |"
    )


def test_a_broken_bound_is_told_and_a_missing_device_too():
    row = {"name": "n", "ratio": 1.4, "must": "<= 1.3", "holds": False, "threads": 1}
    gpu = {"name": "g", "ratio": None, "must": ">= 30", "holds": None, "threads": 1}
    table = reproducing.rows({"rows": [row | {"device": "cpu"}, gpu | {"device": "cuda"}]})
    assert table.splitlines()[2:] == [
        "| n | 1 | cpu | 1.40 | ≤ 1.3 | **broken** |",
        "| g | 1 | cuda | not yet run | ≥ 30 |  |",
    ]


def test_the_page_types_no_measured_number():
    prose = re.sub(r"```.*?```", "", PAGE.read_text(encoding="utf-8"), flags=re.S)
    for row in json.loads((reproducing.RESULTS / "cpu.json").read_text())["costs"]:
        assert f"{row['ms_per_step']}" not in prose


def test_setups_stand_side_by_side_as_the_protocols_have_them():
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in reproducing.setups().splitlines()
    ]
    assert lines[0] == ["", *(f"`{name}`" for name in PROTOCOLS)]
    assert {len(line) for line in lines} == {1 + len(PROTOCOLS)}
    table = {line[0]: dict(zip(PROTOCOLS, line[1:], strict=True)) for line in lines[2:]}
    assert table["weight decay"]["grokfast24"] == "λ = 0.005, coupled"
    assert table["weight decay"]["prieto25"] == "none"
    assert table["batch"] == {
        "power22": "512, by epochs",
        "nanda23": "full",
        "gromov23": "full",
        "zhong23": "full",
        "grokfast24": "512, by epochs",
        "prieto25": "full",
        "norm_separation26": "512, with replacement",
        "radial26": "256, by epochs",
    }
    assert table["share of the pairs"]["nanda23"] == "30 %"
    assert table["onset"]["grokfast24"] == "95 %, first time"
    assert reproducing.setups(["nanda23"]).splitlines()[0] == "|  | `nanda23` |"


def test_a_setup_follows_its_protocol(monkeypatch):
    changed = nanda23(seeds=1, weight_decay=0.25, batch_size=7)
    monkeypatch.setitem(PROTOCOLS, "nanda23", lambda: changed)
    table = reproducing.setups(["nanda23"])
    assert "| λ = 0.25, decoupled |" in table and "| 7, with replacement |" in table


def test_what_is_not_yet_run_is_a_command_a_row():
    rows = [{"command": "grokbook run a", "missing": 2, "runs": 5, "claims": ["a.b", "a.c"]}]
    assert reproducing.outstanding(rows).splitlines()[2] == (
        "| `grokbook run a` | 2 of 5 | `a.b`, `a.c` |"
    )
    assert reproducing.outstanding([]) == "Every experiment that a claim asks for is archived."
