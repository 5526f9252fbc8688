"""The command line as a whole: refusals, defects, and readers that go away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grokbook import __main__ as command
from grokbook.__main__ import main

ROOT = Path(__file__).parents[2]


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    # What `| head -1` does, without the race: nobody reads at all.
    shown = subprocess.Popen(
        [sys.executable, "-m", "grokbook", "runs"],
        cwd=ROOT,
        env=os.environ | {"GROKBOOK_RUNS": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    shown.stdout.close()
    assert (shown.stderr.read(), shown.wait()) == ("", 0)
    shown.stderr.close()


@pytest.mark.parametrize("name", command.COMMANDS)
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: grokbook {name}" in capsys.readouterr().out


def test_an_unknown_command_is_refused_with_those_known(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["rnu"])
    assert ended.value.code == 2
    assert "invalid choice: 'rnu'" in capsys.readouterr().err


def test_a_defect_keeps_its_trace(monkeypatch):
    def broken(chosen: object) -> int:
        raise KeyError("a defect")

    monkeypatch.setattr("grokbook.commands.runs.act", broken)
    with pytest.raises(KeyError, match="a defect"):
        main(["runs"])


def test_ctrl_c_is_told_in_one_line(monkeypatch, capsys):
    def interrupted(chosen: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("grokbook.commands.runs.act", interrupted)
    assert main(["runs"]) == 130
    assert capsys.readouterr().err == "grokbook: interrupted.\n"
