"""The two bounds of arXiv 2603.13331 {cite}`norm_separation2026`, as theorems."""

import numpy as np
import sympy as sp
import xarray as xr

from grokbook.claims.claim import Claim, Published, Verdict
from grokbook.claims.norm_separation26_criteria import CRITERIA, PAPER, SOURCE
from grokbook.claims.proofs import proved
from grokbook.theory import contraction
from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality

Steps = tuple[Identity | Inequality, ...]
START, RATE, DECAY, LEVEL = (10.0, 1e-3), 0.03, 1e-3, 60.0  # of descent on ½(uv)²
TENTH = 0.1


def judge_upper_bound(runs: xr.Dataset | None = None, steps: Steps | None = None) -> Verdict:
    """Prove the bound with its premise, and look for descent that breaks it without."""
    rooms = (contraction.one_step, contraction.upper, contraction.calibration)
    count, failed = proved(
        tuple(step for room in rooms for step in room.identities()) if steps is None else steps
    )
    if failed:
        return failed
    excess = contraction.calibration.excess()
    premise = (
        f"{count} steps hold: the bound needs ⟨θ,∇L⟩ ≥ η‖∇L‖²/(2(1 − ηλ)), which is not among its "
        "assumptions."
    )
    if not sp.N(excess, 30) > 0:
        return Verdict("not testable as stated", note=premise)
    note = (
        f"{premise} Descent on one example, logits ±θ, from θ = 1 with η = 1/10 and λ = 1/100, "
        f"classifies it and ends its step {float(excess):.4f} above (1 − ηλ)V: V grows. For "
        "homogeneous networks the published time of pure decay is a lower bound."
    )
    return Verdict("refuted", float(excess), note=note)


def judge_lower_bound(runs: xr.Dataset | None = None, steps: Steps | None = None) -> Verdict:
    """Prove the bounds that hold, and time the descent that breaks the published one."""
    rooms = (contraction.adam, contraction.lower)
    count, failed = proved(
        tuple(step for room in rooms for step in room.identities()) if steps is None else steps
    )
    if failed:
        return failed
    stated = np.log((START[0] ** 2 + START[1] ** 2) / LEVEL) / (RATE * DECAY)
    path = contraction.catapult(START, RATE, DECAY, int(stated))
    passed = np.flatnonzero(path[:, 0] <= LEVEL)
    if not passed.size or passed[0] >= TENTH * stated:
        return Verdict("not testable as stated", note="The premise is the rate to be shown.")
    note = (
        f"{count} steps hold. Its proof assumes the rate of contraction. Descent on ½(uv)² from "
        f"({START[0]:g}, {START[1]:g}) with η = {RATE:g} and λ = {DECAY:g} falls from V = 100 to "
        f"{LEVEL:g} in {passed[0]} steps, where the stated order is {stated:,.0f}, and ends on an "
        f"interpolant: loss {path[-1, 1]:.0e}."
    )
    return Verdict("refuted", float(passed[0] / stated), note=note)


CLAIMS = (
    Claim(
        id=f"{SOURCE}.upper_bound",
        source=SOURCE,
        kind="theorem",
        statement="E V_{t+1} ≤ (1 − ηλ)V_t + η²σ², so that the delay is at most of the order "
        "(ηλ)⁻¹ log(V_mem/V_post).",
        published=Published("theorem 3.2", PAPER),
        criterion=CRITERIA["upper_bound"],
        unit="excess of V over the bound",
        judge=judge_upper_bound,
    ),
    Claim(
        id=f"{SOURCE}.lower_bound",
        source=SOURCE,
        kind="theorem",
        statement="Every regularised first-order method needs at least the order of "
        "(ηλ)⁻¹ log(V_mem/V_post) steps.",
        published=Published("theorem 3.6", PAPER),
        criterion=CRITERIA["lower_bound"],
        unit="steps over the stated order",
        judge=judge_lower_bound,
    ),
)
