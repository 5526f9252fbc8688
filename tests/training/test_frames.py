"""Frames: a grid that grows coarser, the weights themselves, and a sitting that is interrupted."""

import numpy as np
import pytest
import torch

from grokbook.training import checkpoint
from grokbook.training.engine import StoppedError, train_run
from grokbook.training.frames import Frames
from grokbook.training.request import Request
from grokbook.training.run import Run
from grokbook.training.together import train_together
from tests.tiny import tiny


def kept(path):
    return Frames.from_arrays(checkpoint.load(path))


@pytest.mark.parametrize("most", [1, 2, 5, 8])
@pytest.mark.parametrize("looks", [1, 3, 40, 500])
def test_the_grid_is_regular_and_as_fine_as_fits(most, looks):
    frames = Frames(most, 10)
    for step in range(0, 10 * looks, 10):
        frames.take(step, torch.tensor([float(step)]))
    assert frames.steps == list(range(0, 10 * looks, frames.every))
    assert [float(weights[0]) for weights in frames.weights] == frames.steps
    assert len(frames.steps) <= most
    finer = len(range(0, 10 * looks, frames.every // 2)) if frames.every > 10 else most + 1
    assert finer > most


def test_what_is_off_the_grid_or_seen_is_not_taken():
    frames = Frames(9, 10)
    for step in (0, 7, 10, 10, 0, 20):
        frames.take(step, torch.zeros(1))
    assert frames.steps == [0, 10, 20]


def test_a_frame_does_not_move_with_the_weights():
    frames, theta = Frames(4, 1), torch.zeros(2)
    frames.take(0, theta)
    theta += 1
    assert frames.tensor(0).tolist() == [0, 0]


def test_they_are_the_weights_of_those_steps(tmp_path):
    run, path = tiny(), tmp_path / "state.npz"
    train_run(run, Request(60, evaluate_every=5, frames=8), checkpoint_path=path)
    frames = kept(path)
    assert frames.steps == [0, 10, 20, 30, 40, 50, 60]
    for index, step in enumerate(frames.steps):
        other = tmp_path / f"{step}.npz"
        train_run(run, Request(step, evaluate_every=5), checkpoint_path=other)
        assert np.array_equal(frames.weights[index], checkpoint.load(other)["theta"])


def test_a_stopped_run_keeps_those_it_had(tmp_path):
    request = Request(60, evaluate_every=5, frames=8)
    train_run(tiny(), request, checkpoint_path=tmp_path / "whole.npz")
    asked = iter(range(1000))
    with pytest.raises(StoppedError):
        train_run(
            tiny(), request, checkpoint_path=tmp_path / "a.npz", stop=lambda: next(asked) > 33
        )
    train_run(tiny(), request, checkpoint_path=tmp_path / "a.npz")
    whole, stopped = kept(tmp_path / "whole.npz"), kept(tmp_path / "a.npz")
    assert stopped.steps == whole.steps
    assert np.array_equal(stopped.weights, whole.weights)


def test_an_ensemble_takes_the_same_steps(tmp_path):
    request = Request(40, evaluate_every=5, frames=4)
    runs = [Run.replace(tiny(precision="float64"), seed=seed) for seed in (0, 1)]
    paths = [tmp_path / f"{i}.npz" for i in range(2)]
    train_together(runs, request, checkpoint_paths=paths)
    for run, path in zip(runs, paths, strict=True):
        train_run(run, request, checkpoint_path=tmp_path / "alone.npz")
        together, alone = kept(path), kept(tmp_path / "alone.npz")
        assert together.steps == alone.steps == [0, 20, 40]
        np.testing.assert_allclose(together.weights, alone.weights, atol=1e-9)
        (tmp_path / "alone.npz").unlink()


def test_a_checkpoint_serves_a_request_without_frames_but_not_one_with_others(tmp_path):
    path = tmp_path / "state.npz"
    train_run(tiny(), Request(20, evaluate_every=5, frames=4), checkpoint_path=path)
    steps = []
    for frames in (0, 4, 5):
        content = path.read_bytes()
        train_run(
            tiny(),
            Request(30, evaluate_every=5, frames=frames),
            checkpoint_path=path,
            stop=lambda: steps.append(1) and False,
        )
        path.write_bytes(content)
        steps.append(0)
    counted = "".join(map(str, steps)).split("0")
    assert [len(each) for each in counted[:3]] == [10, 10, 30]


def test_fewer_than_none_are_refused():
    with pytest.raises(ValueError, match="frames = -1 is too small: give 0 or more"):
        Request(10, frames=-1)
