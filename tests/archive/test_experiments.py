"""The book's own runs: one file an experiment, small, whole and read once."""

import sys

import numpy as np
import pytest

from grokbook import DamagedError, Request, experiments, pack
from grokbook.archive import EXPERIMENTS
from grokbook.archive.lookup import concatenate
from grokbook.measures.contraction import OF_ONE_STEP
from grokbook.training.engine import train_run
from grokbook.training.watching import AT_SITES, OVERALL
from tests.tiny import assert_same, tiny


@pytest.fixture(scope="module")
def runs():
    """Two runs of unequal length."""
    return [
        train_run(tiny(seed=seed), Request(20 + 10 * seed, keep_weights=True)) for seed in (0, 1)
    ]


def test_the_experiments_are_those_of_the_book():
    assert EXPERIMENTS.parts[-2:] == ("book", "runs")


def test_runs_are_packed_together_and_found_one_by_one(runs, book_runs):
    path = pack("some", concatenate(runs))
    assert path == book_runs / "some.nc"
    found = experiments()
    assert list(found) == [run["name"].item() for run in runs]
    for run in runs:
        one = found[run["name"].item()]
        assert one["archive"].values.tolist() == ["some.nc"]
        assert np.isfinite(one["test_loss"]).all()  # a shorter run is not padded any more
        assert_same(one, run)


def test_a_new_experiment_is_seen_at_once(runs, book_runs):
    assert experiments() == {}
    pack("some", runs[0])
    assert list(experiments()) == [tiny().name]
    pack("other", runs[1])
    assert set(experiments()) == {tiny().name, tiny(seed=1).name}


def test_what_was_read_from_an_experiment_can_be_packed_again(runs, book_runs):
    pack("some", runs[0])
    pack("again", experiments()[tiny().name])
    assert_same(experiments()[tiny().name], runs[0])


def test_a_longer_description_is_not_cut_to_the_length_of_one_that_was_read(runs, book_runs):
    pack("some", runs[0])
    longer = train_run(tiny(train_fraction=0.625), Request(10))
    assert len(longer["run_json"].item()) > len(runs[0]["run_json"].item())
    read = experiments()[tiny().name]
    path = pack("both", concatenate([read, longer]))
    assert set(experiments()) == {tiny().name, longer["name"].item()}
    assert path.name == "both.nc"


def test_an_experiment_that_does_not_read_back_replaces_nothing(runs, book_runs, monkeypatch):
    before = pack("some", runs[0]).read_bytes()
    module = sys.modules["grokbook.archive.experiments"]
    monkeypatch.setattr(module, "write_runs", lambda path, runs: path.write_bytes(before[:-100]))
    with pytest.raises(DamagedError, match=r"some\.nc\.trial is damaged"):
        pack("some", runs[1])
    assert [one.name for one in book_runs.iterdir()] == ["some.nc"]
    assert (book_runs / "some.nc").read_bytes() == before


def test_an_experiment_that_is_too_large_is_not_written(runs, book_runs, monkeypatch):
    path = pack("some", runs[0])
    before = path.read_bytes()
    monkeypatch.setattr(sys.modules["grokbook.archive.experiments"], "LARGEST", len(before) - 1)
    with pytest.raises(ValueError, match=r"some would weigh .* MB: an experiment stays under 3 MB"):
        pack("some", runs[1])
    assert [one.name for one in book_runs.iterdir()] == ["some.nc"]
    assert path.read_bytes() == before


def test_a_damaged_experiment_is_named(runs, book_runs):
    path = pack("some", runs[0])
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DamagedError, match=f"{path} is damaged"):
        experiments()


@pytest.mark.parametrize("budgets", [(20, 20), (20, 50), (50, 20)])
def test_embeddings_along_the_way_stay_of_the_first_run(book_runs, budgets):
    runs = [
        train_run(tiny(seed=seed), Request(steps, frames=4)) for seed, steps in enumerate(budgets)
    ]
    assert (len({tuple(run["frame"].values) for run in runs}) == 1) == (budgets[0] == budgets[1])
    pack("some", concatenate(runs))
    first, second = (experiments()[run["name"].item()] for run in runs)
    assert_same(first, runs[0])
    assert second["frame_W_E"].isnull().all()
    assert_same(second.drop_vars("frame_W_E"), runs[1].drop_vars("frame_W_E"))


def test_products_that_were_followed_keep_24_bits_and_v_all_of_them(book_runs):
    run = train_run(tiny(), Request(20, follow_norm=True, follow_radial=True))
    for small in ("gradient_squared_norm", "radial_product"):
        run[small] *= 1e-60  # far below the smallest float32
    pack("some", run)
    kept = experiments()[run["name"].item()]
    for name in {*OF_ONE_STEP, *AT_SITES, *OVERALL} - {"squared_norm_after"}:
        assert kept[name].dtype == run[name].dtype == np.float64
        np.testing.assert_allclose(kept[name], run[name], rtol=2**-24)
        assert not np.array_equal(kept[name], run[name], equal_nan=True)
        mantissa = np.frexp(kept[name].values)[0] * 2**24
        assert np.array_equal(mantissa, np.round(mantissa), equal_nan=True)
    for name in ("squared_norm", "squared_norm_after"):
        assert np.array_equal(kept[name], run[name], equal_nan=True)
    pack("some", kept)  # what was packed once is not rounded further
    assert_same(experiments()[run["name"].item()], kept)


@pytest.mark.parametrize("order", [1, -1])
def test_weights_of_two_sizes_stand_side_by_side(book_runs, order):
    runs = [train_run(tiny(p=p), Request(10, keep_weights=True)) for p in (5, 7)][::order]
    runs[1]["final_W_U"][:] = np.nan  # as of a run that diverged
    pack("some", concatenate(runs))
    beside = concatenate([experiments()[run["name"].item()] for run in runs])
    assert beside["final_W_1"].shape[1:] == max(run["final_W_1"].shape[1:] for run in runs)
    for index, run in enumerate(runs):
        assert_same(experiments()[run["name"].item()].drop_vars("final_W_U"),
                    run.drop_vars("final_W_U"))  # fmt: skip
        n, d = run["final_W_1"].shape[1:]
        kept = beside["final_W_1"].values[index]
        assert np.array_equal(kept[:n, :d], run["final_W_1"].values[0])
        assert np.isnan(kept[n:]).all()
    assert experiments()[runs[1]["name"].item()]["final_W_U"].isnull().all()


def test_weights_with_other_axes_are_left_out_and_the_rest_stays(book_runs):
    runs = [
        train_run(run, Request(10, keep_weights=True)) for run in (tiny(), tiny(hidden_layers=2))
    ]
    beside = concatenate(runs)
    own = set(runs[1].data_vars) - set(runs[0].data_vars)
    assert own and not own & set(beside.data_vars)
    for index, run in enumerate(runs):
        assert np.array_equal(beside["final_W_1"].values[index], run["final_W_1"].values[0])
