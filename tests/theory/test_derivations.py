"""Every derivation: each step holds, no wrong variant does, and none is left out of the list."""

import dataclasses
import inspect
import runpy
import time
from pathlib import Path

import pytest
import sympy as sp

from grokbook.theory import censoring, contraction, cyclic, max_margin, radial, random_phases
from grokbook.theory.identity import IdentityError
from grokbook.theory.inequality import Inequality

DERIVATIONS = {
    room.__name__.rsplit(".", 1)[1]: room
    for room in (censoring, contraction, cyclic, max_margin, radial, random_phases)
}
STEPS = {
    (chapter, identity.name): identity
    for chapter, derivation in DERIVATIONS.items()
    for identity in derivation.identities()
}
# Characters are summed in three orders and neurons in two; every other step is built once.
AGAIN = {"max_margin": 3}
FILES = sorted(Path(inspect.getfile(cyclic)).parents[1].rglob("*.py"))


@pytest.mark.parametrize(("chapter", "name"), STEPS)
def test_each_step_holds(chapter, name):
    assert repr(STEPS[chapter, name].check()) == f"{name}: True"


@pytest.mark.parametrize(("chapter", "name"), STEPS)
def test_each_wrong_variant_is_rejected(chapter, name):
    step = STEPS[chapter, name]
    if isinstance(step, Inequality):
        with pytest.raises(IdentityError, match="fails at"):
            dataclasses.replace(step, needs=sp.Eq(sp.Integer(0), 0, evaluate=False)).check()
        return
    with pytest.raises(IdentityError, match="fails"):
        dataclasses.replace(step, right=step.wrong, wrong=step.right).check()


@pytest.mark.parametrize("chapter", DERIVATIONS)
def test_every_step_is_listed(chapter):
    derivation = DERIVATIONS[chapter]
    builders = {
        build
        for room in getattr(derivation, "ROOMS", (derivation,))
        for name, build in vars(room).items()
        if name.endswith(("_identity", "_inequality"))
    }
    listed = {name for of, name in STEPS if of == chapter}
    assert {build().name for build in builders} <= listed
    assert len(listed) == len(derivation.identities()) == len(builders) + AGAIN.get(chapter, 0)


def test_every_line_is_short():
    assert [name for _, name in STEPS if len(name) > 90] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(file.parts[-2:]))
def test_import_does_no_algebra(file):
    start = time.process_time()
    runpy.run_path(str(file))
    assert time.process_time() - start < 0.05


def test_the_files_of_every_derivation_are_among_them():
    for derivation in DERIVATIONS.values():
        assert Path(inspect.getfile(derivation)) in FILES
