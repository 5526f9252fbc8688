"""The radial penalty's experiments, in the reading of its protocol that comes closest.

Which one that is was decided by `radial26_batches`, `radial26_full_batch` and the rule in
`claims.radial26_criteria`, before any of these runs.
"""

from collections.abc import Iterable
from typing import Any

from grokbook.protocols.protocol import Protocol
from grokbook.protocols.radial26 import (
    EPOCHS,
    STEPS_AN_EPOCH,
    over_seeds,
    published_run,
    request,
)
from grokbook.training.interventions import Dropout, Intervention, IsotropicForce, RadialPenalty
from grokbook.training.run import Run

READING = {"embedding": "learned"}  # in batches of 256
STEPS = 5_000 * STEPS_AN_EPOCH  # a budget of 5,000 epochs
STRENGTH, WEAK, STRONG = 0.05, 1e-3, 0.1
OTHER_DECAYS = (1e-2, 0.3, 1.0)
STRENGTHS, MORE_STRENGTHS = (0.005, 0.5), (1e-3, 1e-2, 0.1, 1.0)
RADII, MORE_RADII = (0.7, 1.4), (0.5, 2.0)  # of √d
BETA2 = {"beta2": 0.98}
NORMS = ("layer", "rms", "tangent")
MODULI, FRACTIONS = (97, 137, 211), (0.6, 0.5, 0.4, 0.3)
FRAMES = 48


def radial26(
    *,
    seeds: int = 3,
    steps: int = STEPS,
    strength: float = STRENGTH,
    strong_decay: float = STRONG,
    **changes: Any,
) -> Protocol:
    r"""Penalty, strong weight decay and neither: the published comparison {cite}`radial2026`.

    The cells of `radial26_batches` in its closest reading, 5,000 epochs: λ = .05 with weight decay
    $10^{-3}$, that decay alone, and weight decay .1 alone. Activations are followed, eight of them
    as they move, and each network is looked at once more when it ends: curvature and ranks.
    `strength` is λ, `strong_decay` that of the last arm; `changes` are hyper-parameters by their
    short names.
    """
    arms = [_arm(strength), _arm(0.0), _arm(0.0, weight_decay=strong_decay)]
    return _protocol(arms, seeds, steps, changes, frames=FRAMES, closing=True)


def radial26_longer(*, seeds: int = 3, steps: int = 2 * STEPS, **changes: Any) -> Protocol:
    r"""The penalised runs of `radial26`, followed for twice as long: 10,000 epochs.

    Within 5,000 they learn more and more of the test set of {cite:t}`radial2026`, and reach no
    onset. Each network is looked at once more when it ends. `changes` are hyper-parameters by their
    short names.
    """
    return _protocol([_arm()], seeds, steps, changes, closing=True)


def radial26_details(
    *, seeds: int = 1, steps: int = EPOCHS * STEPS_AN_EPOCH, **changes: Any
) -> Protocol:
    r"""What else is unknown of the protocol: $\beta_2$ = .98, and the loss in float32, one by one.

    In the closest reading of {cite:t}`radial2026` its three cells: with the penalty, with weight
    decay .1 in its place and with neither, 4,000 epochs. `changes` are hyper-parameters by their
    short names.
    """
    arms = [
        cell.replace(**detail)
        for detail in ({"beta2": 0.98}, {"loss_precision": "float32"})
        for cell in (_arm(), _arm(0.0, weight_decay=STRONG), _arm(0.0))
    ]
    return _protocol(arms, seeds, steps, changes)


def radial26_beta2(*, seeds: int = 3, steps: int = STEPS, **changes: Any) -> Protocol:
    r"""`radial26` with $\beta_2$ = .98: the penalty, strong weight decay and neither.

    Not among the readings that were looked through before the comparison: that this one lies closer
    to {cite:t}`radial2026` was seen in one seed of `radial26_details`, after it. Each network is
    looked at once more when it ends. `changes` are hyper-parameters by their short names.
    """
    arms = [_arm(), _arm(0.0), _arm(0.0, weight_decay=STRONG)]
    return _protocol(arms, seeds, steps, BETA2 | changes, closing=True)


def radial26_beta2_arms(*, seeds: int = 3, steps: int = STEPS, **changes: Any) -> Protocol:
    r"""The other arms of the speed-up and of λ with $\beta_2$ = .98: decays, strengths, radii.

    Weight decays .01, .3 and 1 without the penalty; λ = .005 and .5; and the penalty around the
    norm of the start and around 0. {cite:t}`radial2026`; the radii are ours. `changes` are
    hyper-parameters by their short names.
    """
    decays = [_arm(0.0, weight_decay=decay) for decay in OTHER_DECAYS]
    strengths = [_arm(strength) for strength in STRENGTHS]
    arms = [*decays, *strengths, _arm(unit="start"), _arm(radius=0.0)]
    return _protocol(arms, seeds, steps, BETA2 | changes)


