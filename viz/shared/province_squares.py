"""The map: one square per province, coloured by the number printed in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.colors import Colormap, Normalize

#: Row and column of each province from the north-west: 62 of 69 pairs of neighbours touch, and the order from east to
#: west and from north to south is preserved.
LAYOUT = {
    "Heilongjiang": (0, 6),
    "Inner Mongolia": (1, 3),
    "Beijing": (1, 4),
    "Liaoning": (1, 5),
    "Jilin": (1, 6),
    "Xinjiang": (2, 0),
    "Gansu": (2, 1),
    "Ningxia": (2, 2),
    "Shanxi": (2, 3),
    "Hebei": (2, 4),
    "Tianjin": (2, 5),
    "Tibet": (3, 0),
    "Qinghai": (3, 1),
    "Shaanxi": (3, 2),
    "Henan": (3, 3),
    "Shandong": (3, 4),
    "Sichuan": (4, 1),
    "Chongqing": (4, 2),
    "Hubei": (4, 3),
    "Anhui": (4, 4),
    "Jiangsu": (4, 5),
    "Shanghai": (4, 6),
    "Yunnan": (5, 1),
    "Guizhou": (5, 2),
    "Hunan": (5, 3),
    "Jiangxi": (5, 4),
    "Zhejiang": (5, 5),
    "Guangxi": (6, 2),
    "Guangdong": (6, 3),
    "Fujian": (6, 4),
    "Hainan": (7, 2),
}
#: Letters of the provinces (GB/T 2260) in the order of LAYOUT, for squares too narrow for English names.
_LETTERS = (
    "HL",
    "NM",
    "BJ",
    "LN",
    "JL",
    "XJ",
    "GS",
    "NX",
    "SX",
    "HE",
    "TJ",
    "XZ",
    "QH",
    "SN",
    "HA",
    "SD",
    "SC",
    "CQ",
    "HB",
    "AH",
    "JS",
    "SH",
    "YN",
    "GZ",
    "HN",
    "JX",
    "ZJ",
    "GX",
    "GD",
    "FJ",
    "HI",
)
CODES = dict(zip(LAYOUT, _LETTERS, strict=True))
#: Width and height of a square, and the gap between two, in units of the drawing.
WIDTH, HEIGHT, GAP = 76, 58, 3
#: Size of the drawing.
SIZE = (7 * (WIDTH + GAP), 8 * (HEIGHT + GAP))
_STEPS, _SHADES = 5, 256
#: Maximum length of a name at full size.
_LONG_NAME = 12
#: A faded square is coloured as if its number were multiplied by this factor.
_FADE = 0.3


@dataclass(frozen=True)
class Square:
    """One square: corner, background and text colours, name and its size, number, text for screen readers, frame."""

    x: int
    y: int
    fill: str
    ink: str
    name: str
    name_size: float
    number: str
    label: str
    marked: bool


@dataclass(frozen=True)
class Palette:
    """Colours of numbers, on a scale that distinguishes small ones."""

    colours: Colormap
    norm: Normalize

    def fill(self, value: float, faded: bool = False) -> str:
        """Colour of a number, as #rrggbb; that of a smaller number if `faded`."""
        from matplotlib.colors import to_hex

        return to_hex(self.colours(self.norm(value * _FADE if faded else value)))

    def shades(self, values: np.ndarray, faded: np.ndarray) -> np.ndarray:
        """Positions of numbers (any shape) on the ramp, uint8; of smaller numbers where `faded`; 0 for NaN."""
        positions = np.asarray(self.norm(np.nan_to_num(np.where(faded, values * _FADE, values))))
        return np.clip(np.round(positions * (_SHADES - 1)), 0, _SHADES - 1).astype(np.uint8)

    @property
    def ramp(self) -> list[tuple[str, str]]:
        """Background and text colours from the lowest number to the highest, evenly spaced."""
        from matplotlib.colors import to_hex

        fills = [to_hex(colour) for colour in self.colours(np.linspace(0.0, 1.0, _SHADES))]
        return [(fill, ink_on(fill)) for fill in fills]

    @property
    def steps(self) -> list[tuple[float, str]]:
        """Numbers to show in a key, evenly spaced in colour, with their colours."""
        numbers = (float(self.norm.inverse(step / (_STEPS - 1))) for step in range(_STEPS))
        return [(number, self.fill(number)) for number in numbers]


def levels(highest: float, least: float = 1.0) -> Palette:
    """Viridis from 0 to the highest number, at least to `least`, on a square-root scale."""
    # Imported here, so that pages without a map do not load Matplotlib.
    from matplotlib import colormaps
    from matplotlib.colors import PowerNorm

    return Palette(colormaps["viridis"], PowerNorm(0.5, vmin=0.0, vmax=max(highest, least), clip=True))


def rates(lowest: float, highest: float) -> Palette:
    """Viridis from the lowest number to the highest, on a linear scale."""
    from matplotlib import colormaps
    from matplotlib.colors import Normalize

    return Palette(colormaps["viridis"], Normalize(lowest, highest if highest > lowest else lowest + 1.0, clip=True))


def changes(largest: float, least: float = 1.0) -> Palette:
    """Red for less, white for no change, blue for more, up to the largest change either way or to `least`."""
    from matplotlib import colormaps
    from matplotlib.colors import CenteredNorm

    return Palette(colormaps["RdBu"], CenteredNorm(0.0, halfrange=max(largest, least)))


def corner(province: str) -> tuple[int, int]:
    """The upper left corner of a province's square."""
    row, column = LAYOUT[province]
    return column * (WIDTH + GAP), row * (HEIGHT + GAP)


def ink_on(fill: str) -> str:
    """Black or white, whichever contrasts more with a colour by the formula of WCAG 2."""
    red, green, blue = (_linear(int(fill[start : start + 2], 16) / 255.0) for start in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000000" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "#ffffff"


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def squares(
    values: Mapping[str, float],
    palette: Palette,
    names: Mapping[str, str],
    numbers: Mapping[str, str],
    labels: Mapping[str, str],
    *,
    marked: frozenset[str] = frozenset(),
    faded: frozenset[str] = frozenset(),
) -> list[Square]:
    """Squares of all provinces, in the order of the map's rows.

    Args:
        values: numbers for the colours, by English name of the province. names, numbers: texts printed in the square.
        labels: texts for screen readers and tooltips. marked, faded: provinces with a frame, and in a paler colour.
    """
    result = []
    for province in LAYOUT:
        fill = palette.fill(values[province], faded=province in faded)
        x, y = corner(province)
        result.append(
            Square(
                x=x,
                y=y,
                fill=fill,
                ink=ink_on(fill),
                name=names[province],
                name_size=11.0 if len(names[province]) <= _LONG_NAME else 9.5,
                number=numbers[province],
                label=labels[province],
                marked=province in marked,
            )
        )
    return result
