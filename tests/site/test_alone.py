"""What holds of every figure with a script."""

import re

import pytest

from grokbook.figures import delay_slider, explorer
from grokbook.figures.scrubber import scrubber
from tests.figures import test_motion
from tests.figures.framed import framed
from tests.figures.test_delay_slider import made
from tests.figures.test_explorer import ONSETS, sweep
from tests.site.alone import STATIC, without_errors, write

pytestmark = pytest.mark.timeout(1200)  # for a busy machine; the page itself takes a second

FIGURES = {
    "explorer": lambda: explorer(sweep(ONSETS)),
    "scrubber": lambda: scrubber(framed()),
    "delay": lambda: delay_slider(made()),
    "motion": test_motion.made,
}
EACH = pytest.mark.parametrize("kind", FIGURES)


@EACH
def test_the_focus_can_be_seen(tab, tmp_path, kind):
    with without_errors(tab):
        tab.goto(write(tmp_path, kind, [FIGURES[kind]()] * 4))
        for _ in range(4):  # sliders, buttons, places of a map
            tab.keyboard.press("Tab")
            look = tab.evaluate("(s => [s.outlineStyle, s.outlineWidth])"
                                "(getComputedStyle(document.activeElement))")  # fmt: skip
            assert look == ["solid", "2px"]


@EACH
def test_its_script_keeps_to_itself(kind):
    script = (STATIC / f"{kind}.js").read_text(encoding="utf-8")
    assert "//" not in re.sub(r"/\*.*?\*/", "", script, flags=re.DOTALL)
    assert not re.search(r"fetch|XMLHttpRequest|localStorage|innerHTML|window\.", script)
    assert len(script.splitlines()) <= 200


def test_every_script_for_figures_is_among_them():
    scripts = {path.stem for path in STATIC.glob("*.js")}
    assert scripts - {"page"} == set(FIGURES)
