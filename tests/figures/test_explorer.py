"""The explorer: which cells it holds, what it says of each, and how small its HTML stays."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import xarray as xr

from grokbook.figures import Explorer, explorer
from grokbook.figures.explorer import LIMIT
from grokbook.figures.explorer_cells import Curve, thin
from grokbook.figures.explorer_plot import place


def sweep(
    onsets: dict[tuple[float, float], list[tuple[float, float]]],
    budget: float = 15_000.0,
    noise: float = 0.002,
) -> xr.Dataset:
    """Runs of each (weight decay, share) with given onsets (t_mem, t_grok); NaN: not reached."""
    random = np.random.default_rng(0)
    step = np.arange(0.0, budget + 1, 50.0)
    rows = [
        (decay, share, seed, mem, grok)
        for (decay, share), seeds in onsets.items()
        for seed, (mem, grok) in enumerate(seeds)
    ]
    columns = [np.array(column, float) for column in zip(*rows, strict=True)]
    decay, share, seed, mem, grok = columns

    def rise(onset: np.ndarray) -> np.ndarray:
        late = np.where(np.isnan(onset), 1e9, onset)[:, None]
        curve = 1 / (1 + (0.6 * late / np.maximum(step, 1)) ** 9)
        return np.clip(0.01 + 0.99 * curve + random.normal(0, noise, curve.shape), 0, 1)

    end = np.where(np.isnan(grok), budget, np.minimum(grok + 3_000, budget))
    ended = step[None] > end[:, None]
    return xr.Dataset(
        {
            "train_accuracy": (("run", "step"), np.where(ended, np.nan, rise(mem))),
            "test_accuracy": (("run", "step"), np.where(ended, np.nan, rise(grok))),
            "t_mem": ("run", mem),
            "t_grok": ("run", grok),
            "budget": ("run", end),
        },
        {
            "step": step,
            "weight_decay": ("run", decay.astype(np.float32)),
            "train_fraction": ("run", share.astype(np.float32)),
            "init_seed": ("run", seed.astype(int)),
        },
    )


NEVER = float("nan")
ONSETS = {
    (0.0, 0.4): [(150, NEVER), (160, NEVER)],
    (0.1, 0.3): [(150, NEVER), (160, 12_000)],
    (0.3, 0.3): [(150, 9_000), (160, 11_000), (155, NEVER)],
    (1.0, 0.25): [(150, 9_950)],
    (1.0, 0.3): [(150, 6_800), (140, 5_710), (160, 8_780)],
    (1.0, 0.6): [(150, 400), (170, 440)],
    (3.0, 0.3): [(NEVER, NEVER), (NEVER, NEVER)],
}


class Tags(HTMLParser):
    """The tags with their attributes, and the texts, of a piece of HTML; it must be balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag != "input":
            self.open.append(tag)
        self.tags.append((tag, dict(attrs)))

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1], data))


def data_of(html: str) -> dict:
    """The JSON that stands in the HTML."""
    (packed,) = re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    return json.loads(packed)


@pytest.fixture(scope="module")
def shown() -> Explorer:
    """An explorer with a cell of every kind."""
    return explorer(sweep(ONSETS))


@pytest.fixture(scope="module")
def html(shown: Explorer) -> str:
    """Its HTML."""
    return shown._repr_html_()


# ---------------------------------------------------------------------------------- words


def test_each_kind_of_cell_has_its_sentence(html):
    data = data_of(html)
    said = {tuple(cell["at"]): cell["sentence"] for cell in data["cells"]}
    pairs = {"0.1, 30 %": (1, 1), "0.3, 30 %": (2, 1), "0, 40 %": (0, 2), "3, 30 %": (4, 1)}
    pairs |= {"1, 25 %": (3, 0), "1, 30 %": (3, 1), "1, 60 %": (3, 3)}
    assert data["decays"] == ["0", "0.1", "0.3", "1", "3"]
    assert data["shares"] == ["25 %", "30 %", "40 %", "60 %"]
    expected = {
        "0, 40 %": "memorised at step 155, not grokked within 15,000 steps, 2 of 2 seeds.",
        "0.1, 30 %": "memorised at step 155, not grokked within 15,000 steps, 1 of 2 seeds "
        "(the other at 12,000).",
        "0.3, 30 %": "memorised at step 155, grokked at 11,000 (median of 3 seeds; from 9,000 on, "
        "not within 15,000 steps, 1 of 3 seeds).",
        "1, 25 %": "memorised at step 150, grokked at 9,950 (one seed).",
        "1, 30 %": "memorised at step 150, grokked at 6,800 (median of 3 seeds; 5,710 to 8,780).",
        "1, 60 %": "memorised at step 160, grokked at 420 (median of 2 seeds; 400 to 440).",
        "3, 30 %": "neither memorised nor grokked within 15,000 steps, 2 of 2 seeds.",
    }
    assert len(said) == len(ONSETS)
    for pair, words in expected.items():
        assert said[pairs[pair]] == f"Weight decay {pair} of the pairs: {words}"


