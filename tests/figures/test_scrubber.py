"""The scrubber: which frames it holds, what it says of them, and how small its HTML stays."""

import json
import re
import sys

import numpy as np
import pytest

from grokbook.figures.scrubber import LIMIT, Scrubber, scrubber
from grokbook.figures.scrubber_frames import per_cent
from grokbook.figures.style import ARMS
from tests.figures.framed import framed
from tests.figures.test_explorer import Tags, data_of

RUNS = framed()
RUN = RUNS.isel(run=0)
SMALL = framed(23, (3, 4, 9), width=12).isel(run=0)


@pytest.fixture(scope="module")
def shown() -> Scrubber:
    """The scrubber of a run that grokked."""
    return scrubber(RUNS)


@pytest.fixture(scope="module")
def html(shown: Scrubber) -> str:
    """Its HTML."""
    return shown._repr_html_()


# ---------------------------------------------------------------------------------- words


def test_the_text_form_holds_what_a_chapter_says(shown):
    assert repr(shown) == (
        "The embedding of 113 residues over training, 41 frames from step 0 to 20,000: key "
        "frequencies 14, 35, 41, 42, 52, strongest 14; at the first frame 8 % of the power in key "
        "frequencies, train accuracy 1 %, test accuracy 1 %; at the last frame 99.8 % of the power "
        "in key frequencies, train accuracy 100 %, test accuracy 100 %; memorised: step 148; "
        "grokked: step 9,114."
    )


def test_a_run_that_never_grokked_and_one_without_keys_say_so():
    never = framed(23, (), t_grok=np.nan, width=12)
    made = scrubber(never)
    assert "20,000: no key frequency, strongest" in repr(made)
    assert "at the first frame train accuracy 1 %" in repr(made)
    assert repr(made).endswith("; not grokked.")
    html = made._repr_html_()
    assert "no key frequency</span>" in html
    assert ">memorised</text>" in html and ">grokked</text>" not in html
    share = never["embedding_power"][0, -1, 1:].to_numpy()
    assert made.film.frequency == share.argmax() + 1


def test_every_frame_has_its_words(html):
    texts = data_of(html)["texts"]
    assert len(texts) == 41
    for (step, train, test, held), frame in zip(texts, RUN["frame"].to_numpy(), strict=True):
        assert step == f"{frame:,.0f}"
        for said, name in ((train, "train"), (test, "test")):
            accuracy = float(RUN[f"{name}_accuracy"].sel(step=frame))
            assert said == per_cent(accuracy)
        power = RUN["embedding_power"].sel(frame=frame).to_numpy()
        share = power[RUN["key"].to_numpy()].sum() / power[1:].sum()
        assert held == per_cent(share)


def test_a_share_of_nearly_all_keeps_a_digit():
    shares = {0.0: "0 %", 0.124: "12 %", 0.99: "99 %", 0.9949: "99.5 %", 0.9996: "100 %"}
    assert {share: per_cent(share) for share in shares} == shares
    assert per_cent(0.9994) == "99.9 %"


# ---------------------------------------------------------------------------------- the data


def test_the_bars_are_the_shares_of_the_power(html):
    power = RUN["embedding_power"].to_numpy()[:, 1:]
    share = power / power.sum(axis=1, keepdims=True)
    bars = np.array(data_of(html)["bars"])
    assert bars.shape == (41, 56) and bars.max() == 1000
    np.testing.assert_allclose(bars / 1000 * share.max(), share, atol=share.max() / 1999)


