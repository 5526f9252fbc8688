"""What holds of every protocol."""

import pytest

from grokbook import protocols
from grokbook.protocols import PROTOCOLS, SWEEPS, Protocol, nanda23


@pytest.mark.parametrize("name", PROTOCOLS | SWEEPS)
@pytest.mark.parametrize("seeds", [0, -3])
def test_no_seeds_are_refused(name, seeds):
    with pytest.raises(ValueError, match=rf"seeds = {seeds} is no number of runs: give 1 or more"):
        (PROTOCOLS | SWEEPS)[name](seeds=seeds)


# Of a protocol that has all its arms in one.
ONE_ARM = {
    "zhong23": {"attention_rate": 1.0},
    "radial26": {"radial_penalty_strength": 0.05, "weight_decay": 1e-3},
}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_one_run_a_seed_and_more_seeds_keep_the_runs_that_are_there(name):
    arm = ONE_ARM.get(name, {})
    runs = PROTOCOLS[name](seeds=3, **arm).runs
    assert len({run.name for run in runs}) == 3
    assert PROTOCOLS[name](seeds=2, **arm).runs == runs[:2]
    assert [run.init_seed for run in runs] == [run.split.seed for run in runs]


def test_an_unknown_hyper_parameter_is_refused():
    with pytest.raises(ValueError, match=r"a run has no 'wd': choose from .*weight_decay"):
        nanda23(wd=1.0)


def test_replace_changes_the_request_alone():
    protocol = nanda23(seeds=1)
    shorter = protocol.replace(steps=100, stop_after_grok=None)
    assert isinstance(shorter, Protocol)
    assert shorter.runs == protocol.runs
    assert (shorter.request.steps, shorter.request.stop_after_grok) == (100, None)
    assert protocol.request.steps == 40_000
    with pytest.raises(TypeError):
        protocol.replace(speed=1)


def test_protocols_are_found_by_name_and_label_their_runs():
    assert not PROTOCOLS.keys() & SWEEPS.keys()
    for name, make in (PROTOCOLS | SWEEPS).items():
        assert make is getattr(protocols, name)
    for name, make in PROTOCOLS.items():
        assert make().request.protocol == name
