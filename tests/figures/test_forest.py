import math

import numpy as np
import pytest

from grokbook.figures import ForestRow, forest
from grokbook.figures.forest_rows import GLYPHS


def row(claim="a26.x", published=2.0, measured=1.0, interval=(0.5, 1.5), **more) -> ForestRow:
    return ForestRow(
        claim, published, measured, interval, more.pop("verdict", "reproduced"), **more
    )


def marks(picture, gid: str) -> list[tuple[float, float]]:
    (axes,) = picture.figure.axes
    lines = [line for line in axes.lines if line.get_gid() == gid]
    return [
        (float(np.ravel(x)[0]), float(np.ravel(y)[0])) for x, y in (o.get_data() for o in lines)
    ]


def spans(picture, gid: str) -> list[tuple[float, float]]:
    (axes,) = picture.figure.axes
    return [tuple(line.get_xdata()) for line in axes.lines if line.get_gid() == gid]


MIXED = [
    row("nanda23.delay", 30, 28.4, (21, 37)),
    row("norm_separation26.rate_weight_decay", (1.5, 2.5), 1.12, (0.9, 1.4), unit="nats"),
    row("power22.steps_to_generalise", 1e6, 4.1e3, (2e3, 9e3), unit="steps"),
    row("radial26.no_gain", 0, 0.03, (-0.01, 0.05), verdict="not testable as stated"),
    row("spherical26.sign", -0.4, 0.3, (0.1, 0.5), verdict="refuted"),
    row("stencil26.probe_gain", 2.54, None, None, verdict="not yet run", unit="nats"),
    row("torus26.pairs", 4, 4.4, None, verdict="reproduced in part", unit="circles"),
    row("grokbook.own", None, 4.4, None, verdict="not reproduced"),
    row("race26.wide", 10, 20, (2, math.inf)),
]


def test_claims_of_every_kind_make_a_clean_picture(check):
    check(forest(MIXED))


@pytest.mark.parametrize("number", [1, 2, 9])
def test_every_number_of_rows_makes_a_clean_picture(check, number):
    check(forest([row(f"a26.claim_{i}", 1.0 + i, 1.1 + i) for i in range(number)]))


def test_one_unit_has_an_axis_in_that_unit():
    picture = forest([row(unit="steps"), row("b26.y", 4.0, 3.0, (2.0, 3.5), unit="steps")])
    (axes,) = picture.figure.axes
    assert axes.get_xlabel() == "steps"
    assert axes.get_xscale() == "linear"
    assert marks(picture, "published") == [(2.0, 0.0), (4.0, 1.0)]
    assert marks(picture, "measured") == [(1.0, 0.0), (3.0, 1.0)]
    assert spans(picture, "interval") == [(0.5, 1.5), (2.0, 3.5)]


def test_a_wide_span_of_positive_values_is_logarithmic():
    (axes,) = forest([row(), row(measured=500.0, interval=None)]).figure.axes
    assert axes.get_xscale() == "log"
    (axes,) = forest([row(), row(measured=-500.0, interval=None)]).figure.axes
    assert axes.get_xscale() == "linear"


def test_several_units_share_an_axis_of_ratios():
    picture = forest([row(unit="steps"), row("b26.y", 4.0, 6.0, (2.0, 8.0), unit="nats")])
    (axes,) = picture.figure.axes
    assert axes.get_xlabel() == "measured ÷ published"
    assert axes.get_xscale() == "log"
    assert marks(picture, "published") == [(1.0, 0.0), (1.0, 1.0)]
    assert marks(picture, "measured") == [(0.5, 0.0), (1.5, 1.0)]
    assert spans(picture, "interval") == [(0.25, 0.75), (0.5, 2.0)]


def test_a_published_range_is_a_bar():
    (span,) = spans(forest([row(published=(1.5, 2.5))]), "published range")
    assert span == (1.5, 2.5)
    (span,) = spans(forest([row(published=(1.0, 4.0))], ratio=True), "published range")
    assert span == (0.5, 2.0)  # about the geometric middle, 2
    assert marks(forest([row(published=(1.0, 4.0))], ratio=True), "measured") == [(0.5, 0.0)]


def test_the_ratio_of_negative_values_keeps_low_below_high():
    picture = forest([row(published=-2.0, measured=-1.0, interval=(-1.5, -0.5))], ratio=True)
    assert spans(picture, "interval") == [(0.25, 0.75)]
    picture = forest([row(published=(-4.0, -1.0), measured=-1.0, interval=None)], ratio=True)
    assert spans(picture, "published range") == [(0.5, 2.0)]


@pytest.mark.parametrize(
    ("claim", "excuse"),
    [
        (row(published=0.0), "published 0: no ratio"),
        (row(published=None), "no published number"),
        (row(published=-2.0), "other sign: no ratio"),
    ],
)
def test_a_row_without_a_ratio_says_so(claim, excuse):
    picture = forest([claim, row("b26.y", 1.0, 1.0)], ratio=True)
    (axes,) = picture.figure.axes
    assert excuse in [text.get_text() for text in axes.texts]
    assert len(marks(picture, "measured")) == 1