def test_the_plane_is_that_of_the_last_frame_and_does_not_turn(html):
    W = RUN["frame_W_E"].to_numpy().astype(float)
    angle = 2 * np.pi * 14 * np.arange(113) / 113
    waves = np.stack([np.cos(angle) @ W[-1], np.sin(angle) @ W[-1]], axis=1)
    gram = waves.T @ waves  # symmetric orthonormalisation, by the inverse square root
    values, vectors = np.linalg.eigh(gram)
    directions = waves @ vectors @ np.diag(values**-0.5) @ vectors.T
    places = (W - W.mean(axis=1, keepdims=True)) @ directions
    reach = np.abs(places).max()
    order = sorted(range(113), key=lambda a: 14 * a % 113)
    drawn = np.array(data_of(html)["points"]).reshape(41, 113, 2) * [1, -1]
    np.testing.assert_allclose(drawn / 1000 * reach, places[:, order], atol=reach / 1999)
    radius = np.linalg.norm(drawn, axis=2)
    assert radius[-1].std() < 0.03 * radius[-1].mean()
    assert radius[0].std() > 0.3 * radius[0].mean()


def test_the_cursor_stands_on_the_axis_and_on_the_curves(html):
    data = data_of(html)
    assert data["places"] == [round(frame / 2) for frame in RUN["frame"].to_numpy()]
    for levels, name in zip(data["levels"], ("train", "test"), strict=True):
        accuracy = RUN[f"{name}_accuracy"].sel(step=RUN["frame"])
        np.testing.assert_allclose(levels, 1000 * accuracy, atol=0.51)


def test_curves_keep_what_can_be_seen(html):
    train, test = re.findall(r'<polyline points="([^"]*)" stroke="(#\w*)"', html)
    for (points, _), name in ((train, "train"), (test, "test")):
        x, y = np.array([point.split(",") for point in points.split()], float).T
        assert x.min() == 0 and x.max() == 10_000
        at = RUN["step"].to_numpy() / 2
        read = np.interp(at, x, 1000 - y)
        assert np.abs(read - 1000 * RUN[f"{name}_accuracy"]).max() <= 6
        assert x.size < 400
    assert train[1] != test[1]


def test_the_strongest_key_frequency_is_chosen_not_the_strongest_of_all():
    run = framed(23, (3, 4, 9), width=12).isel(run=0)
    run["key"] = run["frequency"].isin([4, 9])
    assert scrubber(run).film.frequency == 4
    assert scrubber(run.assign(key=run["frequency"].isin([9]))).film.frequency == 9


def test_half_of_an_even_modulus_has_no_plane():
    run = framed(12, (6, 5), width=8).isel(run=0)
    assert scrubber(run).film.frequency == 5
    assert "key frequencies 5, 6, strongest 5" in repr(scrubber(run))
    assert scrubber(run.assign(key=run["frequency"] == 6)).film.frequency in range(1, 6)


def test_a_common_factor_gives_several_rounds():
    run = framed(12, (4, 1), width=8).isel(run=0)
    html = scrubber(run.assign(key=run["frequency"] == 4))._repr_html_()
    assert 'data-ring="3"' in html
    (path,) = re.findall(r'class="scrubber-round"[^>]* d="([^"]*)"', html)
    assert path.count("M") == path.count("z") == 4


def test_frames_and_steps_that_were_not_reached_are_left_out():
    run = SMALL.copy(deep=True)
    run["embedding_power"] = run["embedding_power"].where(run["frame"] <= 12_000)
    run["frame_W_E"] = run["frame_W_E"].where(run["frame"] <= 12_000)
    run["test_accuracy"] = run["test_accuracy"].where(run["step"] <= 12_000)
    made = scrubber(run)
    assert made.film.steps.tolist() == list(range(0, 12_001, 500))
    assert "from step 0 to 12,000" in repr(made)
    assert "NaN" not in made._repr_html_()


# ---------------------------------------------------------------------------------- the HTML


def test_the_last_frame_is_drawn_without_a_script(html):
    data, page = data_of(html), Tags(html)
    dots = [given for tag, given in page.tags if tag == "circle" and "r" in given]
    drawn = [int(given[key]) for given in dots[:113] for key in ("cx", "cy")]
    assert drawn == data["points"][-1]
    (still,) = (text for tag, text in page.texts if tag == "p" and "Where scripts" in text)
    assert still == (
        "The last of 41 frames, step 20,000: train accuracy 100 %, test accuracy 100 %. "
        "Where scripts may run, a slider moves through the training."
    )
    (slider,) = (given for tag, given in page.tags if tag == "input")
    assert (slider["type"], slider["max"], slider["value"]) == ("range", "40", "40")
    assert slider["aria-valuetext"].startswith("step 20,000: train accuracy 100 %")
    assert sum("hidden" in given for _, given in page.tags) == 1
    roles = [given["aria-label"] for _, given in page.tags if given.get("role") == "img"]
    assert len(roles) == 3


