"""Claims of Zhong et al. 2023, *The clock and the pizza* {cite}`zhong2023clock`."""

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from grokbook import protocols
from grokbook.claims.arms import arm
from grokbook.claims.by_seed import grokked
from grokbook.claims.claim import Claim, Published, Verdict
from grokbook.statistics import bootstrap

SYMMETRIC, IRRELEVANT = 0.9, 0.5  # a pizza is above the first and below the second
UNIFORM, SOFTMAX = 0.0, 1.0  # attention rates of the paper's models A and B


def judge_clock_pizza(runs: xr.Dataset) -> Verdict:
    """Reproduced if every network with uniform attention is a pizza, and none with softmax is."""
    arms = {rate: grokked(arm(runs, attention_rate=rate)) for rate in (UNIFORM, SOFTMAX)}
    for rate, found in arms.items():
        if not found.sizes["run"]:
            note = f"No archived seed with attention rate {rate:g} has generalised."
            return Verdict("not yet run", note=note)
    pizza = {rate: _is_pizza(found) for rate, found in arms.items()}
    gap = bootstrap(_values(arms[UNIFORM], "gradient_symmetricity"), seed=0)
    if pizza[UNIFORM].all() and not pizza[SOFTMAX].any():
        verdict = "reproduced"
    elif pizza[UNIFORM].mean() > 0.5 > pizza[SOFTMAX].mean():
        verdict = "reproduced in part"
    else:
        verdict = "not reproduced"
    seen = "; ".join(
        f"rate {rate:g}: symmetricity {_listed(found, 'gradient_symmetricity')}, irrelevance "
        f"{_listed(found, 'distance_irrelevance')}"
        for rate, found in arms.items()
    )
    n = min(found.sizes["run"] for found in arms.values())
    return Verdict.of(verdict, gap, f"{seen}.", n=n)


def _is_pizza(runs: xr.Dataset) -> Bool[np.ndarray, " run"]:
    symmetric = _values(runs, "gradient_symmetricity") >= SYMMETRIC
    return symmetric & (_values(runs, "distance_irrelevance") <= IRRELEVANT)


def _values(runs: xr.Dataset, name: str) -> Float[np.ndarray, " run"]:
    return runs[name].values.astype(float)


def _listed(runs: xr.Dataset, name: str) -> str:
    return ", ".join(f"{value:.2f}" for value in _values(runs, name))


CLAIMS = (
    Claim(
        id="zhong23.clock_pizza",
        source="zhong23",
        kind="measurement",
        statement="With uniform attention a network adds by the pizza algorithm, with softmax "
        "attention by the clock: gradient symmetricity and distance irrelevance tell them apart.",
        published=Published(
            "model A (uniform): symmetricity 99.4 %, irrelevance .17; model B (softmax): 33.4 %, "
            ".85",
            "arXiv 2306.17844",
        ),
        criterion="A network counts as a pizza if its gradient symmetricity, over 100 random "
        "triples, is at least .9 and its distance irrelevance, of the correct logits, at most .5. "
        "Reproduced if every seed with attention rate 0 that generalised is one and none with rate "
        "1 is; in part if that holds for more than half of each; not reproduced otherwise.",
        unit="symmetricity, median with uniform attention",
        judge=judge_clock_pizza,
        experiment=protocols.zhong23,
        command="python -m grokbook run zhong23",
    ),
)
