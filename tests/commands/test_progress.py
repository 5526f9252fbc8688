"""The line of progress: runs alive, steps a second, grokked so far, time left."""

import io
import math
import time

import pytest

from grokbook.commands.progress import Display


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def progress(name, done, t_grok=math.nan):
    return {"event": "progress", "name": name, "done": done, "latest": {"t_grok": t_grok}}


def test_it_says_who_is_alive_how_fast_who_has_grokked_and_how_long(clock):
    display = Display(total=4, steps=1000, stream=Terminal())
    display({"event": "kept", "name": "a", "latest": {"t_grok": 70.0}})
    display(progress("b", 100))
    display(progress("c", 0))
    assert display.line() == "1 of 4 finished · 2 training · 1 grokked"  # no rate from one report
    clock[0] = 10.0
    display(progress("b", 200, t_grok=150.0))
    display(progress("c", 400))
    # 10 + 40 steps a second; b has 800 left, c 600, d all of its 1,000.
    assert display.line() == (
        "1 of 4 finished · 2 training · 2 grokked · 50.0 steps/s · at most 48 s left"
    )
    display({"event": "finished", "name": "b"})
    assert display.line() == (
        "2 of 4 finished · 1 training · 2 grokked · 40.0 steps/s · at most 40 s left"
    )


def test_a_terminal_has_one_line_that_is_written_over(clock):
    stream = Terminal()
    display = Display(total=1, steps=10, stream=stream)
    display(progress("a", 0))
    display(progress("a", 5))
    display.close()
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().count("\r\033[K") == 2


def test_a_file_is_told_of_finished_runs_alone(clock):
    stream = io.StringIO()
    display = Display(total=2, steps=10, stream=stream)
    display(progress("a", 0))
    display(progress("a", 5))
    display({"event": "finished", "name": "a"})
    display.close()
    assert stream.getvalue() == "a finished (1 in this sitting)\n"