def test_missing_parts_are_left_out():
    picture = forest([row(measured=None, interval=None, verdict="not yet run")])
    assert marks(picture, "measured") == spans(picture, "interval") == []
    assert len(marks(picture, "published")) == 1
    picture = forest([row(published=None, interval=None)])
    assert marks(picture, "published") == []
    assert len(marks(picture, "measured")) == 1


def test_an_interval_beyond_the_axis_ends_in_an_arrow():
    picture = forest([row(interval=(0.5, math.inf)), row("b26.y", 1.0, 1.0, (0.9, 1.1))])
    (axes,) = picture.figure.axes
    assert marks(picture, "beyond") == [(axes.get_xlim()[1], 0.0)]
    for published, edge in ((1000.0, 0), (0.001, 1)):
        far = forest([row(published=published)], ratio=True)
        ends = far.figure.axes[0].get_xlim()
        assert 1e-3 < ends[0] < ends[1] < 1e3
        assert (ends[edge], 0.0) in marks(far, "beyond")


@pytest.mark.parametrize(("bound", "marker"), [("≥", ">"), ("≤", "<")])
def test_a_bound_is_an_arrow_and_says_so(bound, marker):
    rows = [row(bound=bound, unit="steps"), row("b26.y", unit="nats")]
    picture = forest(rows)
    (arrow,) = [line for line in picture.figure.axes[0].lines if line.get_gid() == "bound"]
    assert arrow.get_marker() == marker and arrow.get_markerfacecolor() == "white"
    assert marks(picture, "bound") == [(0.5, 0.0)]
    assert marks(picture, "measured") == [(0.5, 1.0)]
    assert rows[0].words.startswith(f"{bound} 1 (0.5 to 1.5) steps")
    (legend,) = picture.figure.legends
    assert "at least / at most" in [text.get_text() for text in legend.get_texts()]
    negative = forest([row("a26.z", -2.0, -1.0, None, bound=bound)], ratio=True)
    (arrow,) = [line for line in negative.figure.axes[0].lines if line.get_gid() == "bound"]
    assert arrow.get_marker() == {">": "<", "<": ">"}[marker]  # at least −1 is at most ½ of −2


def test_rows_stand_in_the_order_given_with_their_words():
    (axes,) = forest(MIXED).figure.axes
    assert axes.yaxis_inverted()
    texts = [text.get_text().replace("\n", " ") for text in axes.texts]
    claims = [text for text in texts if text in {r.claim for r in MIXED}]
    assert claims == [r.claim for r in MIXED]
    assert "4,100 (2,000 to 9,000) steps, published 1,000,000" in texts
    assert "1.12 (0.9 to 1.4) nats, published 1.5 to 2.5" in texts
    assert "no measurement, published 2.54 nats" in texts
    assert "20 (2 to ∞), published 10" in texts


def test_long_words_are_folded_and_leave_the_axis_its_width(check):
    unit = "Hessian trace without the penalty / with the penalty"
    rows = [row("a26.flat", 30.4, 6.611e-05, (3.43e-05, 6.64e-05), unit=unit), *MIXED[:3]]
    picture = forest(rows)
    check(picture)
    (axes,) = picture.figure.axes
    told = "0.0000661 (0.0000343 to 0.0000664) " + unit + ", published 30.4"
    folded = [text.get_text() for text in axes.texts if "\n" in text.get_text()]
    assert [text.replace("\n", " ") for text in folded if "Hessian" in text] == [told]
    assert axes.get_position().width * picture.figure.get_figwidth() >= 2


def test_a_range_of_one_number_is_that_number():
    assert row(published=(6.3, 6.3), unit="steps").words == "1 (0.5 to 1.5) steps, published 6.3"


def test_the_verdict_is_a_glyph_and_words():
    for verdict, glyph in GLYPHS.items():
        (axes,) = forest([row(verdict=verdict)]).figure.axes
        texts = [text.get_text() for text in axes.texts]
        assert verdict in texts and glyph in texts


def test_the_key_explains_the_marks_that_occur():
    (legend,) = forest(MIXED).figure.legends
    named = [text.get_text() for text in legend.get_texts()]
    assert named == ["published", "published range", "measured, 95 % interval"]
    (legend,) = forest([row(measured=None, interval=None)]).figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["published"]


def test_the_text_tells_every_claim():
    text = forest(MIXED[:2]).alt
    assert "nanda23.delay: 28.4 (21 to 37), published 30, reproduced." in text


def test_what_no_forest_can_show_is_refused():
    with pytest.raises(ValueError, match="at least one row"):
        forest([])
    with pytest.raises(ValueError, match=r"\['nats', 'steps'\] do not share an axis"):
        forest([row(unit="steps"), row(unit="nats")], ratio=False)
    with pytest.raises(ValueError, match="verdict 'fine' of a26"):
        row(verdict="fine")
    with pytest.raises(ValueError, match=r"\(2.0, 1.0\) of a26.x is no range"):
        row(interval=(2.0, 1.0))
    with pytest.raises(ValueError, match="is no range"):
        row(published=(2.0, 1.0))


def test_the_same_rows_give_the_same_bytes():
    assert forest(MIXED[:3]).png == forest(MIXED[:3]).png
