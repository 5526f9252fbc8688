"""The quick-preset check must fail for the chapters that it is there to catch."""

import json
import sys
import textwrap
from pathlib import Path

import pytest

from tests import quick_presets

FRESH = {"run": "a", "archive": None, "censored": False, "t_grok": 300.0}
CENSORED = {"run": "b", "archive": None, "censored": True, "t_grok": None}
ARCHIVED = {"run": "c", "archive": "power22.nc", "censored": False, "t_grok": 100.0}


def book(root: Path, *, chapters: list[str], presets: list[str]) -> Path:
    """Make an empty book with these chapters and quick presets."""
    quick = root / "book" / "presets" / "quick"
    quick.mkdir(parents=True)
    for stem in chapters:
        (root / "book" / f"{stem}.ipynb").touch()
    for stem in presets:
        (quick / f"{stem}.yml").touch()
    return root


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Replace grokbook's command line by a script that prints the given rows as onsets."""

    def install(rows: list[dict], *, execute: str = "pass") -> Path:
        script = tmp_path / "stand_in.py"
        script.write_text(
            textwrap.dedent(f"""\
                import os, pathlib, sys, time
                store = pathlib.Path(os.environ["GROKBOOK_RUNS"])
                if sys.argv[1] == "execute":
                    assert not any(store.iterdir()) and os.environ["OMP_NUM_THREADS"] == "1"
                    {execute}
                else:
                    print({json.dumps(rows)!r})
                """)
        )
        monkeypatch.setattr(quick_presets, "GROKBOOK", (sys.executable, str(script)))
        root = book(tmp_path / "root", chapters=["01_a", "02_b"], presets=["01_a", "02_b"])
        monkeypatch.setattr(quick_presets, "ROOT", root)
        return root

    return install


def test_only_runs_of_the_store_count():
    assert quick_presets.fresh_onsets([FRESH, CENSORED, ARCHIVED]) == (2, (300.0,))


def test_a_chapter_that_grokked_passes(stand_in, capsys):
    stand_in([FRESH, CENSORED, ARCHIVED])
    assert quick_presets.main() == 0
    printed = capsys.readouterr().out
    assert "2 fresh runs, first t_grok 300" in printed
    assert "2 passed, 0 failed" in printed


@pytest.mark.parametrize(
    ("rows", "execute", "limit", "reason"),
    [
        ([ARCHIVED], "pass", 60, "nothing was trained"),
        ([CENSORED, ARCHIVED], "pass", 60, "no run reached its t_grok"),
        ([FRESH], "sys.exit('unknown parameter: sedes')", 60, "unknown parameter: sedes"),
        ([FRESH], "time.sleep(60)", 1, "not finished after 1 s"),
    ],
)
def test_a_chapter_that_proved_nothing_fails(
    stand_in, monkeypatch, capsys, rows, execute, limit, reason
):
    monkeypatch.setattr(quick_presets, "LIMIT", limit)
    stand_in(rows, execute=execute)
    assert quick_presets.main() == 1
    printed = capsys.readouterr().out
    assert reason in printed
    assert "0 passed, 2 failed" in printed


@pytest.mark.parametrize(
    ("chapters", "presets", "reason"),
    [
        (["01_a"], [], "holds no preset"),
        (["01_a"], ["01_a", "02_b"], "presets without a chapter: 02_b"),
        (["01_a", "02_b"], ["01_a"], "chapters without a quick preset: 02_b"),
    ],
)
def test_presets_and_chapters_belong_together(tmp_path, chapters, presets, reason):
    with pytest.raises(SystemExit, match=reason):
        quick_presets.find_presets(book(tmp_path, chapters=chapters, presets=presets))


def test_the_ledger_needs_no_preset(tmp_path):
    root = book(tmp_path, chapters=["01_a", "ledger"], presets=["01_a"])
    assert [preset.stem for preset in quick_presets.find_presets(root)] == ["01_a"]
