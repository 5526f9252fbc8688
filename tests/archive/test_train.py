"""`train` trains what is missing and nothing else, and loses nothing that was trained."""

import numpy as np
import pytest

from grokbook import DamagedError, Request, Rule, Store, StoreError, pack, train
from grokbook.archive import keep
from grokbook.protocols import Protocol
from grokbook.training.engine import train_run
from grokbook.training.trajectory import Trajectory
from tests.tiny import assert_same, tiny

pytestmark = pytest.mark.usefixtures("book_runs")


@pytest.fixture
def trained(monkeypatch):
    """Return the names of the runs that are trained, in order, as they come."""
    names = []

    def counting(run, *arguments, **options):
        names.append(run.name)
        return train_run(run, *arguments, **options)

    monkeypatch.setattr(keep, "train_run", counting)
    return names


@pytest.fixture
def steps(monkeypatch):
    """Return the numbers of the steps that are taken."""
    taken, step = [], Trajectory.step

    def counting(trajectory, gradient):
        taken.append(trajectory.done)
        step(trajectory, gradient)

    monkeypatch.setattr(Trajectory, "step", counting)
    return taken


def here(runs, **options):
    """Train in this process."""
    return train(runs, processes=1, **options)


def contents(store):
    """Return what lies in a store, byte for byte, but for the empty locks."""
    return {p.name: p.read_bytes() for p in store.folder.iterdir() if p.suffix != ".lock"}


# ------------------------------------------------------------------------------ what is trained


def test_only_what_is_missing_is_trained(store, trained):
    a, b, c = (tiny(seed=seed) for seed in range(3))
    here(b, steps=20, store=store)
    both = here([c, b, a, b], steps=20, store=store)
    assert trained == [b.name, c.name, a.name]
    assert both["name"].values.tolist() == [c.name, b.name, a.name, b.name]
    assert both["init_seed"].values.tolist() == [2, 1, 0, 1]
    for index, run in enumerate((c, b, a)):
        assert_same(both.isel(run=[index]), train_run(run, Request(20)))
    assert store.names() == sorted(run.name for run in (a, b, c))


def test_what_the_book_holds_is_not_trained(store, trained):
    pack("some", train_run(tiny(), Request(20)))
    here(tiny(), steps=20, store=store)
    assert trained == []
    assert not store.folder.exists()


def test_runs_share_the_union_of_their_steps(store):
    loud = tiny(learning_rate=1e30)  # its loss is soon no number
    both = here([tiny(), loud], steps=30, store=store)
    assert both["step"].values.tolist()[:2] == [0, 1]
    diverged_at = both["diverged_at"].values
    assert np.isnan(diverged_at[0]) and diverged_at[1] < 10
    assert both["budget"].values.tolist() == [30, diverged_at[1]]
    assert np.isfinite(both["test_loss"].sel(step=[0, 10, 20, 30]).values[0]).all()


def test_a_diverging_run_is_kept_and_not_trained_again(store, trained):
    loud = tiny(learning_rate=1e30)
    first = here(loud, steps=30, store=store)
    assert_same(here(loud, steps=1000, store=store), first)
    assert trained == [loud.name]
    assert bool(first["censored"].item())


def test_recompute_trains_anew_and_never_reads(store, trained, steps):
    first = here(tiny(), steps=20, store=store)
    second = here(tiny(), steps=20, store=store, recompute=True)
    assert trained == [tiny().name] * 2
    assert steps == [*range(20)] * 2  # from the start, and not from the checkpoint
    assert_same(first, second)


def test_a_longer_request_goes_on_where_the_shorter_one_ended(store, steps):
    run = tiny(batch_size=4)
    here(run, steps=40, store=store)
    del steps[:]
    longer = here(run, steps=60, store=store)
    assert steps == [*range(40, 60)]
    assert_same(longer, train_run(run, Request(60)))
    kept = store.read(run.name)
    assert kept is not None and kept["budget"].item() == 60


def test_a_finer_grid_is_followed_from_the_start(store, steps):
    here(tiny(), steps=20, store=store)
    del steps[:]
    request = Request(20, evaluate_every=5)
    finer = here(tiny(), request=request, store=store)
    assert steps == [*range(20)]
    assert_same(finer, train_run(tiny(), request))


