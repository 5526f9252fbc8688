"""`Request`: where a run ends, its JSON, and what it refuses."""

import math

import pytest

from grokbook.measures.onset import Rule
from grokbook.training.request import Request

FULL = Request(
    steps=500,
    evaluate_every=5,
    rule=Rule(0.97, 4),
    stop_after_grok=40,
    measures=(),
    keep_weights=True,
    protocol="nanda23",
)


@pytest.mark.parametrize("request_", [Request(0), Request(100, rule=Rule(1)), FULL])
def test_json_reads_back_as_the_same_request(request_):
    again = Request.from_json(request_.to_json())
    assert again == request_
    assert isinstance(again.rule, Rule)
    assert isinstance(again.measures, tuple)


def test_without_a_stop_rule_the_budget_is_the_end():
    assert Request(100).end(math.nan) == Request(100).end(30.0) == 100


def test_until_it_groks_the_budget_is_the_end():
    assert FULL.end(math.nan) == 500


@pytest.mark.parametrize(
    ("stop_after_grok", "last_onset", "end"),
    [
        (40, 100.0, 140),
        (40, 0.0, 40),
        (40, 480.0, 500),  # the budget comes first
        # The rule asks for 4 evaluations in a row, 15 steps: the onset is not known before.
        (10, 100.0, 115),
        (0, 100.0, 115),
        (15, 100.0, 115),
        (16, 100.0, 116),
    ],
)
def test_a_stop_rule_counts_from_the_last_onset(stop_after_grok, last_onset, end):
    request = Request(500, 5, Rule(0.97, 4), stop_after_grok)
    assert request.end(last_onset) == end
    assert type(request.end(last_onset)) is float


def test_the_common_rules_need_three_evaluations_whatever_the_protocol_s_own():
    assert Request(500, 7, Rule(0.99, 1), stop_after_grok=0).end(70.0) == 84


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": -1}, r"steps = -1 is too small: give 0 or more"),
        ({"evaluate_every": 0}, r"evaluate_every = 0 is too small: give 1 or more"),
        ({"stop_after_grok": -1}, r"stop_after_grok = -1 is too small: give 0 or more"),
        (
            {"measures": ("squared_norm", "charm", "beauty")},
            r"unknown measures \['beauty', 'charm'\]: choose from \[.*'squared_norm'.*\]",
        ),
    ],
)
def test_bad_values_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Request(**{"steps": 10} | values)