def test_key_frequencies_have_their_own_colour(html):
    groups = dict(re.findall(r'<path class="scrubber-(key|other)" fill="[^"]*" d="([^"]*)"', html))
    found = {
        kind: [(int(x) + 9) // 10 for x in re.findall(r"M(\d+),1000V", path)]
        for kind, path in groups.items()
    }
    assert found["key"] == [14, 35, 41, 42, 52]
    assert sorted(found["key"] + found["other"]) == list(range(1, 57))
    assert f'class="scrubber-key" fill="{ARMS[0]}"' in html


def test_the_html_is_whole_and_the_same_each_time(html):
    page = Tags(html)
    assert page.tags[0] == (
        "figure",
        {"class": "scrubber", "aria-label": "The embedding of 113 residues over training"},
    )
    assert scrubber(RUNS)._repr_html_() == html
    assert scrubber(RUN)._repr_html_() == html


def test_nothing_has_an_id_and_nothing_is_fetched(html):
    page = Tags(html + html)
    names = {name for _, given in page.tags for name in given}
    assert not names & {"id", "name", "for", "href", "src", "xmlns"}
    assert "//" not in html


def test_all_numbers_of_the_frames_are_whole(html):
    data = data_of(html)
    for name in ("bars", "points", "places", "levels"):
        assert not re.search(r"[.e]", json.dumps(data[name])), name


def test_many_frames_are_thinned_with_both_ends():
    many = framed(23, (3, 4), frames=np.arange(0.0, 20_001.0, 100.0), width=8)
    steps = [text[0] for text in data_of(scrubber(many)._repr_html_())["texts"]]
    assert len(steps) == 60
    assert (steps[0], steps[-1]) == ("0", "20,000")
    gaps = np.diff([int(step.replace(",", "")) for step in steps])
    assert gaps.min() >= 300 and gaps.max() <= 400


def test_a_large_modulus_stays_below_the_limit():
    large = framed(307, (3, 40), frames=np.arange(0.0, 20_001.0, 400.0), width=4)
    html = scrubber(large)._repr_html_()
    assert len(html.encode()) <= LIMIT == 150_000
    assert 12 <= len(data_of(html)["texts"]) < 51


# ---------------------------------------------------------------------------------- refusals


def test_what_cannot_be_shown_is_refused_by_name(monkeypatch):
    with pytest.raises(ValueError, match=r"the runs have no frame_W_E, t_mem; a scrubber needs"):
        scrubber(SMALL.drop_vars(["frame_W_E", "t_mem"]))
    with pytest.raises(ValueError, match="a scrubber shows one run, not 2; choose it"):
        scrubber(framed(11, (2,), seeds=2, width=4))
    with pytest.raises(ValueError, match="at least two frames are needed, and the run has 1"):
        scrubber(SMALL.isel(frame=[-1]))
    with pytest.raises(ValueError, match="22 residues have frequencies 0 to 11, and the run has"):
        scrubber(SMALL.isel(element=slice(22), frequency=slice(11)))
    with pytest.raises(ValueError, match="an embedding of the run is not finite"):
        scrubber(SMALL.assign(frame_W_E=SMALL["frame_W_E"].where(SMALL["frame"] > 0)))
    with pytest.raises(ValueError, match="the run has no test accuracy at any step"):
        scrubber(SMALL.assign(test_accuracy=SMALL["test_accuracy"] * np.nan))
    monkeypatch.setattr(sys.modules["grokbook.figures.scrubber"], "LIMIT", 2_000)
    with pytest.raises(ValueError, match="more than 2,000; show a smaller p"):
        scrubber(SMALL)._repr_html_()
