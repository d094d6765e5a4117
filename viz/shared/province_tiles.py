"""The map: one tile a province, coloured by a number that is printed in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.colors import Colormap, Normalize

#: Row and column of each province from the north-west: 62 of 69 neighbours touch, and every order of
#: east and west, north and south is kept.
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
#: Letters of the provinces (GB/T 2260) in the order of LAYOUT, for tiles too narrow for English names.
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
#: Width and height of a tile, and the gap between two, in units of the drawing.
WIDTH, HEIGHT, GAP = 76, 58, 3
#: Size of the drawing.
SIZE = (7 * (WIDTH + GAP), 8 * (HEIGHT + GAP))
_STEPS, _SHADES = 5, 256
#: Letters of a name that fit at full size.
_LONG_NAME = 12
#: Part of its number by which a tile that says little is coloured.
_FADE = 0.3


@dataclass(frozen=True)
class Tile:
    """One tile: corner, colours of ground and text, name with its size, number, what is read out, whether framed."""

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
    """Colours of numbers from `low` to `high`, on a scale that tells small ones apart."""

    colours: Colormap
    norm: Normalize

    def fill(self, value: float, faded: bool = False) -> str:
        """Colour of a number, as #rrggbb; that of a smaller one if `faded`."""
        from matplotlib.colors import to_hex

        return to_hex(self.colours(self.norm(value * _FADE if faded else value)))

    def shades(self, values: np.ndarray, faded: np.ndarray) -> np.ndarray:
        """Places on the ramp of numbers of any shape, those of smaller ones where `faded`: uint8; 0 for NaN."""
        places = np.asarray(self.norm(np.nan_to_num(np.where(faded, values * _FADE, values))))
        return np.clip(np.round(places * (_SHADES - 1)), 0, _SHADES - 1).astype(np.uint8)

    @property
    def ramp(self) -> list[tuple[str, str]]:
        """Colours of ground and text from the lowest number to the highest, evenly spaced."""
        from matplotlib.colors import to_hex

        fills = [to_hex(colour) for colour in self.colours(np.linspace(0.0, 1.0, _SHADES))]
        return [(fill, ink_on(fill)) for fill in fills]

    @property
    def steps(self) -> list[tuple[float, str]]:
        """Numbers to show in a key, evenly spaced in colour, with their colours."""
        numbers = (float(self.norm.inverse(step / (_STEPS - 1))) for step in range(_STEPS))
        return [(number, self.fill(number)) for number in numbers]


def levels(highest: float, least: float = 1.0) -> Palette:
    """Viridis from 0 to the highest number, or to `least` if that is more, by its square root."""
    # Loaded where it is used: pages without a map start without Matplotlib.
    from matplotlib import colormaps
    from matplotlib.colors import PowerNorm

    return Palette(colormaps["viridis"], PowerNorm(0.5, vmin=0.0, vmax=max(highest, least), clip=True))


def rates(lowest: float, highest: float) -> Palette:
    """Viridis evenly from the lowest number to the highest."""
    from matplotlib import colormaps
    from matplotlib.colors import Normalize

    return Palette(colormaps["viridis"], Normalize(lowest, highest if highest > lowest else lowest + 1.0, clip=True))


def changes(largest: float, least: float = 1.0) -> Palette:
    """Red for less, white for no change, blue for more, as far as the largest change either way, `least` at least."""
    from matplotlib import colormaps
    from matplotlib.colors import CenteredNorm

    return Palette(colormaps["RdBu"], CenteredNorm(0.0, halfrange=max(largest, least)))


def corner(province: str) -> tuple[int, int]:
    """The upper left corner of a province's tile."""
    row, column = LAYOUT[province]
    return column * (WIDTH + GAP), row * (HEIGHT + GAP)


def ink_on(fill: str) -> str:
    """Black or white, whichever contrasts more with a colour by the rule of WCAG 2."""
    red, green, blue = (_linear(int(fill[start : start + 2], 16) / 255.0) for start in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000000" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "#ffffff"


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def tiles(
    values: Mapping[str, float],
    palette: Palette,
    names: Mapping[str, str],
    numbers: Mapping[str, str],
    labels: Mapping[str, str],
    *,
    marked: frozenset[str] = frozenset(),
    faded: frozenset[str] = frozenset(),
) -> list[Tile]:
    """Tiles of all provinces, in the order of the map's rows.

    Args:
        values: what is coloured, by English name of the province. names, numbers: what is printed in the tile.
        labels: what a screen reader or a tooltip says. marked, faded: provinces to frame, and to show paler.
    """
    found = []
    for province in LAYOUT:
        fill = palette.fill(values[province], faded=province in faded)
        x, y = corner(province)
        found.append(
            Tile(
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
    return found
