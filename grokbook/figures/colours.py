r"""Colour scales of equal steps, from Oklab: shares of power, and residues on a circle.

Oklab (Ottosson 2020) is a linear map of the cube roots of cone responses, made so that equal
distances look equally different; lightness L runs from 0 to 1, and hue is an angle.
"""

import numpy as np
from jaxtyping import Float
from matplotlib.colors import ListedColormap, to_hex

# From L, a, b to the cube roots of the cone responses, and from these responses to linear sRGB.
_TO_ROOTS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_TO_LINEAR = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
# As many colours as the palette of a PNG keeps exactly beside lines and text.
_LEVELS, _HUES = 20, 18


def oklch(
    lightness: Float[np.ndarray, "n"], chroma: Float[np.ndarray, "n"], hue: Float[np.ndarray, "n"]
) -> Float[np.ndarray, "n 3"]:
    """Return colours as sRGB, each part between 0 and 1, from Oklab's polar form (hue in degrees).

    >>> oklch(np.array([0.628]), np.array([0.2577]), np.array([29.23])).round(2) + 0.0
    array([[1., 0., 0.]])
    """
    angle = np.deg2rad(hue)
    lab = np.stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle)], axis=1)
    linear = np.clip((lab @ _TO_ROOTS.T) ** 3 @ _TO_LINEAR.T, 0, 1)
    bent = 1.055 * linear ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, bent)


def ramp() -> ListedColormap:
    """Return the colours of a share, white to the darkest green in equal steps of lightness."""
    at = np.linspace(0, 1, _LEVELS)
    # The hue is that of key frequencies; chroma is what sRGB has at these lightnesses.
    chroma = 0.115 * np.sin(np.pi * at**0.9) ** 0.8 * (at < 1) + 0.02 * at
    return ListedColormap(oklch(1 - 0.78 * at, chroma * (at > 0), np.full(_LEVELS, 165.0)))


def wheel(n: int) -> list[str]:
    """Return a colour for each residue modulo n, as hex: once around 18 hues, fewer for small n.

    Lightness goes once from dark (red) to light (green) and back, so that eyes without red and
    green, which see blue to yellow alone, tell the two halves apart.

    >>> wheel(3)
    ['#76213c', '#6e8b32', '#2f7fbb']
    """
    hues = min(n, _HUES)
    hue = 5.0 + 360.0 * np.arange(hues) / hues
    lightness = 0.52 - 0.13 * np.cos(np.deg2rad(hue))
    colours = [to_hex(colour) for colour in oklch(lightness, np.full(hues, 0.12), hue)]
    return [colours[hues * residue // n] for residue in range(n)]
