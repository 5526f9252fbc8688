"""A longer run serves a shorter request exactly as a run that was trained only so far."""

import dataclasses
import math

import numpy as np
import pytest

from grokbook import SGD, Request, Rule, Transformer, archived, experiments, pack
from grokbook.archive import archived_together
from grokbook.archive.lookup import concatenate, cut, look_up, serves, shortens
from grokbook.training import result
from grokbook.training.engine import train_run
from tests.tiny import assert_same, followed, tiny

ONSETS = [f"{name}{level}" for name in ("t_mem", "t_grok") for level in ("", "_90", "_95", "_99")]
GROKKED = {step: (1.0, 1.0 if step >= 200 else 0.1) for step in range(0, 301, 10)}


def wandering(seed: int) -> dict[int, tuple[float, float]]:
    """Return accuracies that reach and lose every level, test later than train."""
    steps = np.random.default_rng(seed).normal(0.02, 0.03, size=(2, 31)).cumsum(1)
    train, test = np.clip(0.75 + steps + [[0.1], [0.0]], 0, 1)
    return {10 * i: (float(a), float(b)) for i, (a, b) in enumerate(zip(train, test, strict=True))}


def up_to(accuracies, end: float):
    """Return what was seen until a step."""
    return {step: seen for step, seen in accuracies.items() if step <= end}


# --------------------------------------------------------------------------------------- the cut


@pytest.mark.parametrize("seed", range(2))
def test_a_cut_run_is_the_run_trained_only_so_far(seed):
    rule, seen = Rule(0.97, 2), wandering(seed)
    long = followed(Request(300, rule=rule), seen)
    assert np.isfinite([long[name].item() for name in ONSETS]).sum() > 3
    for end in range(0, 301, 10):
        request = Request(end, rule=rule)
        assert serves(long, request)
        assert_same(cut(long, request), followed(request, up_to(seen, end)))


def test_a_trained_run_that_is_cut_is_the_run_trained_only_so_far():
    run = tiny(batch_size=4)
    long = train_run(run, Request(80, keep_weights=True))
    assert_same(cut(long, Request(40)), train_run(run, Request(40)))


def test_an_onset_counts_once_the_evaluations_that_sustain_it_are_in():
    long = followed(Request(300, rule=Rule(0.99, 3)), GROKKED)
    assert long["t_grok"].item() == 200
    for end, onset in {210: math.nan, 219: math.nan, 220: 200.0}.items():
        shorter = cut(long, Request(end, rule=Rule(0.99, 3)))
        np.testing.assert_equal(shorter["t_grok"].item(), onset)
        assert shorter["censored"].item() == math.isnan(onset)
        assert_same(shorter, followed(Request(end, rule=Rule(0.99, 3)), up_to(GROKKED, end)))


def test_between_two_evaluations_nothing_is_known():
    long = followed(Request(300), GROKKED)
    assert_same(cut(long, Request(225)), cut(long, Request(220)))
    assert cut(long, Request(225))["budget"].item() == 220


def test_a_thinned_run_keeps_its_points_and_its_onsets():
    seen = {10 * i: (1.0, i / 3000) for i in range(3001)}
    long = followed(Request(30_000), seen)
    assert long.sizes["step"] <= result.STORED_POINTS < len(seen)
    shorter, exact = cut(long, Request(29_000)), followed(Request(29_000), up_to(seen, 29_000))
    common = np.intersect1d(shorter["step"], exact["step"])
    assert len(common) > 200
    assert set(shorter["step"].values) <= set(long["step"].values)
    assert_same(
        shorter.sel(step=common).drop_vars("train_loss"),
        exact.sel(step=common).drop_vars("train_loss"),
    )


def test_a_stop_after_grokking_cuts_where_it_would_have_stopped():
    long = followed(Request(300), GROKKED)
    for wait, end in {50: 250, 0: 220, 10: 220, 1000: 300}.items():
        request = Request(300, stop_after_grok=wait)
        assert serves(long, request)
        assert_same(cut(long, request), followed(request, up_to(GROKKED, end)))


# ------------------------------------------------------------------------------ what serves what

STORED = Request(300, evaluate_every=10, rule=Rule(0.99, 3))


@pytest.mark.parametrize(
    "changes, answer",
    [
        ({}, True),
        ({"steps": 200}, True),
        ({"steps": 0}, True),
        ({"steps": 301}, False),
        ({"evaluate_every": 20}, True),
        ({"evaluate_every": 5}, False),
        ({"evaluate_every": 15}, False),
        ({"rule": Rule(0.9, 3)}, False),
        ({"rule": Rule(0.99, 1)}, False),
        ({"measures": ()}, True),
        ({"keep_weights": True}, False),
        ({"protocol": "another label"}, True),
        ({"steps": 1000, "stop_after_grok": 100}, True),
        ({"steps": 1000, "stop_after_grok": 101}, False),
    ],
    ids=str,
)
def test_what_a_run_serves(changes, answer):
    stored = followed(STORED, GROKKED)
    assert serves(stored, dataclasses.replace(STORED, **changes)) is answer