def test_another_rule_is_applied_to_the_curve_that_there_is(store, steps):
    here(tiny(), steps=40, store=store)
    del steps[:]
    request = Request(40, rule=Rule(0.3, 2))
    other = here(tiny(), request=request, store=store)
    assert steps == []
    assert_same(other, train_run(tiny(), request))


def test_a_protocol_brings_its_request_and_steps_override_any(store):
    protocol = Protocol((tiny(),), Request(30, evaluate_every=5, protocol="tiny"))
    followed = here(protocol, store=store)
    assert followed["protocol"].item() == "tiny"
    assert followed["step"].values.tolist() == [0, 5, 10, 15, 20, 25, 30]
    assert here(protocol, steps=20, store=store)["budget"].item() == 20
    assert here(tiny(), request=protocol.request, steps=10, store=store)["budget"].item() == 10


# ------------------------------------------------------------------------------- nothing is lost


def test_a_shorter_request_never_replaces_a_longer_run(store, trained):
    here(tiny(), steps=40, store=store)
    before = contents(store)
    with pytest.raises(StoreError, match=r"is kept with 40 steps, and what is asked \(at most 20"):
        here(tiny(), request=Request(20, keep_weights=True), store=store)
    assert contents(store) == before
    assert trained == [tiny().name]
    here(tiny(), request=Request(20, keep_weights=True), store=store, recompute=True)
    kept = store.read(tiny().name)
    assert kept is not None and kept["budget"].item() == 20


def test_a_shorter_request_leaves_the_checkpoint_of_a_longer_way_alone(store, steps):
    here(tiny(), steps=40, store=store)
    store.path(tiny().name).unlink()  # as if it had been interrupted there
    here(tiny(), steps=20, store=store)
    del steps[:]
    longer = here(tiny(), steps=60, store=store)
    assert steps == [*range(40, 60)]
    assert_same(longer, train_run(tiny(), Request(60)))


@pytest.mark.parametrize("recompute", [False, True])
def test_a_damaged_file_is_told_before_training_and_never_overwritten(store, trained, recompute):
    broken, other = tiny(), tiny(seed=1)
    here([broken, other], steps=20, store=store)
    path = store.path(broken.name)
    path.write_bytes(path.read_bytes()[:5000])
    before = contents(store)
    del trained[:]
    with pytest.raises(DamagedError, match=f"{path} is damaged .*no other run is touched"):
        here([broken, other], steps=30, store=store, recompute=recompute)
    assert contents(store) == before
    assert trained == []
    assert_same(here(other, steps=20, store=store), train_run(other, Request(20)))


def test_a_damaged_checkpoint_is_told_and_never_overwritten(store):
    here(tiny(), steps=20, store=store)
    path = store.state_path(tiny().name)
    path.write_bytes(path.read_bytes()[:5000])
    before = contents(store)
    with pytest.raises(DamagedError, match=f"{path} is damaged .*delete it and run again"):
        here(tiny(), steps=30, store=store)
    assert contents(store) == before
    assert here(tiny(), steps=20, store=store)["budget"].item() == 20  # what is finished serves


def test_what_a_killed_writer_left_is_swept_away(store):
    store.folder.mkdir()
    left = store.folder / f".{tiny().name}.nc.999999.tmp"
    others = store.folder / f".{tiny(seed=1).name}.nc.999999.tmp"
    for path in (left, others):
        path.write_bytes(b"half a file")
    here(tiny(), steps=10, store=store)
    assert not left.exists()
    assert others.exists()  # its run may be at hand in another process


# -------------------------------------------------------------------------------------- refusals


def test_a_request_that_cannot_be_is_refused_in_a_sentence(store):
    with pytest.raises(ValueError, match="say how long to train: give steps, a request"):
        train(tiny(), store=store)
    with pytest.raises(ValueError, match="there are no runs to train: give one or more"):
        train([], steps=10, store=store)
    with pytest.raises(ValueError, match="device = 'mps' has no float64"):
        train(tiny(), steps=10, store=store, device="mps")
    assert not store.folder.exists()


def test_a_store_below_a_file_is_told_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match="cannot be written: Not a directory; free some space"):
        here(tiny(), steps=10, store=Store(tmp_path / "file" / "store"))
