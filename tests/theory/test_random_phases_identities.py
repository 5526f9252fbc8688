"""Gromov's network: every step of the derivation holds, and no wrong variant does."""

import dataclasses
import runpy
import time

import pytest

from grokbook.theory import random_phases
from grokbook.theory.identity import IdentityError
from grokbook.theory.random_phases import identities

STEPS = {identity.name: identity for identity in identities()}


@pytest.mark.parametrize("name", STEPS)
def test_each_step_holds(name):
    assert repr(STEPS[name].check()) == f"{name}: True"


@pytest.mark.parametrize("name", STEPS)
def test_each_wrong_variant_is_rejected(name):
    step = STEPS[name]
    with pytest.raises(IdentityError, match="fails"):
        dataclasses.replace(step, right=step.wrong, wrong=step.right).check()


@pytest.mark.parametrize("order", [3, 5])
def test_the_sums_hold_at_other_primes(order):
    """At p = 3 there is one frequency, so that random frequencies are even ones."""
    for name in ("output_mean", "output_variance", "random_variance")[: 3 if order > 3 else 2]:
        assert getattr(random_phases, f"{name}_identity")(order).check()


def test_every_step_is_listed():
    names = [name for name in dir(random_phases) if name.endswith("_identity")]
    assert {getattr(random_phases, name)().name for name in names} == set(STEPS)
    assert len(STEPS) == len(names) == len(identities())


def test_every_line_is_short():
    assert [name for name in STEPS if len(name) > 90] == []


def test_import_does_no_algebra():
    start = time.process_time()
    runpy.run_path(random_phases.__file__)
    for room in ("moments", "accuracy", "network"):
        runpy.run_path(getattr(random_phases, room).__file__)
    assert time.process_time() - start < 0.05