def test_a_measure_that_was_not_logged_is_not_served():
    stored = followed(STORED, GROKKED).drop_vars("squared_norm")
    assert not serves(stored, STORED)
    assert serves(stored, dataclasses.replace(STORED, measures=()))


def test_weights_serve_the_step_at_which_they_were_taken_alone():
    run = train_run(tiny(), Request(40, keep_weights=True))
    assert serves(run, Request(40, keep_weights=True))
    assert serves(run, Request(40))
    assert not serves(run, Request(30, keep_weights=True))
    for request in (Request(40), Request(30)):
        assert not any(str(name).startswith("final_") for name in cut(run, request))
    assert "final_W_1" in cut(run, Request(40, keep_weights=True))


def test_training_anew_may_shorten_what_there_is():
    stored = followed(STORED, GROKKED)
    assert shortens(stored, Request(299))
    assert shortens(stored, Request(1000, stop_after_grok=50))
    assert not shortens(stored, Request(300))
    assert not shortens(stored, Request(1000, stop_after_grok=100))


# -------------------------------------------------------------------------------------- divergence


def diverged(request=STORED):
    """Return a run whose loss was no number at step 150, when it had been right for 100 steps."""
    curves = {step: (1.0, 1.0 if step >= 50 else 0.1) for step in range(0, 151, 10)}
    return followed(request, curves).assign(diverged_at=("run", [150.0]))


def test_a_diverged_run_serves_any_longer_request_on_its_grid():
    assert serves(diverged(), dataclasses.replace(STORED, steps=10_000))
    assert cut(diverged(), dataclasses.replace(STORED, steps=10_000))["diverged_at"] == 150
    for changes in ({"evaluate_every": 5}, {"rule": Rule(0.9, 1)}, {"keep_weights": True}):
        assert not serves(diverged(), dataclasses.replace(STORED, **changes))


@pytest.mark.parametrize("changes", [{"steps": 100}, {"stop_after_grok": 50}], ids=str)
def test_a_diverged_run_that_is_cut_before_has_not_diverged_yet(changes):
    shorter = cut(diverged(), dataclasses.replace(STORED, **changes))
    assert shorter["budget"].item() == 100
    assert shorter["diverged_at"].isnull().all()


# ------------------------------------------------------------------------------- where it is found


def test_a_run_is_found_in_the_store_or_in_the_book(store, book_runs):
    mine, theirs = followed(STORED, GROKKED), followed(STORED, GROKKED, seed=1)
    assert look_up(tiny(), STORED, store) is None
    store.write(mine)
    pack("some", theirs)
    for run, expected in ((tiny(), mine), (tiny(seed=1), theirs)):
        found = look_up(run, STORED, store)
        assert found is not None
        assert_same(found, expected)
    assert look_up(tiny(seed=2), STORED, store) is None
    assert look_up(tiny(), Request(301), store) is None


def test_the_longer_of_store_and_book_serves(store, book_runs):
    store.write(followed(Request(100), up_to(GROKKED, 100)))
    pack("some", followed(Request(300), GROKKED))
    found = look_up(tiny(), Request(300), store)
    assert found is not None
    assert found["budget"].item() == 300


def test_what_is_archived_does_not_depend_on_the_user_s_store(store, book_runs, monkeypatch):
    monkeypatch.setenv("GROKBOOK_RUNS", str(store.folder))
    store.write(followed(STORED, GROKKED))
    runs = [tiny(), tiny(seed=1)]
    nothing = archived(runs, request=STORED)
    assert (nothing.runs, nothing.missing) == (None, tuple(runs))
    pack("some", followed(STORED, GROKKED, seed=1))
    found = archived(runs, request=STORED)
    assert found.missing == (tiny(),)
    assert found.runs is not None
    assert found.runs["name"].values.tolist() == [tiny(seed=1).name]
    assert archived(runs, request=Request(301)).runs is None


# ------------------------------------------------------------------------------------ side by side


def test_runs_side_by_side_keep_their_order_and_the_union_of_their_steps():
    short = followed(Request(20), up_to(GROKKED, 20), seed=1)
    coarse = followed(Request(60, evaluate_every=20), {s: (0.5, 0.5) for s in range(0, 61, 20)})
    both = concatenate([short.assign_attrs(content_digest="of one"), coarse])
    assert both.attrs == {}, "what is said of one run is said of both"
    assert both["name"].values.tolist() == [tiny(seed=1).name, tiny().name]
    assert both["step"].values.tolist() == [0, 10, 20, 40, 60]
    np.testing.assert_equal(both["test_loss"].values[0], [0.9, 0.9, 0.9, np.nan, np.nan])
    np.testing.assert_equal(both["test_loss"].values[1], [0.5, np.nan, 0.5, 0.5, 0.5])
    assert both["budget"].values.tolist() == [20, 60]


