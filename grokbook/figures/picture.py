"""A finished picture: a small PNG with a text that says what it shows."""

import io
import re
import sys
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import UInt8
from matplotlib.figure import Figure
from PIL import Image
from PIL.Image import Dither

from .style import style

LIMIT = 30_000  # bytes: chapters store their pictures in the repository
# Dots per inch and colours: the first that fits is taken. Text is mostly edges, and keeps its look
# with fewer colours better than with fewer dots.
_QUALITIES = (
    (200, 64),
    (180, 64),
    (160, 64),
    (160, 32),
    (140, 32),
    (125, 32),
    (125, 16),
    (110, 16),
)
_CSS_PIXELS = 96  # per inch of print, so that 8 pt in print is 8 pt on the page


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure with its alternative text, which a notebook shows as a PNG of at most 30 kB.

    `text/plain` is the alternative text: screen readers get it, and nbval compares it, so that a
    number that moves in a figure fails the test although no PNG is compared.

    Raises ValueError where the text is empty or merely names the object.
    """

    figure: Figure
    alt: str

    def __post_init__(self) -> None:
        text = " ".join(self.alt.split())
        if not text or re.match(r"<.*>$", text):
            raise ValueError(f"alt text {self.alt!r} says nothing; say what the figure shows.")
        object.__setattr__(self, "alt", text)
        # A figure made by pyplot would be shown a second time, and kept in memory.
        if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
            pyplot.close(self.figure)

    @cached_property
    def png(self) -> bytes:
        """The picture as PNG: the same bytes for the same figure, at the finest size that fits.

        Raises ValueError if even 110 dots per inch take more than 30 kB.
        """
        data, tried = b"", _QUALITIES[0]
        for resolution, colours in _QUALITIES:
            # Measured: bytes grow with the resolution, and with the 0.3rd power of the colours.
            guess = len(data) * resolution / tried[0] * (colours / tried[1]) ** 0.3
            if guess > 1.1 * LIMIT and (resolution, colours) != _QUALITIES[-1]:
                continue
            data, tried = _encode(self.figure, resolution, colours), (resolution, colours)
            if len(data) <= LIMIT:
                return data
        raise ValueError(
            f"the picture takes {len(data):,} bytes, more than {LIMIT:,}; draw fewer lines."
        )

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        return self.png, {"width": round(self.figure.get_size_inches()[0] * _CSS_PIXELS)}

    def __repr__(self) -> str:
        return self.alt


def _encode(figure: Figure, resolution: int, colours: int) -> bytes:
    raw = io.BytesIO()
    with style():
        figure.savefig(raw, format="png", dpi=resolution, metadata={"Software": None})
    out = io.BytesIO()
    # A palette takes a quarter of the bytes of true colour.
    image = _indexed(np.asarray(Image.open(raw).convert("RGB")), colours)
    image.save(out, format="png", optimize=True, dpi=(resolution, resolution))
    return out.getvalue()


def _indexed(pixels: UInt8[np.ndarray, "height width 3"], number: int) -> Image.Image:
    """The pixels in few colours: those that cover most of them exactly, the rest for smooth edges.

    Median cut alone weighs colours by area, and would give the text the colour of a band.
    """
    packed = pixels.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    codes, where, area = np.unique(packed, return_inverse=True, return_counts=True)
    colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(np.uint8)
    exact = np.argsort(-area, kind="stable")[: number * 3 // 8]
    edges = Image.fromarray(colours[None]).quantize(number - exact.size, dither=Dither.NONE)
    edges = np.array(edges.getpalette(), np.uint8).reshape(-1, 3)
    palette = np.concatenate([colours[exact], edges])
    squares = ((colours[:, None].astype(np.int32) - palette[None]) ** 2).sum(2)
    image = Image.fromarray(squares.argmin(1).astype(np.uint8)[where.reshape(packed.shape)])
    image.putpalette(palette.tobytes())
    return image
