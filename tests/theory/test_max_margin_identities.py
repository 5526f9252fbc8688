"""Chapter 02, the largest margin: every step of the proof holds, and no wrong variant does."""

import dataclasses
import runpy
import time

import pytest

from grokbook.theory import max_margin
from grokbook.theory.identity import IdentityError
from grokbook.theory.max_margin import identities

STEPS = {identity.name: identity for identity in identities()}


@pytest.mark.parametrize("name", STEPS)
def test_each_step_holds(name):
    assert repr(STEPS[name].check()) == f"{name}: True"


@pytest.mark.parametrize("name", STEPS)
def test_each_wrong_variant_is_rejected(name):
    step = STEPS[name]
    with pytest.raises(IdentityError, match="fails"):
        dataclasses.replace(step, right=step.wrong, wrong=step.right).check()


def test_every_step_is_listed():
    """The characters are summed in three orders, the neurons in two, everything else once."""
    built = [name for name in dir(max_margin) if name.endswith("_identity")]
    names = {getattr(max_margin, name)().name for name in built}
    assert names <= set(STEPS)
    assert len(names) == len(built)
    assert len(STEPS) == len(identities()) == len(built) + 2 + 1


def test_every_line_is_short():
    assert [name for name in STEPS if len(name) > 90] == []


def test_import_does_no_algebra():
    start = time.process_time()
    runpy.run_path(max_margin.__file__)
    assert time.process_time() - start < 0.05
