import io

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from grokbook.figures import ARMS, TEST, TRAIN, Picture, canvas, style


def drawn(lines: int = 2, *, alt: str = "Two lines that rise.") -> Picture:
    with style():
        figure, (axes,) = canvas(2.5)
        for line in range(lines):
            axes.plot([0, 1], [line, line + 1], color=(TRAIN, TEST, *ARMS)[line % 6], lw=4)
    return Picture(figure, alt)


def pixels(picture: Picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB"))


def test_the_same_figure_gives_the_same_bytes():
    assert drawn().png == drawn().png


def test_the_png_carries_no_date_and_no_version():
    kinds = {b"tIME", b"tEXt", b"iTXt", b"zTXt"}
    assert not any(kind in drawn().png for kind in kinds)


def test_the_png_keeps_the_named_colours_and_a_white_ground():
    picture = pixels(drawn(6))
    assert tuple(picture[0, 0]) == (255, 255, 255)
    seen = {tuple(int(part) for part in colour) for colour in picture.reshape(-1, 3)}
    for colour in (TRAIN, TEST, *ARMS):
        assert tuple(bytes.fromhex(colour[1:])) in seen


def test_the_palette_is_close_to_the_true_picture():
    picture = drawn(6)
    shown = Image.open(io.BytesIO(picture.png)).convert("RGB")
    true = io.BytesIO()
    with style():
        picture.figure.savefig(true, dpi=shown.size[0] / 6.3)
    error = np.abs(np.asarray(Image.open(true).convert("RGB"), float) - np.asarray(shown, float))
    assert error.mean() < 0.2
    assert error.max() < 48


def test_a_simple_picture_is_sharp_and_a_full_one_still_fits():
    assert pixels(drawn()).shape[1] == 1260
    noise = np.random.default_rng(0).normal(size=(12, 60))
    with style():
        figure, (axes,) = canvas(2.5)
        axes.plot(noise.T, lw=0.5, alpha=0.5)
    full = Picture(figure, "Noise.")
    assert len(full.png) <= 30_000
    assert 693 <= pixels(full).shape[1] < 1260


def test_a_picture_that_cannot_fit_is_refused(monkeypatch):
    monkeypatch.setattr("grokbook.figures.picture.LIMIT", 900)
    with pytest.raises(ValueError, match="more than 900; draw fewer lines"):
        _ = drawn().png


@pytest.mark.parametrize("alt", ["", " \n", "<Figure size 640x480 with 1 Axes>"])
def test_a_text_that_says_nothing_is_refused(alt):
    with pytest.raises(ValueError, match="says nothing"):
        drawn(alt=alt)


def test_a_notebook_gets_the_png_its_printed_width_and_the_text():
    picture = drawn(alt="Two lines\n  that rise.")
    png, metadata = picture._repr_png_()
    assert png == picture.png and png.startswith(b"\x89PNG")
    assert metadata == {"width": 605}
    assert repr(picture) == "Two lines that rise."


def test_a_figure_of_pyplot_is_closed():
    with matplotlib.rc_context({"backend": "agg"}):
        import matplotlib.pyplot as plt

        figure, _ = plt.subplots()
        assert plt.fignum_exists(figure.number)
        Picture(figure, "Empty axes.")
        assert not plt.fignum_exists(figure.number)


def test_a_figure_without_pyplot_works_too():
    assert Picture(Figure(figsize=(2, 1)), "Nothing yet.").png
