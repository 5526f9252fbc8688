"""Claims of Morwani et al. 2023 on the maximum margin {cite}`morwani2023feature`."""

import numpy as np
import xarray as xr

from grokbook.claims.claim import Claim, Published, Verdict
from grokbook.claims.proofs import proved
from grokbook.theory import max_margin
from grokbook.theory.identity import Identity

MODULI = (3, 5, 7, 11, 13)
NEURONS = {8: "4(p − 1)", 6: "3(p − 1)"}  # by phases a frequency
EXACT = 1e-9  # relative; float64 gives 1e-12


def judge_max_margin(
    runs: xr.Dataset | None = None, identities: tuple[Identity, ...] | None = None
) -> Verdict:
    """Check the bound and the networks that attain it, at the stated width and at a smaller one."""
    count, failed = proved(max_margin.identities() if identities is None else identities)
    if failed:
        return failed
    off = {phases: max(_off(p, phases) for p in MODULI) for phases in NEURONS}
    if off[8] > EXACT:
        note = f"A network of {NEURONS[8]} neurons misses the value by a share of {off[8]:.1e}."
        return Verdict("refuted", note=note)
    narrow = "and 3(p − 1) suffice" if off[6] <= EXACT else "and 3(p − 1) do not suffice"
    note = (
        f"{count} identities of the proof hold, and networks of 4(p − 1) neurons attain the bound "
        f"(p = {', '.join(map(str, MODULI))}), {narrow}."
    )
    return Verdict("reproduced", max_margin.max_margin(113), note=note)


def _off(p: int, phases: int) -> float:
    """Largest distance of a margin of the explicit network from the bound, as a share of it."""
    bound = max_margin.max_margin(p)
    found = max_margin.margins(*max_margin.construction(p, phases))
    return float(np.abs(found / bound - 1).max())


CLAIMS = (
    Claim(
        id="morwani23.max_margin",
        source="morwani23",
        kind="theorem",
        statement="The largest margin of a quadratic network of norm 1 (L_{2,3}) that adds modulo "
        "p is √(2/27) / (√p (p − 1)), and networks of 4(p − 1) neurons attain it, cosines of all "
        "frequencies.",
        published=Published("γ* = √(2/27)/(√p (p − 1)), for m ≥ 4(p − 1)", "arXiv 2311.07568"),
        criterion="Every identity of the derivation is proved and rejects its wrong variant; every "
        f"margin of explicit networks of 4(p − 1) neurons equals γ* at p = "
        f"{', '.join(map(str, MODULI))}, or else it is refuted. The paper takes that width as "
        "given; whether fewer neurons do is said beside the verdict.",
        unit="γ* at p = 113",
        judge=judge_max_margin,
    ),
)
