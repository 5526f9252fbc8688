"""Claims of this book on the circuits of chapter 02, key `grokbook`."""

import numpy as np
import xarray as xr
from jaxtyping import Float

from grokbook import protocols
from grokbook.claims.by_seed import Numbers, grokked, judged
from grokbook.claims.claim import Claim, Published, Verdict, by_parts
from grokbook.groups import named
from grokbook.theory import cyclic

NEAR = 0.25  # share by which prediction and margin may differ
KEY_SHARE = 0.95


def judge_margin_prediction(runs: xr.Dataset) -> Verdict:
    """Reproduced if the circuit's margin is within a quarter of the network's in every seed."""

    def ratio(found: xr.Dataset) -> Numbers:
        return predicted_margins(found) / found["margin_mean"].values

    return judged(runs, ratio, lambda x: np.abs(x - 1) <= NEAR, "Predicted over measured margin")


def predicted_margins(runs: xr.Dataset) -> Numbers:
    """Margin of the ideal circuit with each run's key frequencies and their last amplitudes."""
    margins = []
    for key, amplitudes, p in zip(
        runs["key"].values, runs["logit_amplitude"].values, runs["p"].values, strict=True
    ):
        frequencies = np.flatnonzero(key)
        last = amplitudes[np.isfinite(amplitudes[:, 0])][-1]
        margins.append(float(cyclic.margin(frequencies, last[frequencies].astype(float), int(p))))
    return np.array(margins)


def judge_characters_generate(runs: xr.Dataset) -> Verdict:
    """Reproduced if the key characters of every network that grokked tell all elements apart."""
    found = grokked(runs)
    groups = sorted(set(runs["group"].values))
    if missing := sorted(set(groups) - set(found["group"].values)):
        return Verdict("not yet run", note=f"No archived seed has grokked {missing[0]}.")
    generate, seen = [], []
    for index in range(found.sizes["run"]):
        run = found.isel(run=index)
        moduli = group_moduli(str(run["group"].item()))
        keys = key_characters(run["final_W_U"].values[:, : int(run["p"].item())], moduli)
        generate.append(cyclic.generates(keys, moduli))
        seen.append(f"{run['group'].item()}: {len(keys)}")
    held = int(np.sum(generate))
    verdict = by_parts(held, len(generate))
    note = f"{held} of {len(generate)} networks; key characters by network: {', '.join(seen)}."
    seeds = min(int((found["group"].values == group).sum()) for group in groups)
    return Verdict(verdict, held / len(generate), n=seeds, note=note)


def group_moduli(name: str) -> tuple[int, ...]:
    """The orders of the cyclic factors of a group, by its name.

    >>> group_moduli("Z_11 × Z_11")
    (11, 11)
    """
    return tuple(int(part.removeprefix("Z_")) for part in named(name).name.split(" × "))


def key_characters(W_U: Float[np.ndarray, "d n"], moduli: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Characters that together carry 95 % of the unembedding's power outside the trivial one.

    The strongest first; a character and its inverse are one, and the first of the two stands for
    both.
    """
    axes = tuple(range(1, 1 + len(moduli)))
    power = (np.abs(np.fft.fftn(W_U.reshape(-1, *moduli), axes=axes)) ** 2).sum(0)
    strength: dict[tuple[int, ...], float] = {}
    for character in cyclic.all_characters(moduli):
        inverse = tuple(-k % n for k, n in zip(character, moduli, strict=True))
        if any(character):
            one = min(tuple(character), inverse)
            strength[one] = strength.get(one, 0.0) + float(power[tuple(character)])
    ranked = sorted(strength, key=lambda one: (-strength[one], one))
    carried = np.cumsum([strength[one] for one in ranked]) / sum(strength.values())
    return ranked[: int((carried < KEY_SHARE).sum()) + 1]


CLAIMS = (
    Claim(
        id="grokbook.margin_prediction",
        source="grokbook",
        kind="measurement",
        statement="The margin of a network that has grokked is that of a sum of cosines with its "
        "key frequencies and amplitudes.",
        published=Published("derived here", "chapter 02"),
        criterion="Predicted: the least over δ ≠ 0 of 2 Σ A_k sin²(πkδ/p), with the amplitudes of "
        "cos ω(a + b − c) in the logits. Measured: the mean over all pairs of the correct logit "
        "less the largest wrong one. Both at a run's end. Reproduced if their ratio is within .25 "
        "of 1 in every seed of nanda23 that grokked, in part if the median is, not otherwise.",
        unit="predicted / measured, median over the seeds",
        judge=judge_margin_prediction,
        experiment=protocols.nanda23_circuits,
        command="python -m grokbook run nanda23_circuits",
    ),
    Claim(
        id="grokbook.characters_generate",
        source="grokbook",
        kind="measurement",
        statement="A network that has grokked a finite abelian group uses characters that together "
        "tell all its elements apart; in Z_11 × Z_11 no single one does.",
        published=Published("derived here", "chapter 02"),
        criterion="Key characters are the fewest that carry 95 % of the power of W_U over the "
        "group, the trivial one left out. Reproduced if those of every network that grokked "
        "generate the dual group, not reproduced if those of none do, in part otherwise.",
        unit="of the networks, share with generating characters",
        judge=judge_characters_generate,
        experiment=protocols.products,
        command="python -m grokbook run products",
    ),
)
