"""`grokbook runs`: lists, verifies and removes what the store holds."""

import pytest

from grokbook.__main__ import main
from grokbook.training.checkpoint import save
from tests.tiny import followed, tiny

GROKKED = {step: (1.0, float(step >= 20)) for step in range(0, 41, 10)}


@pytest.fixture
def filled(store, protocol):
    """Store one run that grokked and one that did not, and the checkpoint of a third."""
    request = protocol(steps=40).request
    store.write(followed(request, GROKKED))
    store.write(followed(request, {step: (1.0, 0.0) for step in GROKKED}, seed=1))
    save(store.state_path(tiny(seed=2).name), {})
    return store


def test_runs_are_listed_a_line_a_run(filled, capsys):
    assert main(["runs"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    lines = sorted(lines)
    expected = [
        f"{tiny().name}  tiny  seed 0  40 steps  t_grok 20",
        f"{tiny(seed=1).name}  tiny  seed 1  40 steps  not grokked",
        f"{tiny(seed=2).name}  unfinished; the command that began it goes on from its checkpoint",
    ]
    assert lines == sorted(expected)
    assert last == f"2 runs in {filled.folder}, 0 damaged"


def test_verifying_says_so_for_each_run(filled, capsys):
    assert main(["runs", "--verify"]) == 0
    assert capsys.readouterr().out.count("  verified\n") == 2


@pytest.mark.parametrize("words, status", [(["runs"], 0), (["runs", "--verify"], 1)])
@pytest.mark.parametrize("seed", [0, 2], ids=["of a finished run", "of an unfinished run"])
def test_verifying_reads_checkpoints_too(filled, capsys, words, status, seed):
    path = filled.state_path(tiny(seed=seed).name)
    path.write_bytes(b"PK half a checkpoint")
    assert main(words) == status
    said = f"{tiny(seed=seed).name}  the checkpoint {path} is damaged" in capsys.readouterr().out
    assert said == bool(status)


def test_a_damaged_run_is_named_and_the_others_are_listed(filled, capsys):
    path = filled.path(tiny().name)
    path.write_bytes(path.read_bytes()[:1000])
    assert main(["runs"]) == 1
    said = capsys.readouterr().out
    assert f"{tiny().name}  {path} is damaged" in said
    assert f"{tiny(seed=1).name}  tiny  seed 1" in said
    assert "2 runs in " in said and "1 damaged" in said


def test_runs_are_removed_by_name(filled, capsys, refusal):
    assert main(["runs", "--remove", tiny().name, tiny(seed=2).name]) == 0
    assert filled.names() == [tiny(seed=1).name]
    assert filled.unfinished() == []
    capsys.readouterr()
    assert "no run 'nothing' in " in refusal("runs", "--remove", "nothing")
    assert filled.names() == [tiny(seed=1).name]


def test_an_empty_store_is_no_trouble(store, capsys):
    assert main(["runs", "--verify"]) == 0
    assert capsys.readouterr().out == f"0 runs in {store.folder}, 0 damaged\n"
    assert not store.folder.exists()
