"""Chapter 02: every step of the derivation holds, and no wrong variant does."""

import dataclasses
import runpy
import time

import pytest

from grokbook.theory import cyclic
from grokbook.theory.cyclic import identities
from grokbook.theory.identity import IdentityError

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
    names = [(room, name) for room in cyclic.ROOMS for name in vars(room)]
    built = [getattr(room, name) for room, name in names if name.endswith("_identity")]
    assert {identity().name for identity in built} == set(STEPS)
    assert len(STEPS) == len(identities())


def test_every_line_is_short():
    assert [name for name in STEPS if len(name) > 90] == []


def test_import_does_no_algebra():
    start = time.process_time()
    runpy.run_path(cyclic.__file__)
    assert time.process_time() - start < 0.05