def test_runs_of_the_book_and_of_the_store_lie_side_by_side(book_runs):
    pack("some", followed(STORED, GROKKED))
    both = concatenate([experiments()[tiny().name], followed(STORED, GROKKED, seed=1)])
    assert both["archive"].values.tolist() == ["some.nc", ""]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_run_from_before_a_variable_was_logged_has_it_as_nan(place):
    runs = [followed(STORED, GROKKED, seed=seed) for seed in range(3)]
    runs[place] = runs[place].drop_dims("logit").drop_vars("slingshots")
    both = concatenate(runs)
    before = both.isel(run=place)
    assert before["softmax_collapse"].isnull().all() and before["slingshots"].isnull().all()
    assert before["t_grok"] == runs[place]["t_grok"].item()
    for other in {0, 1, 2} - {place}:
        np.testing.assert_array_equal(
            both.isel(run=[other])["softmax_collapse"], runs[other]["softmax_collapse"]
        )


def test_networks_and_optimisers_of_different_kinds_lie_side_by_side():
    transformer = dataclasses.replace(tiny(), model=Transformer(d_model=8, heads=2, d_mlp=8))
    runs = [tiny(), transformer, dataclasses.replace(tiny(), optimizer=SGD(0.1))]
    both = concatenate([train_run(run, Request(10, keep_weights=True)) for run in runs])
    np.testing.assert_equal(both["width"].values, [16, np.nan, 16])
    np.testing.assert_equal(both["beta1"].values, [0.9, 0.9, np.nan])
    assert both["norm_position"].values.tolist() == ["", "none", ""]
    assert both["bias"].values.tolist() == ["True", "", "True"]
    assert both["test_loss"].notnull().all()


def test_weights_of_a_smaller_network_end_in_nan():
    def trained(**changes):
        return train_run(tiny(**changes), Request(10, keep_weights=True))

    both = concatenate([trained(), trained(seed=1)])
    assert both["final_W_1"].shape == (2, 10, 16)
    both = concatenate([trained(), trained(p=7)])
    assert both["p"].values.tolist() == [5, 7]
    assert both["final_W_1"].shape == (2, 14, 16)
    assert both["final_W_1"].isel(run=0, W_1_0=slice(10, None)).isnull().all()
    assert both["final_W_1"].isel(run=1).notnull().all()


# ------------------------------------------------------------------------------------- the frames


@pytest.fixture(scope="module")
def framed():
    """Return a run with frames, and the same without."""
    return [train_run(tiny(), Request(40, frames=each)) for each in (4, 0)]


def test_frames_serve_those_who_ask_and_those_who_do_not(framed):
    with_frames, without = framed
    assert serves(with_frames, Request(40, frames=4))
    assert not serves(without, Request(40, frames=4))
    assert "frame" in cut(with_frames, Request(40, frames=4)).dims
    assert_same(cut(with_frames, Request(40)), without)


def test_frames_are_read_with_the_end_and_serve_no_shorter_run(framed):
    with_frames, _ = framed
    assert not serves(with_frames, Request(20, frames=4))
    assert serves(with_frames, Request(20))
    assert_same(cut(with_frames, Request(20)), train_run(tiny(), Request(20)))


def test_runs_with_frames_lie_beside_runs_without_and_of_other_sizes(framed):
    with_frames, _ = framed
    other = train_run(tiny(seed=1, width=8), Request(20, frames=4))
    plain = train_run(tiny(seed=2), Request(20))
    both = concatenate([with_frames, other, plain])
    assert "neuron_share" not in both  # 16 and 8 neurons
    assert both["restricted_loss"].isel(run=0).notnull().sum() == with_frames.sizes["frame"]
    assert both["restricted_loss"].isel(run=2).isnull().all()
    same = concatenate([with_frames, train_run(tiny(seed=1), Request(20, frames=4))])
    assert same["neuron_share"].shape == (2, 16)


def test_a_run_that_two_experiments_hold_is_found_as_it_is_asked_for(framed, book_runs):
    with_frames, without = framed
    pack("a", without)
    pack("b", with_frames)
    for request, file in ((Request(40), "a.nc"), (Request(40, frames=4), "b.nc")):
        found = archived(tiny(), request=request)
        assert not found.missing
        assert found.runs["archive"].values.tolist() == [file]
    assert experiments()[tiny().name]["archive"].values.tolist() == ["a.nc"]
    assert archived(tiny(), request=Request(50)).missing == (tiny(),)


def test_several_requests_are_read_as_one_experiment(book_runs):
    """A run that two of them ask for counts once, as the first asks; a missing one once."""
    shorter, longer = Request(50), Request(100)
    kept, missing = tiny(), tiny(seed=1)
    pack("tiny", concatenate([train_run(kept, longer)]))
    found = archived_together([([kept, missing], shorter), ([kept, missing], longer)])
    assert found.runs is not None
    assert found.runs["name"].values.tolist() == [kept.name]
    assert found.runs["budget"].item() == 50
    assert found.missing == (missing,)
    assert archived_together([([missing], shorter)]).runs is None
