"""What the stored chapters show: at their default parameters every archived run is there."""

import re
from pathlib import Path

import nbformat
import pytest

from grokbook import archived, theory
from grokbook.protocols import PROTOCOLS, SWEEPS
from grokbook.theory import censoring, contraction, cyclic, max_margin, radial, random_phases

CHAPTERS = sorted((Path(__file__).parents[1] / "book").glob("[0-9]*.ipynb"))
DERIVATIONS = {
    "01_phenomenon": (censoring,),
    "02_cyclic_groups": (cyclic, random_phases, max_margin),
    "03_delay_law": (contraction,),
    "04_radial_angular": (radial,),
}
# What draws runs; other figures are drawn from formulas.
DRAWS_RUNS = re.compile(
    r"figures\.(traces|survival|scaling|explorer|scrubber|spectrum|circle|torus|progress"
    r"|norms|kappas|power_laws|predicted|delay_slider|activations|motion)\("
    r"|squared\.isel"
)
# The runs that a cell asks for; chapter 04 has one function that asks for all of its sweeps.
ASKED = re.compile(r'(?:command="python -m grokbook run |experiment\(")(\w+)')


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_archived_run_is_left_out_at_the_default_parameters(path):
    cells = nbformat.read(path, 4).cells
    asking = [cell for cell in cells if ASKED.search(cell.source)]
    own = next(name for cell in asking for name in ASKED.findall(cell.source) if name in PROTOCOLS)
    for cell in asking:
        said = "".join(output.get("text", "") for output in cell.outputs)
        for name in ASKED.findall(cell.source):
            found = archived((PROTOCOLS | SWEEPS)[name]())
            command = f"`python -m grokbook run {name}`"
            # The chapter's own experiment is complete; any other says what it lacks.
            assert not found.missing or name != own, f"{name} is not complete"
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


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_below_every_figure_stand_the_runs_behind_it(path):
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    drawing = [place for place, cell in enumerate(cells) if DRAWS_RUNS.search(cell.source)]
    assert drawing
    for place in drawing:
        # In the same cell, or in the next one if that draws nothing itself.
        end = place + (1 if place + 1 in drawing else 2)
        below = "".join(cell.source for cell in cells[place:end])
        assert "figures.provenance(" in below, cells[place].source
        shown = [
            output
            for cell in cells[place:end]
            for output in cell.outputs
            if "data" in output and "scrapbook" not in output.metadata
        ]
        pictures = sum("Runs behind" not in str(output.data) for output in shown)
        assert len(shown) - pictures == bool(pictures), cells[place].source


def test_every_derivation_belongs_to_a_chapter():
    known = {derivation.__name__ for several in DERIVATIONS.values() for derivation in several}
    folder = Path(theory.__file__).parent
    assert known == {f"grokbook.theory.{path.parent.name}" for path in folder.glob("*/__init__.py")}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_step_of_its_derivation_is_checked_on_the_page(path):
    """Each step is a line that nbval compares, so that a planted slip turns the page red."""
    compared = [c for c in nbformat.read(path, 4).cells if "NBVAL_CHECK_OUTPUT" in c.source]
    said = {
        line
        for cell in compared
        for output in cell.outputs
        for line in output.get("text", "").splitlines()
    }
    steps = [step for derivation in DERIVATIONS[path.stem] for step in derivation.identities()]
    assert steps
    assert [step.name for step in steps if f"{step.name}: True" not in said] == []