def radial26_weight_decay(*, seeds: int = 3, steps: int = STEPS, **changes: Any) -> Protocol:
    r"""`radial26` without the penalty at three more weight decays: .01, .3 and 1.

    {cite:t}`radial2026` have .001 and .1 alone. `changes` are hyper-parameters by their short
    names.
    """
    arms = [_arm(0.0, weight_decay=decay) for decay in OTHER_DECAYS]
    return _protocol(arms, seeds, steps, changes)


def radial26_strength(*, seeds: int = 3, steps: int = STEPS, **changes: Any) -> Protocol:
    r"""`radial26` with a tenth and with ten times of λ, .005 and .5.

    {cite:t}`radial2026`. `changes` are hyper-parameters by their short names.
    """
    return _protocol([_arm(strength) for strength in STRENGTHS], seeds, steps, changes)


def radial26_more_strengths(*, seeds: int = 3, steps: int = STEPS, **changes: Any) -> Protocol:
    r"""The other strengths of table 7, .001, .01, .1 and 1, with $\beta_2$ = .999 and = .98.

    {cite:t}`radial2026`. Both, since onsets are judged with .98 where each run with .999 has its
    counterpart, and the balance with .999. `changes` are hyper-parameters by their short names.
    """
    arms = [_arm(strength, **beta2) for beta2 in ({}, BETA2) for strength in MORE_STRENGTHS]
    return _protocol(arms, seeds, steps, changes)


def radial26_radius(*, seeds: int = 3, steps: int = STEPS, **changes: Any) -> Protocol:
    r"""`radial26` with the penalty's sphere at $.7\sqrt d$, $1.4\sqrt d$ and where a layer starts.

    The last, the mean norm at the start, asks whether the radius $\sqrt d$ matters at all. Ours:
    the values that {cite:t}`radial2026` tried are not known. `changes` are hyper-parameters by
    their short names.
    """
    arms = [_arm(radius=radius) for radius in RADII] + [_arm(unit="start")]
    return _protocol(arms, seeds, steps, changes)


def radial26_more_radii(*, seeds: int = 3, steps: int = STEPS, **changes: Any) -> Protocol:
    r"""`radial26_radius` at $.5\sqrt d$ and $2\sqrt d$.

    {cite:t}`radial2026`. `changes` are hyper-parameters by their short names.
    """
    return _protocol([_arm(radius=radius) for radius in MORE_RADII], seeds, steps, changes)


def radial26_controls(*, seeds: int = 3, steps: int = STEPS, **changes: Any) -> Protocol:
    r"""What else could do what the penalty does, with the weight decay of `radial26`.

    $\frac\lambda d\|h\|^2$ alone, dropout at .1 and LayerNorm without weights, all in
    {cite:t}`radial2026`, whose settings are not known; ours are RMSNorm without weights, a layer
    that leaves values as they are and takes the radial part from their gradient, and the penalty's
    force turned at random, each layer's as large at its activations and own weights. `changes` are
    hyper-parameters by their short names.
    """
    arms = [
        _arm(radius=0.0),
        _with(Dropout()),
        *(_arm(0.0, norm=norm) for norm in NORMS),
        _with(IsotropicForce(STRENGTH)),
    ]
    return _protocol(arms, seeds, steps, changes)


def radial26_moduli(*, seeds: int = 3, steps: int = STEPS, **changes: Any) -> Protocol:
    r"""Penalty and strong weight decay for p = 97, 137 and 211 at 60, 50, 40 and 30 % of the data.

    {cite:t}`radial2026`, table 6, with the $\beta_2$ = .98 that comes closest to it. `changes` are
    hyper-parameters by their short names.
    """
    arms = [
        cell.replace(p=p, train_fraction=fraction)
        for p in MODULI
        for fraction in FRACTIONS
        for cell in (_arm(), _arm(0.0, weight_decay=STRONG))
    ]
    return _protocol(arms, seeds, steps, BETA2 | changes)


def _arm(strength: float = STRENGTH, **changes: Any) -> Run:
    penalty = {name: changes.pop(name) for name in ("radius", "unit") if name in changes}
    return _with(RadialPenalty(strength, **penalty)).replace(**{"weight_decay": WEAK} | changes)


def _with(intervention: Intervention) -> Run:
    return published_run().replace(**READING, interventions=(intervention,))


def _protocol(
    arms: Iterable[Run], seeds: int, steps: int, changes: dict[str, Any], **asked: Any
) -> Protocol:
    return Protocol(over_seeds(arms, seeds, changes), request(steps, STEPS_AN_EPOCH, **asked))
