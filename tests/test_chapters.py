"""What the stored chapters show: at their default parameters every archived run is there."""

import re
from pathlib import Path

import nbformat
import pytest

from grokbook import archived
from grokbook.protocols import PROTOCOLS, SWEEPS

CHAPTERS = sorted((Path(__file__).parents[1] / "book").glob("[0-9]*.ipynb"))


COMMAND = re.compile(r'command="python -m grokbook run (\w+)')


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_archived_run_is_left_out_at_the_default_parameters(path):
    cells = nbformat.read(path, 4).cells
    asking = [cell for cell in cells if "chapter_runs(" in cell.source]
    assert asking, f"{path.stem} asks for no runs"
    for cell in asking:
        said = "".join(output.get("text", "") for output in cell.outputs)
        for name in COMMAND.findall(cell.source):
            found = archived((PROTOCOLS | SWEEPS)[name]())
            command = f"`python -m grokbook run {name}`"
            # The chapter's own experiment is complete; a sweep says what it lacks.
            assert not found.missing or name in SWEEPS, f"{name} is not complete"
            assert (command in said) == bool(found.missing)
            if found.missing:
                assert f"not yet run: {len(found.missing)} of " in said


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_picture_has_a_caption_that_says_what_to_look_at_first(path):
    for cell in nbformat.read(path, 4).cells:
        pictures = [o for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
        if pictures:
            figure = cell.metadata.get("mystnb", {}).get("figure", {})
            assert figure.get("name", "").startswith("fig-"), cell.source[:80]
            assert figure["caption"].startswith("**Look first at ")