def test_a_training_that_did_not_memorise_says_how_many_seeds():
    late = {(1.0, 0.3): [(NEVER, NEVER), (NEVER, 9_000), (200, 12_000)]}
    (cell,) = data_of(explorer(sweep(late))._repr_html_())["cells"]
    assert (
        "not memorised within 12,000 to 15,000 steps, 2 of 3 seeds; grokked at 12,000"
        in (cell["sentence"])
    )
    some = {(1.0, 0.3): [(NEVER, NEVER), (100, 9_000), (200, 12_000)]}
    (cell,) = data_of(explorer(sweep(some))._repr_html_())["cells"]
    assert "memorised at step 200 (2 of 3 seeds), grokked" in cell["sentence"]


def test_the_text_form_holds_every_median(shown):
    assert repr(shown) == (
        "Accuracy against optimisation step for 7 pairs of weight decay and share of the data, "
        "1 to 3 seeds each. Median step of grokking: "
        "weight decay 0, 40 %: not reached within 15,000 steps; "
        "weight decay 0.1, 30 %: not reached within 13,500 steps; "
        "weight decay 0.3, 30 %: 11,000; "
        "weight decay 1, 25 %: 9,950, 30 %: 6,800, 60 %: 420; "
        "weight decay 3, 30 %: not reached within 15,000 steps."
    )


def test_the_text_form_counts_one_seed_as_one():
    text = repr(explorer(sweep({(1.0, 0.3): [(150, 4_000)]})))
    assert text.startswith(
        "Accuracy against optimisation step for 1 pair of weight decay and share of the data, "
        "1 seed each."
    )


# ---------------------------------------------------------------------------------- the map


def test_the_map_holds_the_medians_and_leaves_untrained_pairs_empty(html):
    rows = re.findall(r"<tbody>(.*)</tbody>", html)[0].split("</tr>")[:-1]
    entries = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    assert entries == [
        ["", "", "&gt;15k", ""],
        ["", "&gt;13k", "", ""],  # not 15k: one of the two seeds grokked at 12,000
        ["", "11k", "", ""],
        ["10k", "6.8k", "", "0.42k"],
        ["", "&gt;15k", "", ""],
    ]
    indices = [int(index) for index in re.findall(r'data-cell="(\d+)"', html)]
    cells = data_of(html)["cells"]
    at = [[i, j] for i, row in enumerate(entries) for j, entry in enumerate(row) if entry]
    assert [cells[index]["at"] for index in indices] == at
    assert re.findall(r'class="chosen"[^>]*>([^<]*)<', html) == ["6.8k"]


def test_the_map_is_darker_where_grokking_is_earlier(html):
    shaded = re.findall(r"--shade:(\d+)%\">([^<]*)<", html)
    by_onset = {onset: int(shade) for shade, onset in shaded}
    assert by_onset["0.42k"] > by_onset["6.8k"] > by_onset["11k"] > by_onset["&gt;15k"] == 0


# ---------------------------------------------------------------------------------- the data


def test_the_first_pair_is_the_usual_one_or_the_earliest(shown):
    assert (shown.start.decay, shown.start.share) == (1.0, 0.3)
    others = {pair: seeds for pair, seeds in ONSETS.items() if pair != (1.0, 0.3)}
    first = explorer(sweep(others)).start
    assert (first.decay, first.share) == (1.0, 0.6)


def test_the_curves_are_those_of_the_runs(html):
    runs, data = sweep(ONSETS), data_of(html)
    here = (np.isclose(runs.weight_decay, 1)) & (np.isclose(runs.train_fraction, 0.3))
    (cell,) = [cell for cell in data["cells"] if cell["at"] == [3, 1]]
    for split in ("train", "test"):
        drawn = [(strong, flat) for name, strong, flat in cell["curves"] if name == split]
        assert [strong for strong, _ in drawn] == [0, 0, 0, 1]
        values = runs[f"{split}_accuracy"][here].transpose("run", "step").to_pandas()
        # A run that ended keeps its last value in the median.
        full = [*values.to_numpy(), np.median(values.ffill(axis=1), axis=0)]
        for values, (_, flat) in zip(full, drawn, strict=True):
            seen = np.isfinite(values) & (runs.step.values >= 10)
            step, permille = np.array(flat[::2]), np.array(flat[1::2])
            assert step.size <= 60
            assert step[0] == 50
            assert step[-1] == runs.step.values[seen][-1]
            at = np.log(runs.step.values[seen])
            read = np.interp(at, np.log(step), permille)
            assert np.abs(read - 1000 * values[seen]).max() <= 6
    assert cell["marks"] == [["train", 150], ["test", 6_800]]


def test_one_seed_is_drawn_strong_and_has_no_median(html):
    (cell,) = [cell for cell in data_of(html)["cells"] if cell["at"] == [3, 0]]
    assert [(split, strong) for split, strong, _ in cell["curves"]] == [("train", 1), ("test", 1)]


def test_an_onset_that_was_not_reached_has_no_mark(html):
    cells = {tuple(cell["at"]): cell for cell in data_of(html)["cells"]}
    assert cells[0, 2]["marks"] == [["train", 155]]
    assert cells[4, 1]["marks"] == []
    assert "grokked" not in {words for _, words, *_ in cells[0, 2]["texts"]}


def test_thinning_keeps_a_spike_and_drops_a_plateau():
    step = np.arange(10.0, 5_010.0, 10.0)
    permille = np.full(step.size, 1000)
    permille[200] = 300
    kept = thin(Curve("test", True, step, permille), 60)
    assert kept.tolist() == [[10, 1000], [2000, 1000], [2010, 300], [2020, 1000], [5000, 1000]]
    noisy = np.random.default_rng(0).integers(0, 1000, step.size)
    assert len(thin(Curve("test", True, step, noisy), 60)) == 60


def test_words_keep_apart(html):
    for cell in data_of(html)["cells"]:
        above = [text for text in cell["texts"] if text[1] in ("memorised", "grokked")]
        spans = []
        for _, word, x, _, anchor in above:
            width = 33 * len(word) * 0.8  # per mille of 260 pixels, at 14 pixels a letter's height
            spans.append((x - width, x) if anchor == "end" else (x, x + width))
        assert all(low >= -20 and high <= 1080 for low, high in spans)
        if len(spans) == 2:
            (_, first), (second, _) = sorted(spans)
            assert first < second


def test_a_place_is_logarithmic():
    assert [place(step, 10_000) for step in (10, 100, 10_000)] == [0, 333.3, 1000]


# ---------------------------------------------------------------------------------- the HTML


def test_the_html_is_whole_and_the_same_each_time(html):
    page = Tags(html)
    assert page.tags[0][0] == "figure"
    assert page.tags[0][1]["class"] == "explorer"
    assert explorer(sweep(ONSETS))._repr_html_() == html
    kinds = [(given["type"], given["max"]) for tag, given in page.tags if tag == "input"]
    assert kinds == [("range", "4"), ("range", "3")]
    values = [given["aria-valuetext"] for tag, given in page.tags if tag == "input"]
    assert values == ["1", "30 %"]
    (live,) = [given for tag, given in page.tags if tag == "output"]
    assert live["aria-live"] == "polite"
    assert sum(tag == "polyline" for tag, _ in page.tags) == 8
    seen = {text for tag, text in page.texts if tag == "text"}
    assert {"accuracy", "optimisation step", "train", "test", "memorised", "grokked"} <= seen
    assert {"10", "100", "1,000", "10,000", "0", "0.5", "1"} <= seen


def test_nothing_has_an_id_and_nothing_is_fetched(html):
    page = Tags(html + html)
    names = {name for _, given in page.tags for name in given}
    assert not names & {"id", "name", "for", "href", "src", "xmlns"}
    assert "//" not in html


def test_text_is_escaped(html):
    (packed,) = re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert not set("<>") & set(packed)
    assert ">>" not in html
    assert html.count("&gt;15k") == 2


def test_twenty_noisy_cells_of_five_seeds_stay_small():
    seeds = [(150.0 + seed, 4_000.0 + 900 * seed) for seed in range(5)]
    pairs = [
        (decay, share) for decay in (0.0, 0.1, 1.0, 3.0) for share in (0.2, 0.3, 0.4, 0.5, 0.6)
    ]
    smooth = explorer(sweep({pair: seeds for pair in pairs}, 40_000.0))._repr_html_()
    assert len(smooth.encode()) <= LIMIT == 60_000
    rough = explorer(sweep({pair: seeds for pair in pairs}, 40_000.0, noise=0.05))._repr_html_()
    assert len(rough.encode()) <= LIMIT
    points = [len(flat) // 2 for cell in data_of(rough)["cells"] for _, _, flat in cell["curves"]]
    assert max(points) < 60


# ---------------------------------------------------------------------------------- refusals


def test_what_cannot_be_shown_is_refused_by_name():
    runs = sweep(ONSETS)
    with pytest.raises(ValueError, match=r"no t_mem, weight_decay;"):
        explorer(runs.drop_vars(["t_mem", "weight_decay"]))
    with pytest.raises(ValueError, match="at least one run"):
        explorer(runs.isel(run=[]))
    with pytest.raises(ValueError, match=r"longest budget is 10;"):
        explorer(runs.assign(budget=10.0 + 0 * runs.budget))
    with pytest.raises(ValueError, match=r"weight decay 0, 40 % of the pairs holds seed 1 twice"):
        explorer(runs.isel(run=[0, 1, 1, 2]))
